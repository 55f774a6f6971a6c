//! The two statements of a batch. `RANGE` says which condition keeps the server from reading the whole table: a range
//! of places (Postgres 14), or a list of every place that a row of these blocks can have.

use std::ops::Range;

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{Array, BigInt, Nullable, Text};

use super::place::{Place, Tid};
use super::{Columns, Finished, OldLogin};
use crate::column::{Column, ColumnSlice};

type Texts = Array<Nullable<Text>>;

/// A row of [`ReadBlocks`].
pub(super) type Row = (Place, Option<String>, Option<String>);

impl From<Row> for OldLogin {
    fn from((place, ip, device_id): Row) -> Self {
        Self {
            place,
            ip,
            device_id,
        }
    }
}

/// Blocks from the first up to and not including the last.
struct Blocks {
    places: [Place; 2],
    numbers: [i64; 2],
}

impl Blocks {
    fn of(blocks: &Range<u32>) -> Self {
        let ends = [blocks.start, blocks.end];
        Self {
            places: ends.map(Place::start_of),
            numbers: ends.map(i64::from),
        }
    }

    fn push_condition<'b, const RANGE: bool>(
        &'b self,
        out: &mut AstPass<'_, 'b, Pg>,
    ) -> QueryResult<()> {
        if RANGE {
            out.push_sql("login.ctid >= ");
            out.push_bind_param::<Tid, _>(&self.places[0])?;
            out.push_sql(" AND login.ctid < ");
            return out.push_bind_param::<Tid, _>(&self.places[1]);
        }
        // A block of 8 kB holds 291 rows at most: 28 bytes each, behind a header of 24.
        out.push_sql(
            "login.ctid = ANY (ARRAY(SELECT format('(%s,%s)', block, item)::tid FROM generate_series(",
        );
        out.push_bind_param::<BigInt, _>(&self.numbers[0])?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&self.numbers[1])?;
        out.push_sql(
            " - 1) AS block, generate_series(1, (current_setting('block_size')::integer - 24) / 28) AS item))",
        );
        Ok(())
    }
}

/// The rows that hold a value that needs work. A column to leave alone gets a pattern that matches all.
pub(super) struct ReadBlocks<'a, const RANGE: bool> {
    table: &'a str,
    blocks: Blocks,
    finished_ip: &'a str,
    finished_device_id: &'a str,
}

impl<'a, const RANGE: bool> ReadBlocks<'a, RANGE> {
    pub(super) fn new(table: &'a str, blocks: &Range<u32>, finished: &'a Finished) -> Self {
        Self {
            table,
            blocks: Blocks::of(blocks),
            finished_ip: finished.ip.as_deref().unwrap_or_default(),
            finished_device_id: finished.device_id.as_deref().unwrap_or_default(),
        }
    }
}

impl<const RANGE: bool> QueryFragment<Pg> for ReadBlocks<'_, RANGE> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT login.ctid, login.masked_ip, login.masked_device_id FROM ");
        out.push_sql(self.table);
        out.push_sql(" AS login WHERE ");
        self.blocks.push_condition::<RANGE>(&mut out)?;
        out.push_sql(" AND (login.masked_ip !~ ");
        out.push_bind_param::<Text, _>(self.finished_ip)?;
        out.push_sql(" OR login.masked_device_id !~ ");
        out.push_bind_param::<Text, _>(self.finished_device_id)?;
        out.push_sql(")");
        Ok(())
    }
}

/// No static id: each partition has a text of its own, and is prepared once.
impl<const RANGE: bool> QueryId for ReadBlocks<'_, RANGE> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<const RANGE: bool> Query for ReadBlocks<'_, RANGE> {
    type SqlType = (Tid, Nullable<Text>, Nullable<Text>);
}

/// Changes the rows that are still as they were read.
pub(super) struct UpdateLogins<'a, const RANGE: bool> {
    table: &'a str,
    blocks: Blocks,
    place: ColumnSlice<'a>,
    texts: [ColumnSlice<'a>; 4],
}

impl<'a, const RANGE: bool> UpdateLogins<'a, RANGE> {
    pub(super) fn new(table: &'a str, blocks: &Range<u32>, columns: &'a Columns) -> Self {
        let all = |column: &'a Column| column.slice(0..columns.rows);
        Self {
            table,
            blocks: Blocks::of(blocks),
            place: all(&columns.place),
            texts: [
                all(&columns.old_ip),
                all(&columns.new_ip),
                all(&columns.old_device_id),
                all(&columns.new_device_id),
            ],
        }
    }
}

impl<const RANGE: bool> QueryFragment<Pg> for UpdateLogins<'_, RANGE> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("UPDATE ");
        out.push_sql(self.table);
        out.push_sql(
            " AS login SET masked_ip = coalesce(change.new_ip, login.masked_ip), \
             masked_device_id = coalesce(change.new_device_id, login.masked_device_id) FROM unnest(",
        );
        out.push_bind_param::<Array<Nullable<Tid>>, _>(&self.place)?;
        for text in &self.texts {
            out.push_sql(", ");
            out.push_bind_param::<Texts, _>(text)?;
        }
        out.push_sql(
            ") AS change (place, old_ip, new_ip, old_device_id, new_device_id) \
             WHERE login.ctid = change.place AND login.masked_ip IS NOT DISTINCT FROM change.old_ip \
             AND login.masked_device_id IS NOT DISTINCT FROM change.old_device_id",
        );
        if RANGE {
            // For the plan: should it join by hash or merge, it reads these blocks and not the table. (The list of
            // places would cost more here than it can save.)
            out.push_sql(" AND ");
            self.blocks.push_condition::<RANGE>(&mut out)?;
        }
        Ok(())
    }
}

/// No static id: each partition has a text of its own, and is prepared once.
impl<const RANGE: bool> QueryId for UpdateLogins<'_, RANGE> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
