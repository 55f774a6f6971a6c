//! Deletes, alone and in batches.

use std::borrow::Cow;

use serde::Deserialize;

use super::{BatchAnswer, receipt};
use crate::load_queue::broker::Broker;
use crate::load_queue::fault::Refusal;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Delete<'a> {
    #[serde(borrow)]
    queue_url: Cow<'a, str>,
    #[serde(borrow)]
    receipt_handle: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DeleteBatch<'a> {
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
}

pub(crate) fn one(broker: &mut Broker, input: &Delete) -> Result<(), Refusal> {
    let queue = broker.queue(&input.queue_url)?;
    let deleted = queue.delete(receipt::read(&input.receipt_handle)?);
    broker.statistics.note_deleted(u64::from(deleted));
    Ok(())
}

pub(crate) fn batch(
    broker: &mut Broker,
    input: &DeleteBatch,
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    let queue = broker.queue(&input.queue_url)?;
    let mut answer = BatchAnswer::new(out, &input.entries.iter().map(|entry| &*entry.id))?;
    let mut deleted = 0;
    for entry in &input.entries {
        match receipt::read(&entry.receipt_handle) {
            Ok(receipt) => {
                deleted += u64::from(queue.delete(receipt));
                answer.succeeded(&entry.id).push(b'}');
            }
            Err(refusal) => answer.failed(&entry.id, &refusal),
        }
    }
    answer.finish();
    broker.statistics.note_deleted(deleted);
    Ok(())
}
