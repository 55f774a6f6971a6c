//! Which faults there are and how often, and what one call suffers: drawn all at once, so that a seed and the order
//! of the calls decide everything.

use std::time::Duration;

use fastrand::Rng;

use crate::error::QueueError;
use crate::transport::EntryFailure;

/// How often each fault strikes: chances between 0 and 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Faults {
    /// A call fails and nothing was done.
    pub error_before: f64,
    /// A call fails after its work was done: the answer is lost.
    pub error_after: f64,
    /// An entry of a batch is in `Failed`; half of these had been done all the same.
    pub failed_entry: f64,
    /// A message that was just received is visible again at once, so that it is delivered again while it is held.
    pub duplicate: f64,
    /// A message stands twice in one answer.
    pub twice: f64,
    /// A receive never answers, whether or not it took messages; another call fails only after ten seconds.
    pub hang: f64,
    /// A call takes up to this long before its work, and again after it.
    pub latency: Duration,
}

/// No faults.
impl Default for Faults {
    fn default() -> Self {
        Self {
            error_before: 0.0,
            error_after: 0.0,
            failed_entry: 0.0,
            duplicate: 0.0,
            twice: 0.0,
            hang: 0.0,
            latency: Duration::ZERO,
        }
    }
}

impl Faults {
    /// A bad day: every fault, none so often that no work is done.
    pub fn rough() -> Self {
        Self {
            error_before: 0.05,
            error_after: 0.05,
            failed_entry: 0.05,
            duplicate: 0.1,
            twice: 0.05,
            hang: 0.005,
            latency: Duration::from_millis(200),
        }
    }

    /// Chances drawn between none and those of [`Faults::rough`], each for itself: some seeds then suffer one kind
    /// of fault alone.
    pub fn drawn(random: &mut Rng) -> Self {
        let most = Self::rough();
        let mut share = |most: f64| {
            if random.bool() {
                most * random.f64()
            } else {
                0.0
            }
        };
        Self {
            error_before: share(most.error_before),
            error_after: share(most.error_after),
            failed_entry: share(most.failed_entry),
            duplicate: share(most.duplicate),
            twice: share(most.twice),
            hang: share(most.hang),
            latency: most.latency.mul_f64(share(1.0)),
        }
    }

    /// What a call with `entries` entries, or messages to receive, suffers.
    pub(super) fn strike(&self, random: &mut Rng, entries: usize) -> Strike {
        let mut hits = |chance: f64| random.f64() < chance;
        let hangs = hits(self.hang);
        let error = match (hits(self.error_before), hits(self.error_after)) {
            (true, _) => Some(Moment::Before),
            (false, true) => Some(Moment::After),
            (false, false) => hangs.then_some(Moment::After),
        };
        let entries = (0..entries)
            .map(|_| EntryFate {
                failed: match (hits(self.failed_entry), hits(0.5)) {
                    (false, _) => None,
                    (true, false) => Some(Moment::Before),
                    (true, true) => Some(Moment::After),
                },
                duplicate: hits(self.duplicate),
                twice: hits(self.twice),
            })
            .collect();
        Strike {
            error: error.map(|moment| (moment, any_error(random))),
            hangs,
            entries,
            latency: [(); 2].map(|()| self.latency.mul_f64(random.f64())),
        }
    }
}

/// When a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    Before,
    After,
}

/// What one call suffers.
pub(super) struct Strike {
    pub(super) error: Option<(Moment, QueueError)>,
    pub(super) hangs: bool,
    pub(super) entries: Vec<EntryFate>,
    /// Before the work, and after.
    pub(super) latency: [Duration; 2],
}

/// What one entry of a batch, or one received message, suffers.
pub(super) struct EntryFate {
    /// In `Failed`, before its work was done or after.
    pub(super) failed: Option<Moment>,
    pub(super) duplicate: bool,
    pub(super) twice: bool,
}

impl Strike {
    /// Positions of entries that are passed on.
    pub(super) fn passed_on(&self) -> Vec<usize> {
        let fates = self.entries.iter().enumerate();
        let passed = fates.filter(|(_, fate)| fate.failed != Some(Moment::Before));
        passed.map(|(index, _)| index).collect()
    }

    /// The entries that the answer calls failed.
    pub(super) fn failed(&self) -> Vec<EntryFailure> {
        let fates = self.entries.iter().enumerate();
        let failed = fates.filter(|(_, fate)| fate.failed.is_some());
        let failure = |(index, _)| EntryFailure {
            index,
            code: "InternalError".to_owned(),
            sender_fault: false,
        };
        failed.map(failure).collect()
    }
}

fn any_error(random: &mut Rng) -> QueueError {
    match random.u8(..4) {
        0 => QueueError::Unreachable("connection reset".to_owned()),
        1 => QueueError::Throttled("ThrottlingException".to_owned()),
        2 => QueueError::Expired("ExpiredToken".to_owned()),
        _ => QueueError::Server("HTTP status 500".to_owned()),
    }
}
