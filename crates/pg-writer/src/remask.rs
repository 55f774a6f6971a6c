//! Rewrites masked columns of `user_logins` in place. What a value becomes is the caller's business; here is how the
//! rows are found and changed.
//!
//! The table has no key, so it is walked by its blocks. A row is changed where it was read and only if its values are
//! still those that were read: whoever got there first wins, and nothing is changed twice. Each statement commits by
//! itself.

mod place;
mod statement;

use std::ops::Range;

use diesel::dsl::sql;
use diesel::sql_types::{BigInt, Bool, Integer, Text};
use diesel_async::RunQueryDsl;
use masking::Masked;

pub use self::place::Place;
use self::statement::{ReadBlocks, UpdateLogins};
use crate::column::{Column, oid};
use crate::error::{StoreError, of_bound_statement, of_plain_statement};
use crate::pool::{Pool, Pooled, discard};

/// The version of Postgres (`server_version_num`) that reads a range of blocks without reading the table.
const RANGE_SCANS: i32 = 140_000;

const FACTS: &str = "SELECT relkind::text, current_setting('server_version_num')::integer, \
    has_table_privilege(oid, 'SELECT'), has_table_privilege(oid, 'UPDATE') \
    FROM pg_class WHERE oid = to_regclass('user_logins')";

const BLOCKS: &str =
    "SELECT pg_relation_size(to_regclass('user_logins')) / current_setting('block_size')::bigint";

/// Which values need no work: regular expressions of Postgres that they match; `None` for a column to leave alone.
#[derive(Clone, Debug, Default)]
pub struct Finished {
    /// For `masked_ip`.
    pub ip: Option<String>,
    /// For `masked_device_id`.
    pub device_id: Option<String>,
}

/// A row as it was read. No `Debug`: the values may be a mere encoding of people's data.
pub struct OldLogin {
    /// Where it stood.
    pub place: Place,
    /// `masked_ip`.
    pub ip: Option<String>,
    /// `masked_device_id`.
    pub device_id: Option<String>,
}

/// A row and what is to stand in it; a column with `None` stays as it is.
pub struct Change {
    /// The row as it was read.
    pub old: OldLogin,
    /// The new `masked_ip`.
    pub ip: Option<Masked>,
    /// The new `masked_device_id`.
    pub device_id: Option<Masked>,
}

/// The table `user_logins`, open for changes.
pub struct Remasking<'pool> {
    pool: &'pool Pool,
    finished: Finished,
    has_range_scans: bool,
}

impl<'pool> Remasking<'pool> {
    /// Looks whether the table is there, is one that has blocks, and is open to this role.
    ///
    /// # Errors
    /// [`StoreError::Schema`] names what is missing and the command or grant that mends it.
    pub async fn open(pool: &'pool Pool, finished: Finished) -> Result<Self, StoreError> {
        let mut connection = pool.get().await?;
        let query = sql::<(Text, Integer, Bool, Bool)>(FACTS);
        let facts = pool.run(query.load(&mut *connection)).await;
        let facts: Vec<(String, i32, bool, bool)> = settle(
            connection,
            facts.map_err(|error| of_plain_statement(&error)),
        )?;
        let version = check(facts.as_slice())?;
        Ok(Self {
            pool,
            finished,
            has_range_scans: version >= RANGE_SCANS,
        })
    }

    /// Walks as on a server before Postgres 14, so that this way is tested on newer ones too.
    #[doc(hidden)]
    #[must_use]
    pub fn without_range_scans(mut self) -> Self {
        self.has_range_scans = false;
        self
    }

    /// How many blocks the table has now.
    pub async fn blocks(&self) -> Result<u32, StoreError> {
        let mut connection = self.pool.get().await?;
        let query = sql::<BigInt>(BLOCKS);
        let counted = self
            .pool
            .run(query.get_result::<i64>(&mut *connection))
            .await;
        let blocks = settle(
            connection,
            counted.map_err(|error| of_plain_statement(&error)),
        )?;
        Ok(u32::try_from(blocks).unwrap_or(u32::MAX))
    }

