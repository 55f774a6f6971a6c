//! The batch that is being filled. Rows are appended under a short lock, by whichever poller has them: no channel,
//! no task and no copy a message.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use etl_stages::Rejections;
use pg_writer::Batch;
use sqs_reader::Delivery;
use tokio::sync::Notify;
use tokio::time::Instant;

/// A batch and the rejections that came with it.
pub(crate) type Filled = (Batch<Delivery>, Rejections);

/// A batch, the rejections that came with it, and since when they wait.
pub(crate) struct Filling {
    content: Mutex<Content>,
    started: Notify,
    full: usize,
}

#[derive(Default)]
struct Content {
    batch: Batch<Delivery>,
    rejected: Rejections,
    since: Option<Instant>,
}

impl From<Content> for Filled {
    fn from(content: Content) -> Self {
        (content.batch, content.rejected)
    }
}

impl Filling {
    pub(crate) fn new(full: usize) -> Self {
        Self {
            content: Mutex::default(),
            started: Notify::new(),
            full,
        }
    }

    /// Adds what one receive brought; answers all there is where the batch is full.
    pub(crate) fn add(&self, batch: Batch<Delivery>, rejected: Rejections) -> Option<Filled> {
        let mut content = self.content();
        content.batch.append(batch);
        content.rejected.extend(rejected);
        if content.batch.len() >= self.full {
            // Rejections go along: left behind, they would wait for as long as batches fill sooner than they age.
            return Some(std::mem::take(&mut *content).into());
        }
        if content.since.is_none() {
            content.since = Some(Instant::now());
            self.started.notify_one();
        }
        None
    }

    pub(crate) fn take(&self) -> Filled {
        std::mem::take(&mut *self.content()).into()
    }

    /// Waits until what is held has waited for `age`.
    pub(crate) async fn old_enough(&self, age: Duration) {
        loop {
            let since = self.content().since;
            match since {
                Some(since) if since.elapsed() >= age => return,
                Some(since) => tokio::time::sleep_until(since + age).await,
                None => self.started.notified().await,
            }
        }
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
