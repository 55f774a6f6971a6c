//! What other AWS services wrap round an event on its way to the queue, and how it is taken off again.
//!
//! A body is looked at here only once it turned out not to be a login event, so plain events pay nothing.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::de::{Deserializer as _, IgnoredAny, SeqAccess, Visitor};

use crate::{Rejection, UnknownName, members, text};

/// The class names that the extended client (the older and the newer one) writes before its pointer.
const S3_POINTERS: [&str; 2] = [
    "com.amazon.sqs.javamessaging.MessageS3Pointer",
    "software.amazon.payloadoffloading.PayloadS3Pointer",
];

/// Whether the envelopes of other services are opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EnvelopeRule {
    /// SNS notifications and EventBridge events are recognised and unwrapped, also one in the other.
    #[default]
    Auto,
    /// The body is the event itself, or it is rejected.
    None,
}

/// What an envelope holds: the event that EventBridge embeds, or the text that SNS carries.
///
/// `object` is a syntactically valid JSON object. `Ok(None)` where it is no envelope.
pub(crate) fn open(object: &str) -> Result<Option<Cow<'_, str>>, Rejection> {
    let [kind, message, detail_type, detail] =
        members::read(object, &["Type", "Message", "detail-type", "detail"])?;
    match (kind, message, detail_type, detail) {
        // https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
        (Some(r#""Notification""#), Some(message), ..) if message.starts_with('"') => {
            text::decode(message)
                .map(Some)
                .map_err(Rejection::of_message)
        }
        // https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
        (_, _, Some(_), Some(detail)) if detail.starts_with('{') => Ok(Some(Cow::Borrowed(detail))),
        _ => Ok(None),
    }
}

/// Whether a syntactically valid JSON array is the extended client's pointer to a payload in S3.
pub(crate) fn is_s3_pointer(array: &str) -> bool {
    let class_name = serde_json::Deserializer::from_str(array).deserialize_seq(FirstText);
    class_name.is_ok_and(|name| S3_POINTERS.contains(&name))
}

/// The first element of an array, where it is a text.
struct FirstText;

impl<'de> Visitor<'de> for FirstText {
    type Value = &'de str;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array that starts with a text")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        let first: Option<&str> = array.next_element()?;
        while array.next_element::<IgnoredAny>()?.is_some() {}
        Ok(first.unwrap_or_default())
    }
}

impl EnvelopeRule {
    /// The name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::None => "none",
        }
    }
}

impl fmt::Display for EnvelopeRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EnvelopeRule {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "auto" => Ok(Self::Auto),
            "none" => Ok(Self::None),
            _ => Err(UnknownName {
                expected: &["auto", "none"],
            }),
        }
    }
}
