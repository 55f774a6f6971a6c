//! Between the SDK's types and this crate's: messages, attributes, and what a batch answer says of its entries.

use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, Message, MessageAttributeValue, MessageSystemAttributeName,
    SendMessageBatchRequestEntry,
};

use crate::error::QueueError;
use crate::message::{AttributeContent, AttributeValue, OutgoingMessage, ReceivedMessage};
use crate::transport::{EntryFailure, EntryFailures};

/// `None` for an answer without the id or the handle: all such messages would pass for one, and could not be settled.
pub(super) fn received(message: Message) -> Option<ReceivedMessage> {
    let mut system = message.attributes.unwrap_or_default();
    let mut take = |name: MessageSystemAttributeName| system.remove(&name);
    let attributes = message.message_attributes.unwrap_or_default();
    Some(ReceivedMessage {
        sent_at_ms: take(MessageSystemAttributeName::SentTimestamp)
            .and_then(|text| text.parse().ok()),
        receive_count: take(MessageSystemAttributeName::ApproximateReceiveCount)
            .and_then(|text| text.parse().ok())
            .unwrap_or(1),
        group_id: take(MessageSystemAttributeName::MessageGroupId),
        message_id: message.message_id.filter(|id| !id.is_empty())?,
        receipt_handle: message.receipt_handle.filter(|handle| !handle.is_empty())?,
        body: message.body.unwrap_or_default(),
        attributes: attributes.into_iter().filter_map(attribute).collect(),
    })
}

fn attribute((name, value): (String, MessageAttributeValue)) -> Option<(String, AttributeValue)> {
    let content = match (value.string_value, value.binary_value) {
        (Some(text), _) => AttributeContent::Text(text),
        (None, Some(bytes)) => AttributeContent::Binary(bytes.into_inner()),
        (None, None) => return None,
    };
    Some((
        name,
        AttributeValue {
            data_type: value.data_type,
            content,
        },
    ))
}

/// The position is the entry's id: a batch with two equal ids is refused whole.
pub(super) fn entry(
    index: usize,
    message: &OutgoingMessage,
) -> Result<SendMessageBatchRequestEntry, aws_sdk_sqs::error::BuildError> {
    let mut builder = SendMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .message_body(&message.body)
        .set_message_group_id(message.group_id.clone())
        .set_message_deduplication_id(message.deduplication_id.clone());
    for (name, value) in &message.attributes {
        let attribute = MessageAttributeValue::builder().data_type(&value.data_type);
        let attribute = match &value.content {
            AttributeContent::Text(text) => attribute.string_value(text),
            AttributeContent::Binary(bytes) => attribute.binary_value(Blob::new(bytes.clone())),
        };
        builder = builder.message_attributes(name, attribute.build()?);
    }
    builder.build()
}

pub(super) fn built<E>(
    entries: impl Iterator<Item = Result<E, aws_sdk_sqs::error::BuildError>>,
) -> Result<Vec<E>, QueueError> {
    entries
        .collect::<Result<_, _>>()
        .map_err(|error| QueueError::Configuration(error.to_string()))
}

/// Every entry that the answer does not call successful, so that a garbled answer never passes for success: what was
/// "sent" is deleted next.
pub(super) fn failures<'a>(
    entries: usize,
    successful: impl Iterator<Item = &'a str>,
    failed: &[BatchResultErrorEntry],
) -> EntryFailures {
    let mut open: Vec<bool> = vec![true; entries];
    for index in successful.filter_map(|id| id.parse::<usize>().ok()) {
        if let Some(entry) = open.get_mut(index) {
            *entry = false;
        }
    }
    let failure = |index: usize| {
        let told = failed.iter().find(|entry| entry.id == index.to_string());
        EntryFailure {
            index,
            code: told.map_or_else(|| "NotMentioned".to_owned(), |entry| entry.code.clone()),
            sender_fault: told.is_some_and(|entry| entry.sender_fault),
        }
    };
    (0..entries)
        .filter(|&index| open[index])
        .map(failure)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_that_the_answer_does_not_mention_has_failed() {
        let told = BatchResultErrorEntry::builder()
            .id("2")
            .code("InvalidMessageContents")
            .sender_fault(true)
            .build()
            .unwrap();
        let failed = failures(4, ["0", "junk", "17"].into_iter(), &[told]);
        let seen = failed.iter().map(|entry| (entry.index, entry.sender_fault));
        assert_eq!(
            seen.collect::<Vec<_>>(),
            [(1, false), (2, true), (3, false)]
        );
    }

    #[test]
    fn a_message_that_cannot_be_told_from_others_is_left_out() {
        let message = || Message::builder().body("b").receipt_handle("h");
        assert!(received(message().build()).is_none());
        assert!(received(message().message_id("").build()).is_none());
        assert!(received(message().message_id("m").build()).is_some());
    }
}
