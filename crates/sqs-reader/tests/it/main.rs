//! The reader and its transports, against the queue in memory and against real servers.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by a panic, in its helpers too"
)]

mod bench;
mod conformance;
mod errors;
mod memory;
mod reader;
