//! The path of a delivery, composed of the four stages: received, parsed and masked, committed, acknowledged.
//!
//! A delivery's permit and receipt travel with it from the receive to its settlement; nothing calls back up the
//! line. The loop takes the queue and the store as parameters, so that it runs without AWS and Postgres too.

mod budget;
mod filling;
mod health;
mod measures;
mod observed;
mod poll;
mod regulator;
mod reject;
#[cfg(test)]
mod simulation;
mod tally;
#[cfg(test)]
mod tests;
mod write;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use etl_stages::Inbox;
pub(crate) use etl_stages::{Rules, Store};
use sqs_reader::{Reader, Transport};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::budget::Budget;
use self::filling::{Filled, Filling};
use self::health::Health;
pub(crate) use self::measures::{Distribution, Measures};
pub(crate) use self::observed::{Observation, Observed};
use self::regulator::Regulator;
pub(crate) use self::tally::{Counts, Tally};

/// How the work is cut and bounded.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Keep going on an empty queue.
    pub(crate) follow: bool,
    pub(crate) wait: Duration,
    pub(crate) max_messages: Option<u64>,
    pub(crate) pollers: usize,
    pub(crate) writers: usize,
    pub(crate) batch_size: usize,
    pub(crate) batch_age: Duration,
    /// How long after a stop what is held may take to be settled.
    pub(crate) grace_period: Duration,
    /// How long a drain puts up with an outage; a follower does for ever.
    pub(crate) give_up_after: Option<Duration>,
    /// Where unreadable messages go.
    pub(crate) dead_letter_url: Option<String>,
}

/// Why the pipeline ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The queue is empty, or as many messages were taken as were asked for.
    Done,
    /// It was told to stop.
    Stopped,
    /// An outage outlasted its patience, or the queue refuses.
    GaveUp(String),
}

/// Everything that the tasks of one run share.
pub(crate) struct Pipeline<T, S> {
    inbox: Inbox<T>,
    store: S,
    rules: Rules,
    options: Options,
    filling: Filling,
    budget: Budget,
    regulator: Regulator,
    health: Health,
    writers: Semaphore,
    tasks: TaskTracker,
    tally: Arc<Tally>,
    measures: Measures,
    told_of_slow_write: AtomicBool,
    /// No further receive.
    stop: CancellationToken,
    /// No further try: release what is not settled.
    release: CancellationToken,
}

impl<T: Transport, S: Store> Pipeline<T, S> {
    pub(crate) fn new(
        reader: Reader<T>,
        store: S,
        rules: Rules,
        options: Options,
        stop: CancellationToken,
    ) -> Arc<Self> {
        Arc::new(Self {
            inbox: Inbox::new(reader),
            store,
            rules,
            filling: Filling::new(options.batch_size),
            budget: Budget::new(options.max_messages),
            regulator: Regulator::new(options.pollers),
            health: Health::new(options.give_up_after),
            writers: Semaphore::new(options.writers),
            tasks: TaskTracker::new(),
            tally: Arc::default(),
            measures: Measures::new(),
            told_of_slow_write: AtomicBool::new(false),
            stop,
            release: CancellationToken::new(),
            options,
        })
    }

    /// Runs until the queue is drained, a stop is asked for, or patience ends; settles what is held in each case.
    pub(crate) async fn run(self: &Arc<Self>) -> Ending {
        let keep_hidden = tokio::spawn({
            let pipeline = Arc::clone(self);
            async move { pipeline.inbox.keep_hidden().await }
        });
        let flush_by_age = tokio::spawn(Arc::clone(self).flush_by_age());
        let refusal = self.poll_all().await;
        flush_by_age.abort();
        let stopped = self.stop.is_cancelled();
        let all_settled = self.settle_what_is_held().await;
        keep_hidden.abort();
        match self.health.gave_up().or(refusal) {
            Some(why) => Ending::GaveUp(why),
            None if stopped || !all_settled => Ending::Stopped,
            None => Ending::Done,
        }
    }

    /// Until no poller has anything to do; why, where the queue refused.
    async fn poll_all(self: &Arc<Self>) -> Option<String> {
        let mut pollers = tokio::task::JoinSet::new();
        for _ in 0..self.options.pollers {
            pollers.spawn(Arc::clone(self).poll());
        }
        let outcomes = pollers.join_all().await;
        outcomes.into_iter().find_map(Result::err)
    }

    /// Writes the last batch and waits for its like, after a stop for as long as the grace period; then releases the
    /// rest. Answers whether nothing had to be released.
    async fn settle_what_is_held(self: &Arc<Self>) -> bool {
        self.flush();
        self.tasks.close();
        tokio::select! {
            biased;
            () = self.tasks.wait() => return !self.release.is_cancelled(),
            () = self.grace_is_over() => {}
        }
        tracing::warn!(
            grace_period.s = self.options.grace_period.as_secs(),
            "the grace period is over; releasing what is not settled"
        );
        self.release.cancel();
        // Releasing is one round of requests; past this the messages come back by their visibility timeout.
        drop(tokio::time::timeout(LAST_ROUND, self.tasks.wait()).await);
        false
    }

    /// Counts from a stop, which may come after the last receive too; never over without one.
    async fn grace_is_over(&self) {
        if self.health.gave_up().is_none() {
            self.stop.cancelled().await;
        }
        tokio::time::sleep(self.options.grace_period).await;
    }

    /// Hands what is being filled to its tasks.
    fn flush(self: &Arc<Self>) {
        self.settle(self.filling.take());
    }

    fn settle(self: &Arc<Self>, (batch, rejected): Filled) {
        if !batch.is_empty() {
            self.tasks.spawn(Arc::clone(self).write(batch));
        }
        if !rejected.is_empty() {
            self.tasks.spawn(Arc::clone(self).reject(rejected));
        }
    }

    async fn flush_by_age(self: Arc<Self>) {
        loop {
            self.filling.old_enough(self.options.batch_age).await;
            self.flush();
        }
    }

    pub(crate) fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    pub(crate) fn requests(&self) -> u64 {
        self.inbox.requests()
    }

    pub(crate) fn statements(&self) -> u64 {
        self.store.statements()
    }
}

const LAST_ROUND: Duration = Duration::from_secs(3);
