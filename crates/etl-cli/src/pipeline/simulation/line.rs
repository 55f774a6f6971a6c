//! The queue as one worker reaches it: faults, receives that bring less than was asked for, and an end of all calls
//! where the worker is killed. Holds the worker to its bound, and to asking for nothing while its database is down.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use sqs_reader::memory::{Faulty, MemoryQueue};
use sqs_reader::{
    EntryFailures, OutgoingMessage, QueueError, QueueFacts, ReceivedMessage, Transport,
};
use tokio_util::sync::CancellationToken;

use super::draw::Draw;
use super::journal::Journal;

/// Half of what any call takes at least: time stands still for a loop whose calls take none.
const ONE_WAY: Duration = Duration::from_millis(3);

/// A worker as its queue and its store see it.
pub(super) struct Process {
    pub(super) number: usize,
    pub(super) journal: Arc<Journal>,
    /// Cancelled when it is killed: whatever it was waiting for never comes.
    pub(super) death: CancellationToken,
    /// Deliveries that it may hold.
    pub(super) bound: usize,
    /// How many it holds.
    pub(super) held: OnceLock<Box<dyn Fn() -> usize + Send + Sync>>,
    /// Asked for by receives that are out.
    asked: AtomicUsize,
    /// Messages whose delete failed and may succeed, by their handle without the count of receives.
    owed: Mutex<BTreeSet<String>>,
    /// The last answer of its store was that it cannot be reached.
    pub(super) database_is_down: AtomicBool,
}

impl Process {
    pub(super) fn new(number: usize, journal: Arc<Journal>, bound: usize) -> Arc<Self> {
        Arc::new(Self {
            number,
            journal,
            death: CancellationToken::new(),
            bound,
            held: OnceLock::new(),
            asked: AtomicUsize::new(0),
            owed: Mutex::default(),
            database_is_down: AtomicBool::new(false),
        })
    }

    /// A call of a process that may be killed during it: then the call is cut off wherever it is.
    pub(super) async fn while_alive<R>(&self, call: impl Future<Output = R>) -> R {
        let call = async {
            tokio::time::sleep(ONE_WAY).await;
            let result = call.await;
            tokio::time::sleep(ONE_WAY).await;
            result
        };
        tokio::select! {
            biased;
            () = self.death.cancelled() => std::future::pending().await,
            result = call => result,
        }
    }

    /// Something that it did.
    pub(super) fn note<F: Debug>(&self, what: &str, facts: impl FnOnce() -> F) {
        self.journal.note(self.number, what, facts);
    }

    pub(super) fn holds(&self) -> usize {
        self.held.get().map_or(0, |held| held())
    }

    /// Failed deletes that were not tried again.
    pub(super) fn owed(&self) -> u64 {
        self.owed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len() as u64
    }

    fn deleted(&self, handles: &[String], outcome: &Result<EntryFailures, QueueError>) {
        let mut owed = self.owed.lock().unwrap_or_else(PoisonError::into_inner);
        for (index, handle) in handles.iter().enumerate() {
            let message = handle
                .rsplit_once('#')
                .map_or(handle.as_str(), |(message, _)| message);
            let failed = outcome.as_ref().map_or(true, |failures| {
                failures
                    .iter()
                    .any(|failure| failure.index == index && !failure.sender_fault)
            });
            if failed {
                owed.insert(message.to_owned());
            } else {
                owed.remove(message);
            }
        }
    }

    fn asks_for(&self, at_most: usize) -> Asked<'_> {
        let asked = self.asked.fetch_add(at_most, Ordering::Relaxed) + at_most;
        let held = self.holds();
        if held + asked > self.bound {
            let bound = self.bound;
            self.journal.broken(&format!(
                "{held} held and {asked} asked for, of {bound} allowed"
            ));
        }
        if self.database_is_down.load(Ordering::Relaxed) {
            self.journal.broken("a receive while the database is down");
        }
        Asked(&self.asked, at_most)
    }
}

/// Until the receive ends, also where it is abandoned.
struct Asked<'a>(&'a AtomicUsize, usize);

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(self.1, Ordering::Relaxed);
    }
}

pub(super) struct Line {
    pub(super) process: Arc<Process>,
    pub(super) queue: Faulty<MemoryQueue>,
    pub(super) short_receives: (f64, Mutex<Draw>),
}

impl Line {
    fn shortened(&self, at_most: usize) -> usize {
        let (share, draw) = &self.short_receives;
        let mut draw = draw.lock().unwrap_or_else(PoisonError::into_inner);
        if draw.chance(*share) {
            draw.number(1..=at_most)
        } else {
            at_most
        }
    }
}

impl Transport for Line {
    async fn receive(
        &self,
        at_most: usize,
        wait: Duration,
    ) -> Result<Vec<ReceivedMessage>, QueueError> {
        let _asked = self.process.asks_for(at_most);
        let call = self.queue.receive(self.shortened(at_most), wait);
        let received = self.process.while_alive(call).await;
        self.process
            .note("receives", || (at_most, wait, handles_of(&received)));
        received
    }

    async fn delete(&self, handles: &[String]) -> Result<EntryFailures, QueueError> {
        let failures = self.process.while_alive(self.queue.delete(handles)).await;
        self.process.deleted(handles, &failures);
        self.process.note("deletes", || (handles, &failures));
        failures
    }

    async fn change_visibility(
        &self,
        handles: &[String],
        timeout: Duration,
    ) -> Result<EntryFailures, QueueError> {
        let call = self.queue.change_visibility(handles, timeout);
        let failures = self.process.while_alive(call).await;
        self.process.note("hides", || (timeout, handles, &failures));
        failures
    }

    async fn send(
        &self,
        url: &str,
        messages: &[OutgoingMessage],
    ) -> Result<EntryFailures, QueueError> {
        let failures = self
            .process
            .while_alive(self.queue.send(url, messages))
            .await;
        self.process.note("sends", || (messages.len(), &failures));
        failures
    }

    async fn facts(&self) -> Result<QueueFacts, QueueError> {
        self.process.while_alive(self.queue.facts()).await
    }

    async fn url_of(&self, name: &str, account: Option<&str>) -> Result<String, QueueError> {
        self.process
            .while_alive(self.queue.url_of(name, account))
            .await
    }

    fn requests(&self) -> u64 {
        self.queue.requests()
    }
}

fn handles_of(
    received: &Result<Vec<ReceivedMessage>, QueueError>,
) -> Result<Vec<&str>, &QueueError> {
    received.as_ref().map(|received| {
        received
            .iter()
            .map(|message| message.receipt_handle.as_str())
            .collect()
    })
}
