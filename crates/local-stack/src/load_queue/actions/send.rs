//! Sends, alone and in batches.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::json;

use super::attributes::{self, AttributeInputs};
use super::{BatchAnswer, write_json};
use crate::load_queue::broker::Broker;
use crate::load_queue::digest;
use crate::load_queue::fault::Refusal;
use crate::load_queue::message::Stored;
use crate::random;

/// Body and attributes of one message, or of all messages of a batch (SQS quotas).
const LONGEST: usize = 1 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Send<'a> {
    #[serde(borrow)]
    queue_url: Cow<'a, str>,
    #[serde(flatten, borrow)]
    message: Input<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SendBatch<'a> {
    #[serde(borrow)]
    queue_url: Cow<'a, str>,
    #[serde(borrow, default)]
    entries: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(flatten, borrow)]
    message: Input<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input<'a> {
    #[serde(borrow)]
    message_body: Cow<'a, str>,
    #[serde(default)]
    delay_seconds: Option<u64>,
    #[serde(borrow, default)]
    message_attributes: Option<AttributeInputs<'a>>,
}

/// What the client is told of a message that was taken in.
struct Taken {
    id: String,
    digest: String,
    attributes_digest: Option<String>,
}

pub(crate) fn one(broker: &mut Broker, input: Send, out: &mut Vec<u8>) -> Result<(), Refusal> {
    let taken = take(broker, &input.queue_url, input.message)?;
    write_json(
        out,
        &json!({
            "MessageId": taken.id,
            "MD5OfMessageBody": taken.digest,
            "MD5OfMessageAttributes": taken.attributes_digest,
        }),
    );
    Ok(())
}

pub(crate) fn batch(
    broker: &mut Broker,
    input: SendBatch,
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    broker.queue(&input.queue_url)?;
    refuse_too_long(&input)?;
    let ids: Vec<String> = input
        .entries
        .iter()
        .map(|entry| entry.id.to_string())
        .collect();
    let mut answer = BatchAnswer::new(out, &ids.iter().map(String::as_str))?;
    for entry in input.entries {
        match take(broker, &input.queue_url, entry.message) {
            Ok(taken) => write_members(&taken, answer.succeeded(&entry.id)),
            Err(refusal) => answer.failed(&entry.id, &refusal),
        }
    }
    answer.finish();
    Ok(())
}

fn refuse_too_long(input: &SendBatch) -> Result<(), Refusal> {
    let length: usize = input
        .entries
        .iter()
        .map(|entry| entry.message.message_body.len())
        .sum();
    if length <= LONGEST {
        return Ok(());
    }
    let kind = "com.amazonaws.sqs#BatchRequestTooLong";
    let message = format!("Batch requests cannot be longer than {LONGEST} bytes.");
    Err(Refusal::new(
        kind,
        "AWS.SimpleQueueService.BatchRequestTooLong",
        message,
    ))
}

/// The rest of an entry that begins with its id. Ids and digests need no escapes.
fn write_members(taken: &Taken, out: &mut Vec<u8>) {
    let Taken {
        id,
        digest,
        attributes_digest,
    } = taken;
    out.extend_from_slice(
        format!(r#","MessageId":"{id}","MD5OfMessageBody":"{digest}""#).as_bytes(),
    );
    if let Some(digest) = attributes_digest {
        out.extend_from_slice(format!(r#","MD5OfMessageAttributes":"{digest}""#).as_bytes());
    }
    out.push(b'}');
}

fn take(broker: &mut Broker, url: &str, input: Input) -> Result<Taken, Refusal> {
    let now = broker.now();
    let queue = broker.queue(url)?;
    let delay = input
        .delay_seconds
        .unwrap_or_else(|| queue.number("DelaySeconds", 0));
    let attributes = attributes::read(input.message_attributes.unwrap_or_default())?;
    check(
        &input.message_body,
        attributes.iter().map(attributes::size).sum(),
        delay,
    )?;
    let digest = digest::of_bytes(input.message_body.as_bytes());
    let attributes_digest = digest::of_attributes(attributes.iter());
    let id = new_id()?;
    let body = serde_json::to_vec(&input.message_body)?;
    let stored = Stored {
        id: id.clone(),
        sent_at: now,
        body,
        digest,
        attributes,
        source: None,
    };
    queue.push(stored, 0, (delay > 0).then_some(now + delay * 1000));
    broker.statistics.sent += 1;
    let digest = String::from_utf8_lossy(&digest).into_owned();
    Ok(Taken {
        id,
        digest,
        attributes_digest,
    })
}

fn check(body: &str, attributes: usize, delay: u64) -> Result<(), Refusal> {
    let refuse = |message: String| Err(Refusal::invalid_value(message));
    if body.is_empty() {
        let kind = "com.amazon.coral.service#MissingRequiredParameterException";
        let message = "The request must contain the parameter MessageBody.";
        return Err(Refusal::new(kind, "MissingParameter", message));
    }
    if body.len() + attributes > LONGEST {
        return refuse(format!(
            "One or more parameters are invalid. Reason: Message must be shorter than {LONGEST} bytes."
        ));
    }
    if delay > 900 {
        return refuse(format!(
            "Value {delay} for parameter DelaySeconds is invalid. Reason: Must be between 0 and 900."
        ));
    }
    Ok(())
}

/// A random UUID of version 4.
fn new_id() -> Result<String, Refusal> {
    let failed = |error: anyhow::Error| {
        Refusal::new(
            "com.amazonaws.sqs#InternalError",
            "InternalError",
            error.to_string(),
        )
    };
    let hex = random::hex(16).map_err(failed)?;
    Ok(format!(
        "{}-{}-4{}-8{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..32]
    ))
}
