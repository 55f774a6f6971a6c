//! What a load queue has done so far.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Counts since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Requests by action, refused ones too.
    pub requests: BTreeMap<&'static str, u64>,
    /// Messages sent by clients; a backlog's are not counted.
    pub sent: u64,
    /// Messages in answers to receives, redeliveries too.
    pub received: u64,
    /// Receives that found nothing.
    pub empty_receives: u64,
    /// Messages deleted; deletes with an outdated handle are not counted.
    pub deleted: u64,
    /// Messages moved to a dead-letter queue.
    pub dead_lettered: u64,
}

impl Statistics {
    /// Requests of all actions.
    pub fn all_requests(&self) -> u64 {
        self.requests.values().sum()
    }

    /// One object, for reports.
    pub fn to_json(&self) -> Value {
        json!({
            "requests": self.requests,
            "sent": self.sent,
            "received": self.received,
            "empty_receives": self.empty_receives,
            "deleted": self.deleted,
            "dead_lettered": self.dead_lettered,
        })
    }
}
