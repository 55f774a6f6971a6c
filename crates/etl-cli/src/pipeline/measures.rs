//! What an onlooker wants to know beyond the [tally](super::tally): how long things take, how often they fail, and
//! whether anything moves. Plain atomics, touched once a receive or a batch and never looked up by name on the way of
//! a good message.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use login_model::Reason;
use pg_writer::{Recorded, StoreError};
use sqs_reader::Delivery;
use tokio::time::Instant;

use super::tally::Counter;

/// Upper bounds in microseconds. A long poll takes up to 20 s.
const RECEIVE_BOUNDS: &[u64] = &[
    5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
    10_000_000, 20_000_000, 30_000_000,
];
const COMMIT_BOUNDS: &[u64] = &[
    1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000, 30_000_000, 60_000_000,
];
const ROWS_BOUNDS: &[u64] = &[
    1, 10, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000,
];
const MICROSECOND: f64 = 1e-6;

/// Measurements of one run.
pub(crate) struct Measures {
    /// Deliveries of messages that were delivered before.
    pub(crate) redelivered: Counter,
    /// Deliveries recorded as rejected, by reason.
    pub(crate) rejected: ByName,
    /// Writes that failed, by class of error.
    pub(crate) database_failures: ByName,
    pub(crate) receive_seconds: Histogram,
    pub(crate) commit_seconds: Histogram,
    pub(crate) batch_rows: Histogram,
    pub(crate) progress: Progress,
}

impl Measures {
    pub(crate) fn new() -> Self {
        let reasons = Reason::ALL.iter().map(|reason| reason.as_str());
        Self {
            redelivered: Counter::default(),
            rejected: ByName::new(reasons),
            database_failures: ByName::new(StoreError::CLASSES),
            receive_seconds: Histogram::new(RECEIVE_BOUNDS, MICROSECOND),
            commit_seconds: Histogram::new(COMMIT_BOUNDS, MICROSECOND),
            batch_rows: Histogram::new(ROWS_BOUNDS, 1.0),
            progress: Progress::new(),
        }
    }

    /// A receive that began at `since` has ended, with or without an answer.
    pub(crate) fn receive_ended(&self, since: Instant) {
        self.receive_seconds.observe_time(since.elapsed());
        self.progress.made();
    }

    pub(crate) fn received(&self, deliveries: &[Delivery]) {
        let again = deliveries
            .iter()
            .filter(|delivery| delivery.receive_count > 1);
        self.redelivered.add(again.count() as u64);
    }

    pub(crate) fn recorded(&self, recorded: &Recorded<Delivery>) {
        let reasons = recorded
            .records()
            .iter()
            .map(|record| record.rejection.reason);
        reasons.for_each(|reason| self.rejected.count(reason.as_str()));
    }

    /// A write of `rows` rows has ended after `took`, whatever became of them.
    pub(crate) fn write_ended(&self, rows: usize, took: Duration) {
        self.batch_rows.observe(rows as u64);
        self.commit_seconds.observe_time(took);
        self.progress.made();
    }
}

/// Counts under a few names that are known beforehand. For what is rare: a name is searched for.
pub(crate) struct ByName(Vec<(&'static str, Counter)>);

impl ByName {
    fn new(names: impl IntoIterator<Item = &'static str>) -> Self {
        let zero = |name| (name, Counter::default());
        Self(names.into_iter().map(zero).collect())
    }

    pub(crate) fn count(&self, name: &str) {
        let known = self.0.iter().find(|(known, _)| *known == name);
        known.iter().for_each(|(_, counter)| counter.add(1));
    }

    pub(crate) fn get(&self) -> Vec<(&'static str, u64)> {
        let pair = |(name, counter): &(&'static str, Counter)| (*name, counter.get());
        self.0.iter().map(pair).collect()
    }
}

/// How many values fell below each of some bounds. Values are whole numbers of a unit.
pub(crate) struct Histogram {
    bounds: &'static [u64],
    unit: f64,
    /// One more than bounds: what is above all of them.
    buckets: Vec<AtomicU64>,
    sum: AtomicU64,
}

/// A histogram at one moment, in the terms of Prometheus.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Distribution {
    /// Each upper bound with the number of values at or below it.
    pub(crate) below: Vec<(f64, u64)>,
    pub(crate) count: u64,
    pub(crate) sum: f64,
}

impl Histogram {
    fn new(bounds: &'static [u64], unit: f64) -> Self {
        Self {
            bounds,
            unit,
            buckets: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
        }
    }

    fn observe(&self, value: u64) {
        let bucket = self.bounds.partition_point(|&bound| bound < value);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    fn observe_time(&self, time: Duration) {
        self.observe(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// The count is that of the buckets as they are read, so that the two never differ.
    #[expect(
        clippy::cast_precision_loss,
        reason = "Prometheus knows no other numbers"
    )]
    pub(crate) fn get(&self) -> Distribution {
        let mut count = 0;
        let mut running = self.buckets.iter().map(|bucket| {
            count += bucket.load(Ordering::Relaxed);
            count
        });
        let bounds = self.bounds.iter().map(|&bound| bound as f64 * self.unit);
        let below = bounds.zip(&mut running).collect();
        let count = running.next().unwrap_or_default();
        Distribution {
            below,
            count,
            sum: self.sum.load(Ordering::Relaxed) as f64 * self.unit,
        }
    }
}

/// When the loop last moved.
pub(crate) struct Progress {
    base: Instant,
    /// Milliseconds after the base.
    last: AtomicU64,
    statements: AtomicU64,
}

impl Progress {
    fn new() -> Self {
        Self {
            base: Instant::now(),
            last: AtomicU64::new(0),
            statements: AtomicU64::new(0),
        }
    }

    pub(crate) fn made(&self) {
        let now = u64::try_from(self.base.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.fetch_max(now, Ordering::Relaxed);
    }

    /// How long nothing has moved. A write of many statements moves while it sends them.
    pub(crate) fn quiet_for(&self, statements: u64) -> Duration {
        if self.statements.swap(statements, Ordering::Relaxed) != statements {
            self.made();
        }
        let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
        self.base.elapsed().saturating_sub(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_below_every_bound_that_it_does_not_exceed() {
        let histogram = Histogram::new(&[1, 10, 100], 0.5);
        [1, 2, 10, 11, 500]
            .iter()
            .for_each(|&value| histogram.observe(value));
        let expected = Distribution {
            below: vec![(0.5, 1), (5.0, 3), (50.0, 4)],
            count: 5,
            sum: 262.0,
        };
        assert_eq!(histogram.get(), expected);
    }

    #[test]
    fn names_are_there_from_the_start_and_others_are_ignored() {
        let counts = ByName::new(["one", "other"]);
        counts.count("other");
        counts.count("unknown");
        assert_eq!(counts.get(), [("one", 0), ("other", 1)]);
    }

    #[tokio::test(start_paused = true)]
    async fn statements_are_progress_too() {
        let progress = Progress::new();
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(progress.quiet_for(0), Duration::from_secs(60));
        assert_eq!(progress.quiet_for(1), Duration::ZERO);
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(progress.quiet_for(1), Duration::from_secs(5));
        progress.made();
        assert_eq!(progress.quiet_for(1), Duration::ZERO);
    }
}
