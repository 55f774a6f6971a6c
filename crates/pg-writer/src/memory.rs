//! An in-memory double of [`PgStore`](crate::PgStore) for simulations: the same ledger, the same settling of refused
//! rows, faults on demand. Deterministic under its seed on a current-thread runtime with tokio's paused clock.
//! The conformance suite holds it and Postgres to the same laws.

mod faults;
mod rows;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::faults::Weather;
pub use self::faults::{Condition, MemoryFaults};
pub use self::rows::{StoredLogin, StoredRejection};
use self::tables::Tables;
use crate::batch::{Batch, Columns, LedgerKey};
use crate::error::{Failure, StoreError};
use crate::neighbours::Neighbours;
use crate::rejection::{Recorded, RejectionRecord};
use crate::report::Report;
use crate::settle::{Attempt, settle};

type Refuses = Box<dyn Fn(&LedgerKey, &StoredLogin) -> bool + Send + Sync>;

/// A store in memory. Clones share their tables, as workers share a database; statements are counted together.
#[derive(Clone)]
pub struct MemoryStore {
    inner: Arc<Inner>,
    /// Known to one process alone.
    neighbours: Arc<Neighbours>,
}

struct Inner {
    tables: Mutex<Tables>,
    weather: Weather,
    refuses: Refuses,
    statements: AtomicU64,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(MemoryFaults::default())
    }
}

impl MemoryStore {
    /// An empty store with faults as told; [`MemoryFaults::default`] has none.
    pub fn new(faults: MemoryFaults) -> Self {
        Self::refusing(faults, |_, _| false)
    }

    /// The same, which refuses the rows that `refuses` names, as a trigger that raises would.
    pub fn refusing(
        faults: MemoryFaults,
        refuses: impl Fn(&LedgerKey, &StoredLogin) -> bool + Send + Sync + 'static,
    ) -> Self {
        let inner = Inner {
            tables: Mutex::default(),
            weather: Weather::new(faults),
            refuses: Box::new(refuses),
            statements: AtomicU64::new(0),
        };
        Self {
            inner: Arc::new(inner),
            neighbours: Arc::default(),
        }
    }

    /// The same database as a process sees it that has just started: it has seen no row taken yet.
    #[must_use]
    pub fn to_another_process(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            neighbours: Arc::default(),
        }
    }

    /// Changes what the store is fit for, from now on.
    pub fn set_condition(&self, condition: Condition) {
        self.inner.weather.set(condition);
    }

    /// Ends the losses before and after a commit, or begins them again.
    pub fn set_calm(&self, calm: bool) {
        self.inner.weather.set_calm(calm);
    }

    /// Statements sent by [`write`](Self::write) and [`record`](Self::record) so far.
    pub fn statements(&self) -> u64 {
        AtomicU64::load(&self.inner.statements, Ordering::Relaxed)
    }

    /// As [`PgStore::write`](crate::PgStore::write).
    pub async fn write<T>(&self, batch: Batch<T>) -> Report<T> {
        let (inner, neighbours) = (&*self.inner, &*self.neighbours);
        if let Err(failure) = inner.weather.connect().await {
            return Report::undecided(batch, of_statement(failure));
        }
        let mut attempt = InMemory {
            inner,
            neighbours,
            columns: &batch.columns,
            keys: &batch.keys,
        };
        let verdict = settle(&mut attempt, batch.len()).await;
        neighbours.remember(&batch.columns, &verdict);
        Report::of(batch, verdict)
    }

    /// As [`PgStore::record`](crate::PgStore::record).
    pub async fn record<T>(
        &self,
        records: Vec<RejectionRecord<T>>,
    ) -> Result<Recorded<T>, (Vec<RejectionRecord<T>>, StoreError)> {
        match self.inner.record(&records).await {
            Ok(()) => Ok(Recorded::new(records)),
            Err(error) => Err((records, error)),
        }
    }

    /// Every row of `user_logins` in the order of commit, each with the message that wrote it. A law that is
    /// broken shows as two rows of one key.
    pub fn logins(&self) -> Vec<(LedgerKey, StoredLogin)> {
        self.inner.tables().logins.clone()
    }

    /// The rows that a message wrote: none or one, unless a law is broken.
    pub fn logins_of(&self, key: LedgerKey) -> Vec<StoredLogin> {
        let tables = self.inner.tables();
        let of_key = tables.logins.iter().filter(|(written, _)| *written == key);
        of_key.map(|(_, login)| login.clone()).collect()
    }

    /// The keys that the ledger holds.
    pub fn ledger(&self) -> BTreeSet<LedgerKey> {
        self.inner.tables().ledger.clone()
    }

    /// The rows of `rejected_messages`.
    pub fn rejections(&self) -> BTreeMap<LedgerKey, StoredRejection> {
        self.inner.tables().rejections.clone()
    }
}

