//! `etl migrate`: creates or updates the tables, for the role that owns them.

use std::process::ExitCode;

use crate::arguments::DatabaseArguments;
use crate::database::open_pool;
use crate::failure::Failure;

pub(crate) async fn migrate(arguments: &DatabaseArguments) -> Result<ExitCode, Failure> {
    let pool = open_pool(arguments, 1)?;
    pg_writer::prepare(&pool, true).await?;
    println!("the database schema is up to date");
    Ok(ExitCode::SUCCESS)
}
