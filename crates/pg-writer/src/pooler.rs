//! Whether a pooler between here and Postgres loses prepared statements: PgBouncer before 1.21 in transaction mode does.
//!
//! There a statement that was prepared on one server connection is executed on another, which does not know it, or
//! knows another process's statement by that name: rows would be refused that are good. No protocol tells that a
//! pooler is there, so it is tried: one connection keeps a server connection busy while another repeats a statement.

use std::time::Duration;

use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::{DatabaseErrorKind, Error as DieselError, QueryResult};
use diesel::sql_types::{Bool, Integer};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::error::StoreError;
use crate::pool::{Pool, discard};

/// Other clients of the pooler may come between, so that one trial is not enough.
const TRIALS: u32 = 3;
/// Where the pooler has a single server connection, the second statement waits for the first connection's end.
const LONGEST: Duration = Duration::from_secs(2);
const ANSWER: i32 = 20_190_721;

pub(crate) const ADVICE: &str = "a pooler between loses prepared statements: PgBouncer does so before 1.21, and with \
    max_prepared_statements = 0; upgrade it, set pool_mode = session, or connect to Postgres itself";

/// Of one pool. Its own connection opens from the beginning, beside whatever comes before the trial.
pub(crate) struct Trial<'a> {
    pool: &'a Pool,
    /// Ends with the trial, and with it what was begun on it.
    busy: JoinSet<Option<AsyncPgConnection>>,
}

impl<'a> Trial<'a> {
    pub(crate) fn prepare(pool: &'a Pool) -> Self {
        let mut busy = JoinSet::new();
        busy.spawn(pool.connect_aside());
        Self { pool, busy }
    }

    /// # Errors
    /// [`StoreError::Configuration`] where a statement was lost. Whatever else goes wrong here proves nothing.
    pub(crate) async fn refuse_forgetful(mut self) -> Result<(), StoreError> {
        let Ok(mut repeating) = self.pool.get().await else {
            return Ok(());
        };
        let forgets = timeout(LONGEST, is_forgetful(&mut repeating, &mut self.busy)).await;
        let forgets = forgets.unwrap_or(None);
        if forgets != Some(false) {
            // In the midst of a statement, or with one that is not known where it counts.
            discard(repeating);
        }
        match forgets {
            Some(true) => Err(StoreError::Configuration(ADVICE.to_owned())),
            _ => Ok(()),
        }
    }
}

/// `None` where it cannot be told.
async fn is_forgetful(
    repeating: &mut AsyncPgConnection,
    busy: &mut JoinSet<Option<AsyncPgConnection>>,
) -> Option<bool> {
    let mut busy = busy.join_next().await?.ok()??;
    for _ in 0..TRIALS {
        if lost(&Known.get_result(repeating).await) {
            return Some(true);
        }
        // Poolers give out the server connection that came back last: this takes the one that knows the statement.
        busy.batch_execute("BEGIN").await.ok()?;
        let taken = sql::<Bool>("SELECT true").get_result::<bool>(&mut busy);
        if lost(&taken.await.map(|_| ANSWER)) || lost(&Known.get_result(repeating).await) {
            return Some(true);
        }
        busy.batch_execute("ROLLBACK").await.ok()?;
    }
    Some(false)
}

/// An error of the server's, or the answer to somebody else's statement.
fn lost(answer: &QueryResult<i32>) -> bool {
    match answer {
        Ok(answer) => *answer != ANSWER,
        Err(
            DieselError::DatabaseError(DatabaseErrorKind::Unknown, _)
            | DieselError::DeserializationError(_),
        ) => true,
        Err(_) => false,
    }
}

/// A statement that is prepared once a connection.
#[derive(Debug, Clone, Copy)]
struct Known;

impl QueryFragment<Pg> for Known {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        out.push_bind_param::<Integer, _>(&ANSWER)
    }
}

impl QueryId for Known {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Known {
    type SqlType = Integer;
}
