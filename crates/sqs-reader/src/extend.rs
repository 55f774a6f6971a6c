//! Visibility is kept up for everything in flight, at half its time: one try a message and round, and another round
//! soon where one failed, so that no trouble with one message holds up the others.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::time::{Instant, sleep};

use crate::in_flight::Due;
use crate::reader::Reader;
use crate::transport::{MAX_BATCH, Transport};

/// Requests under way at once.
const CONCURRENT: usize = 16;
const SHORTEST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// After a failure that may pass.
const LONGEST_PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

impl<T: Transport> Reader<T> {
    /// Keeps everything in flight hidden, at half its visibility timeout. Runs until dropped.
    pub async fn keep_hidden(&self) {
        let usual = (self.visibility_timeout() / 4).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
        loop {
            let succeeded = self.extend_due().await;
            sleep(if succeeded {
                usual
            } else {
                usual.min(LONGEST_PAUSE_AFTER_FAILURE)
            })
            .await;
        }
    }

    /// Answers whether nothing failed that may succeed yet.
    async fn extend_due(&self) -> bool {
        let mut due = self.in_flight.due(self.visibility_timeout());
        // By message too: the order of a map is another in each run, and a simulation could not repeat it.
        due.sort_by_key(|due| (due.timeout, due.message));
        // Mostly one group: only what nears the twelve hours asks for less than the others.
        let groups = due.chunk_by(|one, other| one.timeout == other.timeout);
        let batches = groups.flat_map(|group| group.chunks(MAX_BATCH).map(<[Due]>::to_vec));
        stream::iter(batches.collect::<Vec<_>>())
            .map(|batch| self.extend(batch))
            .buffer_unordered(CONCURRENT)
            .fold(true, async |all, succeeded| all && succeeded)
            .await
    }

    /// Extends up to ten messages by the same time.
    async fn extend(&self, batch: Vec<Due>) -> bool {
        // Before the handles are looked up: what is let go after that is not among them, and who lets go waits.
        let _under_way = self.extending.read().await;
        let held = batch
            .into_iter()
            .filter_map(|due| Some((due, self.in_flight.handle_to_extend(due.message)?)));
        let (due, handles): (Vec<Due>, Vec<String>) = held.unzip();
        let [first, ..] = due[..] else { return true };
        let since = Instant::now();
        let changed = self.transport.change_visibility(&handles, first.timeout);
        let failures = match self.counts.noted_batch(changed.await) {
            Ok(failures) => failures,
            Err(error) => {
                tracing::warn!(error = %error, messages = due.len(), "failed to extend the visibility of messages");
                return false;
            }
        };
        for (index, due) in due.iter().enumerate() {
            if !failures.iter().any(|failure| failure.index == index) {
                self.in_flight.extended(due.message, since, due.timeout);
            }
        }
        let extended = due.len().saturating_sub(failures.len());
        self.counts.extended(extended as u64);
        tracing::debug!(
            messages = due.len(),
            failed = failures.len(),
            "visibility extended"
        );
        failures.iter().all(|failure| failure.sender_fault)
    }
}
