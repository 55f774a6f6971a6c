//! A proxy before an SQS server that fails as SQS and the way to it do, by a plan that can be repeated.

mod plan;
mod refusal;
mod relay;
mod rewrite;
mod rule;

use std::collections::BTreeMap;

use anyhow::Result;

use self::plan::Plan;
use self::relay::Shared;
pub use self::rule::{Fault, Rule};
use crate::background::Background;
use crate::hint::report;
use crate::sqs::ACCOUNT_ID;

/// A running proxy; dropping it stops it.
#[derive(Debug)]
pub struct FaultProxy {
    background: Background,
    shared: Shared,
    seed: u64,
}

impl FaultProxy {
    /// In front of the SQS server on this port of 127.0.0.1.
    ///
    /// # Panics
    /// If it cannot listen.
    pub fn start(upstream: u16, rules: Vec<Rule>, seed: u64) -> Self {
        let started = Self::try_start(0, upstream, rules, seed);
        started
            .unwrap_or_else(|error| panic!("failed to start the fault proxy: {}", report(&error)))
    }

    /// On a port of one's choice (0 for a free one), and the trouble as a value.
    pub fn try_start(port: u16, upstream: u16, rules: Vec<Rule>, seed: u64) -> Result<Self> {
        let shared = Shared::new(upstream, Plan::new(rules, seed));
        let server = shared.clone();
        let background = Background::start("fault-proxy", port, |listener| server.serve(listener))?;
        Ok(Self {
            background,
            shared,
            seed,
        })
    }

    /// Replaces the rules; counts begin anew, but for those of `struck`.
    pub fn set_rules(&self, rules: Vec<Rule>) {
        let mut plan = self.shared.plan();
        let struck = std::mem::take(&mut plan.struck);
        *plan = Plan::new(rules, self.seed);
        plan.struck = struck;
    }

    /// How often each fault struck, by its name.
    pub fn struck(&self) -> BTreeMap<&'static str, u64> {
        self.shared.plan().struck.clone()
    }

    /// `http://127.0.0.1:PORT`. Queue URLs that the server gives out lead past the proxy: clients need it as their
    /// endpoint.
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
}
