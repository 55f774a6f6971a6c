//! Draws from a seed: everything about a run follows from one generator, in one order.

use std::ops::RangeInclusive;
use std::time::Duration;

use fastrand::Rng;

pub(super) struct Draw(Rng);

impl Draw {
    pub(super) fn new(seed: u64) -> Self {
        Self(Rng::with_seed(seed))
    }

    pub(super) fn chance(&mut self, share: f64) -> bool {
        self.0.f64() < share
    }

    pub(super) fn number(&mut self, range: RangeInclusive<usize>) -> usize {
        self.0.usize(range)
    }

    pub(super) fn share(&mut self, most: f64) -> f64 {
        most * self.0.f64()
    }

    pub(super) fn seed(&mut self) -> u64 {
        self.0.u64(..)
    }

    pub(super) fn bits(&mut self) -> u128 {
        self.0.u128(..)
    }

    pub(super) fn one_of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.0.usize(..choices.len())]
    }

    /// Short times as likely as long ones: even over the orders of magnitude.
    pub(super) fn time(&mut self, range: RangeInclusive<Duration>) -> Duration {
        let (shortest, longest) = (range.start().as_secs_f64(), range.end().as_secs_f64());
        let exponent = self.0.f64();
        let seconds = shortest * (longest / shortest).powf(exponent);
        // Whole milliseconds, as tokio's clock has them.
        let milliseconds = Duration::from_secs_f64(seconds).as_millis();
        Duration::from_millis(u64::try_from(milliseconds).unwrap_or(u64::MAX))
    }

    pub(super) fn faults(&mut self) -> sqs_reader::memory::Faults {
        sqs_reader::memory::Faults::drawn(&mut self.0)
    }
}
