//! What is asked of a store: the two writes, each answered with proof.

use std::future::Future;

use pg_writer::{Batch, Connections, PgStore, Recorded, RejectionRecord, Report, StoreError};
use sqs_reader::Delivery;

/// Rejections to record.
pub type Rejections = Vec<RejectionRecord<Delivery>>;

/// A store of masked logins.
pub trait Store: Send + Sync + 'static {
    /// Writes rows; each delivery comes back in the report.
    fn write(&self, batch: Batch<Delivery>) -> impl Future<Output = Report<Delivery>> + Send;

    /// Records rejections; they come back where it fails.
    fn record(
        &self,
        rejections: Rejections,
    ) -> impl Future<Output = Result<Recorded<Delivery>, (Rejections, StoreError)>> + Send;

    /// Statements sent so far.
    fn statements(&self) -> u64;

    /// Whether it would take a batch now.
    fn check(&self) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// How its connections are used just now.
    fn connections(&self) -> Connections;
}

impl Store for PgStore {
    async fn write(&self, batch: Batch<Delivery>) -> Report<Delivery> {
        self.write(batch).await
    }

    async fn record(
        &self,
        rejections: Rejections,
    ) -> Result<Recorded<Delivery>, (Rejections, StoreError)> {
        self.record(rejections).await
    }

    fn statements(&self) -> u64 {
        self.statements()
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.check().await
    }

    fn connections(&self) -> Connections {
        self.connections()
    }
}
