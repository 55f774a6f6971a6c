//! The database of one execution environment: opened ahead of the first invocation, or by the first that needs it.

use std::time::Duration;

use pg_writer::{PgStore, Pool, Settings, StoreError, prepare};
use tokio::sync::OnceCell;

/// Of the ten seconds that Lambda gives a start.
const WARM_UP: Duration = Duration::from_secs(7);

/// A store that opens when it is first asked for.
pub(crate) struct Database {
    settings: Settings,
    store: OnceCell<PgStore>,
}

impl Database {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            settings,
            store: OnceCell::new(),
        }
    }

    /// Connects ahead of the first invocation. A database that is not there yet is no reason not to start.
    pub(crate) async fn warm_up(&self) {
        match tokio::time::timeout(WARM_UP, self.store()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::warn!(error = %error, hint = error.hint(), "the database is not ready");
            }
            Err(_) => tracing::warn!("the database does not answer within {WARM_UP:?}"),
        }
    }

    /// The store, once its tables have been found to serve. Never migrates: many functions start at once, under a role
    /// that has no business with it.
    pub(crate) async fn store(&self) -> Result<&PgStore, StoreError> {
        let open = async || {
            let pool = Pool::new(&self.settings, 1)?;
            prepare(&pool, false).await?;
            Ok(PgStore::new(pool))
        };
        self.store.get_or_try_init(open).await
    }
}
