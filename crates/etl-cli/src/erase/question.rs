//! Asks before rows are deleted: there is no way back.

use std::io::{self, IsTerminal as _};

use crate::failure::Failure;

/// Passes once somebody at a terminal has typed how many rows go.
pub(super) fn ask(rows: u64, reads_stdin: bool) -> Result<(), Failure> {
    if reads_stdin || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::usage(format!(
            "{rows} rows were found; deleting them needs --yes where nobody can be asked"
        ))
        .hint("nothing was erased; --dry-run only counts"));
    }
    eprint!("{rows} rows of user_logins go for good. Type their number to delete them: ");
    let mut answer = String::new();
    io::stdin()
        .read_line(&mut answer)
        .map_err(|error| Failure::gave_up(format!("failed to read the answer: {error}")))?;
    if answer.trim() == rows.to_string() {
        Ok(())
    } else {
        Err(Failure::gave_up("not confirmed; nothing was erased"))
    }
}
