//! Forgets old messages: once no queue can deliver a message again, its ledger row protects nobody.
//!
//! Each batch is a statement and a transaction of its own, by the key from its old end on, with a pause after it: writers,
//! who add at the other end, wait for nothing.

use std::time::{Duration, Instant};

use diesel::dsl::sql;
use diesel::pg::data_types::PgTimestamp;
use diesel::sql_types::{BigInt, Bool, Double, Nullable, Timestamptz};
use diesel_async::RunQueryDsl as _;

use crate::deadline::StatementError;
use crate::error::{StoreError, of_plain_statement};
use crate::pool::{Pool, discard};

/// Two weeks on a queue and two on its dead-letter queue are the most that SQS keeps a message, and a margin.
pub const LEDGER_AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Rows a batch: some 50 ms of the server's time.
const BATCH: usize = 10_000;
/// What is older than this is older than anything; Postgres's time has an end.
pub(crate) const OLDEST: f64 = 1000.0 * 365.0 * 86_400.0;

const HAS_RIGHT: &str =
    "SELECT coalesce(has_table_privilege(to_regclass('ingested_messages'), 'DELETE'), false)";

/// Deletes ledger rows of messages that were sent longer ago than `older_than`, by the database's clock;
/// [`LEDGER_AGE`] is what fits SQS. Answers how many, and tells `on_batch` so after each batch.
///
/// # Errors
/// [`StoreError::Schema`] where the role lacks DELETE on `ingested_messages`. What was deleted before an error stays so.
pub async fn prune(
    pool: &Pool,
    older_than: Duration,
    mut on_batch: impl FnMut(u64),
) -> Result<u64, StoreError> {
    let end = limit(pool, older_than).await?;
    let mut start = PgTimestamp(i64::MIN);
    let mut pruned = 0_u64;
    loop {
        let began = Instant::now();
        let (count, newest) = delete_batch(pool, start, end).await?;
        pruned = pruned.saturating_add(count);
        let Some(newest) = newest else {
            return Ok(pruned);
        };
        on_batch(pruned);
        // Begins where the last batch ended, so that it does not wade through what that one left dead.
        start = newest;
        // As long as it worked it rests: never more than half a processor and half a disk.
        tokio::time::sleep(began.elapsed()).await;
    }
}

async fn limit(pool: &Pool, older_than: Duration) -> Result<PgTimestamp, StoreError> {
    let mut connection = pool.get().await?;
    let may_delete = sql::<Bool>(HAS_RIGHT).get_result(&mut *connection);
    if !pool.run(may_delete).await.map_err(of)? {
        return Err(StoreError::Schema(
            "the database role lacks DELETE on ingested_messages; an owner grants it with: \
             GRANT DELETE ON ingested_messages TO role"
                .to_owned(),
        ));
    }
    let age = older_than.as_secs_f64().min(OLDEST);
    let query = sql::<Timestamptz>("SELECT now() - make_interval(secs => ").bind::<Double, _>(age);
    let query = query.sql(")");
    pool.run(query.get_result(&mut *connection))
        .await
        .map_err(of)
}

/// By `ctid`: rows of the ledger are never updated, and there is no join whose plan could go wrong.
async fn delete_batch(
    pool: &Pool,
    start: PgTimestamp,
    end: PgTimestamp,
) -> Result<(u64, Option<PgTimestamp>), StoreError> {
    let mut connection = pool.get().await?;
    let query = sql::<(BigInt, Nullable<Timestamptz>)>(
        "WITH pruned AS (DELETE FROM ingested_messages WHERE ctid = ANY (ARRAY( \
         SELECT ctid FROM ingested_messages WHERE sent_at >= ",
    )
    .bind::<Timestamptz, _>(start)
    .sql(" AND sent_at < ")
    .bind::<Timestamptz, _>(end)
    .sql(&format!(" ORDER BY sent_at LIMIT {BATCH})) AND sent_at < "))
    .bind::<Timestamptz, _>(end)
    .sql(" RETURNING sent_at) SELECT count(*), max(sent_at) FROM pruned");
    // All rows of the answer: a commit that fails is told after them.
    let answer = query.load::<(i64, Option<PgTimestamp>)>(&mut *connection);
    match pool.run(answer).await {
        Ok(rows) => {
            let (count, newest) = rows.into_iter().next().unwrap_or((0, None));
            Ok((count.unsigned_abs(), newest))
        }
        Err(error) => {
            discard(connection);
            Err(of(error))
        }
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "reads as a function for map_err"
)]
fn of(error: StatementError) -> StoreError {
    of_plain_statement(&error)
}
