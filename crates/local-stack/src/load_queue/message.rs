//! What stands in a queue: a message that was sent, or the number of one that a template makes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::digest;
use super::template::{MALFORMED, write_event, write_uuid};
use crate::random::Random;

/// A message attribute, with its value as the client sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attribute {
    pub(crate) data_type: String,
    pub(crate) value: AttributeValue,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AttributeValue {
    /// Of the types String and Number.
    Text(String),
    Binary(Vec<u8>),
}

/// A message that was sent, ready to be put into an answer.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) id: String,
    /// Milliseconds since 1970.
    pub(crate) sent_at: u64,
    /// As a JSON string, quotes and escapes included.
    pub(crate) body: Vec<u8>,
    pub(crate) digest: [u8; 32],
    pub(crate) attributes: BTreeMap<String, Attribute>,
    /// The queue that this dead letter comes from.
    pub(crate) source: Option<String>,
}

/// Shared, since it is cloned out of its slot for every answer.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Stored(Arc<Stored>),
    /// The number of the message in the queue's backlog.
    Generated(u64),
}

/// Messages that wait to be made when they are received: any number, in no memory.
#[derive(Clone, Debug)]
pub(crate) struct Backlog {
    pub(crate) seed: u64,
    pub(crate) next: u64,
    pub(crate) total: u64,
    /// One in so many is malformed; 0 for none.
    pub(crate) malformed_every: u64,
    /// When the first of them was sent, in milliseconds since 1970; each was sent 1 ms before the next.
    pub(crate) first_sent_at: u64,
}

impl Backlog {
    pub(crate) fn remaining(&self) -> u64 {
        self.total - self.next
    }

    pub(crate) fn sent_at(&self, index: u64) -> u64 {
        self.first_sent_at + index
    }

    /// The body as it is, not yet as a JSON string.
    pub(crate) fn write_body(&self, index: u64, out: &mut Vec<u8>) {
        if self.malformed_every > 0 && (index + 1).is_multiple_of(self.malformed_every) {
            out.extend_from_slice(MALFORMED);
        } else {
            write_event(self.seed, index, out);
        }
    }

    pub(crate) fn write_id(&self, index: u64, out: &mut Vec<u8>) {
        write_uuid(&mut Random::new(!self.seed, index), out);
    }

    /// A message that leaves for another queue no longer comes from here.
    pub(crate) fn store(&self, index: u64) -> Stored {
        let (mut id, mut text, mut body) = (Vec::new(), Vec::new(), Vec::new());
        self.write_id(index, &mut id);
        self.write_body(index, &mut text);
        write_json_string(&text, &mut body);
        Stored {
            id: String::from_utf8_lossy(&id).into_owned(),
            sent_at: self.sent_at(index),
            body,
            digest: digest::of_bytes(&text),
            attributes: BTreeMap::new(),
            source: None,
        }
    }
}

/// Quotes text of ASCII without control characters, as templates make it.
pub(crate) fn write_json_string(text: &[u8], out: &mut Vec<u8>) {
    out.reserve(text.len() + 32);
    out.push(b'"');
    let mut start = 0;
    for quote in memchr::memchr_iter(b'"', text) {
        out.extend_from_slice(&text[start..quote]);
        out.push(b'\\');
        start = quote;
    }
    out.extend_from_slice(&text[start..]);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKLOG: Backlog = Backlog {
        seed: 1,
        next: 0,
        total: 200,
        malformed_every: 100,
        first_sent_at: 1_700_000_000_000,
    };

    #[test]
    fn one_in_so_many_is_malformed() {
        let malformed = (0..200).filter(|index| {
            let mut body = Vec::new();
            BACKLOG.write_body(*index, &mut body);
            body == MALFORMED
        });
        assert_eq!(malformed.collect::<Vec<_>>(), [99, 199]);
    }

    #[test]
    fn a_stored_copy_is_what_the_backlog_would_have_given() {
        let stored = BACKLOG.store(3);
        let text: String = serde_json::from_slice(&stored.body).unwrap();
        assert_eq!(digest::of_bytes(text.as_bytes()), stored.digest);
        assert_eq!(stored.id.len(), 36);
        assert_eq!(stored.sent_at, 1_700_000_000_003);
    }
}
