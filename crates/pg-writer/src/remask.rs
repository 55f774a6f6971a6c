//! Rewrites masked columns of `user_logins` in place. What a value becomes is the caller's business; here is how the
//! rows are found and changed.
//!
//! The table has no key, so it is walked by its blocks, those of its partitions one behind the other. A row is changed where it was read and only if its values are
//! still those that were read: whoever got there first wins, and nothing is changed twice. Each statement commits by
//! itself.

mod parts;
mod place;
mod statement;

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use diesel::dsl::sql;
use diesel::sql_types::{Bool, Integer, Text};
use diesel_async::RunQueryDsl;
use masking::Masked;

use self::parts::{Part, parts};
pub use self::place::Place;
pub(crate) use self::place::Tid;
use self::statement::{ReadBlocks, UpdateLogins};
use crate::column::{Column, oid};
use crate::error::{StoreError, of_bound_statement, of_plain_statement};
use crate::pool::{Pool, Pooled, discard};

/// The version of Postgres (`server_version_num`) that reads a range of blocks without reading the table.
const RANGE_SCANS: i32 = 140_000;

/// Of the table, and of the partitions that are to be changed: a right on the whole is none on its parts.
const FACTS: &str = "SELECT oid::regclass::text, relkind::text, current_setting('server_version_num')::integer, \
    has_table_privilege(oid, 'SELECT'), has_table_privilege(oid, 'UPDATE') FROM pg_class \
    WHERE oid = to_regclass('user_logins') AND relkind <> 'p' \
    OR relkind <> 'p' AND oid IN (SELECT relid FROM pg_partition_tree(to_regclass('user_logins')))";

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
    /// As they were found at the start, or by [`blocks`](Self::blocks) last.
    parts: Mutex<Vec<Part>>,
}

impl<'pool> Remasking<'pool> {
    /// Looks whether the table is there, is one that has blocks, and is open to this role.
    ///
    /// # Errors
    /// [`StoreError::Schema`] names what is missing and the command or grant that mends it.
    pub async fn open(pool: &'pool Pool, finished: Finished) -> Result<Self, StoreError> {
        let mut connection = pool.get().await?;
        let query = sql::<(Text, Text, Integer, Bool, Bool)>(FACTS);
        let facts = pool.run(query.load(&mut *connection)).await;
        let facts: Vec<Facts> = settle(
            connection,
            facts.map_err(|error| of_plain_statement(&error)),
        )?;
        let version = check(facts.as_slice())?;
        let parts = parts(pool).await?;
        if parts.last().map_or(0, Part::end) == 0 {
            elsewhere(pool).await?;
        }
        Ok(Self {
            pool,
            finished,
            has_range_scans: version >= RANGE_SCANS,
            parts: Mutex::new(parts),
        })
    }

    /// Walks as on a server before Postgres 14, so that this way is tested on newer ones too.
    #[doc(hidden)]
    #[must_use]
    pub fn without_range_scans(mut self) -> Self {
        self.has_range_scans = false;
        self
    }

    /// How many blocks the table has now; what is read and written is counted by this look until the next.
    pub async fn blocks(&self) -> Result<u32, StoreError> {
        let parts = parts(self.pool).await?;
        let end = parts.last().map_or(0, Part::end);
        *self.parts.lock().unwrap_or_else(PoisonError::into_inner) = parts;
        Ok(end)
    }

    /// The parts that have some of `blocks`.
    fn parts_of(&self, blocks: &Range<u32>) -> Vec<Part> {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let concerned = parts.iter().filter(|part| part.own(blocks).is_some());
        concerned.cloned().collect()
    }

    /// The rows in `blocks` that hold a value that needs work.
    pub async fn read(&self, blocks: Range<u32>) -> Result<Vec<OldLogin>, StoreError> {
        let mut found = Vec::new();
        for part in self.parts_of(&blocks) {
            let rows = self.read_part(&part, part.own(&blocks).unwrap_or_default());
            let moved = |(place, ip, device_id): statement::Row| {
                let place = place.at_block(place.block() + part.offset());
                OldLogin::from((place, ip, device_id))
            };
            found.extend(rows.await?.into_iter().map(moved));
        }
        Ok(found)
    }

