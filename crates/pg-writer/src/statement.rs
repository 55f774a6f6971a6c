//! The statements of the write path, as query fragments with a static id, so that each is prepared once a
//! connection and then costs one round trip (`sql_query` and multi-row VALUES are prepared anew each time).

use std::ops::Range;

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{Array, BigInt, Date, Integer, Nullable, Text, Timestamptz, Uuid};

use crate::batch::Columns;
use crate::column::ColumnSlice;
use crate::witness::OfColumns;

type Texts = Array<Nullable<Text>>;
type Integers = Array<Nullable<Integer>>;
type Timestamps = Array<Nullable<Timestamptz>>;
type Uuids = Array<Nullable<Uuid>>;
type Dates = Array<Nullable<Date>>;

/// Writes rows that the ledger does not hold yet; answers how many those were.
///
/// * `DISTINCT ON`: one message twice in a batch is one row.
/// * `ORDER BY` the key: two writers lock the ledger's rows in the same order and cannot deadlock.
/// * `IN (…) IS TRUE`: always a hashed look-up. A join's plan would hang on the planner's guess of ten rows an
///   array, and a nested loop over 500 rows costs more than the rest of the statement.
#[derive(Debug)]
pub(crate) struct WriteLogins<'a> {
    sent_at: ColumnSlice<'a>,
    message_id: ColumnSlice<'a>,
    texts: [ColumnSlice<'a>; 5],
    app_version: ColumnSlice<'a>,
    create_date: ColumnSlice<'a>,
}

impl<'a> WriteLogins<'a> {
    pub(crate) fn new(columns: &'a Columns, rows: &Range<usize>) -> Self {
        let slice = |column: &'a crate::column::Column| column.slice(rows.clone());
        Self {
            sent_at: slice(&columns.sent_at),
            message_id: slice(&columns.message_id),
            texts: [
                slice(&columns.user_id),
                slice(&columns.device_type),
                slice(&columns.masked_ip),
                slice(&columns.masked_device_id),
                slice(&columns.locale),
            ],
            app_version: slice(&columns.app_version),
            create_date: slice(&columns.create_date),
        }
    }
}

impl OfColumns for WriteLogins<'_> {
    const HEAD: &'static str =
        "WITH incoming AS (SELECT DISTINCT ON (sent_at, message_id) * FROM unnest(";
    const TAIL: &'static str = ") AS row (sent_at, message_id, user_id, device_type, masked_ip, masked_device_id, locale, \
        app_version, create_date) ORDER BY sent_at, message_id), \
        fresh AS (INSERT INTO ingested_messages (sent_at, message_id) \
        SELECT sent_at, message_id FROM incoming ORDER BY sent_at, message_id \
        ON CONFLICT DO NOTHING RETURNING sent_at, message_id), \
        written AS (INSERT INTO user_logins (user_id, device_type, masked_ip, masked_device_id, locale, \
        app_version, create_date) \
        SELECT user_id, device_type, masked_ip, masked_device_id, locale, app_version, create_date \
        FROM incoming \
        WHERE ((sent_at, message_id) IN (SELECT sent_at, message_id FROM fresh)) IS TRUE) \
        SELECT count(*) FROM fresh";

    fn columns(&self) -> Vec<ColumnSlice<'_>> {
        let mut columns = vec![self.sent_at, self.message_id];
        columns.extend(self.texts);
        columns.extend([self.app_version, self.create_date]);
        columns
    }
}

impl QueryFragment<Pg> for WriteLogins<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(Self::HEAD);
        out.push_bind_param::<Timestamps, _>(&self.sent_at)?;
        out.push_sql(", ");
        out.push_bind_param::<Uuids, _>(&self.message_id)?;
        for text in &self.texts {
            out.push_sql(", ");
            out.push_bind_param::<Texts, _>(text)?;
        }
        out.push_sql(", ");
        out.push_bind_param::<Integers, _>(&self.app_version)?;
        out.push_sql(", ");
        out.push_bind_param::<Dates, _>(&self.create_date)?;
        out.push_sql(Self::TAIL);
        Ok(())
    }
}

impl QueryId for WriteLogins<'_> {
    type QueryId = WriteLogins<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for WriteLogins<'_> {
    type SqlType = BigInt;
}

/// Records rejected messages; one that is rejected again keeps its first time and gets the newest reason.
///
/// The time is the column's default by way of `excluded`: Citus refuses a `now()` in DO UPDATE.
#[derive(Debug)]
pub(crate) struct RecordRejections<'a> {
    pub(crate) sent_at: ColumnSlice<'a>,
    pub(crate) message_id: ColumnSlice<'a>,
    pub(crate) reason: ColumnSlice<'a>,
    pub(crate) field: ColumnSlice<'a>,
    pub(crate) receive_count: ColumnSlice<'a>,
}

impl OfColumns for RecordRejections<'_> {
    const HEAD: &'static str = "INSERT INTO rejected_messages AS known (sent_at, message_id, reason, field, receive_count) \
        SELECT DISTINCT ON (sent_at, message_id) sent_at, message_id, reason, field, receive_count FROM unnest(";
    const TAIL: &'static str = ") AS row (sent_at, message_id, reason, field, receive_count) \
        ORDER BY sent_at, message_id, receive_count DESC \
        ON CONFLICT (sent_at, message_id) DO UPDATE SET reason = excluded.reason, field = excluded.field, \
        receive_count = greatest(known.receive_count, excluded.receive_count), last_rejected_at = excluded.last_rejected_at";

    fn columns(&self) -> Vec<ColumnSlice<'_>> {
        vec![
            self.sent_at,
            self.message_id,
            self.reason,
            self.field,
            self.receive_count,
        ]
    }
}

impl QueryFragment<Pg> for RecordRejections<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(Self::HEAD);
        out.push_bind_param::<Timestamps, _>(&self.sent_at)?;
        out.push_sql(", ");
        out.push_bind_param::<Uuids, _>(&self.message_id)?;
        out.push_sql(", ");
        out.push_bind_param::<Texts, _>(&self.reason)?;
        out.push_sql(", ");
        out.push_bind_param::<Texts, _>(&self.field)?;
        out.push_sql(", ");
        out.push_bind_param::<Integers, _>(&self.receive_count)?;
        out.push_sql(Self::TAIL);
        Ok(())
    }
}

impl QueryId for RecordRejections<'_> {
    type QueryId = RecordRejections<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}
