//! Forgets old messages: once no queue can deliver a message again, its ledger row protects nobody.
//!
//! Each batch is a statement and a transaction of its own, by the key from its old end on, with a pause after it: writers,
//! who add at the other end, wait for nothing. Nothing was written before it was sent, so the key leads to whatever was
//! written long ago, and no second index is needed; what was sent long ago and written lately is passed over.

use std::time::{Duration, Instant};

use diesel::dsl::sql;
use diesel::pg::data_types::PgTimestamp;
use diesel::sql_types::{BigInt, Bool, Double, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use uuid::Uuid;

use crate::deadline::StatementError;
use crate::error::{StoreError, of_plain_statement};
use crate::pool::{Pool, discard};

/// Two weeks on a queue and two on its dead-letter queue are the most that SQS keeps a message, and a margin.
pub const LEDGER_AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Rows that a batch looks at: some 50 ms of the server's time where it deletes them all.
const BATCH: usize = 10_000;
/// What is older than this is older than anything; Postgres's time has an end.
pub(crate) const OLDEST: f64 = 1000.0 * 365.0 * 86_400.0;

/// Of a row of the ledger.
type Key = (PgTimestamp, Uuid);

const HAS_RIGHT: &str =
    "SELECT coalesce(has_table_privilege(to_regclass('ingested_messages'), 'DELETE'), false)";

/// Deletes ledger rows of messages that were sent *and* written longer ago than `older_than`, by the database's clock;
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
    let mut after = (PgTimestamp(i64::MIN), Uuid::nil());
    let mut pruned = 0_u64;
    loop {
        let began = Instant::now();
        let Some((count, last)) = delete_batch(pool, after, end).await? else {
            return Ok(pruned);
        };
        pruned = pruned.saturating_add(count);
        on_batch(pruned);
        // Begins where the last batch ended, so that it does not wade through what that one left dead.
        after = last;
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

/// How many rows of the next [`BATCH`] behind `after` went, and the last of those that were looked at; none behind the
/// end. By `ctid`: rows of the ledger are never updated, and there is no join whose plan could go wrong.
async fn delete_batch(
    pool: &Pool,
    after: Key,
    end: PgTimestamp,
) -> Result<Option<(u64, Key)>, StoreError> {
    let mut connection = pool.get().await?;
    let query = sql::<(BigInt, Timestamptz, SqlUuid)>(
        "WITH aged AS (SELECT ctid AS place, * FROM ingested_messages \
         WHERE (sent_at, message_id) > (",
    )
    .bind::<Timestamptz, _>(after.0)
    .sql(", ")
    .bind::<SqlUuid, _>(after.1)
    .sql(") AND sent_at < ")
    .bind::<Timestamptz, _>(end)
    .sql(&format!(
        " ORDER BY sent_at, message_id LIMIT {BATCH}), \
         pruned AS (DELETE FROM ingested_messages WHERE ctid = ANY (ARRAY( \
         SELECT place FROM aged WHERE ingested_at < "
    ))
    .bind::<Timestamptz, _>(end)
    // Places are told apart within one partition only: what is deleted must be old by itself.
    .sql(")) AND ingested_at < ")
    .bind::<Timestamptz, _>(end)
    .sql(" AND sent_at < ")
    .bind::<Timestamptz, _>(end)
    .sql(
        " RETURNING 1) SELECT (SELECT count(*) FROM pruned), sent_at, message_id FROM aged \
         ORDER BY sent_at DESC, message_id DESC LIMIT 1",
    );
    // All rows of the answer: a commit that fails is told after them.
    let answer = query.load::<(i64, PgTimestamp, Uuid)>(&mut *connection);
    match pool.run(answer).await {
        Ok(rows) => {
            let last = rows.into_iter().next();
            Ok(last.map(|(count, sent_at, id)| (count.unsigned_abs(), (sent_at, id))))
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
