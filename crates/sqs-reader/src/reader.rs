//! Reads one queue: permits before a receive, receipts that know the newest handle, visibility that is kept up,
//! and the three ways in which a delivery is settled: deleted, released, forwarded.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, RwLock, Semaphore};

use crate::attributes::QueueFacts;
use crate::batch::on_all;
use crate::counts::Counts;
use crate::delivery::{Delivery, Identity, id_of};
use crate::error::QueueError;
use crate::held_bytes::HeldBytes;
use crate::in_flight::{InFlight, Receipt};
use crate::message::ReceivedMessage;
use crate::transport::{MAX_BATCH, Transport};

/// How long over its wait a receive may take before it counts as hung.
const HUNG_AFTER: Duration = Duration::from_secs(15);
/// How long a receive is put off until it can ask for all it wants. Longer than the usual write takes, which gives back
/// more room at once than it stands in.
const FULL_ROOM_WITHIN: Duration = Duration::from_secs(1);
/// Bytes of bodies held at which receives pause: room for a few of the largest, and for many thousand of the usual.
const HELD_BYTES: usize = 32 * 1024 * 1024;
/// The most in-flight messages that SQS allows on a standard queue.
const SQS_IN_FLIGHT_LIMIT: usize = 120_000;

/// Without any, every message would be delivered again at once.
const SHORTEST: Duration = Duration::from_secs(1);
/// The longest that SQS takes.
const LONGEST: Duration = Duration::from_hours(12);

/// How a queue is read.
#[derive(Debug, Clone)]
pub struct ReaderOptions {
    /// Deliveries held at most.
    pub max_in_flight: usize,
    /// How long the queue hides what was received, until that is extended: 1 s to 12 h in whole seconds.
    pub visibility_timeout: Duration,
}

/// A queue and what is held of it.
pub struct Reader<T> {
    pub(crate) transport: T,
    pub(crate) in_flight: Arc<InFlight>,
    permits: Arc<Semaphore>,
    held_bytes: Arc<HeldBytes>,
    visibility_timeout: Duration,
    /// Read by each request that extends, written by whoever releases: a release waits for extensions under way, which
    /// would hide again what it shows.
    pub(crate) extending: RwLock<()>,
    pub(crate) counts: Counts,
}

/// Room for the deliveries of one receive. What the receive does not fill is given back.
pub struct Slots(OwnedSemaphorePermit);

impl Slots {
    /// Deliveries that fit.
    pub fn count(&self) -> usize {
        self.0.num_permits()
    }
}

/// What became of the messages that were to be deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeleteReport {
    /// Gone from the queue.
    pub deleted: u64,
    /// Still there; they are delivered again and found to be duplicates.
    pub undeleted: u64,
}

impl<T: Transport> Reader<T> {
    /// Reads the queue of `transport`, which said `facts` of itself.
    pub fn new(mut transport: T, facts: &QueueFacts, options: &ReaderOptions) -> Self {
        let permits = options.max_in_flight.clamp(MAX_BATCH, SQS_IN_FLIGHT_LIMIT);
        let seconds = options.visibility_timeout.as_secs();
        let visibility_timeout = Duration::from_secs(seconds).clamp(SHORTEST, LONGEST);
        if visibility_timeout != facts.visibility_timeout {
            transport.set_visibility_timeout(visibility_timeout);
        }
        Self {
            transport,
            in_flight: Arc::default(),
            permits: Arc::new(Semaphore::new(permits)),
            held_bytes: Arc::new(HeldBytes::new(HELD_BYTES)),
            visibility_timeout,
            extending: RwLock::new(()),
            counts: Counts::default(),
        }
    }

    /// Waits for room for `at_most` deliveries (ten at most); where that does not come soon, since some are held for long,
    /// for room for one, and takes what there is. Safe to cancel.
    pub async fn slots(&self, at_most: usize) -> Slots {
        self.held_bytes.room().await;
        let wanted = u32::try_from(at_most.clamp(1, MAX_BATCH)).unwrap_or(1);
        if let Ok(all) = tokio::time::timeout(FULL_ROOM_WITHIN, self.room(wanted)).await {
            return Slots(all);
        }
        let mut room = self.room(1).await;
        let more = (1..wanted).rev();
        let mut more = more.map(|more| Arc::clone(&self.permits).try_acquire_many_owned(more));
        if let Some(Ok(more)) = more.find(Result::is_ok) {
            room.merge(more);
        }
        Slots(room)
    }

