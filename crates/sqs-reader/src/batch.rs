//! Calls on many receipt handles: ten a request, several requests at once, what failed tried again.

use std::future::Future;
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

/// Makes `call` on all handles; answers the positions of those for which it failed for good.
pub(crate) async fn on_all<F, Fut>(what: &str, handles: Vec<String>, call: F) -> Vec<usize>
where
    F: Fn(Vec<String>) -> Fut + Sync,
    Fut: Future<Output = Result<EntryFailures, QueueError>> + Send,
{
    let chunks: Vec<(usize, Vec<String>)> = handles
        .chunks(MAX_BATCH)
        .enumerate()
        .map(|(number, chunk)| (number * MAX_BATCH, chunk.to_vec()))
        .collect();
    let failed = stream::iter(chunks)
        .map(|(offset, chunk)| {
            let call = &call;
            async move {
                on_ten(what, chunk, call)
                    .await
                    .into_iter()
                    .map(move |index| index + offset)
                    .collect()
            }
        })
        .buffer_unordered(CONCURRENT)
        .collect::<Vec<Vec<usize>>>()
        .await;
    failed.concat()
}

async fn on_ten<F, Fut>(what: &str, handles: Vec<String>, call: &F) -> Vec<usize>
where
    F: Fn(Vec<String>) -> Fut,
    Fut: Future<Output = Result<EntryFailures, QueueError>>,
{
    let mut work = Work::new(handles.len());
    for attempt in 0..TRIES {
        let open = work.open.iter().map(|&index| handles[index].clone());
        let reason = match call(open.collect()).await {
            Ok(failures) => work.sort_out(&failures),
            Err(error) if error.is_transient() => Some(error.to_string()),
            Err(error) => {
                tracing::warn!(error = %error, messages = work.open.len(), "failed to {what}");
                None
            }
        };
        let Some(reason) = reason else { break };
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

/// Positions in a batch that are not done, and those that never will be.
struct Work {
    open: Vec<usize>,
    hopeless: Vec<usize>,
}

impl Work {
    fn new(entries: usize) -> Self {
        Self {
            open: (0..entries).collect(),
            hopeless: Vec::new(),
        }
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

    fn handles(count: usize) -> Vec<String> {
        (0..count).map(|number| number.to_string()).collect()
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
        let failed = on_all("delete", handles(25), |chunk| {
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
        let failed = on_all("delete", handles(12), |chunk| async move {
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
        assert_eq!(on_all("delete", handles(2), call).await, [0, 1]);
    }
}
