//! How many messages were rejected, for a person to look at.

use diesel::dsl::sql;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;

use crate::error::{StoreError, of_plain_statement};
use crate::pool::Pool;

/// Rejected messages of one day, by the latest rejection, with one reason and field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectionCount {
    /// UTC, as `2026-01-31`.
    pub day: String,
    /// Such as `missing_field`.
    pub reason: String,
    /// The field at fault; none where the body as a whole is.
    pub field: Option<String>,
    /// Distinct messages.
    pub messages: u64,
}

const COUNTS: &str = "(last_rejected_at AT TIME ZONE 'UTC')::date::text, reason, field, count(*) \
    FROM rejected_messages GROUP BY 1, 2, 3 ORDER BY 1 DESC, 4 DESC, 2, 3";

/// Counts of `rejected_messages`, newest day first.
pub async fn rejection_counts(pool: &Pool) -> Result<Vec<RejectionCount>, StoreError> {
    let mut connection = pool.get().await?;
    let query = diesel::select(sql::<(Text, Text, Nullable<Text>, BigInt)>(COUNTS));
    let rows: Vec<(String, String, Option<String>, i64)> = pool
        .run(query.load(&mut connection))
        .await
        .map_err(|error| of_plain_statement(&error))?;
    let count = |(day, reason, field, messages): (_, _, _, i64)| RejectionCount {
        day,
        reason,
        field,
        messages: messages.unsigned_abs(),
    };
    Ok(rows.into_iter().map(count).collect())
}
