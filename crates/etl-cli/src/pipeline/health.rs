//! Whether the database takes what we have. While it does not, no new receive is made: each raises the count by
//! which SQS dead-letters good messages. An outage that outlasts the patience of a drain ends the run.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

pub(crate) struct Health {
    database_is_down: watch::Sender<bool>,
    database: Patience,
    queue: Patience,
    gave_up: OnceLock<String>,
}

impl Health {
    /// `patience`: how long an outage may last; none is for ever.
    pub(crate) fn new(patience: Option<Duration>) -> Self {
        Self {
            database_is_down: watch::Sender::new(false),
            database: Patience::new(patience),
            queue: Patience::new(patience),
            gave_up: OnceLock::new(),
        }
    }

    /// Waits until receives make sense.
    pub(crate) async fn database_up(&self) {
        let mut down = self.database_is_down.subscribe();
        // Cannot fail: the sender lives as long as `self`.
        drop(down.wait_for(|down| !down).await);
    }

    pub(crate) fn database_worked(&self) {
        self.database_is_down
            .send_if_modified(|down| std::mem::replace(down, false));
        self.database.worked();
    }

    /// Closes the gate; answers whether patience has ended, which is final.
    pub(crate) fn database_failed(&self, why: &str) -> bool {
        self.database_is_down
            .send_if_modified(|down| !std::mem::replace(down, true));
        self.failed(&self.database, why)
    }

    pub(crate) fn queue_worked(&self) {
        self.queue.worked();
    }

    /// Answers whether patience has ended.
    pub(crate) fn queue_failed(&self, why: &str) -> bool {
        self.failed(&self.queue, why)
    }

    fn failed(&self, side: &Patience, why: &str) -> bool {
        if side.failed() {
            self.gave_up.get_or_init(|| why.to_owned());
        }
        self.gave_up.get().is_some()
    }

    /// Why patience ended, if it did.
    pub(crate) fn gave_up(&self) -> Option<String> {
        self.gave_up.get().cloned()
    }
}

/// How long failures have gone on without a success between.
struct Patience {
    limit: Option<Duration>,
    since: Mutex<Option<Instant>>,
}

impl Patience {
    fn new(limit: Option<Duration>) -> Self {
        Self {
            limit,
            since: Mutex::default(),
        }
    }

    fn worked(&self) {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn failed(&self) -> bool {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        let since = *since.get_or_insert_with(Instant::now);
        self.limit.is_some_and(|limit| since.elapsed() >= limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn patience_counts_from_the_first_failure_without_a_success_between() {
        let health = Health::new(Some(Duration::from_secs(60)));
        assert!(!health.database_failed("refused"));
        tokio::time::advance(Duration::from_secs(59)).await;
        assert!(!health.database_failed("refused"));
        health.database_worked();
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(!health.database_failed("refused"));
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(health.database_failed("refused"));
        assert_eq!(health.gave_up().as_deref(), Some("refused"));
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_of_the_queue_is_not_ended_by_the_database() {
        let health = Health::new(Some(Duration::from_secs(60)));
        assert!(!health.queue_failed("unreachable"));
        tokio::time::advance(Duration::from_secs(60)).await;
        health.database_worked();
        assert!(health.queue_failed("unreachable"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_follower_never_gives_up() {
        let health = Health::new(None);
        health.database_failed("refused");
        tokio::time::advance(Duration::from_hours(24)).await;
        assert!(!health.database_failed("refused"));
    }

    #[tokio::test(start_paused = true)]
    async fn the_gate_is_closed_while_the_database_is_down() {
        let health = Health::new(None);
        health.database_failed("refused");
        assert!(
            tokio::time::timeout(Duration::from_secs(1), health.database_up())
                .await
                .is_err()
        );
        health.database_worked();
        health.database_up().await;
    }
}
