//! All queues of one server, and its clock.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use super::fault::Refusal;
use super::message::{Backlog, Stored};
use super::queue::Queue;
use super::statistics::Statistics;

#[derive(Debug)]
pub(crate) struct Broker {
    pub(crate) queues: BTreeMap<String, Queue>,
    pub(crate) statistics: Statistics,
    /// Before the path of every queue URL; known once the server listens.
    pub(crate) endpoint: String,
    clock: Clock,
}

/// Milliseconds since 1970 that never go back.
#[derive(Debug)]
struct Clock {
    started: Instant,
    started_at: u64,
}

impl Broker {
    pub(crate) fn new() -> Self {
        let since_1970 = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let clock = Clock {
            started: Instant::now(),
            started_at: milliseconds(since_1970),
        };
        Self {
            queues: BTreeMap::new(),
            statistics: Statistics::default(),
            endpoint: String::new(),
            clock,
        }
    }

    pub(crate) fn now(&self) -> u64 {
        self.clock.started_at + milliseconds(self.clock.started.elapsed())
    }

    /// The moment of the clock as an instant to wait for.
    pub(crate) fn instant(&self, at: u64) -> Instant {
        self.clock.started + Duration::from_millis(at.saturating_sub(self.clock.started_at))
    }

    /// The queue that a URL names by its last part, whatever host the client believes it is on.
    pub(crate) fn queue(&mut self, url: &str) -> Result<&mut Queue, Refusal> {
        self.queues
            .get_mut(name_of(url))
            .ok_or_else(Refusal::no_such_queue)
    }

    /// Puts messages into their dead-letter queue. One that is gone loses them, so they stay countable there.
    pub(crate) fn bury(&mut self, target: &str, dead: Vec<(Stored, u32)>) {
        self.statistics.dead_lettered += dead.len() as u64;
        let queue = self.queues.entry(target.to_owned()).or_default();
        for (message, received) in dead {
            queue.push(message, received, None);
        }
    }

    /// Adds messages to what a queue's template has yet to make.
    pub(crate) fn add_backlog(
        &mut self,
        name: &str,
        seed: u64,
        messages: u64,
        malformed_every: u64,
    ) {
        let now = self.now();
        let queue = self.queues.entry(name.to_owned()).or_default();
        let new = Backlog {
            seed,
            next: 0,
            total: 0,
            malformed_every,
            first_sent_at: now.saturating_sub(messages),
        };
        queue.backlog.get_or_insert(new).total += messages;
        queue.arrivals.notify_waiters();
    }
}

pub(crate) fn name_of(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or(url)
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
