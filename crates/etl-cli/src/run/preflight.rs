//! What a run needs, checked before the first receive: the queue and its dead-letter queue, the database, the
//! tables, the rights. An unreachable server gets ten seconds.

use std::time::Duration;

use pg_writer::{PgStore, StoreError};
use sqs_reader::backoff::jittered;
use sqs_reader::{
    Connection, Delivery, QueueError, QueueFacts, Reader, ReaderOptions, SdkTransport, Transport,
    is_same_queue,
};
use tokio::time::Instant;

use super::input::Lines;
use crate::arguments::{RunArguments, WritingArguments};
use crate::database::open_pool;
use crate::failure::Failure;

const PATIENCE: Duration = Duration::from_secs(10);
const BASE: Duration = Duration::from_millis(250);
const CAP: Duration = Duration::from_secs(2);
/// A redrive policy with fewer receives than this dead-letters good messages after a few restarts.
pub(crate) const FEW_RECEIVES: u32 = 10;

/// What is read, and where unreadable messages go.
pub(super) struct Source<T> {
    pub(super) reader: Reader<T>,
    pub(super) dead_letter_url: Option<String>,
    pub(super) is_queue: bool,
}

impl Source<Lines> {
    pub(super) async fn of_lines(lines: Lines, arguments: &RunArguments) -> Result<Self, Failure> {
        let facts = lines.facts().await?;
        let options = reader_options(arguments, &facts);
        Ok(Self {
            reader: Reader::new(lines, &facts, &options),
            dead_letter_url: None,
            is_queue: false,
        })
    }
}

pub(super) async fn open_queue(arguments: &RunArguments) -> Result<Source<SdkTransport>, Failure> {
    let settings = arguments
        .queue
        .settings(Duration::from_secs(arguments.reading.wait_time_seconds))?;
    let until = Instant::now() + PATIENCE;
    let mut last_error = None;
    let (mut transport, facts) = patiently(QueueError::is_transient, async || {
        let outcome = tokio::time::timeout_at(until, connect(&settings)).await;
        let outcome = outcome.unwrap_or_else(|_| Err(last_error.take().unwrap_or_else(no_answer)));
        last_error = outcome.as_ref().err().cloned();
        outcome
    })
    .await?;
    let dead_letter_url = dead_letter_url(
        &transport,
        &facts,
        arguments.reading.dead_letter_queue.as_deref(),
    )
    .await?;
    warn_of_policy(&facts, dead_letter_url.is_some());
    tracing::info!(
        queue.url = transport.queue_url(),
        dead_letter_queue.url = dead_letter_url.as_deref().unwrap_or("none"),
        messages.waiting = facts.waiting,
        visibility_timeout.s = facts.visibility_timeout.as_secs(),
        "reading the queue"
    );
    let options = reader_options(arguments, &facts);
    if options.visibility_timeout != facts.visibility_timeout {
        transport.set_visibility_timeout(options.visibility_timeout);
    }
    Ok(Source {
        reader: Reader::new(transport, &facts, &options),
        dead_letter_url,
        is_queue: true,
    })
}

async fn connect(
    settings: &sqs_reader::Settings,
) -> Result<(SdkTransport, QueueFacts), QueueError> {
    let transport = Connection::open(settings)
        .await?
        .queue(&settings.queue)
        .await?;
    let facts = transport.facts().await?;
    Ok((transport, facts))
}

/// A server that takes the connection and then says nothing.
fn no_answer() -> QueueError {
    QueueError::Unreachable(format!("no answer within {PATIENCE:?}"))
}

fn reader_options(arguments: &RunArguments, facts: &QueueFacts) -> ReaderOptions {
    let asked = arguments
        .reading
        .visibility_timeout
        .map(Duration::from_secs);
    ReaderOptions {
        max_in_flight: arguments.reading.max_in_flight,
        visibility_timeout: asked.unwrap_or(facts.visibility_timeout),
    }
}

/// The queue that the option names, else the one that the redrive policy names.
pub(crate) async fn dead_letter_url(
    transport: &SdkTransport,
    facts: &QueueFacts,
    asked: Option<&str>,
) -> Result<Option<String>, Failure> {
    let url = match asked {
        Some(url) if url.contains("://") => url.to_owned(),
        Some(name) => transport
            .url_of(name, None)
            .await
            .map_err(|error| Failure::from(error).of_option("--dead-letter-queue"))?,
        None => return Ok(facts.dead_letter_url(transport).await?),
    };
    if is_same_queue(&url, transport.queue_url()) {
        return Err(
            Failure::usage("--dead-letter-queue is the queue that is read")
                .hint("name another queue: an unreadable message would go round for ever"),
        );
    }
    Ok(Some(url))
}

fn warn_of_policy(facts: &QueueFacts, has_dead_letter_queue: bool) {
    if !has_dead_letter_queue {
        tracing::warn!(
            "no dead-letter queue is known: unreadable messages stay on the queue, hidden for an hour at a time \
             (give the queue a RedrivePolicy, or --dead-letter-queue)"
        );
    }
    let receives = facts
        .redrive
        .as_ref()
        .and_then(|policy| policy.max_receive_count);
    if let Some(count) = receives.filter(|&count| count < FEW_RECEIVES) {
        tracing::warn!(
            max_receive_count = count,
            "the queue's maxReceiveCount is under {FEW_RECEIVES}: restarts and outages may dead-letter good messages"
        );
    }
}

pub(super) async fn open_store(arguments: &WritingArguments) -> Result<PgStore, Failure> {
    let pool = open_pool(&arguments.database, arguments.writers)?;
    let migrate = !arguments.no_migrate;
    patiently(StoreError::is_transient, async || {
        pg_writer::prepare(&pool, migrate).await
    })
    .await?;
    Ok(PgStore::new(pool))
}

/// A receive outside the pipeline: polls are not tried again by the SDK.
pub(crate) async fn receive_patiently<T: Transport>(
    reader: &Reader<T>,
    at_most: usize,
    wait: Duration,
) -> Result<Vec<Delivery>, Failure> {
    patiently(QueueError::is_transient, async || {
        let slots = reader.slots(at_most).await;
        reader.receive(slots, wait).await
    })
    .await
}

/// Tries again while the trouble may pass by itself, for ten seconds in all.
pub(crate) async fn patiently<R, E: std::fmt::Display>(
    may_pass: impl Fn(&E) -> bool,
    mut attempt: impl AsyncFnMut() -> Result<R, E>,
) -> Result<R, Failure>
where
    Failure: From<E>,
{
    let until = Instant::now() + PATIENCE;
    for tries in 0.. {
        match attempt().await {
            Err(error) if may_pass(&error) && Instant::now() < until => {
                let pause = jittered(tries, BASE, CAP);
                tracing::warn!(error = %error, retry.in_ms = pause.as_millis(), "queue or database not ready yet");
                tokio::time::sleep(pause).await;
            }
            outcome => return Ok(outcome?),
        }
    }
    unreachable!("the loop has no end of its own")
}
