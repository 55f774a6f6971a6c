//! The pipeline as an onlooker sees it, whatever its queue and its store: numbers of one moment.

use std::time::Duration;

use pg_writer::Connections;
use sqs_reader::{QueueFacts, Transport};

use super::measures::Measures;
use super::tally::Counts;
use super::{Pipeline, Store};

/// One moment of a run.
#[derive(Debug, Clone)]
pub(crate) struct Observation {
    pub(crate) counts: Counts,
    /// Distinct messages held, and for how long the one that is held for longest.
    pub(crate) held: usize,
    pub(crate) oldest_held: Option<Duration>,
    pub(crate) extensions: u64,
    pub(crate) requests: u64,
    pub(crate) statements: u64,
    /// Calls to the queue that failed, by class.
    pub(crate) queue_failures: Vec<(&'static str, u64)>,
    pub(crate) connections: Connections,
    pub(crate) pollers: usize,
    /// How long no receive and no write has ended.
    pub(crate) quiet_for: Duration,
    /// The last receive failed.
    pub(crate) queue_fails: bool,
    /// The last write failed.
    pub(crate) database_fails: bool,
    /// No further receive is made.
    pub(crate) stopping: bool,
}

/// What can be asked of a pipeline while it runs.
pub(crate) trait Observed: Send + Sync {
    fn observe(&self) -> Observation;

    fn measures(&self) -> &Measures;
}

impl<T: Transport, S: Store> Observed for Pipeline<T, S> {
    fn observe(&self) -> Observation {
        let statements = self.statements();
        Observation {
            counts: self.tally.counts(),
            held: self.inbox.held(),
            oldest_held: self.inbox.oldest_held(),
            extensions: self.inbox.extensions(),
            requests: self.requests(),
            statements,
            queue_failures: self.inbox.failures(),
            connections: self.store.connections(),
            pollers: self.regulator.active(),
            quiet_for: self.measures.progress.quiet_for(statements),
            queue_fails: self.health.is_queue_failing(),
            database_fails: self.health.is_database_down(),
            stopping: self.stop.is_cancelled(),
        }
    }

    fn measures(&self) -> &Measures {
        &self.measures
    }
}

impl<T: Transport, S: Store> Pipeline<T, S> {
    /// Asks the queue about itself, now; the error's class where it does not answer.
    pub(crate) async fn ask_queue(&self) -> Result<QueueFacts, &'static str> {
        self.inbox.facts().await.map_err(|error| error.class())
    }

    /// Asks the store whether it would take a batch, now; the error's class where it would not.
    pub(crate) async fn ask_store(&self) -> Result<(), &'static str> {
        self.store.check().await.map_err(|error| error.class())
    }
}
