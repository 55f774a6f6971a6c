//! Receives: the action that may wait, and the one whose cost counts.

use std::borrow::Cow;

use serde::Deserialize;

use super::attributes;
use super::receipt;
use super::visibility::LONGEST_SECONDS;
use super::write_json;
use crate::load_queue::broker::{Broker, name_of};
use crate::load_queue::digest;
use crate::load_queue::fault::Refusal;
use crate::load_queue::message::{Backlog, Content, Stored, write_json_string};
use crate::load_queue::queue::{Queue, Receipt, Slot};
use crate::load_queue::template::write_number;
use crate::sqs::client::SqsClient;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Receive<'a> {
    #[serde(borrow)]
    queue_url: Cow<'a, str>,
    max_number_of_messages: Option<u64>,
    visibility_timeout: Option<u64>,
    wait_time_seconds: Option<u64>,
    /// The older name of the next.
    #[serde(default)]
    attribute_names: Vec<Cow<'a, str>>,
    #[serde(default)]
    message_system_attribute_names: Vec<Cow<'a, str>>,
    #[serde(default)]
    message_attribute_names: Vec<Cow<'a, str>>,
}

impl Receive<'_> {
    pub(crate) fn queue_url(&self) -> &str {
        &self.queue_url
    }
}

/// How long a receive that found nothing may wait, and for what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wait {
    /// From the moment the request came.
    pub(crate) seconds: u64,
    /// A hidden message shows then.
    pub(crate) next_visible_at: Option<u64>,
}

/// The input's numbers, or the queue's where it has none.
struct Limits {
    messages: u64,
    hidden_seconds: u64,
    wait_seconds: u64,
}

/// Appends the body of the answer if there are messages; else tells how to wait for some.
pub(crate) fn receive(
    broker: &mut Broker,
    input: &Receive,
    out: &mut Vec<u8>,
) -> Result<Option<Wait>, Refusal> {
    let now = broker.now();
    let queue = broker.queue(&input.queue_url)?;
    let Limits {
        messages,
        hidden_seconds,
        wait_seconds: seconds,
    } = limits(queue, input)?;
    let max = usize::try_from(messages).unwrap_or(1);
    let (taken, mut dead) = queue.receive(max, now, now + hidden_seconds * 1000);
    let wait = Wait {
        seconds,
        next_visible_at: queue.next_visible_at(),
    };
    write_messages(queue, &taken, input, out);
    if let Some(redrive) = queue.redrive.clone().filter(|_| !dead.is_empty()) {
        let arn = SqsClient::arn(name_of(&input.queue_url));
        for (message, _) in &mut dead {
            message.source = Some(arn.clone());
        }
        broker.bury(&redrive.target, dead);
    }
    broker.statistics.note_received(taken.len());
    Ok(taken.is_empty().then_some(wait))
}

fn limits(queue: &Queue, input: &Receive) -> Result<Limits, Refusal> {
    let hidden = input
        .visibility_timeout
        .unwrap_or_else(|| queue.number("VisibilityTimeout", 30));
    let wait = input
        .wait_time_seconds
        .unwrap_or_else(|| queue.number("ReceiveMessageWaitTimeSeconds", 0));
    Ok(Limits {
        messages: in_range(
            "MaxNumberOfMessages",
            input.max_number_of_messages.unwrap_or(1),
            1,
            10,
        )?,
        hidden_seconds: in_range("VisibilityTimeout", hidden, 0, LONGEST_SECONDS)?,
        wait_seconds: in_range("WaitTimeSeconds", wait, 0, 20)?,
    })
}

fn in_range(name: &str, value: u64, least: u64, most: u64) -> Result<u64, Refusal> {
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    let reason = format!("Must be between {least} and {most}, if provided.");
    Err(Refusal::invalid_value(format!(
        "Value {value} for parameter {name} is invalid. Reason: {reason}"
    )))
}

