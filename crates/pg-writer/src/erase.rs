//! Finds and deletes the logins of a person: rows of `user_logins` whose column holds one of some values.
//!
//! Each call is one statement, on one snapshot: it is done whole or not at all, and a row that another statement moves
//! meanwhile is not passed over. Without an index on the column it reads the table once. Writers wait for nothing.

use diesel::dsl::sql;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text};
use diesel_async::RunQueryDsl as _;

use crate::error::{StoreError, of_bound_statement, of_plain_statement};
use crate::pool::{Pool, discard};

const HAS_RIGHTS: &str = "SELECT coalesce(has_table_privilege(to_regclass('user_logins'), 'SELECT') \
    AND has_table_privilege(to_regclass('user_logins'), 'DELETE'), false)";

/// A column by which a person is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonColumn {
    /// `user_id`, as it is.
    UserId,
    /// `masked_ip`.
    MaskedIp,
    /// `masked_device_id`.
    MaskedDeviceId,
}

impl PersonColumn {
    const fn name(self) -> &'static str {
        match self {
            Self::UserId => "user_id",
            Self::MaskedIp => "masked_ip",
            Self::MaskedDeviceId => "masked_device_id",
        }
    }
}

/// Rows of one `create_date`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayRows {
    /// As `2026-01-31`; none for rows without a date.
    pub day: Option<String>,
    /// How many.
    pub rows: u64,
}

/// How many rows hold one of `values`.
pub async fn count_logins(
    pool: &Pool,
    column: PersonColumn,
    values: &[String],
) -> Result<u64, StoreError> {
    demand_rights(pool).await?;
    let mut connection = pool.get().await?;
    let query = sql::<BigInt>(&format!(
        "SELECT count(*) FROM user_logins WHERE {} = ANY (",
        column.name()
    ))
    .bind::<Array<Text>, _>(values)
    .sql(")");
    let counted = pool.run(query.get_result::<i64>(&mut *connection)).await;
    counted.map(i64::unsigned_abs).map_err(|error| {
        discard(connection);
        of_bound_statement(error, "a search of user_logins")
    })
}

/// Deletes the rows that hold one of `values`; tells how many, by day. Rows that are written meanwhile may stay.
///
/// # Errors
/// After [`StoreError::Unavailable`] nobody knows whether it was done: the same call finds what is left.
pub async fn erase_logins(
    pool: &Pool,
    column: PersonColumn,
    values: &[String],
) -> Result<Vec<DayRows>, StoreError> {
    demand_rights(pool).await?;
    let mut connection = pool.get().await?;
    let query = sql::<(Nullable<Text>, BigInt)>(&format!(
        "WITH erased AS (DELETE FROM user_logins WHERE {} = ANY (",
        column.name()
    ))
    .bind::<Array<Text>, _>(values)
    .sql(
        ") RETURNING create_date) \
         SELECT create_date::text, count(*) FROM erased GROUP BY create_date ORDER BY create_date",
    );
    // All rows of the answer: a commit that fails is told after them.
    let erased = query.load::<(Option<String>, i64)>(&mut *connection);
    let rows = pool.run(erased).await.map_err(|error| {
        discard(connection);
        of_bound_statement(error, "a deletion from user_logins")
    })?;
    let day_rows = |(day, rows): (_, i64)| DayRows {
        day,
        rows: rows.unsigned_abs(),
    };
    Ok(rows.into_iter().map(day_rows).collect())
}

async fn demand_rights(pool: &Pool) -> Result<(), StoreError> {
    let mut connection = pool.get().await?;
    let allowed = sql::<Bool>(HAS_RIGHTS).get_result::<bool>(&mut *connection);
    let allowed = pool.run(allowed).await;
    if allowed.map_err(|error| of_plain_statement(&error))? {
        return Ok(());
    }
    Err(StoreError::Schema(
        "the database role lacks SELECT or DELETE on user_logins; an owner grants them with: \
         GRANT SELECT, DELETE ON user_logins TO role"
            .to_owned(),
    ))
}
