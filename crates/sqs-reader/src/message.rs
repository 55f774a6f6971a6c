//! Messages as they cross the wire, without the SDK's types: what the in-memory queue and SQS both speak.
//! `Debug` shows no body: it holds people's data.

use std::fmt;

/// The value of a message attribute, with its SQS data type such as `String` or `Number.int`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AttributeValue {
    /// SQS data type, custom label included.
    pub data_type: String,
    /// Text or bytes.
    pub content: AttributeContent,
}

/// What an attribute holds.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum AttributeContent {
    /// `String` and `Number` types.
    Text(String),
    /// `Binary` types.
    Binary(Vec<u8>),
}

impl AttributeValue {
    /// An attribute of type `String`.
    pub fn text(value: impl Into<String>) -> Self {
        Self {
            data_type: "String".to_owned(),
            content: AttributeContent::Text(value.into()),
        }
    }

    /// The text, where it is one.
    pub fn as_text(&self) -> Option<&str> {
        match &self.content {
            AttributeContent::Text(text) => Some(text),
            AttributeContent::Binary(_) => None,
        }
    }

    /// Bytes that count towards SQS's size limit.
    pub(crate) fn size(&self) -> usize {
        let content = match &self.content {
            AttributeContent::Text(text) => text.len(),
            AttributeContent::Binary(bytes) => bytes.len(),
        };
        self.data_type.len() + content
    }
}

/// A sender may put anything into an attribute.
impl fmt::Debug for AttributeValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AttributeValue")
            .field("data_type", &self.data_type)
            .finish_non_exhaustive()
    }
}

/// Message attributes by name. A list: there are ten at most, and mostly none.
pub type Attributes = Vec<(String, AttributeValue)>;

/// One message as a receive returned it.
#[derive(Clone)]
pub struct ReceivedMessage {
    /// The queue's id of it.
    pub message_id: String,
    /// For this delivery; a later delivery has another.
    pub receipt_handle: String,
    /// Empty where the queue sent none.
    pub body: String,
    /// `SentTimestamp`, milliseconds since the Unix epoch.
    pub sent_at_ms: Option<i64>,
    /// `ApproximateReceiveCount`, this delivery included.
    pub receive_count: u32,
    /// `MessageGroupId`, on FIFO queues.
    pub group_id: Option<String>,
    /// The sender's attributes.
    pub attributes: Attributes,
}

impl fmt::Debug for ReceivedMessage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = formatter.debug_struct("ReceivedMessage");
        fields
            .field("message_id", &self.message_id)
            .field("body_bytes", &self.body.len());
        fields
            .field("receive_count", &self.receive_count)
            .finish_non_exhaustive()
    }
}

/// One message to send.
#[derive(Clone, Default)]
pub struct OutgoingMessage {
    /// The text.
    pub body: String,
    /// Attributes to send with it.
    pub attributes: Attributes,
    /// `MessageGroupId`; FIFO queues demand one.
    pub group_id: Option<String>,
    /// `MessageDeduplicationId`; FIFO queues demand one.
    pub deduplication_id: Option<String>,
}

impl OutgoingMessage {
    /// Bytes that count towards SQS's limit of 1 MiB a message and a batch.
    pub fn size(&self) -> usize {
        let attributes: usize = self
            .attributes
            .iter()
            .map(|(name, value)| name.len() + value.size())
            .sum();
        self.body.len() + attributes
    }
}

/// A message that is nothing but its body.
impl From<&str> for OutgoingMessage {
    fn from(body: &str) -> Self {
        Self {
            body: body.to_owned(),
            ..Self::default()
        }
    }
}

impl fmt::Debug for OutgoingMessage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("OutgoingMessage")
            .field("bytes", &self.size())
            .finish_non_exhaustive()
    }
}
