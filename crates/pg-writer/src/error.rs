//! What goes wrong between here and Postgres, sorted by what helps: wait, blame a row, or ask a person.
//! Invariant: no text in here was built from a row. Postgres's DETAIL carries the row, and a trigger's message may.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// Why a store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database cannot be reached, or went away, or asks to try again.
    #[error("the database cannot be used just now: {0}")]
    Unavailable(String),
    /// It answers, but not to this: rights, a missing table, a read-only server.
    #[error("the database refuses the statement: {0}")]
    Refused(String),
    /// Every row was refused although the statement itself is accepted.
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
    /// Whether the same call may succeed later without anybody's help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

/// What a failed statement says of its rows.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Says nothing of them: the connection, the server's state, a conflict with another writer.
    Transient(String),
    /// A row breaks a rule of the table; the text names the rule.
    Row(String),
    /// One row's fault or everybody's: diesel tells no SQLSTATE, so only trying says which.
    Unknown,
}

impl From<DieselError> for Failure {
    fn from(error: DieselError) -> Self {
        use DatabaseErrorKind as Kind;
        match error {
            DieselError::DatabaseError(kind, information) => match kind {
                Kind::UnableToSendCommand | Kind::ClosedConnection | Kind::SerializationFailure => {
                    Self::Transient(information.message().to_owned())
                }
                Kind::ReadOnlyTransaction => Self::Transient("the server is read-only".to_owned()),
                Kind::CheckViolation
                | Kind::NotNullViolation
                | Kind::UniqueViolation
                | Kind::ForeignKeyViolation
                | Kind::ExclusionViolation
                | Kind::RestrictViolation => Self::Row(rule(&*information)),
                _ => Self::Unknown,
            },
            DieselError::BrokenTransactionManager => {
                Self::Transient("the connection is broken".to_owned())
            }
            _ => Self::Unknown,
        }
    }
}

fn rule(information: &dyn diesel::result::DatabaseErrorInformation) -> String {
    match (information.constraint_name(), information.column_name()) {
        (Some(constraint), _) => format!(" (constraint {constraint})"),
        (None, Some(column)) => format!(" (column {column})"),
        (None, None) => String::new(),
    }
}

/// For statements that bind no row, whose message is safe to show.
pub(crate) fn of_plain_statement(error: &DieselError) -> StoreError {
    match error {
        DieselError::DatabaseError(
            DatabaseErrorKind::UnableToSendCommand
            | DatabaseErrorKind::ClosedConnection
            | DatabaseErrorKind::ReadOnlyTransaction
            | DatabaseErrorKind::SerializationFailure,
            information,
        ) => StoreError::Unavailable(information.message().to_owned()),
        DieselError::DatabaseError(_, information) => {
            StoreError::Refused(information.message().to_owned())
        }
        other => StoreError::Unavailable(other.to_string()),
    }
}
