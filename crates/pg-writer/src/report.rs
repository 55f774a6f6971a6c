//! What became of a batch, told so that no token can be forgotten.

use crate::batch::{Batch, Committed, LedgerKey};
use crate::error::StoreError;
use crate::settle::Verdict;

/// What became of a batch. Each of its tokens is in exactly one of the three.
#[must_use]
pub struct Report<T> {
    /// Rows that stand.
    pub committed: Committed<T>,
    /// Rows that Postgres refused while their neighbours were committed.
    pub refused: Vec<(LedgerKey, T)>,
    /// Rows to try again later, and why they are not decided.
    pub undecided: Option<(Batch<T>, StoreError)>,
}

impl<T> Report<T> {
    /// Takes a batch apart by the verdict on its rows.
    pub(crate) fn of(batch: Batch<T>, verdict: Verdict) -> Self {
        let sorted = batch.sort_out(&verdict.fates, verdict.written);
        Self {
            committed: sorted.committed,
            refused: sorted.refused,
            undecided: verdict.error.map(|error| (sorted.rest, error)),
        }
    }

    /// Nothing of the batch could be tried.
    pub(crate) fn undecided(batch: Batch<T>, error: StoreError) -> Self {
        let committed = Committed {
            written: 0,
            tokens: Vec::new(),
        };
        Self {
            committed,
            refused: Vec::new(),
            undecided: Some((batch, error)),
        }
    }
}
