//! What adds up and what does not, for people or for scripts, on stdout.

use std::process::ExitCode;

use pg_writer::DayBalance;
use serde::Serialize;

use super::erased::ByDay;
use super::worker::Worker;
use crate::arguments::OutputFormat;
use crate::failure::Failure;

/// The account of one day. The JSON form is a promise: fields are added, never renamed.
#[derive(Debug, Serialize)]
pub(super) struct Account {
    day: String,
    /// Distinct messages that were carried to an end.
    messages: u64,
    /// Of those, in the ledger: each has a row, or had one.
    written: u64,
    /// Of those, rejected and never written.
    rejected: u64,
    rows: u64,
    erased: u64,
    /// Rows too many; negative: rows that are missing.
    difference: i64,
}

impl Account {
    pub(super) fn new(balance: &DayBalance, erased: &ByDay) -> Self {
        let erased = erased.get(&balance.day).copied().unwrap_or_default();
        let rejected = balance.rejected.saturating_sub(balance.written_later);
        let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        Self {
            day: balance.day.clone(),
            messages: balance.ledger + rejected,
            written: balance.ledger,
            rejected,
            rows: balance.logins,
            erased,
            difference: signed(balance.logins + erased) - signed(balance.ledger),
        }
    }

    fn complaint(&self) -> Option<String> {
        let Self {
            day, difference, ..
        } = self;
        match *difference {
            0 => None,
            1.. => Some(format!(
                "{day}: {difference} rows more than messages written"
            )),
            _ => Some(format!(
                "{day}: {} rows fewer than messages written",
                difference.unsigned_abs()
            )),
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) days: Vec<Account>,
    pub(super) workers: Vec<Worker>,
}

impl Report {
    pub(super) fn print(&self, format: OutputFormat) {
        match format {
            OutputFormat::Json => println!("{}", serde_json::to_string(self).unwrap_or_default()),
            OutputFormat::Text => print!("{}", self.text()),
        }
    }

    pub(super) fn verdict(&self) -> Result<ExitCode, Failure> {
        let days = self.days.iter().filter_map(Account::complaint);
        let workers = self.workers.iter().filter_map(Worker::complaint);
        let complaints: Vec<String> = days.chain(workers).collect();
        if complaints.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        Err(
            Failure::gave_up(format!("it does not add up: {}", complaints.join("; "))).hint(
                "fewer rows: were some deleted? --audit-log accounts for those of etl erase. More: does another program \
                 write into user_logins, or was the ledger pruned sooner than --ledger-age?",
            ),
        )
    }

    fn text(&self) -> String {
        if self.days.is_empty() {
            return "the ledger holds no day that can be judged\n".to_owned();
        }
        let head = row(&[
            "day",
            "messages",
            "written",
            "rejected",
            "rows",
            "erased",
            "difference",
        ]);
        let days = self.days.iter().map(|day| {
            let counts = [
                day.messages,
                day.written,
                day.rejected,
                day.rows,
                day.erased,
            ];
            let counts = counts.map(|count| count.to_string());
            let difference = format!("{:+}", day.difference);
            let [messages, written, rejected, rows, erased] = &counts;
            row(&[
                &day.day,
                messages,
                written,
                rejected,
                rows,
                erased,
                &difference,
            ])
        });
        let first = &self.days[0].day;
        let note =
            format!("Days before {first} are not judged: pruned, or from before the ledger.\n");
        let workers = self.workers.iter().map(Worker::text);
        std::iter::once(head)
            .chain(days)
            .chain(std::iter::once(note))
            .chain(workers)
            .collect()
    }
}

fn row(cells: &[&str; 7]) -> String {
    let [day, messages, written, rejected, rows, erased, difference] = cells;
    format!(
        "{day:<10}  {messages:>10}  {written:>10}  {rejected:>10}  {rows:>10}  {erased:>10}  {difference:>10}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(ledger: u64, logins: u64, rejected: u64, written_later: u64) -> DayBalance {
        DayBalance {
            day: "2026-01-31".to_owned(),
            ledger,
            logins,
            rejected,
            written_later,
        }
    }

    #[test]
    fn a_rejected_message_that_was_written_after_all_counts_once() {
        let day = Account::new(&day(10, 10, 3, 2), &ByDay::new());
        assert_eq!((day.messages, day.rejected, day.difference), (11, 1, 0));
        assert_eq!(day.complaint(), None);
    }

    #[test]
    fn rows_that_were_erased_are_not_missing_and_others_are() {
        let erased = ByDay::from([("2026-01-31".to_owned(), 2)]);
        assert_eq!(Account::new(&day(10, 8, 0, 0), &erased).complaint(), None);
        let complaint = Account::new(&day(10, 7, 0, 0), &erased).complaint();
        assert_eq!(
            complaint.as_deref(),
            Some("2026-01-31: 1 rows fewer than messages written")
        );
        let complaint = Account::new(&day(10, 11, 0, 0), &ByDay::new()).complaint();
        assert_eq!(
            complaint.as_deref(),
            Some("2026-01-31: 1 rows more than messages written")
        );
    }

    #[test]
    fn the_table_names_the_first_day_that_is_judged() {
        let days = vec![Account::new(&day(10, 9, 1, 0), &ByDay::new())];
        let workers = Vec::new();
        let text = Report { days, workers }.text();
        assert_eq!(
            text,
            "day           messages     written    rejected        rows      erased  difference\n\
             2026-01-31          11          10           1           9           0          -1\n\
             Days before 2026-01-31 are not judged: pruned, or from before the ledger.\n"
        );
    }
}
