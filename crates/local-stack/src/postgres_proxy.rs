//! A proxy before Postgres that takes the connection away at the worst moment: before a statement reaches the server,
//! or after the server has done it and before the client knows.

mod frontend;
mod relay;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use tokio::sync::watch;

use self::relay::{Shared, StatementRule};
use crate::background::Background;
use crate::hint::report;
use crate::when::{Trigger, When};

/// What happens to a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementFault {
    /// The connection is cut, the server never sees the statement.
    CutBefore,
    /// The server does the statement, to the end of its transaction where it commits by itself; then the connection is
    /// cut, and the client sees nothing of it.
    CutAfter,
    /// The server sees the statement that much later.
    Delay(Duration),
}

/// What the proxy does with all connections.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mode {
    paused: bool,
    refuses: bool,
    /// Connections of an earlier one are cut.
    generation: u64,
}

/// A running proxy; dropping it cuts its connections and stops it.
#[derive(Debug)]
pub struct PostgresProxy {
    // Dropped first: the relays see it and end.
    mode: watch::Sender<Mode>,
    background: Background,
    shared: Shared,
    seed: u64,
}

impl PostgresProxy {
    /// In front of the Postgres on this port of 127.0.0.1.
    ///
    /// # Panics
    /// If it cannot listen.
    pub fn start(upstream: u16) -> Self {
        let started = Self::try_start(0, upstream, 1);
        started.unwrap_or_else(|error| {
            panic!("failed to start the Postgres proxy: {}", report(&error))
        })
    }

    /// On a port of one's choice (0 for a free one), with a seed for faults that come by chance.
    pub fn try_start(port: u16, upstream: u16, seed: u64) -> Result<Self> {
        let (mode, watched) = watch::channel(Mode::default());
        let shared = Shared {
            upstream,
            rules: Arc::default(),
            struck: Arc::<AtomicU64>::default(),
            mode: watched,
        };
        let server = shared.clone();
        let background =
            Background::start("postgres-proxy", port, |listener| server.serve(listener))?;
        Ok(Self {
            mode,
            background,
            shared,
            seed,
        })
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.background.port
    }

    /// The same URL by way of the proxy.
    pub fn url(&self, direct: &str) -> String {
        direct.replacen(
            &format!(":{}/", self.shared.upstream),
            &format!(":{}/", self.port()),
            1,
        )
    }

    /// From now on, this happens to statements whose text contains this one, `COMMIT` or a table's name say. Prepared
    /// statements are known by their text. Of several rules the first to strike wins.
    pub fn on_statement(&self, contains: &str, when: When, fault: StatementFault) {
        let trigger = Trigger::new(when, self.seed);
        self.rules().push(StatementRule {
            contains: contains.to_owned(),
            fault,
            trigger,
        });
    }

    /// Forgets all rules.
    pub fn clear(&self) {
        self.rules().clear();
    }

    /// How many statements were struck.
    pub fn struck(&self) -> u64 {
        self.shared.struck.load(Ordering::Relaxed)
    }

    /// Nothing passes either way until `resume`; connections stay.
    pub fn pause(&self) {
        self.mode.send_modify(|mode| mode.paused = true);
    }

    /// Cuts all connections, and new ones at once, until `resume`.
    pub fn refuse(&self) {
        self.mode.send_modify(|mode| {
            mode.refuses = true;
            mode.generation += 1;
        });
    }

    /// Cuts all connections once; new ones pass.
    pub fn cut(&self) {
        self.mode.send_modify(|mode| mode.generation += 1);
    }

    /// Ends `pause` and `refuse`.
    pub fn resume(&self) {
        self.mode.send_modify(|mode| {
            mode.paused = false;
            mode.refuses = false;
        });
    }

    fn rules(&self) -> MutexGuard<'_, Vec<StatementRule>> {
        self.shared
            .rules
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
