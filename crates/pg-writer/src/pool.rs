//! A few connections to Postgres, with a limit on each wait.

use std::sync::Arc;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{Object, PoolError, TimeoutType, Timeouts};
use diesel::result::{ConnectionError, QueryResult};
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, PoolError as DieselPoolError, RecyclingMethod,
};
use futures_util::FutureExt as _;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_postgres::Client;

use crate::connect::{Connector, chain};
use crate::deadline::{StatementError, within};
use crate::error::StoreError;
use crate::settings::Settings;
use crate::tls::client_config;
use crate::witness::Witness;

type Manager = AsyncDieselConnectionManager<AsyncPgConnection>;
/// A connection on loan; back in the pool when dropped.
pub(crate) type Pooled = Object<Manager>;

const WAIT: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(10);

/// How the connections of a pool are used just now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Connections {
    /// The most that may be open.
    pub limit: usize,
    /// Open, and on loan.
    pub busy: usize,
    /// Open, and waiting for work.
    pub idle: usize,
    /// Callers that wait for one.
    pub waiting: usize,
}

/// Connections to one database.
pub struct Pool {
    inner: deadpool::managed::Pool<Manager>,
    connector: Arc<Connector>,
    /// Of the searches for refused rows. One: they are rare, and servers count connections.
    witness: Mutex<Option<Client>>,
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
        let for_pool = Arc::clone(&connector);
        config.custom_setup = Box::new(move |_| {
            let connector = Arc::clone(&for_pool);
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
            witness: Mutex::default(),
            place: settings.place(),
            statement_timeout: settings.statement_timeout,
        })
    }

    /// Host, port and database, for messages.
    pub fn place(&self) -> &str {
        &self.place
    }

    pub(crate) async fn get(&self) -> Result<Pooled, StoreError> {
        self.inner.get().await.map_err(|error| self.explain(error))
    }

    /// A connection beside the pool's, where one can be had.
    pub(crate) fn connect_aside(
        &self,
    ) -> impl Future<Output = Option<AsyncPgConnection>> + Send + 'static {
        let connector = Arc::clone(&self.connector);
        async move { connector.connect().await.ok() }
    }

    /// A connection, unless all are on loan.
    pub(crate) async fn get_idle(&self) -> Result<Option<Pooled>, StoreError> {
        let timeouts = Timeouts {
            wait: Some(Duration::ZERO),
            ..self.inner.timeouts()
        };
        match self.inner.timeout_get(&timeouts).await {
            Ok(connection) => Ok(Some(connection)),
            Err(PoolError::Timeout(TimeoutType::Wait)) => Ok(None),
            Err(error) => Err(self.explain(error)),
        }
    }

    /// Closes every connection that is not on loan: where one is dead, the others of its age mostly are.
    pub(crate) fn forget_idle(&self) {
        self.inner.retain(|_, _| false);
    }

    /// How the connections are used just now.
    pub fn connections(&self) -> Connections {
        let status = self.inner.status();
        Connections {
            limit: status.max_size,
            busy: status.size.saturating_sub(status.available),
            idle: status.available.min(status.size),
            waiting: status.waiting,
        }
    }

    /// The connection that tells SQLSTATEs, once the search before is done with it.
    pub(crate) async fn witness(&self) -> Result<Witness<'_>, StoreError> {
        let mut place = self.witness.lock().await;
        if place.as_ref().is_none_or(Client::is_closed) {
            let connecting = timeout(CONNECT, self.connector.connect_driver());
            let connected = connecting.await.map_err(|_| self.late())?;
            *place = Some(connected.map_err(|error| self.unconnected(error))?);
        }
        Ok(Witness::new(place, self.statement_timeout))
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
            PoolError::Timeout(_) => self.late(),
            PoolError::Backend(DieselPoolError::ConnectionError(error)) => self.unconnected(error),
            PoolError::Backend(error) => {
                StoreError::Unavailable(format!("{place}: {}", chain(&error)))
            }
            other => StoreError::Unavailable(format!("{place}: {other}")),
        }
    }

    fn late(&self) -> StoreError {
        let place = &self.place;
        StoreError::Unavailable(format!("{place} does not answer within {CONNECT:?}"))
    }

    fn unconnected(&self, error: ConnectionError) -> StoreError {
        let place = &self.place;
        match error {
            ConnectionError::InvalidConnectionUrl(why) => {
                StoreError::Configuration(format!("failed to connect to {place}: {why}"))
            }
            error => StoreError::Unavailable(format!("{place}: {}", chain(&error))),
        }
    }
}

/// Closes a connection instead of giving it back.
pub(crate) fn discard(connection: Pooled) {
    drop(Object::take(connection));
}
