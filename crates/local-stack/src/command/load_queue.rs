//! Runs a load queue until it is told to end.

use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::load_queue::LoadQueue;
use crate::postgres::connection::runtime;
use crate::sqs::client::SqsClient;

#[derive(Debug, Args)]
pub(crate) struct LoadQueueArguments {
    /// Port on 127.0.0.1 [default: a free one]
    #[arg(
        long,
        value_name = "PORT",
        default_value_t = 0,
        hide_default_value = true
    )]
    port: u16,
    /// Name of the queue with the messages
    #[arg(long, value_name = "NAME", default_value = "login-queue")]
    queue: String,
    /// Name of its dead-letter queue [default: none]
    #[arg(long, value_name = "NAME")]
    dead_letter: Option<String>,
    /// Receives after which a message goes to the dead-letter queue
    #[arg(long, value_name = "N", default_value_t = 5)]
    max_receive_count: u32,
    /// Seconds for which a received message is hidden
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    visibility_timeout: u32,
    /// Login events on the queue, made as they are received
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    messages: u64,
    /// One in so many is malformed, 0 for none
    #[arg(long, value_name = "N", default_value_t = 0)]
    malformed_every: u64,
    /// Another seed gives other events and message ids
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Added to every answer, in milliseconds
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0)]
    latency: u64,
}

/// Prints the endpoint, serves until SIGINT or SIGTERM, then prints what it did as one JSON object on a line.
pub(crate) fn run(arguments: &LoadQueueArguments) -> Result<()> {
    let server = LoadQueue::try_start(arguments.port, Duration::from_millis(arguments.latency))?;
    make_queue(&server, arguments)?;
    println!("{}", server.endpoint());
    until_told_to_end()?;
    println!("{}", server.statistics().to_json());
    Ok(())
}

fn make_queue(server: &LoadQueue, arguments: &LoadQueueArguments) -> Result<()> {
    let client = SqsClient::new(server.port());
    let mut attributes = json!({ "VisibilityTimeout": arguments.visibility_timeout.to_string() });
    if let Some(dead_letter) = &arguments.dead_letter {
        client.ensure_queue(dead_letter, &json!({}))?;
        let policy = json!({
            "deadLetterTargetArn": SqsClient::arn(dead_letter),
            "maxReceiveCount": arguments.max_receive_count,
        });
        attributes["RedrivePolicy"] = policy.to_string().into();
    }
    client.ensure_queue(&arguments.queue, &attributes)?;
    server.add_backlog(
        &arguments.queue,
        arguments.seed,
        arguments.messages,
        arguments.malformed_every,
    );
    Ok(())
}

/// Waits for SIGINT or SIGTERM.
pub(crate) fn until_told_to_end() -> Result<()> {
    runtime()?.block_on(async {
        let mut interrupted =
            signal(SignalKind::interrupt()).context("failed to wait for SIGINT")?;
        let mut terminated =
            signal(SignalKind::terminate()).context("failed to wait for SIGTERM")?;
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
        Ok(())
    })
}
