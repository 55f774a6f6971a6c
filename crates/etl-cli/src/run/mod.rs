//! `etl run`: checks what it needs, composes the stages, and says what was done.

mod dry_run;
mod input;
mod preflight;
mod progress;
mod summary;

use std::convert::Infallible;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use etl_access::keys::warn_of_encodings;
use login_model::Parser;
use pg_writer::PgStore;
use sqs_reader::Transport;

use self::input::Lines;
pub(crate) use self::preflight::{FEW_RECEIVES, dead_letter_url, patiently, receive_patiently};
use self::preflight::{Source, open_queue, open_store};
use self::summary::Summary;
use crate::arguments::RunArguments;
use crate::failure::Failure;
use crate::metrics::Server;
use crate::mixture;
use crate::pipeline::{Ending, Options, Pipeline, Rules};
use crate::prune::keep_pruned;
use crate::signals::{Signals, Stop};

pub(crate) async fn run(arguments: RunArguments, signals: &Signals) -> Result<ExitCode, Failure> {
    let run = Run {
        stop: signals.hold(),
        started: Instant::now(),
        server: serve(&arguments).await?,
        arguments,
    };
    let rules = Box::pin(rules(&run.arguments));
    let Some(rules) = run.unless_stopped(rules).await? else {
        return run.never_began();
    };
    warn_of_encodings(&rules.maskers);
    match &run.arguments.reading.input {
        Some(path) => run.read_lines(path.clone(), rules).await,
        None => run.read_queue(rules).await,
    }
}

async fn rules(arguments: &RunArguments) -> Result<Rules, Failure> {
    Ok(Rules {
        parser: Parser::new()
            .app_version(arguments.writing.app_version)
            .envelope(arguments.reading.envelope)
            .body_encoding(arguments.reading.body_encoding),
        maskers: arguments.masking.maskers().await?,
    })
}

/// The server of `--metrics-addr`, before anything else is touched. A dry run is over before anybody looks.
async fn serve(arguments: &RunArguments) -> Result<Option<Server>, Failure> {
    match &arguments.observing.metrics_addr {
        Some(address) if !arguments.writing.dry_run => Server::start(address).await.map(Some),
        _ => Ok(None),
    }
}

/// What one run was asked for, and since when.
struct Run {
    server: Option<Server>,
    arguments: RunArguments,
    stop: Stop,
    started: Instant,
}

impl Run {
    async fn read_lines(&self, path: PathBuf, rules: Rules) -> Result<ExitCode, Failure> {
        let date = self.arguments.reading.date.clone();
        // On a thread of its own: stdin may be silent for as long as it likes.
        let open = tokio::task::spawn_blocking(move || Lines::open(&path, date.as_deref()));
        let opened = async {
            let lines = open.await.map_err(anyhow::Error::new)??;
            Source::of_lines(lines, &self.arguments).await
        };
        let Some(source) = self.unless_stopped(opened).await? else {
            return self.never_began();
        };
        if self.arguments.writing.dry_run {
            return dry_run::print_rows(source, &rules, self).await;
        }
        let store = open_store(&self.arguments.writing);
        match self.unless_stopped(store).await? {
            Some(store) => self.write(source, store, rules).await,
            None => self.never_began(),
        }
    }

    async fn read_queue(&self, rules: Rules) -> Result<ExitCode, Failure> {
        let source = open_queue(&self.arguments);
        if self.arguments.writing.dry_run {
            return match self.unless_stopped(Box::pin(source)).await? {
                Some(source) => dry_run::print_rows(source, &rules, self).await,
                None => self.never_began(),
            };
        }
        let store = open_store(&self.arguments.writing);
        let both = async { tokio::try_join!(source, store) };
        match self.unless_stopped(Box::pin(both)).await? {
            Some((source, store)) => self.write(source, store, rules).await,
            None => self.never_began(),
        }
    }

    /// Nothing is held during the preflight: a signal ends it at once, with `None`.
    async fn unless_stopped<R>(
        &self,
        preflight: impl Future<Output = Result<R, Failure>>,
    ) -> Result<Option<R>, Failure> {
        tokio::select! {
            biased;
            outcome = preflight => outcome.map(Some),
            () = self.stop.token.cancelled() => Ok(None),
        }
    }

    /// A signal came before the first receive.
    fn never_began(&self) -> Result<ExitCode, Failure> {
        if !self.arguments.writing.dry_run {
            let summary = Summary {
                elapsed_seconds: self.elapsed_seconds(),
                ..Summary::default()
            };
            let is_queue = self.arguments.reading.input.is_none();
            summary.print(self.arguments.ending.output, is_queue);
        }
        self.exit_code(Ending::Stopped)
    }

    async fn write<T: Transport>(
        &self,
        source: Source<T>,
        store: PgStore,
        rules: Rules,
    ) -> Result<ExitCode, Failure> {
        let options = self.options(source.dead_letter_url.clone());
        let is_queue = source.is_queue;
        mixture::warn(&store, &rules.maskers).await;
        let pipeline = Pipeline::new(
            source.reader,
            store,
            rules,
            options,
            self.stop.token.clone(),
        );
        let server = self.server.as_ref();
        let _watch = server.map(|server| server.show(&pipeline, is_queue));
        let progress = progress::start(Arc::clone(&pipeline), is_queue);
        let ending = tokio::select! {
            biased;
            ending = pipeline.run() => ending,
            // Never ends before the run does.
            never = self.keep_pruned() => match never {},
        };
        progress.end();
        let mut counts = pipeline.tally().counts();
        if !is_queue {
            // The lines of a file stay where they are.
            counts.deleted = 0;
        }
        Summary {
            counts,
            sqs_requests: pipeline.requests(),
            sql_statements: pipeline.statements(),
            elapsed_seconds: self.elapsed_seconds(),
        }
        .print(self.arguments.ending.output, is_queue);
        self.exit_code(ending)
    }

    /// A follower forgets old messages by itself.
    async fn keep_pruned(&self) -> Infallible {
        let writing = &self.arguments.writing;
        if self.arguments.ending.follow {
            keep_pruned(&writing.database, writing.ledger.ledger_age).await;
        }
        std::future::pending().await
    }

    /// To the millisecond.
    fn elapsed_seconds(&self) -> f64 {
        (self.started.elapsed().as_secs_f64() * 1000.0).round() / 1000.0
    }

    fn options(&self, dead_letter_url: Option<String>) -> Options {
        let RunArguments {
            reading,
            writing,
            ending,
            ..
        } = &self.arguments;
        Options {
            follow: ending.follow,
            wait: Duration::from_secs(reading.wait_time_seconds),
            max_messages: reading.max_messages,
            pollers: reading.pollers,
            writers: writing.writers,
            batch_size: writing.batch_size,
            batch_age: writing.batch_age,
            grace_period: ending.grace_period,
            give_up_after: (!ending.follow).then_some(ending.give_up_after),
            dead_letter_url,
        }
    }

    fn exit_code(&self, ending: Ending) -> Result<ExitCode, Failure> {
        match ending {
            Ending::Done => Ok(ExitCode::SUCCESS),
            Ending::Stopped if self.arguments.ending.follow => Ok(ExitCode::SUCCESS),
            Ending::Stopped => Ok(ExitCode::from(self.stop.exit_code())),
            Ending::GaveUp(why) => Err(Failure::gave_up(format!("gave up: {why}"))
                .hint("nothing is lost: what was not written is still on the queue")),
        }
    }
}
