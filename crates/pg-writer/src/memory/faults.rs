//! What goes wrong in the double, and when: drawn from a seed, or switched by hand.

use std::ops::{Range, RangeInclusive};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::{Failure, StoreError};

/// Faults of a [`MemoryStore`](crate::MemoryStore), repeatable by their seed.
#[derive(Debug, Clone)]
pub struct MemoryFaults {
    /// From which every draw follows.
    pub seed: u64,
    /// Share of statements that fail before they take effect, 0 to 1.
    pub lost_before_commit: f64,
    /// Share of statements that take effect although the answer is lost, 0 to 1.
    pub lost_after_commit: f64,
    /// How long a statement takes, half before and half after its effect.
    pub latency: RangeInclusive<Duration>,
    /// When the store cannot be reached, counted from its first use.
    pub outages: Vec<Range<Duration>>,
}

/// No fault, no latency.
impl Default for MemoryFaults {
    fn default() -> Self {
        Self {
            seed: 0,
            lost_before_commit: 0.0,
            lost_after_commit: 0.0,
            latency: Duration::ZERO..=Duration::ZERO,
            outages: Vec::new(),
        }
    }
}

/// What the store is fit for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Condition {
    /// Everything.
    #[default]
    Working,
    /// Nothing: every call fails for now.
    Unreachable,
    /// It answers, and refuses statements even without rows, as when a right was revoked.
    RefusingStatements,
    /// It takes the statement and refuses every row, as a broken trigger does.
    RefusingRows,
    /// It takes the statement and has room for no new row.
    DiskFull,
}

/// The faults at work.
pub(super) struct Weather {
    faults: MemoryFaults,
    calm: AtomicBool,
    made_at: Mutex<Option<Instant>>,
    now: Mutex<(fastrand::Rng, Condition)>,
}

impl Weather {
    pub(super) fn new(faults: MemoryFaults) -> Self {
        Self {
            now: Mutex::new((fastrand::Rng::with_seed(faults.seed), Condition::default())),
            calm: AtomicBool::new(false),
            made_at: Mutex::default(),
            faults,
        }
    }

    pub(super) fn set(&self, condition: Condition) {
        self.state().1 = condition;
    }

    pub(super) fn set_calm(&self, calm: bool) {
        self.calm.store(calm, Ordering::Relaxed);
    }

    pub(super) fn refuses_rows(&self) -> bool {
        self.state().1 == Condition::RefusingRows
    }

    /// For a statement that adds rows.
    pub(super) fn has_room(&self) -> Result<(), Failure> {
        if self.state().1 == Condition::DiskFull {
            Err(Failure::Transient(StoreError::DiskFull))
        } else {
            Ok(())
        }
    }

    /// Time since the first call, by tokio's clock.
    pub(super) fn now(&self) -> Duration {
        let mut made_at = self.made_at.lock().unwrap_or_else(PoisonError::into_inner);
        made_at.get_or_insert_with(Instant::now).elapsed()
    }

    pub(super) async fn connect(&self) -> Result<(), Failure> {
        tokio::task::yield_now().await;
        self.reachable("connection refused")
    }

    pub(super) async fn before_commit(&self) -> Result<(), Failure> {
        self.half_the_latency().await;
        self.reachable("connection closed")?;
        if self.state().1 == Condition::RefusingStatements {
            return Err(Failure::Unknown);
        }
        self.lose(self.faults.lost_before_commit)
    }

    pub(super) async fn after_commit(&self) -> Result<(), Failure> {
        self.half_the_latency().await;
        self.reachable("connection closed")?;
        self.lose(self.faults.lost_after_commit)
    }

    async fn half_the_latency(&self) {
        let (shortest, longest) = (self.faults.latency.start(), self.faults.latency.end());
        let share = self.state().0.f64();
        let latency = *shortest + longest.saturating_sub(*shortest).mul_f64(share);
        // A sleep of nothing still lets other tasks run, as any statement does.
        tokio::time::sleep(latency / 2).await;
    }

    fn lose(&self, share: f64) -> Result<(), Failure> {
        let unlucky = self.state().0.f64() < share;
        if unlucky && !self.calm.load(Ordering::Relaxed) {
            Err(Failure::unavailable("connection closed"))
        } else {
            Ok(())
        }
    }

    fn reachable(&self, why_not: &str) -> Result<(), Failure> {
        let now = self.now();
        let scheduled = self.faults.outages.iter().any(|out| out.contains(&now));
        if scheduled || self.state().1 == Condition::Unreachable {
            Err(Failure::unavailable(why_not))
        } else {
            Ok(())
        }
    }

    fn state(&self) -> MutexGuard<'_, (fastrand::Rng, Condition)> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORMY: (f64, f64) = (0.3, 0.3);

    async fn outcomes(seed: u64) -> Vec<(bool, Duration)> {
        let weather = Weather::new(MemoryFaults {
            seed,
            lost_before_commit: STORMY.0,
            lost_after_commit: STORMY.1,
            latency: Duration::from_millis(1)..=Duration::from_millis(90),
            ..MemoryFaults::default()
        });
        let mut outcomes = Vec::new();
        for _ in 0..50 {
            let works =
                weather.before_commit().await.is_ok() && weather.after_commit().await.is_ok();
            outcomes.push((works, weather.now()));
        }
        outcomes
    }

    #[tokio::test(start_paused = true)]
    async fn a_seed_repeats_every_fault_and_every_wait() {
        let first = outcomes(7).await;
        assert_eq!(first, outcomes(7).await);
        assert_ne!(first, outcomes(8).await);
        let lost = first.iter().filter(|(works, _)| !works).count();
        assert!((10..40).contains(&lost), "{lost} of 50 lost");
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_lasts_as_long_as_it_says() {
        let weather = Weather::new(MemoryFaults {
            outages: vec![Duration::from_secs(10)..Duration::from_secs(40)],
            ..MemoryFaults::default()
        });
        assert!(weather.connect().await.is_ok());
        tokio::time::advance(Duration::from_secs(10)).await;
        assert!(weather.connect().await.is_err());
        tokio::time::advance(Duration::from_secs(30)).await;
        assert!(weather.connect().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_refuses_statements_is_reachable() {
        let weather = Weather::new(MemoryFaults::default());
        weather.set(Condition::RefusingStatements);
        assert!(weather.connect().await.is_ok());
        assert!(matches!(
            weather.before_commit().await,
            Err(Failure::Unknown)
        ));
    }
}
