//! Whether the database takes what we have. While it does not, no new receive is made: each raises the count by
//! which SQS dead-letters good messages. An outage that outlasts the patience of a drain ends the run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

pub(crate) struct Health {
    database_is_down: AtomicBool,
    /// Wakes in the order of waiting. A watch channel wakes in a random one, which no simulation can repeat.
    database_is_back: Notify,
    database: Patience,
    queue: Patience,
    gave_up: OnceLock<String>,
}

impl Health {
    /// `patience`: how long an outage may last; none is for ever.
    pub(crate) fn new(patience: Option<Duration>) -> Self {
        Self {
            database_is_down: AtomicBool::new(false),
            database_is_back: Notify::new(),
            database: Patience::new(patience),
            queue: Patience::new(patience),
            gave_up: OnceLock::new(),
        }
    }

    /// Waits until receives make sense.
    pub(crate) async fn database_up(&self) {
        loop {
            // Made before the look: what comes between the two is not missed.
            let back = self.database_is_back.notified();
            if !self.is_database_down() {
                return;
            }
            back.await;
        }
    }

    pub(crate) fn is_database_down(&self) -> bool {
        self.database_is_down.load(Ordering::Acquire)
    }

    pub(crate) fn database_worked(&self) {
        self.database.worked();
        self.open_the_gate();
    }

    fn open_the_gate(&self) {
        if self.database_is_down.swap(false, Ordering::AcqRel) {
            self.database_is_back.notify_waiters();
        }
    }

    /// Closes the gate; answers whether patience has ended, which is final.
    pub(crate) fn database_failed(&self, why: &str) -> bool {
        self.database_is_down.store(true, Ordering::Release);
        self.failed(&self.database, why)
    }

    /// Answers whether patience has ended. Opens the gate: the database is there, and only other rows can show whether
    /// these are at fault. Where they are not, receives end with the room in flight.
    pub(crate) fn rows_refused(&self, why: &str) -> bool {
        self.open_the_gate();
        self.failed(&self.database, why)
    }

    pub(crate) fn queue_worked(&self) {
        self.queue.worked();
    }

    /// Whether receives have failed since the last that worked.
    pub(crate) fn is_queue_failing(&self) -> bool {
        self.queue.is_failing()
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

    fn is_failing(&self) -> bool {
        let since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        since.is_some()
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
    async fn rows_that_are_refused_alone_do_not_keep_others_from_coming() {
        let health = Health::new(Some(Duration::from_secs(60)));
        assert!(!health.database_failed("connection closed"));
        assert!(!health.rows_refused("every row"));
        health.database_up().await;
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(health.rows_refused("every row"));
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
