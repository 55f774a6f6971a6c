//! What was done so far, counted where it happens.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// Counters of one run.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Receives that the queue answered.
    pub(crate) receives: Counter,
    pub(crate) received: Counter,
    pub(crate) written: Counter,
    pub(crate) duplicates: Counter,
    pub(crate) rejected: Counter,
    pub(crate) left: Counter,
    pub(crate) deleted: Counter,
    pub(crate) undeleted: Counter,
}

/// A count that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A [`Tally`] at one moment. `written + duplicates + rejected + left` are the deliveries that were settled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    /// Deliveries taken from the queue.
    pub(crate) received: u64,
    /// Rows that are new in `user_logins`.
    pub(crate) written: u64,
    /// Deliveries whose row stood already.
    pub(crate) duplicates: u64,
    /// Deliveries recorded as rejected that stand in the dead-letter queue.
    pub(crate) rejected: u64,
    /// Deliveries recorded as rejected that no dead-letter queue took.
    pub(crate) left: u64,
    /// Deliveries deleted from the queue.
    pub(crate) deleted: u64,
    /// Deliveries settled whose deletion failed; they come again and are duplicates.
    pub(crate) undeleted: u64,
}

impl Tally {
    pub(crate) fn counts(&self) -> Counts {
        Counts {
            received: self.received.get(),
            written: self.written.get(),
            duplicates: self.duplicates.get(),
            rejected: self.rejected.get(),
            left: self.left.get(),
            deleted: self.deleted.get(),
            undeleted: self.undeleted.get(),
        }
    }
}
