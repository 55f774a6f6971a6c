//! Postgres as a store of masked logins: one statement a batch, and a report of what became of each row.
//! When to try again is the caller's business.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::batch::{Batch, Columns};
use crate::error::{Failure, StoreError, of_plain_statement};
use crate::neighbours::Neighbours;
use crate::pool::{Pool, discard};
use crate::rejection::{Recorded, RejectionRecord, columns_of};
use crate::report::Report;
use crate::settle::{Attempt, settle};
use crate::statement::WriteLogins;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

/// A pool of connections and what the last commits tell of the table's health.
pub struct PgStore {
    pub(crate) pool: Pool,
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

    /// Writes the rows that the ledger does not hold yet. Idempotent: an undecided batch is written again whole.
    pub async fn write<T>(&self, batch: Batch<T>) -> Report<T> {
        let mut connection = match self.pool.get().await {
            Ok(connection) => connection,
            Err(error) => return Report::undecided(batch, error),
        };
        let mut attempt = OnPostgres {
            connection: &mut connection,
            columns: &batch.columns,
            sent: &self.statements,
        };
        let verdict = settle(&mut attempt, batch.len(), self.neighbours.may_blame()).await;
        self.neighbours.remember(&verdict.fates);
        if verdict.error.as_ref().is_some_and(StoreError::is_transient) {
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
        match columns.statement().execute(&mut *connection).await {
            Ok(_) => Ok(Recorded::new(records)),
            Err(error) => {
                // Binds ids, codes and counts, never a value: the message is safe to show.
                let error = of_plain_statement(&error);
                if error.is_transient() {
                    discard(connection);
                }
                Err((records, error))
            }
        }
    }
}

struct OnPostgres<'a> {
    connection: &'a mut AsyncPgConnection,
    columns: &'a Columns,
    sent: &'a AtomicU64,
}

impl OnPostgres<'_> {
    async fn send(&mut self, rows: Range<usize>) -> Result<i64, diesel::result::Error> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        WriteLogins::new(self.columns, &rows)
            .get_result(self.connection)
            .await
    }
}

impl Attempt for OnPostgres<'_> {
    async fn attempt(&mut self, rows: Range<usize>) -> Result<u64, Failure> {
        let written = self.send(rows).await?;
        Ok(u64::try_from(written).unwrap_or(0))
    }

    async fn probe(&mut self) -> Result<(), StoreError> {
        self.send(0..0)
            .await
            .map(drop)
            .map_err(|error| of_plain_statement(&error))
    }
}
