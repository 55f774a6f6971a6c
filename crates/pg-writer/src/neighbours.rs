//! What the last commits tell of the table's health: whether a lone refused row can be blamed.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::batch::Fate;
use crate::settle::SYSTEMIC_AFTER;

/// A commit this recent shows that the table takes rows.
const NEIGHBOURS_FOR: Duration = Duration::from_secs(60);

/// Whether other rows were committed lately: then a lone refused row is that row's fault.
#[derive(Default)]
pub(crate) struct Neighbours(Mutex<Recent>);

#[derive(Default)]
struct Recent {
    committed_at: Option<Instant>,
    refused_since: usize,
}

impl Neighbours {
    pub(crate) fn may_blame(&self) -> usize {
        let recent = self.recent();
        match recent.committed_at {
            Some(at) if at.elapsed() < NEIGHBOURS_FOR => {
                SYSTEMIC_AFTER.saturating_sub(recent.refused_since)
            }
            _ => 0,
        }
    }

    pub(crate) fn remember(&self, fates: &[Fate]) {
        let mut recent = self.recent();
        if fates.contains(&Fate::Committed) {
            *recent = Recent {
                committed_at: Some(Instant::now()),
                refused_since: 0,
            };
        } else {
            let refused = fates.iter().filter(|&&fate| fate == Fate::Refused).count();
            recent.refused_since = recent.refused_since.saturating_add(refused);
        }
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_commit_vouches_for_a_minute_and_for_a_few_rows() {
        let neighbours = Neighbours::default();
        assert_eq!(neighbours.may_blame(), 0);
        neighbours.remember(&[Fate::Committed, Fate::Refused]);
        assert_eq!(neighbours.may_blame(), SYSTEMIC_AFTER);
        neighbours.remember(&[Fate::Refused; 3]);
        assert_eq!(neighbours.may_blame(), SYSTEMIC_AFTER - 3);
        tokio::time::advance(NEIGHBOURS_FOR).await;
        assert_eq!(neighbours.may_blame(), 0);
    }
}