    async fn room(&self, count: u32) -> OwnedSemaphorePermit {
        let permits = Arc::clone(&self.permits).acquire_many_owned(count).await;
        permits.expect("the semaphore is never closed")
    }

    /// Receives into `slots`, waiting up to `wait` (0 to 20 s) for the first message.
    pub async fn receive(&self, slots: Slots, wait: Duration) -> Result<Vec<Delivery>, QueueError> {
        let receive = self.transport.receive(slots.count(), wait);
        let received = tokio::time::timeout(wait.saturating_add(HUNG_AFTER), receive).await;
        let hung = |_| Err(QueueError::Unreachable("the receive hung".to_owned()));
        let received = self.counts.noted(received.unwrap_or_else(hung));
        let mut permits = slots.0;
        let admit = |message| permits.split(1).map(|permit| self.admit(message, permit));
        Ok(received?.into_iter().filter_map(admit).collect())
    }

    fn admit(&self, message: ReceivedMessage, permit: OwnedSemaphorePermit) -> Delivery {
        let identity = Identity::of(&message);
        let id = id_of(&message.message_id);
        let receipt =
            self.in_flight
                .admit(id, message.receipt_handle, self.visibility_timeout, permit);
        Delivery {
            weight: self.held_bytes.hold(message.body.len()),
            body: message.body,
            identity,
            receive_count: message.receive_count,
            group_id: message.group_id,
            attributes: message.attributes,
            receipt,
        }
    }

    /// Deletes messages from the queue. Call it only for what stands elsewhere.
    pub async fn delete(&self, deliveries: Vec<Delivery>) -> DeleteReport {
        let receipts: Vec<Receipt> = deliveries
            .into_iter()
            .map(|delivery| delivery.receipt)
            .collect();
        let call = |chunk: Vec<String>| async move {
            self.counts.noted_batch(self.transport.delete(&chunk).await)
        };
        let handle = |index: usize| receipts[index].handle();
        let failed = on_all("delete messages", receipts.len(), handle, call).await;
        DeleteReport {
            deleted: (receipts.len() - failed.len()) as u64,
            undeleted: failed.len() as u64,
        }
    }

    /// Lets the queue show messages again after `timeout`; zero hands them to another reader at once.
    pub async fn hide(&self, deliveries: Vec<Delivery>, timeout: Duration) {
        if deliveries.is_empty() {
            return;
        }
        let receipts = deliveries.iter().map(|delivery| &delivery.receipt);
        receipts.for_each(Receipt::let_go);
        drop(self.extending.write().await);
        let handle = |index: usize| deliveries[index].receipt.handle();
        let call = |chunk: Vec<String>| async move {
            let changed = self.transport.change_visibility(&chunk, timeout).await;
            self.counts.noted_batch(changed)
        };
        on_all(
            "change the visibility of messages",
            deliveries.len(),
            handle,
            call,
        )
        .await;
    }

    /// How long the queue hides what was received, before it is extended.
    pub fn visibility_timeout(&self) -> Duration {
        self.visibility_timeout
    }

    /// What the reader makes its calls on.
    pub fn transport(&self) -> &T {
        &self.transport
    }

    /// Waits until nothing is held. Safe to cancel.
    pub async fn idle(&self) {
        self.in_flight.emptied().await;
    }

    /// Distinct messages held just now.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Requests made so far.
    pub fn requests(&self) -> u64 {
        self.transport.requests()
    }

    /// For how long the message is held that was received first; none where nothing is held.
    pub fn oldest_held(&self) -> Option<Duration> {
        self.in_flight.oldest()
    }

    /// Messages whose visibility was extended so far, each time counted.
    pub fn extensions(&self) -> u64 {
        self.counts.extensions()
    }

    /// Calls that failed so far, by [class](QueueError::CLASSES); tries inside the AWS client aside.
    pub fn failures(&self) -> Vec<(&'static str, u64)> {
        self.counts.failures()
    }

    /// What the queue says of itself now.
    pub async fn facts(&self) -> Result<QueueFacts, QueueError> {
        self.counts.noted(self.transport.facts().await)
    }
}
