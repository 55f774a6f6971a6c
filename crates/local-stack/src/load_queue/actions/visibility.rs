//! Changes of visibility, alone and in batches.

use std::borrow::Cow;

use serde::Deserialize;

use super::{BatchAnswer, receipt};
use crate::load_queue::broker::Broker;
use crate::load_queue::fault::Refusal;
use crate::load_queue::queue::Queue;

/// Twelve hours (SQS quotas).
pub(crate) const LONGEST_SECONDS: u64 = 43_200;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Change<'a> {
    #[serde(borrow)]
    queue_url: Cow<'a, str>,
    #[serde(borrow)]
    receipt_handle: Cow<'a, str>,
    visibility_timeout: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ChangeBatch<'a> {
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
    #[serde(borrow)]
    receipt_handle: Cow<'a, str>,
    visibility_timeout: u64,
}

pub(crate) fn one(broker: &mut Broker, input: &Change) -> Result<(), Refusal> {
    let now = broker.now();
    change(
        broker.queue(&input.queue_url)?,
        now,
        &input.receipt_handle,
        input.visibility_timeout,
    )
}

pub(crate) fn batch(
    broker: &mut Broker,
    input: &ChangeBatch,
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    let now = broker.now();
    let queue = broker.queue(&input.queue_url)?;
    let mut answer = BatchAnswer::new(out, &input.entries.iter().map(|entry| &*entry.id))?;
    for entry in &input.entries {
        match change(queue, now, &entry.receipt_handle, entry.visibility_timeout) {
            Ok(()) => answer.succeeded(&entry.id).push(b'}'),
            Err(refusal) => answer.failed(&entry.id, &refusal),
        }
    }
    answer.finish();
    Ok(())
}

fn change(queue: &mut Queue, now: u64, handle: &str, seconds: u64) -> Result<(), Refusal> {
    if seconds > LONGEST_SECONDS {
        return Err(Refusal::invalid_value(format!(
            "Value {seconds} for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and {LONGEST_SECONDS}."
        )));
    }
    let changed = queue.change_visibility(receipt::read(handle)?, now, now + seconds * 1000);
    if changed {
        Ok(())
    } else {
        Err(Refusal::not_in_flight())
    }
}
