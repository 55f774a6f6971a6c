//! What a running `etl` shows of itself over HTTP, where it is asked to: figures for Prometheus at `/metrics`, whether
//! it works at `/healthz`, whether it has what it needs at `/readyz`.
//!
//! Invariant: nothing in here is called by the pipeline. It reads what the pipeline counts anyway, when asked.

mod ask;
mod board;
mod exposition;
mod health;
mod process;
mod server;
mod text;
mod watch;

pub(crate) use self::ask::healthcheck;
pub(crate) use self::server::Server;
