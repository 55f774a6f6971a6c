//! `etl reconcile`: what was received stands once, by day, from the tables; and what running workers count, adds up.
//!
//! From the tables alone this much can be said: each message that was written is in the ledger and has one row of its
//! day. So a day's messages are its ledger's, and the rejected ones that were never written. Rows that were deleted since
//! show as missing, unless the record of `etl erase` accounts for them.

mod erased;
mod report;
mod worker;

use std::process::ExitCode;
use std::time::Duration;

use pg_writer::{Pool, StoreError};

use self::report::{Account, Report};
use self::worker::Worker;
use crate::arguments::ReconcileArguments;
use crate::database;
use crate::failure::Failure;
use crate::run::patiently;

/// The whole of both tables is read.
const STATEMENT: Duration = Duration::from_hours(6);

pub(crate) async fn reconcile(arguments: &ReconcileArguments) -> Result<ExitCode, Failure> {
    let settings = database::settings(&arguments.database)?.statement_timeout(STATEMENT);
    let erased = match &arguments.audit_log {
        Some(path) => erased::read(path, &settings.place())?,
        None => erased::ByDay::new(),
    };
    let pool = Pool::new(&settings, 1)?;
    let age = arguments.ledger.ledger_age;
    let days = patiently(StoreError::is_transient, async || {
        pg_writer::balance(&pool, age).await
    })
    .await?;
    let mut workers = Vec::new();
    for url in &arguments.metrics {
        workers.push(Worker::ask(url).await?);
    }
    let days = days.iter().map(|day| Account::new(day, &erased)).collect();
    let report = Report { days, workers };
    report.print(arguments.output);
    report.verdict()
}
