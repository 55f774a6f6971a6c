//! What a reader counts as it works: plain numbers that only grow, for whoever shows them.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::QueueError;
use crate::transport::EntryFailures;

/// Counters of one reader.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    extensions: AtomicU64,
    failures: [AtomicU64; QueueError::CLASSES.len()],
}

impl Counts {
    pub(crate) fn extended(&self, messages: u64) {
        self.extensions.fetch_add(messages, Ordering::Relaxed);
    }

    pub(crate) fn extensions(&self) -> u64 {
        self.extensions.load(Ordering::Relaxed)
    }

    pub(crate) fn failed(&self, error: &QueueError) {
        self.failures[error.class_index()].fetch_add(1, Ordering::Relaxed);
    }

    /// Hands the outcome of a call on, and counts it where it is an error.
    pub(crate) fn noted<R>(&self, outcome: Result<R, QueueError>) -> Result<R, QueueError> {
        if let Err(error) = &outcome {
            self.failed(error);
        }
        outcome
    }

    /// The same for a batch, of which SQS may have failed some entries: its own trouble, though the call succeeded.
    pub(crate) fn noted_batch(
        &self,
        outcome: Result<EntryFailures, QueueError>,
    ) -> Result<EntryFailures, QueueError> {
        if let Ok(failures) = &outcome
            && failures.iter().any(|failure| !failure.sender_fault)
        {
            self.failed(&QueueError::Server(String::new()));
        }
        self.noted(outcome)
    }

    /// Each class with its failures.
    pub(crate) fn failures(&self) -> Vec<(&'static str, u64)> {
        let counts = self.failures.iter();
        let counts = counts.map(|count| count.load(Ordering::Relaxed));
        QueueError::CLASSES.into_iter().zip(counts).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::EntryFailure;

    fn counted(counts: &Counts, class: &str) -> u64 {
        let failures = counts.failures();
        failures.iter().find(|(name, _)| *name == class).unwrap().1
    }

    #[test]
    fn calls_that_fail_are_counted_by_class_and_handed_on() {
        let counts = Counts::default();
        let throttled = QueueError::Throttled("slow down".to_owned());
        assert_eq!(counts.noted::<()>(Err(throttled.clone())), Err(throttled));
        assert_eq!(counts.noted(Ok(7)), Ok(7));
        assert_eq!(counted(&counts, "throttled"), 1);
        let others = counts
            .failures()
            .into_iter()
            .filter(|(name, _)| *name != "throttled");
        assert!(others.into_iter().all(|(_, count)| count == 0));
    }

    #[test]
    fn entries_that_the_server_failed_count_as_its_trouble_and_those_of_the_sender_do_not() {
        let counts = Counts::default();
        for sender_fault in [true, false] {
            let failure = EntryFailure {
                index: 0,
                code: "X".to_owned(),
                sender_fault,
            };
            counts.noted_batch(Ok(vec![failure])).unwrap();
        }
        assert_eq!(counted(&counts, "server"), 1);
    }
}
