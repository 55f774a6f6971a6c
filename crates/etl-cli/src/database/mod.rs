//! The way to the database: the URL, and where the password comes from. The one place that reads libpq's variables.

mod iam;

use std::env;
use std::path::PathBuf;

use nix::unistd::{User, geteuid};
use pg_writer::{Pool, Settings};

use crate::arguments::{DatabaseArguments, DatabaseAuth};
use crate::failure::Failure;

/// Reads the settings; connects to nothing yet.
pub(crate) fn open_pool(arguments: &DatabaseArguments, size: usize) -> Result<Pool, Failure> {
    Ok(Pool::new(&settings(arguments)?, size)?)
}

/// What the options say of the database.
pub(crate) fn settings(arguments: &DatabaseArguments) -> Result<Settings, Failure> {
    let url = arguments.database_url.as_deref();
    let url = url.filter(|url| !url.is_empty()).ok_or_else(|| {
        Failure::usage("no database is named").hint(
            "set DATABASE_URL=postgres://USER:PASSWORD@HOST:PORT/DATABASE, or give --database-url",
        )
    })?;
    let settings = Settings::parse(url)?;
    let settings = match arguments.database_schema.as_deref() {
        Some(schema) => settings.schema(schema)?,
        None => settings,
    };
    match arguments.database_auth {
        DatabaseAuth::Iam => with_tokens(settings, arguments),
        DatabaseAuth::Password => with_password(settings, arguments),
    }
}

fn with_tokens(settings: Settings, arguments: &DatabaseArguments) -> Result<Settings, Failure> {
    if settings.has_password() || arguments.database_password_file.is_some() {
        return Err(Failure::usage(
            "--database-auth iam logs in without a password, and one is given",
        )
        .hint("leave the password out of the database URL"));
    }
    let tokens = iam::tokens(&settings)?;
    Ok(settings.tokens(tokens)?)
}

/// As with libpq: the URL's password, else `PGPASSWORD`, else the password file. A file that is named here is meant.
fn with_password(settings: Settings, arguments: &DatabaseArguments) -> Result<Settings, Failure> {
    if let Some(path) = &arguments.database_password_file {
        if settings.has_password() {
            return Err(Failure::usage(
                "the database URL holds a password, and --database-password-file names another",
            )
            .hint("leave it out of the URL"));
        }
        return Ok(settings.password_file(path.clone()));
    }
    if settings.has_password() {
        return Ok(settings);
    }
    if let Some(password) = variable("PGPASSWORD") {
        return Ok(settings.password(&password));
    }
    let home = || Some(PathBuf::from(variable("HOME")?).join(".pgpass"));
    let Some(file) = variable("PGPASSFILE").map(PathBuf::from).or_else(home) else {
        return Ok(settings);
    };
    let user = User::from_uid(geteuid()).ok().flatten();
    let settings = user.map_or(settings.clone(), |user| settings.or_user(&user.name));
    Ok(settings.pass_file(file))
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
