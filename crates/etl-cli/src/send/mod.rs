//! `etl send`: puts the lines of a file, or generated events, on a queue.

mod generator;

use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use indicatif::ProgressBar;
use sqs_reader::{
    Connection, MAX_BATCH, OutgoingMessage, SdkTransport, Transport as _, batch_length, send_all,
};
use uuid::Uuid;

use self::generator::Generator;
use crate::arguments::SendArguments;
use crate::failure::Failure;
use crate::terminal;

/// Requests that are out at once.
const CONCURRENT: usize = 8;
const TEMPLATE: &str = "{spinner} sent {human_pos} ({per_sec})";
const TEMPLATE_WITH_LENGTH: &str =
    "{wide_bar} sent {human_pos} of {human_len} ({per_sec}, {eta} left)";

type Bodies = Box<dyn Iterator<Item = Result<String, Failure>>>;

pub(crate) async fn send(arguments: SendArguments) -> Result<ExitCode, Failure> {
    let settings = arguments.queue.settings(Duration::ZERO)?;
    let bodies = bodies(&arguments)?;
    let queue = Connection::open(&settings)
        .await?
        .queue(&settings.queue)
        .await?;
    let fifo = queue.facts().await?.fifo;
    let template = if arguments.generate.is_some() {
        TEMPLATE_WITH_LENGTH
    } else {
        TEMPLATE
    };
    let progress = terminal::progress(arguments.generate, template);
    let sent = send_bodies(&queue, bodies, fifo, &progress).await?;
    progress.finish_and_clear();
    println!("sent {sent} messages to {}", queue.queue_url());
    Ok(ExitCode::SUCCESS)
}

fn bodies(arguments: &SendArguments) -> Result<Bodies, Failure> {
    if let Some(count) = arguments.generate {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        return Ok(Box::new(Generator::new(arguments.seed).take(count).map(Ok)));
    }
    let path = arguments.input.as_deref().unwrap_or(Path::new("-"));
    let input: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let file = std::fs::File::open(path)
            .map_err(|error| Failure::usage(format!("--input {}: {error}", path.display())))?;
        Box::new(BufReader::new(file))
    };
    Ok(Box::new(lines(input)))
}

/// The lines that hold something.
fn lines(input: impl BufRead) -> impl Iterator<Item = Result<String, Failure>> {
    let numbered = (1_u64..).zip(input.lines());
    let lines = numbered.map(|(number, line)| {
        line.map_err(|error| Failure::gave_up(format!("--input: line {number}: {error}")))
    });
    lines.filter(|line| line.as_ref().map_or(true, |line| !line.trim().is_empty()))
}

async fn send_bodies(
    queue: &SdkTransport,
    mut bodies: Bodies,
    fifo: bool,
    progress: &ProgressBar,
) -> Result<u64, Failure> {
    let mut sent = 0;
    loop {
        let chunk: Vec<OutgoingMessage> = bodies
            .by_ref()
            .take(MAX_BATCH * CONCURRENT)
            .map(|body| body.map(|body| message(body, fifo)))
            .collect::<Result<_, Failure>>()?;
        if chunk.is_empty() {
            return Ok(sent);
        }
        let batches = in_batches(&chunk);
        futures_util::future::try_join_all(
            batches
                .iter()
                .map(|batch| send_all(queue, queue.queue_url(), batch)),
        )
        .await
        .map_err(|error| Failure::gave_up(format!("messages {} and on: {error}", sent + 1)))?;
        sent += chunk.len() as u64;
        progress.set_position(sent);
    }
}

fn in_batches(mut messages: &[OutgoingMessage]) -> Vec<&[OutgoingMessage]> {
    let mut batches = Vec::new();
    while !messages.is_empty() {
        let (batch, rest) = messages.split_at(batch_length(messages.iter()));
        batches.push(batch);
        messages = rest;
    }
    batches
}

/// On a FIFO queue every message is a group and an event of its own: equal bodies are two logins.
fn message(body: String, fifo: bool) -> OutgoingMessage {
    let id = fifo.then(|| Uuid::from_u128(fastrand::u128(..)).to_string());
    OutgoingMessage {
        body,
        group_id: id.clone(),
        deduplication_id: id,
        ..OutgoingMessage::default()
    }
}
