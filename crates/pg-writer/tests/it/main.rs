//! The store, the tables and the connections, on real Postgres; the in-memory double under the same laws.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod check;
mod classes;
mod conformance;
mod faults;
mod language;
mod migrations;
mod partitions;
mod passwords;
mod prune;
mod refused;
mod remask;
mod roles;
mod schema;
mod support;
mod tls;
mod write;
