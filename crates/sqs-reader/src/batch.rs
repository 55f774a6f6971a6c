//! Calls on many receipt handles: ten a request, several requests at once, what failed tried again.

use std::future::Future;
use std::ops::Range;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;

use crate::backoff::jittered;
use crate::error::QueueError;
use crate::transport::{EntryFailures, MAX_BATCH};

/// Requests of one caller under way at once.
const CONCURRENT: usize = 16;
/// About half a minute in all, which outlasts a blip; what stays undone is delivered again and is a duplicate.
const TRIES: u32 = 10;
const BASE: Duration = Duration::from_millis(100);
const CAP: Duration = Duration::from_secs(5);

/// Makes `call` on the handles of `count` messages; answers the positions of those for which it failed for good.
/// A handle is looked up anew for each try: a message delivered again in between has a newer one, and what has none
/// any more needs no call.
pub(crate) async fn on_all<H, F, Fut>(what: &str, count: usize, handle: H, call: F) -> Vec<usize>
where
    H: Fn(usize) -> Option<String> + Sync,
    F: Fn(Vec<String>) -> Fut + Sync,
    Fut: Future<Output = Result<EntryFailures, QueueError>> + Send,
{
    let batches = (0..count)
        .step_by(MAX_BATCH)
        .map(|start| start..count.min(start + MAX_BATCH));
    let failed = stream::iter(batches)
        .map(|batch| on_ten(what, batch, &handle, &call))
        .buffer_unordered(CONCURRENT)
        .collect::<Vec<Vec<usize>>>()
        .await;
    failed.concat()
}

async fn on_ten<H, F, Fut>(what: &str, batch: Range<usize>, handle: &H, call: &F) -> Vec<usize>
where
    H: Fn(usize) -> Option<String>,
    F: Fn(Vec<String>) -> Fut,
    Fut: Future<Output = Result<EntryFailures, QueueError>>,
{
    let mut work = Work::new(batch);
    for attempt in 0..TRIES {
        let handles = work.handles(handle);
        if handles.is_empty() {
            break;
        }
        let reason = match call(handles).await {
            Ok(failures) => work.sort_out(&failures),
            Err(error) if error.is_transient() => Some(error.to_string()),
            Err(error) => {
                tracing::warn!(error = %error, messages = work.open.len(), "failed to {what}");
                None
            }
        };
        let Some(reason) = reason.filter(|_| attempt + 1 < TRIES) else {
            break;
        };
        tracing::debug!(
            reason,
            attempt,
            messages = work.open.len(),
            "trying again to {what}"
        );
        tokio::time::sleep(jittered(attempt, BASE, CAP)).await;
    }
    work.not_done()
}

/// Positions of a batch that are not done, and those that never will be.
struct Work {
    open: Vec<usize>,
    hopeless: Vec<usize>,
}

impl Work {
    fn new(batch: Range<usize>) -> Self {
        Self {
            open: batch.collect(),
            hopeless: Vec::new(),
        }
    }

    /// The handles of what is open. What has none any more is done.
    fn handles(&mut self, handle: impl Fn(usize) -> Option<String>) -> Vec<String> {
        let mut handles = Vec::with_capacity(self.open.len());
        self.open.retain(|&index| {
            let found = handle(index);
            let is_open = found.is_some();
            handles.extend(found);
            is_open
        });
        handles
    }

    /// Keeps open what failed and may succeed yet; answers why it failed, where anything is left.
    fn sort_out(&mut self, failures: &EntryFailures) -> Option<String> {
        let tried = std::mem::take(&mut self.open);
        for failure in failures {
            let Some(&index) = tried.get(failure.index) else {
                continue;
            };
            if failure.sender_fault {
                self.hopeless.push(index);
            } else {
                self.open.push(index);
            }
        }
        let again = failures.iter().find(|failure| !failure.sender_fault)?;
        Some(again.code.clone())
    }

    fn not_done(mut self) -> Vec<usize> {
        self.hopeless.extend(self.open);
        self.hopeless
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::EntryFailure;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    #[expect(clippy::unnecessary_wraps, reason = "the shape that the call asks for")]
    fn handle(index: usize) -> Option<String> {
        Some(index.to_string())
    }

    fn failure(index: usize, sender_fault: bool) -> EntryFailure {
        EntryFailure {
            index,
            code: "X".to_owned(),
            sender_fault,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn failed_entries_are_tried_again_alone() {
        let calls = Mutex::new(Vec::new());
        let failed = on_all("delete", 25, handle, |chunk| {
            let first_time = !calls.lock().unwrap().contains(&chunk);
            calls.lock().unwrap().push(chunk.clone());
            async move {
                Ok(if first_time && chunk.len() > 1 {
                    vec![failure(1, false)]
                } else {
                    vec![]
                })
            }
        })
        .await;
        assert!(failed.is_empty());
        let retries: Vec<_> = calls
            .lock()
            .unwrap()
            .iter()
            .filter(|chunk| chunk.len() == 1)
            .cloned()
            .collect();
        assert_eq!(retries.len(), 3);
        assert!(retries.contains(&vec!["11".to_owned()]));
    }

    #[tokio::test(start_paused = true)]
    async fn the_senders_fault_is_not_tried_again() {
        let failed = on_all("delete", 12, handle, |chunk| async move {
            Ok(if chunk.contains(&"11".to_owned()) {
                vec![failure(1, true)]
            } else {
                vec![]
            })
        })
        .await;
        assert_eq!(failed, [11]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_queue_that_stays_away_is_given_up_in_the_end() {
        let call = |_| async { Err(QueueError::Unreachable("down".to_owned())) };
        assert_eq!(on_all("delete", 2, handle, call).await, [0, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_no_handle_any_more_is_not_tried_again() {
        let tried = AtomicUsize::new(0);
        let handle = |index: usize| (tried.load(Relaxed) < 3).then(|| index.to_string());
        let call = |_| {
            tried.fetch_add(1, Relaxed);
            async { Err(QueueError::Unreachable("down".to_owned())) }
        };
        assert!(on_all("delete", 2, handle, call).await.is_empty());
        assert_eq!(tried.load(Relaxed), 3);
    }
}
