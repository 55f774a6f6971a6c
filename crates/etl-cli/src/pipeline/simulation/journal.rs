//! What happened, in its order: a digest of all calls for comparison, and lines to read where one seed is replayed.

use std::fmt::{Debug, Write as _};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// The digest alone.
    Digest,
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
    digest: DefaultHasher,
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
    pub(super) fn note(&self, who: usize, what: &'static str, facts: impl Debug) {
        let now = self.now();
        let mut pages = self.pages();
        let mut text = String::new();
        // Cannot fail: it is written into a string.
        let _ = write!(
            text,
            "{:>10.3} worker {who}: {what} {facts:?}",
            now.as_secs_f64()
        );
        text.hash(&mut pages.digest);
        if self.detail == Detail::Journal {
            pages.lines.push(text);
        }
    }

    /// A law was broken.
    pub(super) fn broken(&self, how: &str) {
        let text = format!("{:>10.3} {how}", self.now().as_secs_f64());
        let mut pages = self.pages();
        pages.lines.push(format!("{text} (BROKEN)"));
        pages.broken.push(text);
    }

    /// Digest, broken laws, lines.
    pub(super) fn close(&self) -> (u64, Vec<String>, Vec<String>) {
        let pages = self.pages();
        (
            pages.digest.finish(),
            pages.broken.clone(),
            pages.lines.clone(),
        )
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
