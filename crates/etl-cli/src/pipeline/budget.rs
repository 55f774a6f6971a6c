//! How many deliveries may still be asked for, where a run has a limit.

use std::sync::{Mutex, PoisonError};

/// The part of `--max-messages` that is neither received nor asked for.
pub(crate) struct Budget(Option<Mutex<u64>>);

impl Budget {
    pub(crate) fn new(limit: Option<u64>) -> Self {
        Self(limit.map(Mutex::new))
    }

    /// Reserves up to `wanted`; zero when nothing is left.
    pub(crate) fn take(&self, wanted: usize) -> usize {
        let Some(left) = &self.0 else { return wanted };
        let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(wanted);
        *left -= taken as u64;
        taken
    }

    /// Gives back what a receive was asked for and did not bring.
    pub(crate) fn give_back(&self, unused: usize) {
        if let Some(left) = &self.0 {
            *left.lock().unwrap_or_else(PoisonError::into_inner) += unused as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_receive_asks_for_what_is_left() {
        let budget = Budget::new(Some(13));
        assert_eq!(
            (budget.take(10), budget.take(10), budget.take(10)),
            (10, 3, 0)
        );
        budget.give_back(4);
        assert_eq!(budget.take(10), 4);
    }

    #[test]
    fn without_a_limit_every_receive_is_full() {
        assert_eq!(Budget::new(None).take(10), 10);
    }
}
