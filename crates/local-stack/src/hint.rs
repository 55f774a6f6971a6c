//! Errors that say what to do about them: the cause, then the remedy on a `hint:` line of its own.

use std::fmt::{Display, Write};

use anyhow::{Error, anyhow};

const MARK: &str = "\nhint: ";

/// An error with the remedy a person can apply.
pub(crate) fn hinted(message: impl Display, remedy: impl Display) -> Error {
    anyhow!("{message}{MARK}{remedy}")
}

/// The whole chain on one line, then each remedy in it on a line of its own.
pub fn report(error: &Error) -> String {
    let mut causes = Vec::new();
    let mut remedies = String::new();
    for link in error.chain().map(ToString::to_string) {
        let (cause, remedy) = link.split_once(MARK).unwrap_or((&link, ""));
        causes.push(cause.to_owned());
        if !remedy.is_empty() {
            let _ = write!(remedies, "{MARK}{remedy}");
        }
    }
    causes.join(": ") + &remedies
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn the_remedy_stands_last_and_alone() {
        let failed: Result<(), Error> = Err(hinted("port 5432 is taken", "choose another"));
        let error = failed.context("failed to start Postgres").unwrap_err();
        assert_eq!(
            report(&error),
            "failed to start Postgres: port 5432 is taken\nhint: choose another"
        );
    }
}
