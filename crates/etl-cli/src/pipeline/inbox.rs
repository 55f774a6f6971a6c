//! The queue as the pipeline sees it. The reader is private here, and its `delete` is reachable only with what a
//! store alone can make: the proof that the rows were committed, or that the rejections were recorded.

use std::time::Duration;

use pg_writer::{Committed, Recorded};
use sqs_reader::{
    DeleteReport, Delivery, ForwardReport, Note, QueueError, Reader, Slots, Transport,
};

pub(crate) struct Inbox<T> {
    reader: Reader<T>,
}

impl<T: Transport> Inbox<T> {
    pub(crate) fn new(reader: Reader<T>) -> Self {
        Self { reader }
    }

    pub(crate) async fn slots(&self, at_most: usize) -> Slots {
        self.reader.slots(at_most).await
    }

    pub(crate) async fn receive(
        &self,
        slots: Slots,
        wait: Duration,
    ) -> Result<Vec<Delivery>, QueueError> {
        self.reader.receive(slots, wait).await
    }

    /// Deletes what was committed.
    pub(crate) async fn acknowledge(&self, committed: Committed<Delivery>) -> DeleteReport {
        self.reader.delete(committed.into_tokens()).await
    }

    /// Forwards what was recorded as rejected, and deletes what was forwarded.
    pub(crate) async fn forward(
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
    pub(crate) async fn release(&self, deliveries: Vec<Delivery>) {
        self.reader.hide(deliveries, Duration::ZERO).await;
    }

    pub(crate) async fn keep_hidden(&self) {
        self.reader.keep_hidden().await;
    }

    pub(crate) fn visibility_timeout(&self) -> Duration {
        self.reader.visibility_timeout()
    }

    /// Distinct messages held just now.
    pub(crate) fn held(&self) -> usize {
        self.reader.in_flight()
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.held() == 0
    }

    /// What the queue says is waiting; none where it does not answer.
    pub(crate) async fn waiting(&self) -> Option<u64> {
        self.reader.facts().await.ok().map(|facts| facts.waiting)
    }

    pub(crate) fn requests(&self) -> u64 {
        self.reader.requests()
    }
}
