//! Postgres as a store of masked logins: one statement a batch, and a report of what became of each row.
//! When to try again is the caller's business.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::batch::{Batch, Columns};
use crate::error::{Failure, StoreError, of_plain_statement};
use crate::neighbours::Neighbours;
use crate::pool::{Connections, Pool, Pooled, discard};
use crate::recent::recent_masks;
use crate::rejection::{Recorded, RejectionRecord, columns_of};
use crate::report::Report;
use crate::settle::{Attempt, settle};
use crate::sqlstate::of_plain_testimony;
use crate::statement::WriteLogins;
use crate::witness::{OfColumns, Witness};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};

/// A pool of connections and what the last commits tell of the table's health.
pub struct PgStore {
    pool: Pool,
    statements: AtomicU64,
    neighbours: Neighbours,
}

impl PgStore {
    /// Wraps a pool; connects to nothing yet.
    pub fn new(pool: Pool) -> Self {
        Self {
            pool,
            statements: AtomicU64::new(0),
            neighbours: Neighbours::default(),
        }
    }

    /// Statements sent by [`write`](Self::write) and [`record`](Self::record) so far.
    pub fn statements(&self) -> u64 {
        AtomicU64::load(&self.statements, Ordering::Relaxed)
    }

    /// How the connections are used just now.
    pub fn connections(&self) -> Connections {
        self.pool.connections()
    }

    /// Whether the database would take a batch: sends the statement of [`write`](Self::write) without rows, which asks
    /// for the same tables and rights. Where every connection is at work it asks nothing, and the writes say.
    pub async fn check(&self) -> Result<(), StoreError> {
        let Some(connection) = self.pool.get_idle().await? else {
            return Ok(());
        };
        if self.check_on(connection).await.is_ok() {
            return Ok(());
        }
        // A connection that was idle may be dead where the database is not.
        self.pool.forget_idle();
        match self.pool.get_idle().await? {
            Some(connection) => self.check_on(connection).await,
            None => Ok(()),
        }
    }

    async fn check_on(&self, mut connection: Pooled) -> Result<(), StoreError> {
        let nothing = Batch::<()>::default();
        let answer = WriteLogins::new(&nothing.columns, &(0..0)).load::<i64>(&mut connection);
        let Err(error) = self.pool.run(answer).await else {
            return Ok(());
        };
        discard(connection);
        Err(of_plain_statement(&error))
    }

    /// `masked_ip` and `masked_device_id` of the rows in the last blocks of the table; none where that would cost more
    /// than a look, or is not allowed.
    pub async fn recent_masks(
        &self,
        blocks: u32,
    ) -> Result<Vec<(Option<String>, Option<String>)>, StoreError> {
        recent_masks(&self.pool, blocks).await
    }

    /// Writes the rows that the ledger does not hold yet. Idempotent: an undecided batch is written again whole.
    pub async fn write<T>(&self, batch: Batch<T>) -> Report<T> {
        let mut connection = match self.pool.get().await {
            Ok(connection) => connection,
            Err(error) => return Report::undecided(batch, error),
        };
        let mut attempt = OnPostgres {
            store: self,
            connection: &mut connection,
            columns: &batch.columns,
            witness: None,
        };
        let verdict = settle(&mut attempt, batch.len()).await;
        drop(attempt);
        self.neighbours.remember(&batch.columns, &verdict);
        // Non-transient errors too: where the table is at odds with a prepared statement, a new one may not be.
        if verdict.error.is_some() {
            discard(connection);
        }
        Report::of(batch, verdict)
    }

    /// Records rejected messages; only a message recorded may leave the queue.
    /// On failure the records come back to be tried again.
    pub async fn record<T>(
        &self,
        records: Vec<RejectionRecord<T>>,
    ) -> Result<Recorded<T>, (Vec<RejectionRecord<T>>, StoreError)> {
        if records.is_empty() {
            return Ok(Recorded::new(records));
        }
        let mut connection = match self.pool.get().await {
            Ok(connection) => connection,
            Err(error) => return Err((records, error)),
        };
        self.count();
        let columns = columns_of(&records);
        let recording = columns.statement().execute(&mut *connection);
        let Err(error) = self.pool.run(recording).await else {
            return Ok(Recorded::new(records));
        };
        discard(connection);
        let explained = match Failure::from(error) {
            Failure::Transient(trouble) => Err(trouble),
            Failure::Row(_) | Failure::Unknown => self.tell(&columns.statement()).await,
        };
        match explained {
            Ok(_) => Ok(Recorded::new(records)),
            Err(error) => Err((records, error)),
        }
    }

    /// Once more, where the reason is told. For statements that bind ids, codes and counts, and never a value: the
    /// server's message is safe to show.
    async fn tell(&self, statement: &impl OfColumns) -> Result<u64, StoreError> {
        let mut witness = self.pool.witness().await?;
        self.count();
        let told = witness.run(statement).await;
        told.map_err(of_plain_testimony)
    }

    fn count(&self) {
        self.statements.fetch_add(1, Ordering::Relaxed);
    }
}

/// One batch on its connection, and on the witness once a statement was refused.
struct OnPostgres<'a> {
    store: &'a PgStore,
    connection: &'a mut AsyncPgConnection,
    columns: &'a Columns,
    witness: Option<Witness<'a>>,
}

impl<'a> OnPostgres<'a> {
    async fn witness(&mut self) -> Result<&mut Witness<'a>, StoreError> {
        if self.witness.is_none() {
            self.witness = Some(self.store.pool.witness().await?);
        }
        self.witness
            .as_mut()
            .ok_or_else(|| StoreError::Unavailable("the connection is broken".to_owned()))
    }
}

impl Attempt for OnPostgres<'_> {
    /// Waits for the end of the answer, not for its row alone: a constraint that is checked at the commit, or a
    /// commit that fails, is told after the row.
    async fn attempt(&mut self, rows: Range<usize>) -> Result<u64, Failure> {
        self.store.count();
        let statement = WriteLogins::new(self.columns, &rows);
        if let Some(witness) = &mut self.witness {
            return Ok(witness.run(&statement).await?);
        }
        let answer = statement.load::<i64>(self.connection);
        let written = self.store.pool.run(answer).await?;
        Ok(written.into_iter().map(i64::unsigned_abs).sum())
    }

    async fn probe(&mut self) -> Result<(), StoreError> {
        let statement = WriteLogins::new(self.columns, &(0..0));
        self.store.count();
        let probed = self.witness().await?.run(&statement).await;
        probed.map(drop).map_err(of_plain_testimony)
    }

    async fn control(&mut self, stands: Option<usize>, under: usize) -> Result<bool, StoreError> {
        let control = self.store.neighbours.control(self.columns, stands, under);
        self.store.count();
        let statement = WriteLogins::new(&control, &(0..1));
        let taken = self.witness().await?.run_and_take_back(&statement).await;
        match taken.map_err(Failure::from) {
            Ok(()) => Ok(true),
            Err(Failure::Transient(trouble)) => Err(trouble),
            Err(Failure::Row(_) | Failure::Unknown) => Ok(false),
        }
    }

    fn is_same_day(&self, one: usize, other: usize) -> bool {
        let day = |row| self.columns.create_date.value(row);
        day(one) == day(other)
    }
}
