//! Forgetting old messages: `etl prune`, and what `run --follow` does of it by itself.

use std::process::ExitCode;
use std::time::Duration;

use pg_writer::Pool;

use crate::arguments::{DatabaseArguments, PruneArguments};
use crate::database::open_pool;
use crate::failure::Failure;
use crate::terminal;

/// The longest that SQS can deliver a message without a redrive: its own retention, and that of a dead-letter queue.
const RETENTION: Duration = Duration::from_hours(28 * 24);
/// The first pruning of a follower waits, so that a fleet that starts at once does not prune at once.
const FIRST: Duration = Duration::from_mins(10);
const OFTEN: Duration = Duration::from_hours(1);

pub(crate) async fn prune(arguments: &PruneArguments) -> Result<ExitCode, Failure> {
    let age = arguments.ledger.ledger_age;
    if age < RETENTION {
        tracing::warn!(
            ledger_age.s = age.as_secs(),
            "--ledger-age is under 28 days: a message that SQS still holds may be written twice"
        );
    }
    let pool = open_pool(&arguments.database, 1)?;
    keep_partitions(&pool, age).await;
    let progress = terminal::progress(None, "{spinner} {human_pos} forgotten ({per_sec})");
    let pruned = pg_writer::prune(&pool, age, |pruned| progress.set_position(pruned)).await;
    progress.finish_and_clear();
    println!("{} messages forgotten", pruned?);
    Ok(ExitCode::SUCCESS)
}

/// Prunes now and then, until dropped. A role without the right to is told once and left in peace.
pub(crate) async fn keep_pruned(database: &DatabaseArguments, age: Duration) {
    let jitter = OFTEN.mul_f64(fastrand::f64() / 2.0);
    tokio::time::sleep(FIRST + jitter).await;
    loop {
        match prune_once(database, age).await {
            Ok(0) => {}
            Ok(pruned) => tracing::info!(ledger.pruned = pruned, "forgot old messages"),
            Err(error) => {
                tracing::warn!(error = %error, "failed to prune the ledger");
                if !error.is_transient() {
                    return;
                }
            }
        }
        tokio::time::sleep(OFTEN).await;
    }
}

async fn prune_once(
    database: &DatabaseArguments,
    age: Duration,
) -> Result<u64, pg_writer::StoreError> {
    let pool = open_pool(database, 1)
        .map_err(|failure| pg_writer::StoreError::Configuration(failure.to_string()))?;
    keep_partitions(&pool, age).await;
    pg_writer::prune(&pool, age, |_| ()).await
}

/// Where a table is partitioned and this role's own. Without new partitions the default ones take the rows: no reason to
/// leave the rest undone.
async fn keep_partitions(pool: &Pool, age: Duration) {
    match pg_writer::keep_partitions(pool, age).await {
        Ok(0) => {}
        Ok(days) => tracing::info!(
            ledger.days_dropped = days,
            "dropped whole days of the ledger"
        ),
        Err(error) => tracing::warn!(error = %error, "failed to keep the partitions"),
    }
}
