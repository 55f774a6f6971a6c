//! `etl migrate`: creates or updates the tables, for the role that owns them; partitions them where that is asked for.

use std::process::ExitCode;

use crate::arguments::MigrateArguments;
use crate::database::open_pool;
use crate::failure::Failure;

pub(crate) async fn migrate(arguments: &MigrateArguments) -> Result<ExitCode, Failure> {
    let pool = open_pool(&arguments.database, 1)?;
    pg_writer::prepare(&pool, true).await?;
    println!("the database schema is up to date");
    for &table in &arguments.partition {
        let table = pg_writer::PartitionedTable::from(table);
        let done = pg_writer::partition(&pool, table).await;
        done.map_err(|error| {
            Failure::from(error).hint("nothing is lost, and the same command goes on from here")
        })?;
        println!("{table} is partitioned");
    }
    Ok(ExitCode::SUCCESS)
}
