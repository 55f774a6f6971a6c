//! From an invocation's messages to the answer: parsed and masked, committed, the unreadable recorded and forwarded.
//! What is settled is decided by the stages' own proofs; here is only when to try again.

use std::sync::Arc;
use std::time::Duration;

use etl_stages::{Inbox, Intake, Rejections, Rules, refused};
use lambda_runtime::Diagnostic;
use pg_writer::{Batch, PgStore, StoreError};
use sqs_reader::backoff::jittered;
use sqs_reader::{Delivery, MAX_BATCH, Reader, ReaderOptions};
use tokio::time::Instant;

use crate::answer::{Answer, Order};
use crate::database::Database;
use crate::dead_letters::DeadLetters;
use crate::event::Event;
use crate::invocation::Invocation;

/// A connection may have died while the function was frozen; past that an outage is SQS's to wait out, by the
/// visibility timeout, and not ours to pay for.
const TRIES: u32 = 3;
const BASE: Duration = Duration::from_millis(200);
const CAP: Duration = Duration::from_secs(1);
/// Records of one invocation at most, by the largest batch that an event source mapping takes.
const MOST_RECORDS: usize = 10_000;

/// Why nothing of an invocation was settled: Lambda is told of an error, and all its messages come again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("the invocation is no batch of SQS messages (line {line}, column {column})")]
    NotAnEvent { line: usize, column: usize },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Trouble> for Diagnostic {
    fn from(trouble: Trouble) -> Self {
        let error_type = match trouble {
            Trouble::NotAnEvent { .. } => "NotAnSqsEvent",
            Trouble::Store(_) => "DatabaseUnavailable",
        };
        Self {
            error_type: error_type.to_owned(),
            error_message: trouble.to_string(),
        }
    }
}

/// One execution environment.
pub(crate) struct Worker {
    rules: Rules,
    database: Database,
    dead_letters: Arc<DeadLetters>,
}

/// The messages of one invocation, with what is needed to settle them.
struct Work<'a> {
    worker: &'a Worker,
    store: &'a PgStore,
    inbox: Inbox<Invocation>,
    queue_arn: &'a str,
    is_fifo: bool,
    deadline: Instant,
}

/// What became of an invocation's messages.
#[derive(Default)]
struct Tally {
    written: u64,
    duplicates: u64,
    rejected: u64,
    left: u64,
}

impl Worker {
    pub(crate) fn new(rules: Rules, database: Database, dead_letters: DeadLetters) -> Self {
        Self {
            rules,
            database,
            dead_letters: Arc::new(dead_letters),
        }
    }

    /// Settles the messages of an invocation, and says which are to come again.
    ///
    /// # Errors
    /// Where none is settled. To the messages it is the same as an answer that names them all; but an error shows in
    /// Lambda's metrics, and counts also where the mapping was made without `ReportBatchItemFailures`.
    pub(crate) async fn settle(&self, event: Event, deadline: Instant) -> Result<Answer, Trouble> {
        let Some(queue_arn) = event.queue_arn().map(str::to_owned) else {
            return Ok(Answer::default());
        };
        let (order, is_fifo) = (Order::of(&event), event.is_fifo());
        let invocation = Invocation::new(event, Arc::clone(&self.dead_letters));
        let settled = invocation.settled();
        let work = Work {
            worker: self,
            store: self.database.store().await?,
            inbox: inbox(invocation),
            queue_arn: &queue_arn,
            is_fifo,
            deadline,
        };
        let mut tally = Tally::default();
        let outcome = work.run(&mut tally).await;
        let answer = order.answer(&settled);
        tally.tell(&answer);
        match outcome {
            Err(error) if settled.is_empty() => return Err(error.into()),
            Err(error) => {
                tracing::error!(error = %error, hint = error.hint(), "failed to settle some messages");
            }
            Ok(()) => {}
        }
        Ok(answer)
    }
}

impl Tally {
    /// `failed` counts what comes again, for whatever reason.
    fn tell(&self, answer: &Answer) {
        tracing::info!(
            written = self.written,
            duplicates = self.duplicates,
            rejected = self.rejected,
            left = self.left,
            failed = answer.batch_item_failures.len(),
            "invocation settled"
        );
    }
}

fn inbox(invocation: Invocation) -> Inbox<Invocation> {
    let facts = Invocation::facts();
    let options = ReaderOptions {
        max_in_flight: MOST_RECORDS,
        visibility_timeout: facts.visibility_timeout,
    };
    Inbox::new(Reader::new(invocation, &facts, &options))
}

impl Work<'_> {
    /// The error is the database's; what it kept from being settled stays so.
    async fn run(&self, tally: &mut Tally) -> Result<(), StoreError> {
        let intake = Intake::of(self.deliveries().await, &self.worker.rules);
        let (written, refused) = self.write(intake.batch, tally).await;
        let mut rejected = intake.rejected;
        rejected.extend(refused);
        // Not past a row of its group that may come again.
        if self.is_fifo {
            written?;
            return self.reject(rejected, tally).await;
        }
        let recorded = self.reject(rejected, tally).await;
        written.and(recorded)
    }

    async fn deliveries(&self) -> Vec<Delivery> {
        let mut deliveries = Vec::new();
        loop {
            let slots = self.inbox.slots(MAX_BATCH).await;
            match self.inbox.receive(slots, Duration::ZERO).await {
                Ok(ten) if !ten.is_empty() => deliveries.extend(ten),
                _ => return deliveries,
            }
        }
    }

    /// Writes rows; answers those that the database refused.
    async fn write(
        &self,
        batch: Batch<Delivery>,
        tally: &mut Tally,
    ) -> (Result<(), StoreError>, Rejections) {
        let mut rejected = Vec::new();
        let mut open = batch;
        for attempt in 0.. {
            if open.is_empty() {
                break;
            }
            let report = self.store.write(open).await;
            tally.written += report.committed.written();
            tally.duplicates += report.committed.duplicates();
            self.inbox.acknowledge(report.committed).await;
            rejected.extend(refused(report.refused));
            match report.undecided {
                None => break,
                Some((_, error)) if !self.may_try_again(&error, attempt).await => {
                    return (Err(error), rejected);
                }
                Some((rest, _)) => open = rest,
            }
        }
        (Ok(()), rejected)
    }

    /// Records rejections and forwards them.
    async fn reject(&self, rejected: Rejections, tally: &mut Tally) -> Result<(), StoreError> {
        if rejected.is_empty() {
            return Ok(());
        }
        let mut open = rejected;
        for attempt in 0.. {
            match self.store.record(open).await {
                Ok(recorded) => {
                    let url = self.worker.dead_letters.url(self.queue_arn).await;
                    let report = self.inbox.forward(recorded, url).await;
                    tally.rejected += report.forwarded;
                    tally.left += report.left;
                    break;
                }
                Err((_, error)) if !self.may_try_again(&error, attempt).await => return Err(error),
                Err((back, _)) => open = back,
            }
        }
        Ok(())
    }

    /// Waits before the next try, where there is one.
    async fn may_try_again(&self, error: &StoreError, attempt: u32) -> bool {
        let pause = jittered(attempt, BASE, CAP);
        let is_time = Instant::now() + pause < self.deadline;
        if attempt + 1 >= TRIES || !error.is_transient() || !is_time {
            return false;
        }
        tracing::warn!(error = %error, hint = error.hint(), retry.in_ms = pause.as_millis(), "failed to write to the database");
        tokio::time::sleep(pause).await;
        true
    }
}
