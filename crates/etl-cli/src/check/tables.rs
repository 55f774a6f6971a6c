//! The tables: there, as new as this version needs, and open to this role.

use pg_writer::TableFacts;

use super::report::Report;
use crate::arguments::RunArguments;
use crate::failure::Failure;

const MIGRATE: &str = "run `etl migrate` as the tables' owner";

pub(super) fn check(arguments: &RunArguments, facts: &TableFacts, report: &mut Report) {
    check_schema(arguments.writing.no_migrate, facts, report);
    if !facts.missing_rights.is_empty() {
        let failure = Failure::usage(format!(
            "the role lacks {}",
            facts.missing_rights.join(", ")
        ));
        let hint = "an owner grants it, as in: GRANT INSERT ON user_logins TO role";
        report.fail("table-rights", failure.hint(hint));
    } else if arguments.ending.follow && facts.pending.is_empty() && !facts.may_prune {
        report.warn(
            "table-rights",
            "the role lacks DELETE on ingested_messages: --follow cannot forget old messages",
            "GRANT DELETE ON ingested_messages TO role, or let an owner run `etl prune` now and then",
        );
    } else {
        report.pass("table-rights", "all that a run needs");
    }
}

fn check_schema(no_migrate: bool, facts: &TableFacts, report: &mut Report) {
    let pending = facts.pending.len();
    let failure = match facts {
        _ if pending > 0 && no_migrate => {
            format!("older than this version, {pending} migrations pending")
        }
        _ if pending > 0 && !facts.may_create => {
            format!("{pending} migrations pending, and the role may not create tables")
        }
        _ if pending > 0 => {
            return report.pass(
                "tables",
                format!("{pending} migrations pending; the run makes them"),
            );
        }
        TableFacts {
            missing_columns, ..
        } if !missing_columns.is_empty() => {
            format!("the database lacks {}", missing_columns.join(", "))
        }
        TableFacts { missing_keys, .. } if !missing_keys.is_empty() => {
            let failure = format!(
                "{} lacks its primary key (sent_at, message_id)",
                missing_keys.join(", ")
            );
            let hint = "an owner adds it with ALTER TABLE: without it a redelivered message is a second row";
            return report.fail("tables", Failure::usage(failure).hint(hint));
        }
        _ => return report.pass("tables", "as new as this version needs"),
    };
    report.fail("tables", Failure::usage(failure).hint(MIGRATE));
}
