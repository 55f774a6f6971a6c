#![doc = include_str!("../README.md")]

mod answer;
mod configuration;
mod database;
mod dead_letters;
mod event;
mod invocation;
mod logging;
mod worker;

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use etl_access::keys::warn_of_encodings;
use etl_stages::Rules;
use lambda_runtime::{Context, LambdaEvent, service_fn};
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::answer::Answer;
use crate::configuration::Configuration;
use crate::database::Database;
use crate::dead_letters::DeadLetters;
use crate::event::Event;
use crate::worker::{Trouble, Worker};

/// As in `etl`: the SDK allocates much.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What an invocation keeps back of its time, to answer before Lambda ends it.
const MARGIN: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    logging::start();
    let outcome = start();
    // Lambda shows the last log line of a function that does not start, and no exit code.
    if let Err(error) = &outcome {
        tracing::error!("failed to start: {error:#}");
    }
    outcome.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}

/// One thread: an execution environment has one invocation at a time, and mostly one processor or less.
fn start() -> anyhow::Result<()> {
    let configuration = Configuration::from_environment()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve(configuration))
}

async fn serve(configuration: Configuration) -> anyhow::Result<()> {
    let database = Database::new(configuration.database);
    // Start-up has more processor than an invocation of a small function, and is not part of one. KMS and the database
    // are asked at once: neither needs the other.
    let (maskers, ()) = tokio::try_join!(configuration.masking.maskers(), async {
        database.warm_up().await;
        Ok(())
    })?;
    warn_of_encodings(&maskers);
    let rules = Rules {
        parser: configuration.parser,
        maskers,
    };
    let dead_letters = DeadLetters::new(configuration.queue);
    let worker = Worker::new(rules, database, dead_letters);
    let worker = &worker;
    let handler = service_fn(move |call: LambdaEvent<Box<RawValue>>| invoke(worker, call));
    Box::pin(lambda_runtime::Runtime::new(handler).run())
        .await
        .map_err(anyhow::Error::from_boxed)
}

async fn invoke(worker: &Worker, call: LambdaEvent<Box<RawValue>>) -> Result<Answer, Trouble> {
    let event = Event::parse(call.payload.get())?;
    let outcome = worker.settle(event, deadline(&call.context)).await;
    if let Err(trouble) = &outcome {
        tracing::error!(error = %trouble, "failed to settle any message of the invocation");
    }
    outcome
}

fn deadline(context: &Context) -> Instant {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let left = Duration::from_millis(context.deadline).saturating_sub(now);
    Instant::now() + left.saturating_sub(MARGIN)
}
