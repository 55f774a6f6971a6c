//! What a test may know of a queue: every message that it ever held, and where each is now.

use tokio::time::Instant;

use super::server::MemoryQueue;
use crate::message::Attributes;

/// Where a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The next receive may take it.
    Visible,
    /// A reader holds it until then.
    Hidden(Instant),
    /// Deleted by a reader.
    Deleted,
    /// Moved to the dead-letter queue by the redrive policy.
    DeadLettered,
}

/// Messages of a queue by their place, and what happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Waiting.
    pub visible: usize,
    /// Held by readers.
    pub in_flight: usize,
    /// Deleted.
    pub deleted: usize,
    /// Moved away by the redrive policy.
    pub dead_lettered: usize,
    /// Messages given out, each time counted.
    pub deliveries: usize,
    /// Deletes by a receipt handle that a later receive had made old: answered with success, without effect.
    pub ignored_deletes: usize,
    /// Sends that a FIFO queue took for a repetition.
    pub deduplicated: usize,
}

impl Counts {
    /// Messages that a receive may still bring.
    pub fn open(&self) -> usize {
        self.visible + self.in_flight
    }
}

/// A message as it stands on the queue, or stood.
#[derive(Debug, Clone)]
pub struct StoredMessage {
    /// The queue's id of it.
    pub message_id: String,
    /// The text.
    pub body: String,
    /// The sender's attributes.
    pub attributes: Attributes,
    /// `SentTimestamp`, milliseconds since the Unix epoch.
    pub sent_at_ms: i64,
    /// How often it was received.
    pub receive_count: u32,
    /// `MessageGroupId`.
    pub group_id: Option<String>,
    /// `MessageDeduplicationId`.
    pub deduplication_id: Option<String>,
    /// Where it is.
    pub place: Place,
}

impl StoredMessage {
    /// The text of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.and_then(|(_, value)| value.as_text())
    }
}

impl MemoryQueue {
    /// Counts the messages by their place now.
    pub fn counts(&self) -> Counts {
        self.on_queue(|queue, now| {
            queue.settle(now);
            let (visible, in_flight) = queue.lengths();
            Counts {
                visible,
                in_flight,
                ..queue.counts
            }
        })
    }

    /// Every message that was ever on the queue, in the order of their coming.
    pub fn messages(&self) -> Vec<StoredMessage> {
        self.on_queue(|queue, now| {
            queue.settle(now);
            let stored = queue.messages.iter().map(|stored| StoredMessage {
                message_id: stored.id.clone(),
                body: stored.message.body.clone(),
                attributes: stored.message.attributes.clone(),
                sent_at_ms: stored.sent_at_ms,
                receive_count: stored.receive_count,
                group_id: stored.message.group_id.clone(),
                deduplication_id: stored.message.deduplication_id.clone(),
                place: stored.place,
            });
            stored.collect()
        })
    }
}
