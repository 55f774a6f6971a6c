//! What the answers are made of: the pipeline, once there is one, and what was last seen of the servers round it.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::exposition;
use super::health::{self, Verdict};
use crate::pipeline::Observed;

/// Shared by the server, which reads, and the watch, which writes.
#[derive(Default)]
pub(super) struct Board {
    /// Not there before the preflight has passed.
    pipeline: OnceLock<Arc<dyn Observed>>,
    sight: Mutex<Sight>,
}

/// What was last seen of the servers.
#[derive(Debug, Clone, Default)]
pub(super) struct Sight {
    pub(super) queue: Answer,
    pub(super) database: Answer,
    pub(super) depth: Option<Depth>,
}

/// How a server answered when it was last asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Answer {
    #[default]
    NotAsked,
    Well,
    /// Not, or with an error of this class.
    Badly(&'static str),
}

/// The queue's own counts, which are approximate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Depth {
    pub(super) waiting: u64,
    pub(super) not_visible: u64,
}

impl Board {
    /// From now on the answers speak of this pipeline.
    pub(super) fn show(&self, pipeline: Arc<dyn Observed>) {
        // A process runs one pipeline: a second would change nothing.
        drop(self.pipeline.set(pipeline));
    }

    pub(super) fn sight(&self) -> MutexGuard<'_, Sight> {
        self.sight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn metrics(&self) -> String {
        let sight = self.sight().clone();
        let shown = self
            .pipeline
            .get()
            .map(|pipeline| (pipeline.observe(), pipeline.measures()));
        exposition::of(
            shown.as_ref().map(|(seen, measures)| (seen, *measures)),
            &sight,
        )
    }

    pub(super) fn is_alive(&self) -> Verdict {
        let seen = self.pipeline.get().map(|pipeline| pipeline.observe());
        health::is_alive(seen.as_ref())
    }

    pub(super) fn is_ready(&self) -> Verdict {
        let seen = self.pipeline.get().map(|pipeline| pipeline.observe());
        health::is_ready(seen.as_ref(), &self.sight())
    }
}
