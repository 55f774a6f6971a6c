//! How long a statement may take. The server ends it first, by `statement_timeout`; where the server does not answer
//! at all, the wait ends here a little later. Either way the statement may have committed, so the caller tries again.

use std::future::Future;
use std::time::Duration;

use diesel::result::{DatabaseErrorKind, Error as DieselError, QueryResult};
use tokio::time::{Instant, timeout};

/// What the server gets to notice and to say that it gave up.
const GRACE: Duration = Duration::from_secs(5);

/// Why a statement brought nothing.
#[derive(Debug)]
pub(crate) enum StatementError {
    /// No answer in time, or the server's own answer that time is up.
    Late(Duration),
    /// An answer, or a broken connection.
    Failed(DieselError),
}

/// When to stop waiting for a statement that may take `limit`.
pub(crate) fn with_grace(limit: Duration) -> Duration {
    limit.saturating_add(GRACE)
}

/// Runs a statement. A connection on which it was late must be discarded: the answer may still come.
pub(crate) async fn within<R>(
    limit: Duration,
    statement: impl Future<Output = QueryResult<R>>,
) -> Result<R, StatementError> {
    let started = Instant::now();
    match timeout(with_grace(limit), statement).await {
        Err(_) => Err(StatementError::Late(limit)),
        // diesel tells no SQLSTATE and the text is in the server's language; the clock knows.
        Ok(Err(DieselError::DatabaseError(DatabaseErrorKind::Unknown, _)))
            if started.elapsed() >= limit =>
        {
            Err(StatementError::Late(limit))
        }
        Ok(outcome) => outcome.map_err(StatementError::Failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    fn canceled() -> DieselError {
        let message = "canceling statement due to statement timeout".to_owned();
        DieselError::DatabaseError(DatabaseErrorKind::Unknown, Box::new(message))
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_never_answers_is_late() {
        let outcome = within(LIMIT, std::future::pending::<QueryResult<()>>()).await;
        assert!(matches!(outcome, Err(StatementError::Late(LIMIT))));
    }

    #[tokio::test(start_paused = true)]
    async fn an_unknown_refusal_is_lateness_only_after_the_limit() {
        let at_once = within(LIMIT, async { Err::<(), _>(canceled()) }).await;
        assert!(matches!(at_once, Err(StatementError::Failed(_))));
        let slowly = within(LIMIT, async {
            tokio::time::sleep(LIMIT).await;
            Err::<(), _>(canceled())
        });
        assert!(matches!(slowly.await, Err(StatementError::Late(_))));
    }
}