fn write_messages(queue: &Queue, taken: &[Receipt], input: &Receive, out: &mut Vec<u8>) {
    if taken.is_empty() {
        return;
    }
    out.extend_from_slice(br#"{"Messages":["#);
    for (index, receipt) in taken.iter().enumerate() {
        let Some(slot) = queue.find(*receipt) else {
            continue;
        };
        out.extend_from_slice(if index > 0 {
            br#",{"ReceiptHandle":""#
        } else {
            br#"{"ReceiptHandle":""#
        });
        receipt::write(*receipt, out);
        let source = match (&slot.content, &queue.backlog) {
            (Some(Content::Stored(stored)), _) => {
                write_stored(stored, input, out);
                (stored.sent_at, stored.source.as_deref())
            }
            (Some(Content::Generated(index)), Some(backlog)) => {
                write_generated(backlog, *index, out);
                (backlog.sent_at(*index), None)
            }
            _ => (0, None),
        };
        write_system_attributes(slot, source, input, out);
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
}

fn write_generated(backlog: &Backlog, index: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(br#"","MessageId":""#);
    backlog.write_id(index, out);
    let mut body = Vec::with_capacity(256);
    backlog.write_body(index, &mut body);
    out.extend_from_slice(br#"","MD5OfBody":""#);
    out.extend_from_slice(&digest::of_bytes(&body));
    out.extend_from_slice(br#"","Body":"#);
    write_json_string(&body, out);
}

fn write_stored(stored: &Stored, input: &Receive, out: &mut Vec<u8>) {
    out.extend_from_slice(br#"","MessageId":""#);
    out.extend_from_slice(stored.id.as_bytes());
    out.extend_from_slice(br#"","MD5OfBody":""#);
    out.extend_from_slice(&stored.digest);
    out.extend_from_slice(br#"","Body":"#);
    out.extend_from_slice(&stored.body);
    let wanted = |name: &str| attributes::is_wanted(name, &input.message_attribute_names);
    let chosen = || stored.attributes.iter().filter(|(name, _)| wanted(name));
    // The digest is of what is returned, which the client can check.
    if let Some(digest) = digest::of_attributes(chosen()) {
        let values =
            chosen().map(|(name, attribute)| (name.clone(), attributes::to_json(attribute)));
        out.extend_from_slice(br#","MD5OfMessageAttributes":""#);
        out.extend_from_slice(digest.as_bytes());
        out.extend_from_slice(br#"","MessageAttributes":"#);
        write_json(out, &values.collect::<serde_json::Map<_, _>>().into());
    }
}

fn write_system_attributes(
    slot: &Slot,
    (sent_at, source): (u64, Option<&str>),
    input: &Receive,
    out: &mut Vec<u8>,
) {
    let lists = [
        &input.message_system_attribute_names,
        &input.attribute_names,
    ];
    let wanted = |name: &str| {
        lists
            .iter()
            .any(|list| list.iter().any(|wanted| wanted == "All" || wanted == name))
    };
    let numbers = [
        ("SentTimestamp", sent_at),
        ("ApproximateReceiveCount", u64::from(slot.receive_count)),
        ("ApproximateFirstReceiveTimestamp", slot.first_received_at),
    ];
    let start = out.len();
    for (name, number) in numbers.iter().filter(|(name, _)| wanted(name)) {
        write_member(name, out, |out| write_number(out, *number));
    }
    if wanted("SenderId") {
        write_member("SenderId", out, |out| {
            out.extend_from_slice(b"AIDALOCALSTACK");
        });
    }
    if let Some(source) = source.filter(|_| wanted("DeadLetterQueueSourceArn")) {
        write_member("DeadLetterQueueSourceArn", out, |out| {
            out.extend_from_slice(source.as_bytes());
        });
    }
    if out.len() > start {
        // The first member's comma becomes the beginning of the object.
        out.splice(start..=start, br#","Attributes":{"#.iter().copied());
        out.push(b'}');
    }
}

fn write_member(name: &str, out: &mut Vec<u8>, value: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":\"");
    value(out);
    out.push(b'"');
}
