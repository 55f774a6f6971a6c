//! An example of a row that the table took, from this batch or an earlier one: with it a batch can be judged in which
//! every row is refused.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::batch::Columns;
use crate::settle::Verdict;

/// Of the batches before.
#[derive(Default)]
pub(crate) struct Neighbours(Mutex<Option<Arc<Columns>>>);

impl Neighbours {
    /// A row that should be taken at the time of row `under`: what is in a row of this batch that `stands`, else what the
    /// table took before, else, in a process that has seen it take none, what any table of logins takes.
    pub(crate) fn control(&self, batch: &Columns, stands: Option<usize>, under: usize) -> Columns {
        if let Some(row) = stands {
            return batch.control(row, batch, under);
        }
        let before = self.example().clone();
        before.map_or_else(
            || Columns::plausible().control(0, batch, under),
            |example| example.control(0, batch, under),
        )
    }

    pub(crate) fn remember(&self, columns: &Columns, verdict: &Verdict) {
        if let Some(row) = verdict.example {
            *self.example() = Some(Arc::new(columns.select(&[row])));
        }
    }

    fn example(&self) -> MutexGuard<'_, Option<Arc<Columns>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
