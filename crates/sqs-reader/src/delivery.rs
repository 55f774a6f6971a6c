//! One delivery of a message: its body, who it is on every redelivery, and the receipt to settle it with.

use std::fmt;

use uuid::Uuid;

use crate::held_bytes::Weight;
use crate::in_flight::Receipt;
use crate::message::{Attributes, ReceivedMessage};

/// Message attribute with the id of a message's first sending, on whatever is forwarded or redriven.
pub const SOURCE_MESSAGE_ID: &str = "source-message-id";
/// Message attribute with the time of a message's first sending, in milliseconds since the Unix epoch.
pub const SOURCE_SENT_AT: &str = "source-sent-at";

/// Stands for a missing `SentTimestamp`: a constant, so that a redelivery has the same identity. 2000-01-01 UTC.
const NO_TIMESTAMP_MS: i64 = 946_684_800_000;

/// The times that a `source-sent-at` may name, 1970 to 9999: any sender can set one, and a database refuses others.
const POSSIBLE_MS: std::ops::Range<i64> = 0..253_402_300_800_000;

/// What stays the same when a message is delivered again, or was forwarded and sent anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    /// When it was first sent, in milliseconds since the Unix epoch.
    pub sent_at_ms: i64,
    /// Its id at its first sending; a UUIDv5 of it where that is no UUID.
    pub message_id: Uuid,
}

impl Identity {
    /// From the source attributes where the message was forwarded, else from the queue's own.
    pub(crate) fn of(message: &ReceivedMessage) -> Self {
        let source = |name: &str| attribute(&message.attributes, name);
        let sent_at = source(SOURCE_SENT_AT)
            .and_then(|text| text.parse().ok())
            .filter(|sent_at| POSSIBLE_MS.contains(sent_at))
            .or(message.sent_at_ms);
        Self {
            sent_at_ms: sent_at.unwrap_or(NO_TIMESTAMP_MS),
            message_id: id_of(source(SOURCE_MESSAGE_ID).unwrap_or(&message.message_id)),
        }
    }
}

fn attribute<'a>(attributes: &'a Attributes, name: &str) -> Option<&'a str> {
    attributes
        .iter()
        .find(|(known, _)| known == name)
        .and_then(|(_, value)| value.as_text())
}

/// A message id as a UUID: SQS's are; those of other servers are hashed into one.
pub(crate) fn id_of(message_id: &str) -> Uuid {
    Uuid::try_parse(message_id)
        .unwrap_or_else(|_| Uuid::new_v5(&Uuid::NAMESPACE_OID, message_id.as_bytes()))
}

/// One delivery, held until its receipt is settled or dropped.
pub struct Delivery {
    /// The message's text.
    pub body: String,
    /// The same on every redelivery.
    pub identity: Identity,
    /// How often the queue has delivered the message, this time included.
    pub receive_count: u32,
    pub(crate) group_id: Option<String>,
    pub(crate) attributes: Attributes,
    pub(crate) receipt: Receipt,
    pub(crate) weight: Weight,
}

impl Delivery {
    /// Lets the text go, where a delivery is held only to be released.
    #[must_use]
    pub fn without_body(mut self) -> Self {
        self.body = String::new();
        self.weight.let_go();
        self
    }

    /// The text of a message attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        attribute(&self.attributes, name)
    }
}

/// Never the body: it holds people's data.
impl fmt::Debug for Delivery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = formatter.debug_struct("Delivery");
        fields
            .field("identity", &self.identity)
            .field("receive_count", &self.receive_count)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::AttributeValue;

    fn message(attributes: Attributes) -> ReceivedMessage {
        ReceivedMessage {
            message_id: "01890a5d-ac96-774b-bcce-b302099a8057".to_owned(),
            receipt_handle: String::new(),
            body: "199.172.111.135".to_owned(),
            sent_at_ms: Some(7),
            receive_count: 1,
            group_id: None,
            attributes,
        }
    }

    #[test]
    fn source_attributes_win_over_the_queues_own() {
        let first = Uuid::from_u128(42);
        let forwarded = message(vec![
            (
                SOURCE_MESSAGE_ID.to_owned(),
                AttributeValue::text(first.to_string()),
            ),
            (SOURCE_SENT_AT.to_owned(), AttributeValue::text("1234")),
        ]);
        assert_eq!(
            Identity::of(&forwarded),
            Identity {
                sent_at_ms: 1234,
                message_id: first
            }
        );
        assert_eq!(Identity::of(&message(Vec::new())).sent_at_ms, 7);
    }

    #[test]
    fn a_source_time_that_is_none_is_not_taken() {
        for time in [
            "-1",
            "253402300800000",
            "9223372036854775808",
            "soon",
            "1.5",
        ] {
            let source = (SOURCE_SENT_AT.to_owned(), AttributeValue::text(time));
            assert_eq!(Identity::of(&message(vec![source])).sent_at_ms, 7, "{time}");
        }
    }

    #[test]
    fn an_id_that_is_no_uuid_and_a_missing_time_are_stable() {
        let odd = ReceivedMessage {
            message_id: "abc".to_owned(),
            sent_at_ms: None,
            ..message(Vec::new())
        };
        assert_eq!(Identity::of(&odd), Identity::of(&odd.clone()));
        assert_eq!(Identity::of(&odd).sent_at_ms, NO_TIMESTAMP_MS);
    }

    #[test]
    fn debug_shows_no_body() {
        assert!(!format!("{:?}", message(Vec::new())).contains("199.172"));
    }
}
