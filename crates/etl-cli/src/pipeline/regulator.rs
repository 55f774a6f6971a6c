//! How many pollers are at work: they grow with the backlog and shrink to one on an idle queue, so that an idle
//! follower costs one request a long poll. Pollers at rest wait for a turn.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

/// Turns for up to `most` pollers, of which one always has one until the end.
pub(crate) struct Regulator {
    turns: Semaphore,
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    active: usize,
    /// Receives that are out.
    receiving: usize,
}

/// What a poller does after a receive.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Ask again.
    Continue,
    /// Rest until there is more to do.
    Rest,
    /// This was the only poller left and its receive was empty.
    AloneAndEmpty,
}

impl Regulator {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            turns: Semaphore::new(1),
            most,
            state: Mutex::new(State {
                active: 1,
                receiving: 0,
            }),
        }
    }

    /// Waits for a turn; `None` once all is over.
    pub(crate) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.turns.acquire().await.ok()
    }

    /// No more turns: pollers at rest end.
    pub(crate) fn end(&self) {
        self.turns.close();
    }

    pub(crate) fn receive_begins(&self) {
        self.state().receiving += 1;
    }

    /// A receive that asked for `asked` brought `received`.
    pub(crate) fn receive_ends(&self, received: usize, asked: usize) -> Next {
        let mut state = self.state();
        state.receiving = state.receiving.saturating_sub(1);
        let well_filled = received * 10 >= asked * 7;
        let nearly_empty = received * 5 <= asked;
        if well_filled && received > 0 && state.active < self.most {
            state.active += 1;
            self.turns.add_permits(1);
        } else if nearly_empty && state.active > 1 {
            state.active -= 1;
            return Next::Rest;
        }
        if received == 0 && state.active == 1 && state.receiving == 0 {
            Next::AloneAndEmpty
        } else {
            Next::Continue
        }
    }

    /// Pollers at work.
    pub(crate) fn active(&self) -> usize {
        self.state().active
    }

    /// A receive ended without an answer, which says nothing of the backlog.
    pub(crate) fn receive_failed(&self) {
        let mut state = self.state();
        state.receiving = state.receiving.saturating_sub(1);
    }

    /// For a poller with nothing to ask for: rests where another is at work, and answers whether it does.
    pub(crate) fn rest_unless_alone(&self) -> bool {
        let mut state = self.state();
        let others = state.active > 1;
        state.active -= usize::from(others);
        others
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receive(regulator: &Regulator, received: usize) -> Next {
        regulator.receive_begins();
        regulator.receive_ends(received, 10)
    }

    #[test]
    fn full_receives_bring_pollers_up_to_the_limit() {
        let regulator = Regulator::new(3);
        for _ in 0..5 {
            assert_eq!(receive(&regulator, 10), Next::Continue);
        }
        assert_eq!(regulator.state().active, 3);
    }

    #[test]
    fn empty_receives_rest_all_but_one_which_is_told_so() {
        let regulator = Regulator::new(3);
        receive(&regulator, 10);
        assert_eq!(receive(&regulator, 0), Next::Rest);
        assert_eq!(receive(&regulator, 0), Next::AloneAndEmpty);
    }

    #[test]
    fn the_last_poller_with_nothing_to_ask_for_does_not_rest() {
        let regulator = Regulator::new(3);
        receive(&regulator, 10);
        assert!(regulator.rest_unless_alone());
        assert!(!regulator.rest_unless_alone());
    }

    #[test]
    fn a_failed_receive_sends_nobody_to_rest() {
        let regulator = Regulator::new(2);
        receive(&regulator, 10);
        regulator.receive_begins();
        regulator.receive_failed();
        assert_eq!(regulator.state().active, 2);
        assert_eq!(receive(&regulator, 0), Next::Rest);
        assert_eq!(receive(&regulator, 0), Next::AloneAndEmpty);
    }

    #[test]
    fn nobody_is_alone_while_a_receive_is_out() {
        let regulator = Regulator::new(2);
        receive(&regulator, 10);
        regulator.receive_begins();
        assert_eq!(receive(&regulator, 0), Next::Rest);
        assert_eq!(regulator.receive_ends(5, 10), Next::Continue);
    }
}
