//! What is told about a message that cannot be stored.
//!
//! Invariant: a rejection holds names only. There is no place in it for a value, so it can be logged.

use std::fmt;

use crate::{Field, Reason};

/// Why a message was rejected, and which field is at fault where one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub struct Rejection {
    /// What is wrong.
    pub reason: Reason,
    /// The field at fault; `None` where it is the message as a whole.
    pub field: Option<Field>,
}

impl Rejection {
    /// The message as a whole is at fault.
    pub const fn of_message(reason: Reason) -> Self {
        Self {
            reason,
            field: None,
        }
    }

    /// One field is at fault.
    pub const fn of_field(field: Field, reason: Reason) -> Self {
        Self {
            reason,
            field: Some(field),
        }
    }

    /// What to do about it, as a line of its own.
    pub const fn hint(&self) -> &'static str {
        self.reason.hint()
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = self.field.map_or("the message", Field::as_str);
        write!(f, "{subject} {}", self.reason.says())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_named_in_the_text() {
        let rejection = Rejection::of_field(Field::AppVersion, Reason::MissingField);
        assert_eq!(rejection.to_string(), "app_version is missing");
    }

    #[test]
    fn a_message_without_a_field_is_named_as_the_message() {
        let rejection = Rejection::of_message(Reason::NotJson);
        assert_eq!(rejection.to_string(), "the message is not valid JSON");
    }
}
