//! A look at the rows that were written last, for whoever wants to know what a column holds. It costs two short
//! statements, whatever the size of the table, or nothing is read: from servers before Postgres 14, which would read
//! all of it, from what is no plain table, and where the role may not.

use diesel::dsl::sql;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::RunQueryDsl as _;

use crate::deadline::StatementError;
use crate::error::{StoreError, of_plain_statement};
use crate::pool::{Pool, Pooled, discard};
use crate::remask::{Place, Tid};

/// Where the table ends, if its last blocks may be read and can be found.
const END: &str = "SELECT pg_relation_size(oid) / current_setting('block_size')::bigint FROM pg_class \
    WHERE oid = to_regclass('user_logins') AND relkind = 'r' AND has_table_privilege(oid, 'SELECT') \
    AND current_setting('server_version_num')::integer >= 140000";

const ROWS: &str = "SELECT masked_ip, masked_device_id FROM user_logins WHERE ctid >= ";
const AT_MOST: &str = " LIMIT 1000";

/// `masked_ip` and `masked_device_id` of one row.
type Row = (Option<String>, Option<String>);

/// The masked values in the last `blocks` blocks of `user_logins`.
pub(crate) async fn recent_masks(pool: &Pool, blocks: u32) -> Result<Vec<Row>, StoreError> {
    let mut connection = pool.get().await?;
    let query = sql::<BigInt>(END);
    let end = pool.run(query.load::<i64>(&mut *connection)).await;
    let (mut connection, end) = settle(connection, end)?;
    let [end] = end[..] else {
        return Ok(Vec::new());
    };
    let first = u32::try_from(end)
        .unwrap_or(u32::MAX)
        .saturating_sub(blocks);
    let query = sql::<(Nullable<Text>, Nullable<Text>)>(ROWS)
        .bind::<Tid, _>(Place::start_of(first))
        .sql(AT_MOST);
    let rows = pool.run(query.load(&mut *connection)).await;
    settle(connection, rows).map(|(_, rows)| rows)
}

/// A connection on which a statement broke off is not used again. Nothing was bound, so the message may be shown.
fn settle<R>(
    connection: Pooled,
    outcome: Result<R, StatementError>,
) -> Result<(Pooled, R), StoreError> {
    match outcome {
        Ok(answer) => Ok((connection, answer)),
        Err(error) => {
            discard(connection);
            Err(of_plain_statement(&error))
        }
    }
}
