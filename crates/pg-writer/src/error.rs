//! What goes wrong between here and Postgres, sorted by what helps: wait, blame a row, or ask a person.
//! Invariant: no text in here was built from a row. Postgres's DETAIL carries the row, and a trigger's message may.

use std::time::Duration;

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::deadline::StatementError;
use crate::pooler;

/// Why a store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database cannot be reached, or went away, or asks to try again.
    #[error("the database cannot be used just now: {0}")]
    Unavailable(String),
    /// It answers, and has no room for anything new.
    #[error("the database's disk is full")]
    DiskFull,
    /// It answers, but not to this: rights, a missing table, a read-only server.
    #[error("the database refuses the statement: {0}")]
    Refused(String),
    /// These rows were refused, and so would any other be at their place.
    #[error("the database refuses every row{0}; its own log says why")]
    EveryRowRefused(String),
    /// The connection settings cannot be used.
    #[error("{0}")]
    Configuration(String),
    /// The tables are not those that this version needs.
    #[error("{0}")]
    Schema(String),
}

impl StoreError {
    /// The name of every class of error, for metrics.
    pub const CLASSES: [&'static str; 6] = [
        "unavailable",
        "refused",
        "every_row_refused",
        "configuration",
        "schema",
        "disk_full",
    ];

    /// Which class of error it is, as one word.
    pub fn class(&self) -> &'static str {
        let index = match self {
            Self::Unavailable(_) => 0,
            Self::Refused(_) => 1,
            Self::EveryRowRefused(_) => 2,
            Self::Configuration(_) => 3,
            Self::Schema(_) => 4,
            Self::DiskFull => 5,
        };
        Self::CLASSES[index]
    }

    /// Whether the same call may succeed later without anybody's help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::DiskFull)
    }

    /// What to do about it, where that is the same for everybody.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::DiskFull => {
                Some("free space on the database server's disk; a run that waits goes on by itself")
            }
            _ => None,
        }
    }
}

/// What a failed statement says of its rows.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Says nothing of them: the connection, the server's state, a conflict with another writer.
    Transient(StoreError),
    /// A row breaks a rule of the table; the text names the rule.
    Row(String),
    /// One row's fault or everybody's: only trying says which.
    Unknown,
}

impl From<StatementError> for Failure {
    fn from(error: StatementError) -> Self {
        match error {
            StatementError::Late(limit) => Self::unavailable(late(limit)),
            StatementError::Failed(error) => Self::of(&error),
        }
    }
}

impl Failure {
    pub(crate) fn unavailable(why: impl Into<String>) -> Self {
        Self::Transient(StoreError::Unavailable(why.into()))
    }

    /// By what diesel tells, which has no SQLSTATE in it.
    fn of(error: &DieselError) -> Self {
        use DatabaseErrorKind as Kind;
        if let Some(why) = transient(error) {
            return Self::unavailable(why);
        }
        match error {
            DieselError::DatabaseError(
                Kind::CheckViolation
                | Kind::NotNullViolation
                | Kind::UniqueViolation
                | Kind::ForeignKeyViolation
                | Kind::ExclusionViolation
                | Kind::RestrictViolation,
                information,
            ) => Self::Row(rule(&**information)),
            _ => Self::Unknown,
        }
    }
}

/// Why an error will pass, where it surely will; the text is the driver's or ours, never the server's.
fn transient(error: &DieselError) -> Option<String> {
    use DatabaseErrorKind as Kind;
    Some(match error {
        DieselError::DatabaseError(
            Kind::UnableToSendCommand | Kind::ClosedConnection,
            information,
        ) => information.message().to_owned(),
        DieselError::DatabaseError(Kind::SerializationFailure, _) => {
            "the write conflicts with another".to_owned()
        }
        DieselError::DatabaseError(Kind::ReadOnlyTransaction, _) => {
            "the server is read-only".to_owned()
        }
        DieselError::DatabaseError(Kind::Unknown, information)
            if is_lost_statement(information.message()) =>
        {
            pooler::ADVICE.to_owned()
        }
        DieselError::BrokenTransactionManager => "the connection is broken".to_owned(),
        _ => return None,
    })
}

/// Whether a pooler executed a statement on a server connection that does not know it. The one message that is read:
/// the check at the start tries for it in any language, and this keeps rows from being blamed should it come later.
fn is_lost_statement(message: &str) -> bool {
    let rest = message.strip_prefix("prepared statement \"s");
    let rest = rest.map(|rest| rest.trim_start_matches(|letter: char| letter.is_ascii_digit()));
    matches!(rest, Some("\" does not exist" | "\" already exists"))
}

pub(crate) fn late(limit: Duration) -> String {
    format!("a statement was not done within {limit:?}")
}

fn rule(information: &dyn diesel::result::DatabaseErrorInformation) -> String {
    match (information.constraint_name(), information.column_name()) {
        (Some(constraint), _) => format!(" (constraint {constraint})"),
        (None, Some(column)) => format!(" (column {column})"),
        (None, None) => String::new(),
    }
}

/// For statements that bind no row, whose message is safe to show.
pub(crate) fn of_plain_statement(error: &StatementError) -> StoreError {
    let error = match error {
        StatementError::Late(limit) => return StoreError::Unavailable(late(*limit)),
        StatementError::Failed(error) => error,
    };
    match (transient(error), error) {
        (Some(why), _) => StoreError::Unavailable(why),
        (None, DieselError::DatabaseError(_, information)) => {
            StoreError::Refused(information.message().to_owned())
        }
        (None, other) => StoreError::Refused(other.to_string()),
    }
}

/// For statements that bind values: the server's own words may hold one and are not repeated.
pub(crate) fn of_bound_statement(error: StatementError, what: &str) -> StoreError {
    match Failure::from(error) {
        Failure::Transient(trouble) => trouble,
        Failure::Row(rule) => StoreError::Refused(format!("{what}{rule}")),
        Failure::Unknown => StoreError::Refused(format!("{what}; the server's own log says why")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(message: &str) -> Failure {
        let information = Box::new(message.to_owned());
        Failure::of(&DieselError::DatabaseError(
            DatabaseErrorKind::Unknown,
            information,
        ))
    }

    #[test]
    fn a_statement_that_a_pooler_lost_blames_no_row() {
        for end in ["does not exist", "already exists"] {
            let failure = failure(&format!("prepared statement \"s17\" {end}"));
            assert!(
                matches!(failure, Failure::Transient(why) if why.to_string().contains("PgBouncer"))
            );
        }
    }

    #[test]
    fn what_a_trigger_says_is_not_taken_for_that() {
        for message in [
            "prepared statement \"s17\" does not exist, says user-7",
            "prepared statement \"other\" does not exist",
            "not \"s17\"",
        ] {
            assert!(matches!(failure(message), Failure::Unknown), "{message}");
        }
    }
}
