//! How a command ends badly: one line that says what, one that says what to do, and the exit code that scripts read.

use std::fmt;
use std::process::ExitCode;

use etl_access::database::AccessError;
use etl_access::keys::KeyError;
use pg_writer::StoreError;
use sqs_reader::QueueError;

/// Gave up on the queue or the database.
pub(crate) const GAVE_UP: u8 = 1;
/// Bad usage or configuration.
pub(crate) const USAGE: u8 = 2;

/// A command that could not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    message: String,
    hint: Option<String>,
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            code: USAGE,
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn gave_up(message: impl Into<String>) -> Self {
        Self {
            code: GAVE_UP,
            message: message.into(),
            hint: None,
        }
    }

    /// Names the option at fault.
    #[must_use]
    pub(crate) fn of_option(mut self, option: &str) -> Self {
        self.message = format!("{option}: {}", self.message);
        // The hints of the queue that is read name its own option.
        self.hint = self.hint.map(|hint| hint.replace("--queue-name", option));
        self
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What went wrong, and what to do about it.
    pub(crate) fn into_parts(self) -> (String, Option<String>) {
        (self.message, self.hint)
    }

    /// Tells the user, and the shell.
    pub(crate) fn report(&self) -> ExitCode {
        eprintln!("{self}");
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "error: {}", self.message)?;
        self.hint
            .iter()
            .try_for_each(|hint| write!(formatter, "\nhint: {hint}"))
    }
}

impl From<QueueError> for Failure {
    fn from(error: QueueError) -> Self {
        let code = match error {
            QueueError::NoSuchQueue(_)
            | QueueError::Configuration(_)
            | QueueError::Credentials(_) => USAGE,
            _ => GAVE_UP,
        };
        Self {
            code,
            message: error.to_string(),
            hint: error.hint().map(str::to_owned),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let code = match error {
            StoreError::Configuration(_) | StoreError::Schema(_) => USAGE,
            _ => GAVE_UP,
        };
        let hint = match error {
            StoreError::Unavailable(_) => {
                Some("check --database-url, and that the server runs and lets this machine in")
            }
            StoreError::Configuration(_) => Some("check --database-url (DATABASE_URL)"),
            _ => error.hint(),
        };
        Self {
            code,
            message: error.to_string(),
            hint: hint.map(str::to_owned),
        }
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        Self {
            code: if error.may_pass() { GAVE_UP } else { USAGE },
            hint: error.hint(),
            message: format!("{:#}", anyhow::Error::new(error)),
        }
    }
}

impl From<AccessError> for Failure {
    fn from(error: AccessError) -> Self {
        let hint = error.hint();
        match error {
            AccessError::Settings(error) => error.into(),
            other => Self {
                hint: hint.map(str::to_owned),
                ..Self::usage(other.to_string())
            },
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::gave_up(format!("{error:#}"))
    }
}
