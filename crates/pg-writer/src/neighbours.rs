//! What earlier batches tell of the table: an example of a row that it took, and how many it has refused since.
//! With those a batch of one bad row can be judged, which has no neighbours of its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::batch::{Columns, Fate};
use crate::settle::{SYSTEMIC_AFTER, Verdict};

/// Of the batches before.
#[derive(Default)]
pub(crate) struct Neighbours(Mutex<Recent>);

#[derive(Default)]
struct Recent {
    example: Option<Arc<Columns>>,
    refused_since: usize,
}

impl Neighbours {
    /// How many rows may be refused before another is taken.
    pub(crate) fn may_blame(&self) -> usize {
        SYSTEMIC_AFTER.saturating_sub(self.recent().refused_since)
    }

    /// One row that the table took, if it has taken any.
    pub(crate) fn example(&self) -> Option<Arc<Columns>> {
        self.recent().example.clone()
    }

    pub(crate) fn remember(&self, columns: &Columns, verdict: &Verdict) {
        let mut recent = self.recent();
        if let Some(row) = verdict.example {
            *recent = Recent {
                example: Some(Arc::new(columns.select(&[row]))),
                refused_since: 0,
            };
            return;
        }
        let refused = verdict.fates.iter();
        let refused = refused.filter(|&&fate| fate == Fate::Refused).count();
        recent.refused_since = recent.refused_since.saturating_add(refused);
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(example: Option<usize>, fates: &[Fate]) -> Verdict {
        Verdict {
            fates: fates.to_vec(),
            written: 0,
            example,
            error: None,
        }
    }

    #[test]
    fn only_a_row_that_was_taken_restores_the_allowance() {
        let neighbours = Neighbours::default();
        let columns = Columns::default();
        neighbours.remember(&columns, &verdict(None, &[Fate::Refused; 3]));
        neighbours.remember(&columns, &verdict(None, &[Fate::Committed]));
        assert_eq!(neighbours.may_blame(), SYSTEMIC_AFTER - 3);
        assert!(neighbours.example().is_none());
    }
}
