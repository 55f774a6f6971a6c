//! Tables in partitions, for those who asked for them: `user_logins` by month, the ledger by day. How an existing table
//! becomes one, partitions made ahead, and old days of the ledger dropped whole.
//!
//! Nothing else here knows of partitions: both tables keep their names, columns and keys, and a default partition takes
//! what no other does.

use std::fmt;
use std::time::Duration;

use diesel::dsl::sql;
use diesel::sql_types::{Bool, Double, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};

use crate::deadline::StatementError;
use crate::error::{StoreError, of_plain_statement};
use crate::pool::{Pool, discard};
use crate::prune::OLDEST;

/// Each a transaction of its own: what one proves, slowly and beside writers, spares the next a lock.
const STEPS: [&str; 3] = [
    include_str!("../partitions/1_promise.sql"),
    include_str!("../partitions/2_prove.sql"),
    include_str!("../partitions/3_swap.sql"),
];
const AHEAD: &str = include_str!("../partitions/ahead.sql");

/// Days of the ledger that are over, by the names that `ahead.sql` gives them.
const OLD_DAYS: &str = "SELECT part.oid::regclass::text FROM pg_inherits \
    JOIN pg_class AS part ON part.oid = inhrelid \
    WHERE inhparent = to_regclass('ingested_messages') AND pg_has_role(part.relowner, 'USAGE') \
    AND part.relname ~ '^ingested_messages_[0-9]{4}_[0-9]{2}_[0-9]{2}$' \
    AND (to_date(right(part.relname, 10), 'YYYY_MM_DD') + 1)::timestamp AT TIME ZONE 'UTC' <= now() - make_interval(secs => ";

/// A table that may be partitioned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionedTable {
    /// By month of `create_date`.
    UserLogins,
    /// By day of `sent_at`.
    IngestedMessages,
}

impl PartitionedTable {
    const fn name(self) -> &'static str {
        match self {
            Self::UserLogins => "user_logins",
            Self::IngestedMessages => "ingested_messages",
        }
    }
}

impl fmt::Display for PartitionedTable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Turns a table into a partitioned one; what it holds becomes the first partition, as it is. Writers and readers go on,
/// but for some milliseconds. Done already, it does nothing; cut short, it can be run again.
///
/// # Errors
/// [`StoreError::Refused`] with the server's words, where the role is not the owner, or something hangs on the table.
pub async fn partition(pool: &Pool, table: PartitionedTable) -> Result<(), StoreError> {
    let mut connection = pool.get().await?;
    let outcome = take_steps(&mut connection, table).await;
    // Its settings are not those of the pool's other connections any more.
    discard(connection);
    outcome?;
    make_ahead(pool).await
}

async fn take_steps(
    connection: &mut AsyncPgConnection,
    table: PartitionedTable,
) -> Result<(), StoreError> {
    // To read a large table takes its time.
    let settings = format!(
        "SET statement_timeout = 0; SET etl.partition = '{}'",
        table.name()
    );
    for statement in [settings.as_str()].into_iter().chain(STEPS) {
        let done = connection.batch_execute(statement).await;
        done.map_err(|error| of_plain_statement(&StatementError::Failed(error)))?;
    }
    Ok(())
}

/// Makes partitions ahead and drops the ledger's days that are over by `older_than`; answers how many were dropped. Does
/// nothing where no table is partitioned, or this role owns none.
pub async fn keep_partitions(pool: &Pool, older_than: Duration) -> Result<u64, StoreError> {
    make_ahead(pool).await?;
    let mut dropped = 0;
    for day in old_days(pool, older_than).await? {
        if !was_written_lately(pool, &day, older_than).await? {
            dropped += u64::from(drop_day(pool, &day).await?);
        }
    }
    Ok(dropped)
}

async fn make_ahead(pool: &Pool) -> Result<(), StoreError> {
    run(pool, AHEAD).await
}

async fn old_days(pool: &Pool, older_than: Duration) -> Result<Vec<String>, StoreError> {
    let mut connection = pool.get().await?;
    let query = sql::<Text>(OLD_DAYS).bind::<Double, _>(older_than.as_secs_f64().min(OLDEST));
    let query = query.sql(") ORDER BY 1");
    let days = pool.run(query.load(&mut *connection)).await;
    days.map_err(|error| of_plain_statement(&error))
}

/// Whether a message of that day came so late that it is to be remembered; the other rows then go one by one.
async fn was_written_lately(
    pool: &Pool,
    day: &str,
    older_than: Duration,
) -> Result<bool, StoreError> {
    let mut connection = pool.get().await?;
    let query = format!(
        "SELECT EXISTS (SELECT FROM {day} WHERE ingested_at >= now() - make_interval(secs => "
    );
    let query = sql::<Bool>(&query).bind::<Double, _>(older_than.as_secs_f64().min(OLDEST));
    let found = pool.run(query.sql("))").get_result(&mut *connection)).await;
    found.map_err(|error| of_plain_statement(&error))
}

/// Writers wait for the lock, for no longer than it takes to unlink the files. Where it is not to be had soon the day
/// stays for the next time.
async fn drop_day(pool: &Pool, day: &str) -> Result<bool, StoreError> {
    let statement =
        format!("BEGIN; SET LOCAL lock_timeout = '3s'; DROP TABLE IF EXISTS {day}; COMMIT");
    match run(pool, &statement).await {
        Ok(()) => Ok(true),
        Err(StoreError::Refused(why)) => {
            tracing::warn!(partition = day, "a day of the ledger stays for now: {why}");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

async fn run(pool: &Pool, statement: &str) -> Result<(), StoreError> {
    let mut connection = pool.get().await?;
    match pool.run(connection.batch_execute(statement)).await {
        Ok(()) => Ok(()),
        Err(error) => {
            discard(connection);
            Err(of_plain_statement(&error))
        }
    }
}
