//! The queue as a composition of the stages sees it. The reader is private here, and its `delete` is reachable only with what a
//! store alone can make: the proof that the rows were committed, or that the rejections were recorded.

use std::time::Duration;

use pg_writer::{Committed, Recorded};
use sqs_reader::{
    DeleteReport, Delivery, ForwardReport, Note, QueueError, QueueFacts, Reader, Slots, Transport,
};

/// A queue whose messages are deleted with proof only.
pub struct Inbox<T> {
    reader: Reader<T>,
}

impl<T: Transport> Inbox<T> {
    /// Takes the reader, and with it the way to its `delete`.
    pub fn new(reader: Reader<T>) -> Self {
        Self { reader }
    }

    /// Room for `at_most` deliveries; waits for it.
    pub async fn slots(&self, at_most: usize) -> Slots {
        self.reader.slots(at_most).await
    }

    /// What the queue gives into `slots`.
    pub async fn receive(&self, slots: Slots, wait: Duration) -> Result<Vec<Delivery>, QueueError> {
        self.reader.receive(slots, wait).await
    }

    /// Deletes what was committed.
    pub async fn acknowledge(&self, committed: Committed<Delivery>) -> DeleteReport {
        self.reader.delete(committed.into_tokens()).await
    }

    /// Forwards what was recorded as rejected, and deletes what was forwarded.
    pub async fn forward(
        &self,
        recorded: Recorded<Delivery>,
        dead_letter_url: Option<&str>,
    ) -> ForwardReport {
        let with_notes = recorded.into_records().into_iter().map(|record| {
            let reason = record.rejection.reason.as_str();
            let field = record.rejection.field.map(login_model::Field::as_str);
            (record.token, Note { reason, field })
        });
        self.reader
            .forward(with_notes.collect(), dead_letter_url)
            .await
    }

    /// Lets another reader have them at once.
    pub async fn release(&self, deliveries: Vec<Delivery>) {
        self.reader.hide(deliveries, Duration::ZERO).await;
    }

    /// Extends the visibility of what is held, until dropped.
    pub async fn keep_hidden(&self) {
        self.reader.keep_hidden().await;
    }

    /// How long the queue hides what was received.
    pub fn visibility_timeout(&self) -> Duration {
        self.reader.visibility_timeout()
    }

    /// Distinct messages held just now.
    pub fn held(&self) -> usize {
        self.reader.in_flight()
    }

    /// Waits until nothing is held. Safe to cancel.
    pub async fn idle(&self) {
        self.reader.idle().await;
    }

    /// Whether nothing is held.
    pub fn is_idle(&self) -> bool {
        self.held() == 0
    }

    /// For how long the message is held that was received first.
    pub fn oldest_held(&self) -> Option<Duration> {
        self.reader.oldest_held()
    }

    /// Messages whose visibility was extended so far.
    pub fn extensions(&self) -> u64 {
        self.reader.extensions()
    }

    /// Calls to the queue that failed so far, by class.
    pub fn failures(&self) -> Vec<(&'static str, u64)> {
        self.reader.failures()
    }

    /// What the queue says of itself now.
    pub async fn facts(&self) -> Result<QueueFacts, QueueError> {
        self.reader.facts().await
    }

    /// Requests made so far.
    pub fn requests(&self) -> u64 {
        self.reader.requests()
    }
}
