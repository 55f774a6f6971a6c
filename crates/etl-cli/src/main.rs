#![doc = include_str!("../README.md")]

mod arguments;
mod audit;
mod check;
mod database;
mod erase;
mod failure;
mod filter;
mod key_id;
mod keyset;
mod logging;
mod metrics;
mod migrate;
mod mixture;
mod pipeline;
mod prune;
mod reconcile;
mod reference;
mod rejects;
mod remask;
mod run;
mod send;
mod signals;
mod terminal;
#[cfg(feature = "otel")]
mod traces;

use std::process::ExitCode;

use crate::arguments::{Command, warn_of_exposed};
use crate::failure::Failure;
use crate::signals::Signals;

/// The SDK allocates much and frees on other threads, where glibc's allocator contends.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let outcome = arguments::read().and_then(|arguments| {
        // Until the command has ended.
        let _traces = logging::start(&arguments.log)?;
        warn_of_exposed(&arguments.exposed);
        execute(arguments.command)
    });
    outcome.unwrap_or_else(|failure| failure.report())
}

fn execute(command: Command) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::gave_up(format!("cannot start: {error}")))?;
    let outcome = runtime.block_on(async {
        // Before anything that takes time: process 1 of a container does not get a signal that nobody listens for.
        let signals = Signals::listen()?;
        dispatch(command, &signals).await
    });
    // A thread may wait for stdin, which no signal ends.
    runtime.shutdown_background();
    outcome
}

async fn dispatch(command: Command, signals: &Signals) -> Result<ExitCode, Failure> {
    match command {
        Command::Run(arguments) => run::run(*arguments, signals).await,
        Command::Check(arguments) => Ok(check::check(&arguments.run).await),
        Command::Send(arguments) => send::send(&arguments, signals).await,
        Command::Migrate(arguments) => migrate::migrate(&arguments).await,
        Command::Prune(arguments) => prune::prune(&arguments).await,
        Command::Erase(arguments) => erase::erase(&arguments, signals).await,
        Command::Reconcile(arguments) => reconcile::reconcile(&arguments).await,
        Command::Rejects(command) => rejects::rejects(command, signals).await,
        Command::Keyset(command) => keyset::keyset(&command).await,
        Command::Mask(arguments) => filter::mask(&arguments).await,
        Command::Unmask(arguments) => filter::unmask(&arguments).await,
        Command::Remask(arguments) => remask::remask(&arguments, signals).await,
        Command::Healthcheck(arguments) => metrics::healthcheck(&arguments).await,
        Command::Completions(arguments) => reference::completions(&arguments),
        Command::Man(arguments) => reference::man(&arguments),
        Command::Options => reference::options(),
    }
}
