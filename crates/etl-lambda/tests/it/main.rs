//! The function as Lambda runs it: the real program against the runtime API, a real Postgres database and a real SQS
//! queue a test, with Lambda's part of an event source mapping played by the harness.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod database;
mod harness;
mod keys;
mod messages;
mod outage;
mod starting;
