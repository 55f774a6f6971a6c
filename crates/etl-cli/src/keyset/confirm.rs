//! Asks before a key is destroyed: there is no way back.

use std::io::{self, IsTerminal as _};

use crate::arguments::NamedKey;
use crate::failure::Failure;

/// Passes once somebody at a terminal has typed the key's id.
pub(super) fn destruction(key: &NamedKey) -> Result<(), Failure> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(
            Failure::usage("destroying a key needs --yes where nobody can be asked")
                .hint("what the key masked, and no other key, is lost for good"),
        );
    }
    eprint!(
        "What key {} masked can never be recovered again. Type its id to destroy it: ",
        key.key_id
    );
    let mut answer = String::new();
    io::stdin()
        .read_line(&mut answer)
        .map_err(|error| Failure::gave_up(format!("failed to read the answer: {error}")))?;
    if answer.trim() == key.key_id.to_string() {
        Ok(())
    } else {
        Err(Failure::gave_up("not confirmed; nothing was changed"))
    }
}
