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
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::generator::Generator;
use crate::arguments::SendArguments;
use crate::failure::Failure;
use crate::signals::Signals;
use crate::terminal;

/// Requests that are out at once.
const CONCURRENT: usize = 8;
const AT_ONCE: usize = MAX_BATCH * CONCURRENT;
const TEMPLATE: &str = "{spinner} sent {human_pos} ({per_sec})";
const TEMPLATE_WITH_LENGTH: &str =
    "{wide_bar} sent {human_pos} of {human_len} ({per_sec}, {eta} left)";

type Bodies = Box<dyn Iterator<Item = Result<String, Failure>> + Send>;

pub(crate) async fn send(
    arguments: &SendArguments,
    signals: &Signals,
) -> Result<ExitCode, Failure> {
    let settings = arguments.queue.settings(Duration::ZERO)?;
    let bodies = bodies(arguments)?;
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
    let stop = signals.hold();
    let mut sending = Sending {
        queue: &queue,
        fifo,
        progress,
        sent: 0,
    };
    let bodies = read_ahead(bodies);
    let to_the_end = sending.send(bodies, &stop.token).await?;
    sending.progress.finish_and_clear();
    println!("sent {} messages to {}", sending.sent, queue.queue_url());
    if to_the_end {
        Ok(ExitCode::SUCCESS)
    } else {
        Ok(ExitCode::from(stop.exit_code()))
    }
}

/// Reads on a thread of its own: stdin may be silent for as long as it likes.
fn read_ahead(bodies: Bodies) -> mpsc::Receiver<Result<String, Failure>> {
    let (sender, receiver) = mpsc::channel(AT_ONCE);
    tokio::task::spawn_blocking(move || {
        for body in bodies {
            if sender.blocking_send(body).is_err() {
                break;
            }
        }
    });
    receiver
}

fn bodies(arguments: &SendArguments) -> Result<Bodies, Failure> {
    if let Some(count) = arguments.generate {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        return Ok(Box::new(Generator::new(arguments.seed).take(count).map(Ok)));
    }
    let path = arguments.input.as_deref().unwrap_or(Path::new("-"));
    let input: Box<dyn BufRead + Send> = if path == Path::new("-") {
        Box::new(BufReader::new(io::stdin()))
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

/// What was sent, and where to.
struct Sending<'a> {
    queue: &'a SdkTransport,
    fifo: bool,
    progress: ProgressBar,
    sent: u64,
}

impl Sending<'_> {
    /// Answers whether it came to the end: after a stop no more is begun, and what is out is waited for.
    async fn send(
        &mut self,
        mut bodies: mpsc::Receiver<Result<String, Failure>>,
        stop: &CancellationToken,
    ) -> Result<bool, Failure> {
        loop {
            let mut chunk = Vec::with_capacity(AT_ONCE);
            let read = bodies.recv_many(&mut chunk, AT_ONCE);
            match stop.run_until_cancelled(read).await {
                None => return Ok(false),
                Some(0) => return Ok(true),
                Some(_) => self.send_chunk(chunk).await?,
            }
        }
    }

    async fn send_chunk(&mut self, chunk: Vec<Result<String, Failure>>) -> Result<(), Failure> {
        let message = |body: Result<String, Failure>| Ok(message(body?, self.fifo));
        let chunk: Vec<OutgoingMessage> = chunk
            .into_iter()
            .map(message)
            .collect::<Result<_, Failure>>()?;
        let batches = in_batches(&chunk);
        let send = |batch| send_all(self.queue, self.queue.queue_url(), batch);
        futures_util::future::try_join_all(batches.into_iter().map(send))
            .await
            .map_err(|error| {
                Failure::gave_up(format!("messages {} and on: {error}", self.sent + 1))
            })?;
        self.sent += chunk.len() as u64;
        self.progress.set_position(self.sent);
        Ok(())
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
