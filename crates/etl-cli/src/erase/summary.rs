//! What was erased, for people or for scripts, on stdout.

use std::collections::BTreeMap;
use std::time::Duration;

use pg_writer::DayRows;
use serde::Serialize;

use crate::arguments::{EraseArguments, OutputFormat};

/// Counts of rows.
#[derive(Debug, Default, Serialize)]
pub(super) struct Tally {
    /// Before anything was deleted.
    pub(super) found: u64,
    pub(super) erased: u64,
    /// Still there afterwards.
    pub(super) remaining: u64,
    /// Deleted rows by their `create_date`: what `etl reconcile` needs to know.
    pub(super) erased_by_day: BTreeMap<String, u64>,
}

impl Tally {
    pub(super) fn add(&mut self, rows_of_days: Vec<DayRows>) {
        for DayRows { day, rows } in rows_of_days {
            self.erased += rows;
            *self
                .erased_by_day
                .entry(day.unwrap_or_default())
                .or_default() += rows;
        }
    }
}

/// The result. The JSON form is a promise: fields are added, never renamed.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    field: &'static str,
    values: usize,
    table: &'static str,
    #[serde(flatten)]
    rows: Tally,
    dry_run: bool,
    elapsed_seconds: f64,
}

impl Summary {
    pub(super) fn new(
        arguments: &EraseArguments,
        values: usize,
        rows: Tally,
        elapsed: Duration,
    ) -> Self {
        Self {
            field: arguments.field.name(),
            values,
            table: "user_logins",
            rows,
            dry_run: arguments.dry_run,
            elapsed_seconds: elapsed.as_secs_f64(),
        }
    }

    pub(super) fn print(&self, format: OutputFormat) {
        match format {
            OutputFormat::Json => println!("{}", serde_json::to_string(self).unwrap_or_default()),
            OutputFormat::Text => print!("{}", self.text()),
        }
    }

    fn text(&self) -> String {
        let Self { field, values, .. } = self;
        let Tally {
            found,
            erased,
            remaining,
            ..
        } = self.rows;
        if self.dry_run {
            return format!(
                "to erase  {found:>9}  rows of user_logins, by {values} values of {field}; nothing was changed\n"
            );
        }
        format!(
            "erased    {erased:>9}  rows of user_logins, by {values} values of {field}\nremaining {remaining:>9}\n\
             No other table holds them. Queues, backups and copies may: docs/RUNBOOK.md\n"
        )
    }
}