    /// The rows in `blocks` that hold a value that needs work.
    pub async fn read(&self, blocks: Range<u32>) -> Result<Vec<OldLogin>, StoreError> {
        let mut connection = self.pool.get().await?;
        let rows = if self.has_range_scans {
            let query = ReadBlocks::<true>::new(&blocks, &self.finished);
            self.pool.run(query.load(&mut *connection)).await
        } else {
            let query = ReadBlocks::<false>::new(&blocks, &self.finished);
            self.pool.run(query.load(&mut *connection)).await
        };
        let rows: Vec<statement::Row> =
            settle(connection, rows.map_err(|error| of_plain_statement(&error)))?;
        Ok(rows.into_iter().map(OldLogin::from).collect())
    }

    /// Changes rows that were read from `blocks`; tells how many. The others were changed meanwhile, or are gone.
    pub async fn write(&self, blocks: Range<u32>, changes: &[Change]) -> Result<u64, StoreError> {
        let mut connection = self.pool.get().await?;
        let columns = Columns::of(changes);
        let updated = if self.has_range_scans {
            let update = UpdateLogins::<true>::new(&blocks, &columns);
            self.pool.run(update.execute(&mut *connection)).await
        } else {
            let update = UpdateLogins::<false>::new(&blocks, &columns);
            self.pool.run(update.execute(&mut *connection)).await
        };
        settle(
            connection,
            updated.map_err(|error| of_bound_statement(error, "an update of user_logins")),
        )
        .map(|rows| rows as u64)
    }
}

/// Gives the version of the server, or says what is wrong with the table.
fn check(facts: &[(String, i32, bool, bool)]) -> Result<i32, StoreError> {
    let schema = |message: &str| Err(StoreError::Schema(message.to_owned()));
    match facts {
        [] => schema("the database lacks user_logins; run `etl migrate`"),
        [(kind, ..), ..] if kind != "r" => schema(
            "user_logins is no plain table (a view, or partitioned): its rows cannot be changed in place",
        ),
        [(_, _, false, _), ..] => schema(
            "the database role lacks SELECT on user_logins; an owner grants it: GRANT SELECT, UPDATE ON user_logins TO role",
        ),
        [(_, _, _, false), ..] => schema(
            "the database role lacks UPDATE on user_logins; an owner grants it: GRANT SELECT, UPDATE ON user_logins TO role",
        ),
        [(_, version, ..), ..] => Ok(*version),
    }
}

/// A connection on which a statement broke off is not used again.
fn settle<R>(connection: Pooled, outcome: Result<R, StoreError>) -> Result<R, StoreError> {
    if outcome.as_ref().is_err_and(StoreError::is_transient) {
        discard(connection);
    }
    outcome
}

/// The parameters of an [`UpdateLogins`].
struct Columns {
    place: Column,
    old_ip: Column,
    new_ip: Column,
    old_device_id: Column,
    new_device_id: Column,
    rows: usize,
}

impl Columns {
    fn of(changes: &[Change]) -> Self {
        let texts = || Column::new(oid::TEXT);
        let mut columns = Self {
            place: Column::new(place::OID),
            old_ip: texts(),
            new_ip: texts(),
            old_device_id: texts(),
            new_device_id: texts(),
            rows: changes.len(),
        };
        changes.iter().for_each(|change| columns.push(change));
        columns
    }

    fn push(&mut self, change: &Change) {
        let old = &change.old;
        self.place.push(Some(&old.place.to_bytes()));
        self.old_ip.push(old.ip.as_deref().map(str::as_bytes));
        self.old_device_id
            .push(old.device_id.as_deref().map(str::as_bytes));
        self.new_ip.push(masked(change.ip.as_ref()));
        self.new_device_id.push(masked(change.device_id.as_ref()));
    }
}

fn masked(value: Option<&Masked>) -> Option<&[u8]> {
    value.map(|value| value.as_str().as_bytes())
}