impl Inner {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn record<T>(&self, records: &[RejectionRecord<T>]) -> Result<(), StoreError> {
        if records.is_empty() {
            return Ok(());
        }
        self.weather.connect().await.map_err(of_statement)?;
        self.statements.fetch_add(1, Ordering::Relaxed);
        self.weather.before_commit().await.map_err(of_statement)?;
        self.weather.has_room().map_err(of_statement)?;
        self.tables().reject(records, self.weather.now());
        self.weather.after_commit().await.map_err(of_statement)
    }
}

/// A statement that binds no row has nobody to blame.
fn of_statement(failure: Failure) -> StoreError {
    match failure {
        Failure::Transient(trouble) => trouble,
        Failure::Row(_) | Failure::Unknown => StoreError::Refused("permission denied".to_owned()),
    }
}

struct InMemory<'a> {
    inner: &'a Inner,
    neighbours: &'a Neighbours,
    columns: &'a Columns,
    keys: &'a [LedgerKey],
}

impl InMemory<'_> {
    /// All rows or none, as one statement is.
    fn insert(&self, rows: Range<usize>) -> Result<u64, Failure> {
        let mut tables = self.inner.tables();
        let fresh = tables.fresh(&self.keys[rows.clone()]);
        let logins: Vec<_> = fresh
            .into_iter()
            .map(|(offset, key)| (key, StoredLogin::read(self.columns, rows.start + offset)))
            .collect();
        if !logins.is_empty() {
            self.inner.weather.has_room()?;
        }
        if logins.iter().any(|(key, login)| self.refuses(key, login)) {
            return Err(Failure::Unknown);
        }
        Ok(tables.insert(logins))
    }

    fn refuses(&self, key: &LedgerKey, login: &StoredLogin) -> bool {
        self.inner.weather.refuses_rows() || (self.inner.refuses)(key, login)
    }
}

impl Attempt for InMemory<'_> {
    async fn attempt(&mut self, rows: Range<usize>) -> Result<u64, Failure> {
        self.inner.statements.fetch_add(1, Ordering::Relaxed);
        self.inner.weather.before_commit().await?;
        let written = self.insert(rows)?;
        self.inner.weather.after_commit().await?;
        Ok(written)
    }

    async fn probe(&mut self) -> Result<(), StoreError> {
        self.attempt(0..0).await.map(drop).map_err(of_statement)
    }

    async fn control(&mut self, stands: Option<usize>, under: usize) -> Result<bool, StoreError> {
        let weather = &self.inner.weather;
        let control = self.neighbours.control(self.columns, stands, under);
        let login = StoredLogin::read(&control, 0);
        self.inner.statements.fetch_add(1, Ordering::Relaxed);
        weather.before_commit().await.map_err(of_statement)?;
        weather.has_room().map_err(of_statement)?;
        // Under a key of its own, which no rule of a test can know.
        let key = LedgerKey {
            message_id: uuid::Uuid::nil(),
            ..self.keys[under]
        };
        let taken = !self.refuses(&key, &login);
        weather.after_commit().await.map_err(of_statement)?;
        Ok(taken)
    }

    fn is_same_day(&self, one: usize, other: usize) -> bool {
        let day = |row: usize| self.keys[row].postgres_date();
        day(one) == day(other)
    }
}
