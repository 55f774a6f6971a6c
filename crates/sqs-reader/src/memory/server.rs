//! The server: queues by name under one lock, so that a message moves to a dead-letter queue in one step; a clock;
//! and an observer that sees each thing that happens in its order.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

use super::limits;
use super::queue::{Queue, Stored};
use super::settings::QueueSettings;
use crate::error::QueueError;
use crate::message::OutgoingMessage;

/// Any account will do; this one stands in URLs and ARNs.
pub(super) const ACCOUNT: &str = "000000000000";
/// The time at which every server begins, so that a run can be repeated: 2026-01-01 UTC, in milliseconds.
const BEGINNING_MS: i64 = 1_767_225_600_000;

type Observer = Box<dyn Fn(&Event<'_>) + Send + Sync>;

/// Queues that know each other. Clones are the same server.
#[derive(Clone)]
pub struct MemoryServer {
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<State>,
    /// Something may have become visible, on any queue.
    arrivals: Notify,
    began: Instant,
    observer: Option<Observer>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) queues: BTreeMap<String, Queue>,
    ids: u128,
}

/// Something that happened to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// The queue's name.
    pub queue: &'a str,
    /// The message's id.
    pub message_id: &'a str,
    /// What happened.
    pub happening: Happening,
}

/// What happened to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// It came.
    Sent,
    /// A reader got it.
    Received,
    /// It is gone.
    Deleted,
    /// The redrive policy moved it away; it is sent to the dead-letter queue in the same step.
    DeadLettered,
}

/// An event that is not yet told: (queue, message id, what).
pub(super) type Untold = (String, String, Happening);

/// One queue of a [`MemoryServer`], as one reader sees it. A clone is another reader, with a count of its own.
pub struct MemoryQueue {
    pub(super) server: MemoryServer,
    pub(super) name: String,
    pub(super) visibility_timeout: Option<Duration>,
    pub(super) requests: AtomicU64,
}

impl Clone for MemoryQueue {
    fn clone(&self) -> Self {
        Self {
            server: self.server.clone(),
            name: self.name.clone(),
            visibility_timeout: self.visibility_timeout,
            requests: AtomicU64::new(0),
        }
    }
}

impl fmt::Debug for MemoryQueue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = formatter.debug_struct("MemoryQueue");
        fields.field("name", &self.name).finish_non_exhaustive()
    }
}

impl Default for MemoryServer {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryServer {
    /// A server without queues.
    pub fn new() -> Self {
        Self::with(None)
    }

    /// The same, telling `observer` of everything as it happens, before the call that caused it returns.
    pub fn observed(observer: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        Self::with(Some(Box::new(observer)))
    }

    fn with(observer: Option<Observer>) -> Self {
        Self {
            inner: Arc::new(Inner {
                state: Mutex::default(),
                arrivals: Notify::new(),
                began: Instant::now(),
                observer,
            }),
        }
    }

    /// Makes a queue; one of that name that is there already is replaced, with all its messages.
    pub fn queue(&self, name: &str, settings: QueueSettings) -> MemoryQueue {
        self.state()
            .queues
            .insert(name.to_owned(), Queue::new(settings));
        MemoryQueue {
            server: self.clone(),
            name: name.to_owned(),
            visibility_timeout: None,
            requests: AtomicU64::new(0),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        let state = self.inner.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn arrivals(&self) -> &Notify {
        &self.inner.arrivals
    }

    pub(super) fn sent_at_ms(&self, now: Instant) -> i64 {
        let elapsed = now.duration_since(self.inner.began).as_millis();
        BEGINNING_MS.saturating_add(i64::try_from(elapsed).unwrap_or(i64::MAX))
    }

    /// Called without the lock, so that an observer may look at the queues.
    pub(super) fn tell(&self, events: &[Untold]) {
        let Some(observer) = &self.inner.observer else {
            return;
        };
        for (queue, message_id, happening) in events {
            observer(&Event {
                queue,
                message_id,
                happening: *happening,
            });
        }
    }
}

impl State {
    /// Takes a message in, or the reason why not.
    pub(super) fn send(
        &mut self,
        name: &str,
        message: OutgoingMessage,
        now: Instant,
        sent_at_ms: i64,
    ) -> Result<String, limits::Code> {
        self.ids += 1;
        let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, &self.ids.to_be_bytes()).to_string();
        let queue = self
            .queues
            .get_mut(name)
            .ok_or("AWS.SimpleQueueService.NonExistentQueue")?;
        limits::message(&message, &queue.settings)?;
        if let Some(known) = queue.known(&message, now) {
            queue.counts.deduplicated += 1;
            return Ok(known);
        }
        queue.push(Stored::new(id.clone(), message, sent_at_ms), now);
        Ok(id)
    }
}

impl MemoryQueue {
    /// The queue's URL.
    pub fn url(&self) -> String {
        url(&self.name)
    }

    /// Sends one message, outside of any count of requests, and answers its id.
    pub fn put(&self, message: impl Into<OutgoingMessage>) -> Result<String, QueueError> {
        let (now, name) = (Instant::now(), &self.name);
        let sent_at_ms = self.server.sent_at_ms(now);
        let sent = self
            .server
            .state()
            .send(name, message.into(), now, sent_at_ms);
        let id = sent.map_err(limits::refused)?;
        self.server.arrivals().notify_waiters();
        self.server
            .tell(&[(name.clone(), id.clone(), Happening::Sent)]);
        Ok(id)
    }

    /// Whether sends to this queue are denied, as by a policy.
    pub fn deny_sends(&self, deny: bool) {
        self.on_queue(|queue, _| queue.deny_sends = deny);
    }

    pub(super) fn on_queue<R>(&self, look: impl FnOnce(&mut Queue, Instant) -> R) -> R {
        let mut state = self.server.state();
        let queue = state
            .queues
            .get_mut(&self.name)
            .expect("a queue is never removed");
        look(queue, Instant::now())
    }

    pub(super) fn count(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }
}

pub(super) fn url(name: &str) -> String {
    format!("memory://{ACCOUNT}/{name}")
}
