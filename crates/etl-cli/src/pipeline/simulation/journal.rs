//! What happened, in its order: every broken law, and each call as a line where one seed is replayed or compared.

use std::fmt::Debug;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// Broken laws alone: thousands of seeds have no time for more.
    Verdict,
    /// Every line too.
    Journal,
}

pub(super) struct Journal {
    began: Instant,
    detail: Detail,
    pages: Mutex<Pages>,
}

#[derive(Default)]
struct Pages {
    lines: Vec<String>,
    broken: Vec<String>,
}

impl Journal {
    pub(super) fn new(detail: Detail) -> Self {
        Self {
            began: Instant::now(),
            detail,
            pages: Mutex::default(),
        }
    }

    /// Time since the simulation began.
    pub(super) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// What the seed decided beforehand.
    pub(super) fn scenario(&self, scenario: &impl Debug) {
        if self.detail == Detail::Journal {
            self.pages().lines.push(format!("{scenario:#?}"));
        }
    }

    /// Something that `who` did; `facts` tell it apart from others of its kind.
    pub(super) fn note<F: Debug>(&self, who: usize, what: &str, facts: impl FnOnce() -> F) {
        if self.detail == Detail::Journal {
            let seconds = self.now().as_secs_f64();
            let line = format!("{seconds:>10.3} worker {who}: {what} {:?}", facts());
            self.pages().lines.push(line);
        }
    }

    /// A law was broken.
    pub(super) fn broken(&self, how: &str) {
        let text = format!("{:>10.3} {how}", self.now().as_secs_f64());
        let mut pages = self.pages();
        pages.lines.push(format!("{text} (BROKEN)"));
        pages.broken.push(text);
    }

    /// Broken laws, lines.
    pub(super) fn close(&self) -> (Vec<String>, Vec<String>) {
        let pages = self.pages();
        (pages.broken.clone(), pages.lines.clone())
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
