//! The store as one worker reaches it: now and then slower than the visibility timeout, and out of reach for good once
//! the worker is killed. What fails beyond that is the store's own.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use etl_stages::{Rejections, Store};
use pg_writer::MemoryStore;
use pg_writer::{Batch, Connections, Recorded, Report, StoreError};
use sqs_reader::Delivery;

use super::draw::Draw;
use super::line::Process;

pub(super) struct Database {
    pub(super) process: Arc<Process>,
    pub(super) store: MemoryStore,
    /// Share of writes that take long, how long at most, and what decides.
    pub(super) slow_writes: (f64, Duration, Mutex<Draw>),
}

impl Database {
    /// How long a write waits before its statement, and how long after.
    fn delays(&self) -> (Duration, Duration) {
        let (share, longest, draw) = &self.slow_writes;
        let mut draw = draw.lock().unwrap_or_else(PoisonError::into_inner);
        if !draw.chance(*share) {
            return (Duration::ZERO, Duration::ZERO);
        }
        let delay = draw.time(Duration::from_secs(1)..=*longest);
        if draw.chance(0.5) {
            (delay, Duration::ZERO)
        } else {
            (Duration::ZERO, delay)
        }
    }

    fn note(&self, what: &'static str, rows: usize, error: Option<&StoreError>) {
        // Refused rows alone say nothing of the database.
        let is_down = error.is_some_and(|error| !matches!(error, StoreError::EveryRowRefused(_)));
        self.process
            .database_is_down
            .store(is_down, Ordering::Relaxed);
        let facts = || (rows, error.map(ToString::to_string));
        self.process.note(what, facts);
    }
}

impl Store for Database {
    async fn write(&self, batch: Batch<Delivery>) -> Report<Delivery> {
        let rows = batch.len();
        let (before, after) = self.delays();
        let call = async {
            tokio::time::sleep(before).await;
            let report = self.store.write(batch).await;
            tokio::time::sleep(after).await;
            report
        };
        let report = self.process.while_alive(call).await;
        let error = report.undecided.as_ref().map(|(_, error)| error);
        self.note("writes", rows, error);
        report
    }

    async fn record(
        &self,
        rejections: Rejections,
    ) -> Result<Recorded<Delivery>, (Rejections, StoreError)> {
        let rows = rejections.len();
        let recorded = self
            .process
            .while_alive(self.store.record(rejections))
            .await;
        let error = recorded.as_ref().err().map(|(_, error)| error);
        self.note("records", rows, error);
        recorded
    }

    fn statements(&self) -> u64 {
        self.store.statements()
    }

    async fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn connections(&self) -> Connections {
        Connections::default()
    }
}
