//! The database: whether it answers, takes writes and keeps what it has taken, and the way to it.

use login_model::Maskers;
use pg_writer::{Pool, ServerFacts};

use super::report::Report;
use super::{columns, report_clock, tables};
use crate::arguments::RunArguments;
use crate::database::settings;
use crate::failure::Failure;

const CHECKS: [&str; 9] = [
    "database",
    "postgres-version",
    "tls",
    "prepared-statements",
    "tables",
    "table-rights",
    "masked-columns",
    "synchronous-commit",
    "database-clock",
];

/// Major versions that the tests have run on.
const OLDEST: i32 = 13;
const NEWEST: i32 = 18;

pub(super) async fn check(arguments: &RunArguments, maskers: Option<&Maskers>) -> Report {
    let mut report = Report::default();
    if arguments.writing.dry_run {
        report.skip_rest(&CHECKS, "--dry-run writes nothing");
        return report;
    }
    if let Some((pool, facts)) = find(arguments, &mut report).await {
        check_server(&facts, &mut report);
        match pool.check_pooler().await {
            Ok(()) => report.pass(
                "prepared-statements",
                "kept from one transaction to the next",
            ),
            Err(error) => report.fail("prepared-statements", error),
        }
        match pool.table_facts().await {
            Ok(tables) => tables::check(arguments, &tables, &mut report),
            Err(error) => report.fail("tables", error),
        }
        match maskers {
            Some(maskers) => columns::check(pool, maskers, &mut report).await,
            None => report.skip("masked-columns", "what would be written is not known"),
        }
    }
    report.skip_rest(&CHECKS, "the database could not be asked");
    report.sort(&CHECKS);
    report
}

/// One that takes writes.
async fn find(arguments: &RunArguments, report: &mut Report) -> Option<(Pool, ServerFacts)> {
    let settings = settings(&arguments.writing.database);
    let settings = settings
        .map_err(|failure| report.fail("database", failure))
        .ok()?;
    let pool = Pool::new(&settings, 1);
    let pool = pool.map_err(|error| report.fail("database", error)).ok()?;
    let facts = pool.server_facts().await;
    let facts = facts.map_err(|error| report.fail("database", error)).ok()?;
    let place = pool.place();
    if facts.is_read_only {
        let failure = Failure::gave_up(format!("{place} is read-only"));
        let hint =
            "connect to the primary server, not to a standby; or see default_transaction_read_only";
        report.fail("database", failure.hint(hint));
        return None;
    }
    report.pass("database", format!("{place} as {}", facts.role));
    check_tls(&facts, settings.checks_certificate(), report);
    Some((pool, facts))
}

fn check_server(facts: &ServerFacts, report: &mut Report) {
    let major = facts.version_number / 10_000;
    if (OLDEST..=NEWEST).contains(&major) {
        report.pass("postgres-version", &facts.version);
    } else {
        let message = format!(
            "{} is not among {OLDEST} to {NEWEST}, which are tested",
            facts.version
        );
        report.warn(
            "postgres-version",
            message,
            "try a run on a copy first, or move to another server",
        );
    }
    if facts.synchronous_commit == "off" {
        let message = "off: the server confirms rows that its crash would lose, when their messages are deleted already";
        let hint = "ALTER ROLE … SET synchronous_commit = on; a batch costs one flush of the disk";
        report.warn("synchronous-commit", message, hint);
    } else {
        report.pass("synchronous-commit", &facts.synchronous_commit);
    }
    report_clock(report, "database-clock", facts.clock_lead);
}

fn check_tls(facts: &ServerFacts, is_certificate_checked: bool, report: &mut Report) {
    let hint = "add sslmode=verify-full to the database URL, and sslrootcert=FILE where the authority is your own";
    match (&facts.tls, facts.is_on_this_machine) {
        (Some(version), false) if !is_certificate_checked => {
            let message = format!("{version}, but nobody looks at the server's certificate");
            report.warn("tls", message, hint);
        }
        (Some(version), _) => report.pass("tls", version),
        (None, true) => report.pass(
            "tls",
            "none, and none needed: the server is on this machine",
        ),
        (None, false) => {
            let message = "none: masked values and user ids cross the network in the clear";
            report.warn("tls", message, hint);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The servers of tests are all on this machine.
    #[test]
    fn a_way_over_the_network_is_to_be_encrypted_to_a_server_that_is_known() {
        let told = |tls: Option<&str>, is_certificate_checked| {
            let facts = ServerFacts {
                role: "etl".to_owned(),
                version: "16.4".to_owned(),
                version_number: 160_004,
                tls: tls.map(str::to_owned),
                is_on_this_machine: false,
                is_read_only: false,
                synchronous_commit: "on".to_owned(),
                clock_lead: 0.0,
            };
            let mut report = Report::default();
            check_tls(&facts, is_certificate_checked, &mut report);
            report.text()
        };
        assert!(told(Some("TLSv1.3"), true).starts_with("pass  tls"));
        assert!(told(Some("TLSv1.3"), false).starts_with("warn  tls"));
        assert!(told(None, false).starts_with("warn  tls                  none"));
    }
}
