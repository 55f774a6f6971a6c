//! Whether the tables agree: the ledger's messages of a day and the logins of that day are the same number, since one
//! statement writes both. One statement on one snapshot counts them, so that writers may go on.

use std::time::Duration;

use diesel::dsl::sql;
use diesel::sql_types::{BigInt, Double, Text};
use diesel_async::RunQueryDsl as _;

use crate::error::{StoreError, of_plain_statement};
use crate::pool::{Pool, discard};

/// What is older than this is older than anything; Postgres's time has an end.
const OLDEST: f64 = 1000.0 * 365.0 * 86_400.0;

const MISSING_RIGHTS: &str = "SELECT coalesce(string_agg(relation, ', '), '') FROM (VALUES ('user_logins'), \
    ('ingested_messages'), ('rejected_messages')) AS needed (relation) \
    WHERE NOT coalesce(has_table_privilege(to_regclass(relation), 'SELECT'), false)";

/// The first day that can be judged: one that no pruning has touched, and on which nobody else wrote rows. The ledger's
/// oldest day may be pruned in part, which shows by rows from before it.
const LEDGER: &str = "WITH ledger AS (SELECT (sent_at AT TIME ZONE 'UTC')::date AS day, count(*) AS messages \
    FROM ingested_messages GROUP BY 1), \
    oldest AS (SELECT min(day) AS day FROM ledger HAVING count(*) > 0), \
    scope AS (SELECT greatest(CASE WHEN EXISTS (SELECT FROM user_logins WHERE create_date < oldest.day) \
    THEN oldest.day + 1 ELSE oldest.day END, ((now() - make_interval(secs => ";
const REST: &str = ")) AT TIME ZONE 'UTC')::date + 1) AS since FROM oldest), \
    logins AS (SELECT create_date AS day, count(*) AS logins FROM user_logins \
    WHERE create_date >= (SELECT since FROM scope) GROUP BY 1), \
    rejected AS (SELECT (rejected_messages.sent_at AT TIME ZONE 'UTC')::date AS day, count(*) AS rejected, \
    count(ingested_messages.message_id) AS written_later \
    FROM rejected_messages LEFT JOIN ingested_messages USING (sent_at, message_id) GROUP BY 1) \
    SELECT day::text, coalesce(messages, 0), coalesce(logins, 0), coalesce(rejected, 0), coalesce(written_later, 0) \
    FROM ledger FULL JOIN logins USING (day) FULL JOIN rejected USING (day) \
    WHERE day >= (SELECT since FROM scope) ORDER BY day";

/// What stands of the messages that were sent on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayBalance {
    /// UTC, as `2026-01-31`.
    pub day: String,
    /// Messages in the ledger: written once.
    pub ledger: u64,
    /// Rows in `user_logins`.
    pub logins: u64,
    /// Messages that were rejected.
    pub rejected: u64,
    /// Of those, the ones that were written after all, as after a redrive.
    pub written_later: u64,
}

/// The days that can be judged, oldest first: those after `ledger_age` and after whatever stood before the ledger. None
/// where the ledger is empty.
///
/// # Errors
/// [`StoreError::Schema`] where the role lacks SELECT on one of the three tables.
pub async fn balance(pool: &Pool, ledger_age: Duration) -> Result<Vec<DayBalance>, StoreError> {
    demand_rights(pool).await?;
    let mut connection = pool.get().await?;
    let age = ledger_age.as_secs_f64().min(OLDEST);
    let query = sql::<(Text, BigInt, BigInt, BigInt, BigInt)>(LEDGER)
        .bind::<Double, _>(age)
        .sql(REST);
    let counted = query.load::<(String, i64, i64, i64, i64)>(&mut *connection);
    let rows = pool.run(counted).await.map_err(|error| {
        discard(connection);
        of_plain_statement(&error)
    })?;
    Ok(rows.into_iter().map(DayBalance::from).collect())
}

impl From<(String, i64, i64, i64, i64)> for DayBalance {
    fn from((day, ledger, logins, rejected, written_later): (String, i64, i64, i64, i64)) -> Self {
        Self {
            day,
            ledger: ledger.unsigned_abs(),
            logins: logins.unsigned_abs(),
            rejected: rejected.unsigned_abs(),
            written_later: written_later.unsigned_abs(),
        }
    }
}

async fn demand_rights(pool: &Pool) -> Result<(), StoreError> {
    let mut connection = pool.get().await?;
    let missing = sql::<Text>(MISSING_RIGHTS).get_result::<String>(&mut *connection);
    let missing = pool.run(missing).await;
    match missing.map_err(|error| of_plain_statement(&error))? {
        none if none.is_empty() => Ok(()),
        tables => Err(StoreError::Schema(format!(
            "the database role lacks SELECT on {tables}; an owner grants it: GRANT SELECT ON {tables} TO role"
        ))),
    }
}
