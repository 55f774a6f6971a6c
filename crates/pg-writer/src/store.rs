//! Postgres as a store of masked logins: one statement a batch, and a report of what became of each row.
//! When to try again is the caller's business.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::batch::{Batch, Columns};
use crate::deadline::StatementError;
use crate::error::{Failure, StoreError, of_plain_statement};
use crate::neighbours::Neighbours;
use crate::pool::{Connections, Pool, Pooled, discard};
use crate::recent::recent_masks;
use crate::rejection::{Recorded, RejectionRecord, columns_of};
use crate::report::Report;
use crate::settle::{Attempt, settle};
use crate::statement::WriteLogins;
use diesel::result::Error as DieselError;
use diesel_async::{
    AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _,
};

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
        };
        let verdict = settle(&mut attempt, batch.len(), self.neighbours.may_blame()).await;
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
        self.statements.fetch_add(1, Ordering::Relaxed);
        let columns = columns_of(&records);
        let statement = columns.statement();
        match self.pool.run(statement.execute(&mut *connection)).await {
            Ok(_) => Ok(Recorded::new(records)),
            Err(error) => {
                // Binds ids, codes and counts, never a value: the message is safe to show.
                discard(connection);
                Err((records, of_plain_statement(&error)))
            }
        }
    }
}

struct OnPostgres<'a> {
    store: &'a PgStore,
    connection: &'a mut AsyncPgConnection,
    columns: &'a Columns,
}

impl OnPostgres<'_> {
    /// Waits for the end of the answer, not for its row alone: a constraint that is checked at the commit, or a
    /// commit that fails, is told after the row.
    async fn send(&mut self, columns: &Columns, rows: Range<usize>) -> Result<u64, StatementError> {
        self.store.statements.fetch_add(1, Ordering::Relaxed);
        let answer = WriteLogins::new(columns, &rows).load::<i64>(self.connection);
        let written = self.store.pool.run(answer).await?;
        Ok(written.into_iter().map(i64::unsigned_abs).sum())
    }

    async fn send_and_take_back(&mut self, control: &Columns) -> Result<(), StatementError> {
        self.store.statements.fetch_add(1, Ordering::Relaxed);
        let statement = WriteLogins::new(control, &(0..1));
        let connection = &mut *self.connection;
        let taken_back = connection.transaction(async |connection| {
            statement.load::<i64>(connection).await?;
            // What a commit would check is checked before the way back.
            connection
                .batch_execute("SET CONSTRAINTS ALL IMMEDIATE")
                .await?;
            Err::<(), _>(DieselError::RollbackTransaction)
        });
        match self.store.pool.run(taken_back).await {
            Err(StatementError::Failed(DieselError::RollbackTransaction)) => Ok(()),
            outcome => outcome,
        }
    }
}

impl Attempt for OnPostgres<'_> {
    async fn attempt(&mut self, rows: Range<usize>) -> Result<u64, Failure> {
        Ok(self.send(self.columns, rows).await?)
    }

    async fn probe(&mut self) -> Result<(), StoreError> {
        let probed = self.send(self.columns, 0..0).await;
        probed.map(drop).map_err(|error| of_plain_statement(&error))
    }

    async fn control(&mut self, stands: Option<usize>) -> Result<bool, StoreError> {
        let remembered = self.store.neighbours.example();
        let control = match (stands, remembered) {
            (Some(row), _) => self.columns.control(row),
            (None, Some(example)) => example.control(0),
            (None, None) => return Ok(false),
        };
        match self
            .send_and_take_back(&control)
            .await
            .map_err(Failure::from)
        {
            Ok(()) => Ok(true),
            Err(Failure::Transient(why)) => Err(StoreError::Unavailable(why)),
            Err(Failure::Row(_) | Failure::Unknown) => Ok(false),
        }
    }
}
