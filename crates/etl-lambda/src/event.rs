//! What Lambda hands over: the records of one SQS batch. The shape is AWS's own ("Using Lambda with Amazon SQS").
//!
//! Read here rather than with `aws_lambda_events`, whose types show bodies in their `Debug` and take a record without an
//! id for one.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use sqs_reader::{AttributeContent, AttributeValue, Attributes, ReceivedMessage};

use crate::worker::Trouble;

/// One invocation's batch, all of one queue. No `Debug`: it holds people's data.
#[derive(Deserialize)]
pub(crate) struct Event {
    #[serde(rename = "Records")]
    pub(crate) records: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    pub(crate) message_id: String,
    #[serde(default)]
    body: String,
    #[serde(rename = "eventSourceARN")]
    queue_arn: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(default)]
    message_attributes: BTreeMap<String, MessageAttribute>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageAttribute {
    data_type: String,
    string_value: Option<String>,
    /// In base64.
    binary_value: Option<String>,
}

impl Event {
    /// Tells of a fault's place alone: the text of an error may hold a value.
    pub(crate) fn parse(json: &str) -> Result<Self, Trouble> {
        serde_json::from_str(json).map_err(|error| Trouble::NotAnEvent {
            line: error.line(),
            column: error.column(),
        })
    }

    /// Whether the queue keeps an order.
    pub(crate) fn is_fifo(&self) -> bool {
        let arn = self.queue_arn().unwrap_or_default();
        arn.strip_suffix(".fifo").is_some()
    }

    /// `arn:aws:sqs:REGION:ACCOUNT:NAME` of the queue.
    pub(crate) fn queue_arn(&self) -> Option<&str> {
        self.records.first().map(|record| record.queue_arn.as_str())
    }
}

impl Record {
    /// `MessageGroupId`; messages of standard queues may have one too.
    pub(crate) fn group(&self) -> Option<&str> {
        self.attribute("MessageGroupId")
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// As a receive would have returned it, with the id for a handle: it is what Lambda asks back.
    pub(crate) fn into_message(self) -> ReceivedMessage {
        let number = |name: &str| self.attribute(name)?.parse::<i64>().ok();
        let receive_count = number("ApproximateReceiveCount");
        ReceivedMessage {
            sent_at_ms: number("SentTimestamp"),
            receive_count: receive_count
                .and_then(|count| u32::try_from(count).ok())
                .unwrap_or(1),
            group_id: self.group().map(str::to_owned),
            receipt_handle: self.message_id.clone(),
            message_id: self.message_id,
            body: self.body,
            attributes: message_attributes(self.message_attributes),
        }
    }
}

fn message_attributes(attributes: BTreeMap<String, MessageAttribute>) -> Attributes {
    let value = |attribute: MessageAttribute| AttributeValue {
        content: match (attribute.string_value, attribute.binary_value) {
            (Some(text), _) => AttributeContent::Text(text),
            (None, Some(bytes)) => {
                AttributeContent::Binary(STANDARD.decode(bytes).unwrap_or_default())
            }
            (None, None) => AttributeContent::Text(String::new()),
        },
        data_type: attribute.data_type,
    };
    attributes
        .into_iter()
        .map(|(name, attribute)| (name, value(attribute)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As AWS's documentation shows it, with attributes of each kind.
    const EVENT: &str = r#"{"Records": [{
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d", "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": "Test message.", "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "attributes": {"ApproximateReceiveCount": "3", "SentTimestamp": "1545082649183",
            "SenderId": "AIDAIENQZJOLO23YVJ4VO", "ApproximateFirstReceiveTimestamp": "1545082649185"},
        "messageAttributes": {
            "trace": {"stringValue": "t-1", "stringListValues": [], "binaryListValues": [], "dataType": "String"},
            "raw": {"binaryValue": "AAH/", "dataType": "Binary.png"}},
        "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-2:123456789012:my-queue",
        "awsRegion": "us-east-2"}]}"#;

    #[test]
    fn a_record_is_read_as_a_receive_would_have_returned_it() {
        let mut event = Event::parse(EVENT).ok().unwrap();
        assert_eq!(
            event.queue_arn(),
            Some("arn:aws:sqs:us-east-2:123456789012:my-queue")
        );
        let message = event.records.remove(0).into_message();
        assert_eq!(message.message_id, "059f36b4-87a3-44ab-83d2-661975830a7d");
        assert_eq!(message.receipt_handle, message.message_id);
        assert_eq!(message.body, "Test message.");
        assert_eq!(
            (message.sent_at_ms, message.receive_count),
            (Some(1_545_082_649_183), 3)
        );
        assert_eq!(message.attributes[0].1.data_type, "Binary.png");
        assert!(message.attributes[0].1.content == AttributeContent::Binary(vec![0, 1, 255]));
        assert_eq!(message.attributes[1].1.as_text(), Some("t-1"));
    }

    #[test]
    fn what_is_no_event_is_told_by_its_place_and_not_by_its_text() {
        let trouble = Event::parse(r#"{"Records": "199.172.111.135"}"#).err();
        let text = trouble.unwrap().to_string();
        assert!(text.contains("line 1") && !text.contains("199"), "{text}");
    }
}