    async fn read_part(
        &self,
        part: &Part,
        blocks: Range<u32>,
    ) -> Result<Vec<statement::Row>, StoreError> {
        let mut connection = self.pool.get().await?;
        let rows = if self.has_range_scans {
            let query = ReadBlocks::<true>::new(&part.name, &blocks, &self.finished);
            self.pool.run(query.load(&mut *connection)).await
        } else {
            let query = ReadBlocks::<false>::new(&part.name, &blocks, &self.finished);
            self.pool.run(query.load(&mut *connection)).await
        };
        settle(connection, rows.map_err(|error| of_plain_statement(&error)))
    }

    /// Changes rows that were read from `blocks`; tells how many. The others were changed meanwhile, or are gone.
    pub async fn write(&self, blocks: Range<u32>, changes: &[Change]) -> Result<u64, StoreError> {
        let mut updated = 0;
        for part in self.parts_of(&blocks) {
            let columns = Columns::of(changes, &part);
            if columns.rows > 0 {
                let own = part.own(&blocks).unwrap_or_default();
                updated += self.write_part(&part, own, &columns).await?;
            }
        }
        Ok(updated)
    }

    async fn write_part(
        &self,
        part: &Part,
        blocks: Range<u32>,
        columns: &Columns,
    ) -> Result<u64, StoreError> {
        let mut connection = self.pool.get().await?;
        let updated = if self.has_range_scans {
            let update = UpdateLogins::<true>::new(&part.name, &blocks, columns);
            self.pool.run(update.execute(&mut *connection)).await
        } else {
            let update = UpdateLogins::<false>::new(&part.name, &blocks, columns);
            self.pool.run(update.execute(&mut *connection)).await
        };
        settle(
            connection,
            updated.map_err(|error| of_bound_statement(error, "an update of user_logins")),
        )
        .map(|rows| rows as u64)
    }
}

/// Of one table: its name, its kind, the server's version, the rights to read and to change it.
type Facts = (String, String, i32, bool, bool);

/// Gives the version of the server, or says what is wrong with the table.
fn check(facts: &[Facts]) -> Result<i32, StoreError> {
    let Some((.., version, _, _)) = facts.first() else {
        return Err(StoreError::Schema(
            "the database lacks user_logins; run `etl migrate`".to_owned(),
        ));
    };
    let trouble = facts.iter().find_map(|(name, kind, _, may_read, may_change)| {
        let lacks = |right: &str| {
            format!(
                "the database role lacks {right} on {name}; an owner grants it: GRANT SELECT, UPDATE ON {name} TO role"
            )
        };
        match (kind.as_str(), may_read, may_change) {
            ("r", true, true) => None,
            ("r", false, _) => Some(lacks("SELECT")),
            ("r", ..) => Some(lacks("UPDATE")),
            _ => Some(format!(
                "{name} is no plain table (a view, or a foreign table): its rows cannot be changed in place"
            )),
        }
    });
    trouble.map_or(Ok(*version), |trouble| Err(StoreError::Schema(trouble)))
}

/// Refuses a table that has rows and no blocks: the walk would find nothing, and seem to be done.
async fn elsewhere(pool: &Pool) -> Result<(), StoreError> {
    let mut connection = pool.get().await?;
    let query = sql::<Bool>("SELECT EXISTS (SELECT 1 FROM user_logins)");
    let has_rows = pool.run(query.get_result(&mut *connection)).await;
    if !settle(
        connection,
        has_rows.map_err(|error| of_plain_statement(&error)),
    )? {
        return Ok(());
    }
    Err(StoreError::Schema(
        "the rows of user_logins stand in other tables (distributed by Citus, or by inheritance): they cannot be changed in place"
            .to_owned(),
    ))
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
    /// Of the rows that stand in `part`.
    fn of(changes: &[Change], part: &Part) -> Self {
        let texts = || Column::new(oid::TEXT);
        let mut columns = Self {
            place: Column::new(place::OID),
            old_ip: texts(),
            new_ip: texts(),
            old_device_id: texts(),
            new_device_id: texts(),
            rows: 0,
        };
        let own = |change: &&Change| part.holds(change.old.place.block());
        for change in changes.iter().filter(own) {
            let place = change.old.place;
            columns.push(change, place.at_block(place.block() - part.offset()));
        }
        columns
    }

    fn push(&mut self, change: &Change, place: Place) {
        let old = &change.old;
        self.rows += 1;
        self.place.push(Some(&place.to_bytes()));
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
