//! What a load queue has done so far.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

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
    /// The first receive that found something, and the latest delete.
    busy: Option<(Instant, Instant)>,
    /// When that first receive was, by the wall clock.
    first_found: Option<SystemTime>,
}

impl Statistics {
    /// Requests of all actions.
    pub fn all_requests(&self) -> u64 {
        self.requests.values().sum()
    }

    /// From the first receive that found something to the latest delete: a consumer's start and its last, empty
    /// poll are not in it.
    pub fn busy(&self) -> Duration {
        self.busy
            .map_or(Duration::ZERO, |(first, last)| last - first)
    }

    /// When the first receive that found something was answered.
    pub fn first_found(&self) -> Option<SystemTime> {
        self.first_found
    }

    pub(crate) fn note_received(&mut self, messages: usize) {
        self.received += messages as u64;
        if self.busy.is_none() && messages > 0 {
            let now = Instant::now();
            self.busy = Some((now, now));
            self.first_found = Some(SystemTime::now());
        }
    }

    pub(crate) fn note_deleted(&mut self, messages: u64) {
        self.deleted += messages;
        if let Some((_, last)) = &mut self.busy {
            *last = Instant::now();
        }
    }

    /// One object, for reports.
    pub fn to_json(&self) -> Value {
        json!({
            "requests": self.requests,
            "all_requests": self.all_requests(),
            "sent": self.sent,
            "received": self.received,
            "empty_receives": self.empty_receives,
            "deleted": self.deleted,
            "dead_lettered": self.dead_lettered,
            "busy_seconds": self.busy().as_secs_f64(),
            "first_found_unix_seconds": self.first_found.and_then(unix_seconds),
        })
    }
}

fn unix_seconds(time: SystemTime) -> Option<f64> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(since.as_secs_f64())
}
