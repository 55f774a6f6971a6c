//! `etl erase`: finds and deletes the rows of a person.
//!
//! Invariant: no value, masked or not, goes anywhere but into the statement.

mod plan;
mod question;
mod summary;
mod values;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use pg_writer::{Pool, StoreError};
use serde::Serialize;

use self::plan::Plan;
use self::summary::{Summary, Tally};
use crate::arguments::EraseArguments;
use crate::audit::AuditLog;
use crate::database;
use crate::failure::Failure;
use crate::run::patiently;
use crate::signals::{Signals, Stop};

/// Without an index the whole table is read, however large it is.
const STATEMENT: Duration = Duration::from_hours(24);
/// A deletion finds what stood when it began. After this many, somebody keeps writing rows of this person.
const PASSES: u32 = 3;

pub(crate) async fn erase(
    arguments: &EraseArguments,
    signals: &Signals,
) -> Result<ExitCode, Failure> {
    let plan = Plan::of(arguments).await?;
    let settings = database::settings(&arguments.database)?.statement_timeout(STATEMENT);
    let subject = Subject::new(arguments, &plan, settings.place());
    let pool = Pool::new(&settings, 1)?;
    let mut log = AuditLog::open(arguments.audit_log.as_deref(), "nothing was erased")?;
    // Whether a person occurs is told by a dry run too, so that one is on record as well.
    log.append("erase_started", &subject, None::<&Tally>)?;
    let started = Instant::now();
    let mut erased = Tally::default();
    let outcome = work(arguments, &plan, &pool, signals, &mut erased).await;
    // Whatever ended it: what was erased until then is on record.
    log.append("erase_finished", &subject, Some(&erased))?;
    let stopped = outcome?;
    let is_clean = arguments.dry_run || erased.remaining == 0;
    if stopped.is_none() || erased.erased > 0 {
        Summary::new(arguments, plan.count, erased, started.elapsed()).print(arguments.output);
    }
    if let Some(stop) = stopped {
        eprintln!("stopped before all was counted; the same command goes on from here");
        return Ok(ExitCode::from(stop.exit_code()));
    }
    if is_clean {
        return Ok(ExitCode::SUCCESS);
    }
    Err(Failure::gave_up("rows of this person keep coming").hint(
        "keep their messages from the queue, or wait until it is drained, and run this again",
    ))
}

/// Answers the wish to stop, where one came between. A deletion is waited for: it happens whether or not its client
/// still listens, and is to stand on record.
async fn work(
    arguments: &EraseArguments,
    plan: &Plan,
    pool: &Pool,
    signals: &Signals,
    erased: &mut Tally,
) -> Result<Option<Stop>, Failure> {
    let count = async || {
        let count = async || pg_writer::count_logins(pool, plan.column, &plan.terms).await;
        patiently(StoreError::is_transient, count).await
    };
    let stop = signals.hold();
    let Some(found) = stop.token.run_until_cancelled(count()).await else {
        return Ok(Some(stop));
    };
    erased.found = found?;
    erased.remaining = erased.found;
    if arguments.dry_run || erased.found == 0 {
        return Ok(None);
    }
    if !arguments.yes {
        match stop
            .token
            .run_until_cancelled(confirm(arguments, erased.found))
            .await
        {
            Some(answer) => answer?,
            None => return Ok(Some(stop)),
        }
    }
    for _ in 0..PASSES {
        // Not tried again by itself: the counts of a deletion whose answer was lost are lost too.
        erased.add(pg_writer::erase_logins(pool, plan.column, &plan.terms).await?);
        erased.remaining = erased.found.saturating_sub(erased.erased);
        let Some(remaining) = stop.token.run_until_cancelled(count()).await else {
            return Ok(Some(stop));
        };
        erased.remaining = remaining?;
        if erased.remaining == 0 {
            break;
        }
    }
    Ok(None)
}

/// On a thread of its own: whoever is asked may take his time, or end the command.
async fn confirm(arguments: &EraseArguments, rows: u64) -> Result<(), Failure> {
    let reads_stdin = arguments.input == Path::new("-");
    let asked = tokio::task::spawn_blocking(move || question::ask(rows, reads_stdin));
    asked.await.map_err(anyhow::Error::new)?
}

/// What the record says was asked for.
#[derive(Serialize)]
struct Subject {
    field: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheme: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keyset: Option<String>,
    database: String,
    values: usize,
    dry_run: bool,
}

impl Subject {
    fn new(arguments: &EraseArguments, plan: &Plan, database: String) -> Self {
        let keyset = plan.scheme.and(arguments.keyset.as_deref());
        let absolute = |path| std::path::absolute(path).unwrap_or_default();
        Self {
            field: arguments.field.name(),
            scheme: plan.scheme.map(masking::Scheme::name),
            keyset: keyset.map(|path| absolute(path).display().to_string()),
            database,
            values: plan.count,
            dry_run: arguments.dry_run,
        }
    }
}
