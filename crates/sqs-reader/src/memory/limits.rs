//! What SQS refuses, by its own codes.
//! Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-quotas.html>.

use std::time::Duration;

use super::settings::QueueSettings;
use crate::error::QueueError;
use crate::message::{AttributeContent, AttributeValue, OutgoingMessage};
use crate::send::MAX_BYTES;
use crate::transport::MAX_BATCH;

pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(20);
pub(super) const LONGEST_VISIBILITY: Duration = Duration::from_hours(12);
const MOST_ATTRIBUTES: usize = 10;

/// A code for the `Failed` list of a batch. All of them are the sender's fault.
pub(super) type Code = &'static str;

pub(super) fn refused(code: &str) -> QueueError {
    QueueError::Refused(code.to_owned())
}

/// Checks the number of entries of a batch.
pub(super) fn batch(entries: usize) -> Result<(), QueueError> {
    match entries {
        0 => Err(refused("AWS.SimpleQueueService.EmptyBatchRequest")),
        1..=MAX_BATCH => Ok(()),
        _ => Err(refused(
            "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
        )),
    }
}

pub(super) fn batch_bytes(messages: &[OutgoingMessage]) -> Result<(), QueueError> {
    let bytes: usize = messages.iter().map(OutgoingMessage::size).sum();
    if bytes > MAX_BYTES {
        return Err(refused("AWS.SimpleQueueService.BatchRequestTooLong"));
    }
    Ok(())
}

pub(super) fn receive(at_most: usize, wait: Duration) -> Result<(), QueueError> {
    if (1..=MAX_BATCH).contains(&at_most) && wait <= LONGEST_WAIT {
        return Ok(());
    }
    Err(refused("InvalidParameterValue"))
}

/// Checks one message against the queue that it is sent to.
pub(super) fn message(message: &OutgoingMessage, settings: &QueueSettings) -> Result<(), Code> {
    if message.body.is_empty() {
        return Err("MissingParameter");
    }
    if !message.body.chars().all(may_stand_in_a_body) {
        return Err("InvalidMessageContents");
    }
    let attributes_pass = message.attributes.len() <= MOST_ATTRIBUTES
        && message.attributes.iter().all(attribute_passes)
        && names_are_distinct(message);
    if message.size() > settings.max_message_bytes || !attributes_pass {
        return Err("InvalidParameterValue");
    }
    fifo_ids(message, settings.fifo)
}

/// FIFO queues demand both ids (content-based deduplication is off); standard queues know no deduplication.
fn fifo_ids(message: &OutgoingMessage, fifo: bool) -> Result<(), Code> {
    match (fifo, &message.group_id, &message.deduplication_id) {
        (true, Some(_), Some(_)) | (false, _, None) => Ok(()),
        (true, None, _) => Err("MissingParameter"),
        (true, Some(_), None) | (false, _, Some(_)) => Err("InvalidParameterValue"),
    }
}

/// The characters of XML 1.0, which `SendMessage` names.
fn may_stand_in_a_body(character: char) -> bool {
    matches!(character,
        '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{1_0000}'..='\u{10_ffff}')
}

fn attribute_passes((name, value): &(String, AttributeValue)) -> bool {
    let filled = match &value.content {
        AttributeContent::Text(text) => !text.is_empty(),
        AttributeContent::Binary(bytes) => !bytes.is_empty(),
    };
    let known_type = ["String", "Number", "Binary"]
        .iter()
        .any(|base| value.data_type.split('.').next() == Some(base));
    filled && known_type && !name.is_empty()
}

fn names_are_distinct(message: &OutgoingMessage) -> bool {
    let mut names: Vec<&str> = message
        .attributes
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    names.sort_unstable();
    names.windows(2).all(|pair| pair[0] != pair[1])
}
