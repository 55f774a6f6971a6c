//! The binary from end to end: the real program with a clean environment, a real Postgres database and a real SQS
//! queue a test, both through `local-stack`.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod architecture;
mod bodies;
mod check;
mod config;
mod dead_letters;
mod ending;
mod erase;
mod filter;
mod harness;
mod help;
mod input;
mod keyset;
mod kms;
mod limits;
mod metrics;
mod mixture;
mod options;
mod privacy;
mod prometheus;
mod prune;
mod reconcile;
mod reference;
mod regression;
mod rejects;
mod remask;
mod roles;
mod sample;
mod schema;
mod servers;
mod signals;
mod together;
#[cfg(feature = "otel")]
mod traces;
