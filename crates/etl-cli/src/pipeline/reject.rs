//! What becomes of messages that cannot be written: recorded in the database, then forwarded to the dead-letter
//! queue, and only then deleted.

use std::sync::Arc;

use etl_stages::Rejections;
use sqs_reader::Transport;

use super::{Pipeline, Store};

impl<T: Transport, S: Store> Pipeline<T, S> {
    pub(super) async fn reject(self: Arc<Self>, rejections: Rejections) {
        let mut open = rejections;
        for attempt in 0.. {
            let outcome = self.store.record(open).await;
            self.measures.progress.made();
            match outcome {
                Ok(recorded) => {
                    self.health.database_worked();
                    self.measures.recorded(&recorded);
                    let report = self
                        .inbox
                        .forward(recorded, self.options.dead_letter_url.as_deref())
                        .await;
                    self.tally.rejected.add(report.forwarded);
                    self.tally.left.add(report.left);
                    self.tally.deleted.add(report.deletion.deleted);
                    self.tally.undeleted.add(report.deletion.undeleted);
                    return;
                }
                Err((back, error)) => {
                    if !self.wait_after(&error, attempt).await {
                        let deliveries = back.into_iter().map(|record| record.token).collect();
                        return self.inbox.release(deliveries).await;
                    }
                    open = back;
                }
            }
        }
    }
}
