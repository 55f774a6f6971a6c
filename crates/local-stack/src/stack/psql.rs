//! `psql` on the database of the stack.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::postgres::{LOGINS, PostgresState};
use crate::account::find_on_path;
use crate::hint::hinted;

/// Replaces this process; returns only with an error. The password goes by the environment, which others cannot list.
pub(crate) fn become_psql(
    beside_server: &Path,
    server: &PostgresState,
    arguments: &[String],
) -> Result<()> {
    let own = beside_server.exists().then(|| beside_server.to_path_buf());
    let program = own.or_else(|| find_on_path("psql")).ok_or_else(|| {
        hinted(
            "there is no psql on this machine",
            "install one (Debian: apt-get install postgresql-client), or use another client with `local-stack env`",
        )
    })?;
    let error = Command::new(&program)
        .args(arguments)
        .env("PGHOST", "127.0.0.1")
        .env("PGPORT", server.port.to_string())
        .env("PGUSER", LOGINS)
        .env("PGPASSWORD", &server.password)
        .env("PGDATABASE", LOGINS)
        .env("PGSSLMODE", "disable")
        .exec();
    Err(hinted(
        format_args!("failed to run {}: {error}", program.display()),
        "use another client with `local-stack env`",
    ))
}
