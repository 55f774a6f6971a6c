//! The way to the database, as the options name it.

use etl_access::database::DatabaseAccess;
use pg_writer::{Pool, Settings};

use crate::arguments::DatabaseArguments;
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
    let access = DatabaseAccess {
        url: url.to_owned(),
        password_file: arguments.database_password_file.clone(),
        auth: arguments.database_auth,
        schema: arguments.database_schema.clone(),
    };
    Ok(access.settings()?)
}
