//! `etl rejects redrive`: reads the dead-letter queue to its end, and sends what is meant to the queue again. Each
//! message is sent before it is deleted; what is not meant is held meanwhile, and released at the end.

use std::collections::HashSet;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sqs_reader::{
    Connection, Delivery, MAX_BATCH, QueueAddress, Reader, ReaderOptions, SdkTransport, Settings,
    Transport as _,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::filter::Filter;
use super::report::{self, Report};
use crate::arguments::RedriveArguments;
use crate::failure::Failure;
use crate::run::{dead_letter_url, receive_patiently};
use crate::signals::Signals;
use crate::terminal;

/// How long an empty dead-letter queue is waited for.
const WAIT: Duration = Duration::from_secs(1);
/// Messages that are not meant, held so that they do not come again; past these the rest has to wait.
const HELD_AT_MOST: usize = 20_000;

pub(super) async fn redrive(
    arguments: &RedriveArguments,
    signals: &Signals,
) -> Result<ExitCode, Failure> {
    let target = Target::open(arguments).await?;
    let mut pass = Pass {
        reader: Arc::new(target.reader().await?),
        target,
        filter: Filter::new(arguments, SystemTime::now()),
        arguments,
        held: Vec::new(),
        seen: HashSet::new(),
        counts: Counts::default(),
    };
    let stop = signals.hold();
    let keep_hidden = tokio::spawn({
        let reader = Arc::clone(&pass.reader);
        async move { reader.keep_hidden().await }
    });
    let outcome = pass.run(&stop.token).await;
    keep_hidden.abort();
    let report = pass.report();
    pass.reader
        .hide(std::mem::take(&mut pass.held), Duration::ZERO)
        .await;
    report.print(arguments.output);
    outcome?;
    if stop.token.is_cancelled() {
        return Ok(ExitCode::from(stop.exit_code()));
    }
    report.verdict()
}

/// The queue that messages go back to, and the dead-letter queue that they come from.
struct Target {
    settings: Settings,
    url: String,
    dead_letter_url: String,
    fifo: bool,
}

impl Target {
    async fn open(arguments: &RedriveArguments) -> Result<Self, Failure> {
        let settings = arguments.queue.settings(WAIT)?;
        let queue = Connection::open(&settings)
            .await?
            .queue(&settings.queue)
            .await?;
        let facts = queue.facts().await?;
        let asked = arguments.dead_letter_queue.as_deref();
        let dead_letter_url = dead_letter_url(&queue, &facts, asked)
            .await?
            .ok_or_else(|| {
                Failure::usage("the queue has no RedrivePolicy that names a dead-letter queue")
                    .hint("name it with --dead-letter-queue")
            })?;
        Ok(Self {
            url: queue.queue_url().to_owned(),
            dead_letter_url,
            fifo: facts.fifo,
            settings,
        })
    }

    async fn reader(&self) -> Result<Reader<SdkTransport>, Failure> {
        let address = QueueAddress::Url(self.dead_letter_url.clone());
        let settings = Settings {
            queue: address.clone(),
            ..self.settings.clone()
        };
        let transport = Connection::open(&settings).await?.queue(&address).await?;
        let facts = transport.facts().await?;
        let options = ReaderOptions {
            max_in_flight: HELD_AT_MOST + MAX_BATCH,
            visibility_timeout: facts.visibility_timeout,
        };
        Ok(Reader::new(transport, &facts, &options))
    }
}

#[derive(Default)]
struct Counts {
    read: u64,
    redriven: u64,
    left: u64,
    undeleted: u64,
}

/// One reading of the dead-letter queue.
struct Pass<'a> {
    reader: Arc<Reader<SdkTransport>>,
    target: Target,
    filter: Filter,
    arguments: &'a RedriveArguments,
    held: Vec<Delivery>,
    /// A message that was rejected again meanwhile comes back here: it is not sent a second time.
    seen: HashSet<Uuid>,
    counts: Counts,
}

impl Pass<'_> {
    async fn run(&mut self, stop: &CancellationToken) -> Result<(), Failure> {
        let progress = terminal::progress(None, "{spinner} {msg}");
        while !stop.is_cancelled() && self.held.len() < HELD_AT_MOST {
            let deliveries = receive_patiently(&*self.reader, MAX_BATCH, WAIT).await?;
            if deliveries.is_empty() {
                break;
            }
            self.counts.read += deliveries.len() as u64;
            let meant = self.sort(deliveries);
            self.send(meant, stop).await;
            progress.set_message(format!(
                "{} read, {} redriven",
                self.counts.read, self.counts.redriven
            ));
            progress.tick();
        }
        progress.finish_and_clear();
        Ok(())
    }

    /// Keeps what is not meant; answers what is.
    fn sort(&mut self, deliveries: Vec<Delivery>) -> Vec<Delivery> {
        let (meant, others): (Vec<_>, Vec<_>) = deliveries.into_iter().partition(|delivery| {
            self.filter.admits(delivery) && self.seen.insert(delivery.identity.message_id)
        });
        self.held
            .extend(others.into_iter().map(Delivery::without_body));
        meant
    }

    async fn send(&mut self, meant: Vec<Delivery>, stop: &CancellationToken) {
        if self.arguments.dry_run {
            self.counts.redriven += meant.len() as u64;
            let (format, bodies) = (self.arguments.output, self.arguments.show_bodies);
            meant
                .iter()
                .for_each(|delivery| report::print(delivery, bodies, format));
            self.held
                .extend(meant.into_iter().map(Delivery::without_body));
            return;
        }
        let pause = self
            .arguments
            .rate
            .map(|rate| Duration::from_secs(meant.len() as u64) / rate);
        let report = self
            .reader
            .redrive(meant, &self.target.url, self.target.fifo)
            .await;
        self.counts.redriven += report.redriven;
        self.counts.left += report.left;
        self.counts.undeleted += report.deletion.undeleted;
        if let Some(pause) = pause {
            // Nothing is held unsent here: a signal ends the pause.
            let _ = stop.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
    }

    fn report(&self) -> Report {
        let counts = &self.counts;
        Report {
            queue: self.target.url.clone(),
            read: counts.read,
            redriven: counts.redriven,
            left: counts.left,
            undeleted: counts.undeleted,
            dry_run: self.arguments.dry_run,
            is_cut: self.held.len() >= HELD_AT_MOST,
            hides_others: self.target.fifo && !self.held.is_empty(),
        }
    }
}
