//! What a refusal's SQLSTATE says: of the rows, or of the server alone. Codes are the same in every language.
//! Source: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.

use tokio_postgres::Error as DriverError;
use tokio_postgres::error::{DbError, SqlState};

use crate::connect::chain;
use crate::error::{Failure, StoreError, late};
use crate::witness::Testimony;

impl From<Testimony> for Failure {
    fn from(testimony: Testimony) -> Self {
        match testimony {
            Testimony::Late(limit) => Self::unavailable(late(limit)),
            Testimony::Failed(error) => of_driver(&error),
        }
    }
}

fn of_driver(error: &DriverError) -> Failure {
    let Some(refusal) = error.as_db_error() else {
        return Failure::unavailable(chain(error));
    };
    match of_the_server(refusal.code()) {
        Some(trouble) => Failure::Transient(trouble),
        // Class 23: a constraint, by whose name nobody's data is told.
        None if refusal.code().code().starts_with("23") => Failure::Row(rule(refusal)),
        None => Failure::Unknown,
    }
}

/// For statements that bind no row, whose message is safe to show.
pub(crate) fn of_plain_testimony(testimony: Testimony) -> StoreError {
    let message = match &testimony {
        Testimony::Failed(error) => error.as_db_error().map(|error| error.message().to_owned()),
        Testimony::Late(_) => None,
    };
    match (Failure::from(testimony), message) {
        (Failure::Transient(trouble), _) => trouble,
        (_, message) => StoreError::Refused(message.unwrap_or_default()),
    }
}

/// Trouble of the server, which says nothing of any row; none where a row may be at fault. Unlisted classes are left to
/// trial: a trigger may raise what it likes, and a policy on rows says "insufficient privilege".
fn of_the_server(code: &SqlState) -> Option<StoreError> {
    if *code == SqlState::DISK_FULL {
        return Some(StoreError::DiskFull);
    }
    let why = match (code.code(), code.code().get(..2)?) {
        ("57014", _) => "a statement was cancelled, or not done within its time",
        ("53300", _) => "the server has too many clients",
        ("55P03" | "55006", _) => "something is locked by another",
        ("XX001" | "XX002", _) => "the server reports damaged data",
        (_, "08") => "the server reports a broken connection",
        (_, "25") => "the server is read-only",
        (_, "40") => "the write conflicts with another",
        (_, "53") => "the server is out of resources",
        (_, "57") => "the server is shutting down or starting",
        (_, "58") => "the server has trouble with its files",
        _ => return None,
    };
    Some(StoreError::Unavailable(why.to_owned()))
}

pub(crate) fn is_of_the_server(code: &SqlState) -> bool {
    of_the_server(code).is_some()
}

fn rule(refusal: &DbError) -> String {
    match (refusal.constraint(), refusal.column()) {
        (Some(constraint), _) => format!(" (constraint {constraint})"),
        (None, Some(column)) => format!(" (column {column})"),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trouble(code: &str) -> Option<String> {
        of_the_server(&SqlState::from_code(code)).map(|error| error.to_string())
    }

    #[test]
    fn what_the_server_lacks_is_no_rows_fault() {
        for code in [
            "53100", "53200", "53300", "53400", "25006", "57014", "57P01", "57P03", "58030",
            "08006", "40001", "40P01", "55P03", "XX001",
        ] {
            assert!(trouble(code).is_some(), "{code}");
        }
    }

    #[test]
    fn what_a_row_may_be_to_blame_for_is_left_to_trial() {
        for code in [
            "22001", "22021", "22P05", "23502", "23505", "23514", "42501", "44000", "54000",
            "55000", "P0001", "XX000",
        ] {
            assert_eq!(trouble(code), None, "{code}");
        }
    }
}
