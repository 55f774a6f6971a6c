//! From a full batch to settled deliveries: written until every row stands or is refused, then acknowledged.
//! A commit is never cancelled; deletes overlap the next commit.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use etl_stages::refused;
use pg_writer::{Batch, Committed, LedgerKey, StoreError};
use sqs_reader::backoff::jittered;
use sqs_reader::{Delivery, Transport};
use tokio::time::Instant;
use tracing::Instrument as _;

use super::{Pipeline, Store};

const BASE: Duration = Duration::from_millis(200);
const CAP: Duration = Duration::from_secs(10);

impl<T: Transport, S: Store> Pipeline<T, S> {
    pub(super) async fn write(self: Arc<Self>, batch: Batch<Delivery>) {
        let mut open = Some(batch);
        let mut attempt = 0;
        while let Some(batch) = open.take() {
            let report = {
                let _writer = self.writers.acquire().await;
                let (started, rows) = (Instant::now(), batch.len());
                let span = tracing::info_span!("write", rows.count = rows);
                let report = self.store.write(batch).instrument(span).await;
                self.measures.write_ended(rows, started.elapsed());
                self.compare_with_visibility(started.elapsed());
                report
            };
            self.acknowledge(report.committed);
            self.refuse(report.refused);
            match report.undecided {
                None => self.health.database_worked(),
                Some((rest, error)) if self.wait_after(&error, attempt).await => {
                    attempt = attempt.saturating_add(1);
                    open = Some(rest);
                }
                Some((rest, _)) => self.inbox.release(rest.into_tokens()).await,
            }
        }
    }

    /// A write longer than the visibility timeout is kept from redelivery by the extensions alone: said once.
    fn compare_with_visibility(&self, took: Duration) {
        let visibility = self.inbox.visibility_timeout();
        if took > visibility && !self.told_of_slow_write.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                write.ms = took.as_millis(),
                visibility_timeout.ms = visibility.as_millis(),
                "a write took longer than the queue's visibility timeout; raise that, or lower --batch-size"
            );
        }
    }

    fn acknowledge(self: &Arc<Self>, committed: Committed<Delivery>) {
        self.tally.written.add(committed.written());
        self.tally.duplicates.add(committed.duplicates());
        let pipeline = Arc::clone(self);
        self.tasks.spawn(async move {
            let span = tracing::info_span!("delete");
            let report = pipeline.inbox.acknowledge(committed).instrument(span).await;
            pipeline.tally.deleted.add(report.deleted);
            pipeline.tally.undeleted.add(report.undeleted);
        });
    }

    fn refuse(self: &Arc<Self>, rows: Vec<(LedgerKey, Delivery)>) {
        if !rows.is_empty() {
            self.tasks.spawn(Arc::clone(self).reject(refused(rows)));
        }
    }

    /// Waits before the next try; false where there is none, because patience or the grace period is over.
    pub(super) async fn wait_after(&self, error: &StoreError, attempt: u32) -> bool {
        let pause = jittered(attempt, BASE, CAP);
        tracing::warn!(error = %error, hint = error.hint(), retry.in_ms = pause.as_millis(), "failed to write to the database");
        self.measures.database_failures.count(error.class());
        let why = error.to_string();
        let patience_is_over = match error {
            StoreError::EveryRowRefused(_) => self.health.rows_refused(&why),
            _ => self.health.database_failed(&why),
        };
        if patience_is_over {
            self.release.cancel();
        }
        tokio::select! {
            biased;
            () = self.release.cancelled() => false,
            () = tokio::time::sleep(pause) => true,
        }
    }
}
