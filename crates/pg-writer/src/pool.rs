//! A few connections to Postgres, with a limit on each wait.

use std::sync::Arc;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{Object, PoolError, TimeoutType};
use diesel::result::{ConnectionError, QueryResult};
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, PoolError as DieselPoolError, RecyclingMethod,
};
use futures_util::FutureExt as _;

use crate::connect::{Connector, chain};
use crate::deadline::{StatementError, within};
use crate::error::StoreError;
use crate::settings::Settings;
use crate::tls::client_config;

type Manager = AsyncDieselConnectionManager<AsyncPgConnection>;
/// A connection on loan; back in the pool when dropped.
pub(crate) type Pooled = Object<Manager>;

const WAIT: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(10);

/// Connections to one database.
pub struct Pool {
    inner: deadpool::managed::Pool<Manager>,
    connector: Arc<Connector>,
    place: String,
    statement_timeout: Duration,
}

impl Pool {
    /// A pool of at most `size` connections (at least one); opens none yet.
    pub fn new(settings: &Settings, size: usize) -> Result<Self, StoreError> {
        let tls = client_config(settings.ssl_mode, settings.root_certificate.as_deref())?;
        let connector = Arc::new(Connector::new(settings.clone(), tls));
        let mut config = ManagerConfig::default();
        // A connection is used right after it is taken: a test query each time would double the round trips.
        config.recycling_method = RecyclingMethod::Fast;
        let opening = Arc::clone(&connector);
        config.custom_setup = Box::new(move |_| {
            let connector = Arc::clone(&opening);
            async move { connector.connect().await }.boxed()
        });
        let inner = deadpool::managed::Pool::builder(Manager::new_with_config("", config))
            .max_size(size.max(1))
            .wait_timeout(Some(WAIT))
            .create_timeout(Some(CONNECT))
            .recycle_timeout(Some(CONNECT))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| StoreError::Configuration(error.to_string()))?;
        Ok(Self {
            inner,
            connector,
            place: settings.place(),
            statement_timeout: settings.statement_timeout,
        })
    }

    pub(crate) async fn get(&self) -> Result<Pooled, StoreError> {
        self.inner.get().await.map_err(|error| self.explain(error))
    }

    /// A connection beside the pool's, where one can be had.
    pub(crate) async fn connect_aside(&self) -> Option<AsyncPgConnection> {
        self.connector.connect().await.ok()
    }

    /// Runs a statement within the time that the settings give each.
    pub(crate) async fn run<R>(
        &self,
        statement: impl Future<Output = QueryResult<R>>,
    ) -> Result<R, StatementError> {
        within(self.statement_timeout, statement).await
    }

    fn explain(&self, error: PoolError<DieselPoolError>) -> StoreError {
        let place = &self.place;
        match error {
            PoolError::Timeout(TimeoutType::Wait) => {
                StoreError::Unavailable(format!("all connections to {place} are busy"))
            }
            PoolError::Timeout(_) => {
                StoreError::Unavailable(format!("{place} does not answer within {CONNECT:?}"))
            }
            PoolError::Backend(DieselPoolError::ConnectionError(
                ConnectionError::InvalidConnectionUrl(why),
            )) => StoreError::Configuration(format!("failed to connect to {place}: {why}")),
            PoolError::Backend(error) => {
                StoreError::Unavailable(format!("{place}: {}", chain(&error)))
            }
            other => StoreError::Unavailable(format!("{place}: {other}")),
        }
    }
}

/// Closes a connection instead of giving it back.
pub(crate) fn discard(connection: Pooled) {
    drop(Object::take(connection));
}
