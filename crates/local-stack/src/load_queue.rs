//! An SQS server in memory for load: any depth at no memory, and never the bottleneck.
//!
//! It speaks JSON 1.0 over HTTP/1.1 with keep-alive, for standard queues: visibility, receipt handles, long polls,
//! receive counts, redrive to a dead-letter queue, message attributes, bodies of 1 MiB. Signatures are not checked.

mod actions;
mod broker;
mod digest;
mod fault;
mod message;
mod queue;
mod server;
mod statistics;
mod template;

use std::time::Duration;

use anyhow::Result;

use self::broker::Broker;
use self::server::Shared;
pub use self::statistics::Statistics;
use crate::background::Background;
use crate::hint::report;
use crate::sqs::ACCOUNT_ID;

/// A running load queue; dropping it stops it.
#[derive(Debug)]
pub struct LoadQueue {
    background: Background,
    shared: Shared,
}

impl LoadQueue {
    /// On a free port, without added latency.
    ///
    /// # Panics
    /// If it cannot listen.
    pub fn start() -> Self {
        let started = Self::try_start(0, Duration::ZERO);
        started.unwrap_or_else(|error| panic!("failed to start the load queue: {}", report(&error)))
    }

    /// On a port of 127.0.0.1 (0 for a free one), each answer held back by `latency`.
    pub fn try_start(port: u16, latency: Duration) -> Result<Self> {
        let shared = Shared::new(Broker::new(), latency);
        let server = shared.clone();
        let background = Background::start("load-queue", port, |listener| server.serve(listener))?;
        shared.broker().endpoint = format!("http://127.0.0.1:{}", background.port);
        Ok(Self { background, shared })
    }

    /// `http://127.0.0.1:PORT`
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.background.port)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.background.port
    }

    /// The URL of a queue by its name.
    pub fn queue_url(&self, name: &str) -> String {
        format!("{}/{ACCOUNT_ID}/{name}", self.endpoint())
    }

    /// Puts this many login events on a queue, which is made if it is not there; they are made as they are received.
    /// Seed and `malformed_every` (one in so many; 0 for none) are those of the queue's first backlog.
    pub fn add_backlog(&self, queue: &str, seed: u64, messages: u64, malformed_every: u64) {
        self.shared
            .broker()
            .add_backlog(queue, seed, messages, malformed_every);
    }

    /// What it has done so far; also the answer to any GET.
    pub fn statistics(&self) -> Statistics {
        self.shared.broker().statistics.clone()
    }
}
