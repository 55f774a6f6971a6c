//! A few connections to Postgres, with a limit on each wait, and TLS that the settings ask for.

use std::sync::Arc;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{Object, PoolError, TimeoutType};
use diesel::result::ConnectionError;
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, PoolError as DieselPoolError, RecyclingMethod,
};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection as _};
use futures_util::FutureExt as _;
use rustls::ClientConfig;
use tokio_postgres::config::SslMode as DriverSslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::StoreError;
use crate::settings::Settings;
use crate::tls::client_config;

type Manager = AsyncDieselConnectionManager<AsyncPgConnection>;
/// A connection on loan; back in the pool when dropped.
pub(crate) type Pooled = Object<Manager>;

const WAIT: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(10);
/// A statement that hangs ends on the server; longer than any batch of the largest size takes on a busy disk.
const SESSION: &str =
    "SET statement_timeout = '60s'; SET idle_in_transaction_session_timeout = '60s'";

/// Connections to one database.
pub struct Pool {
    inner: deadpool::managed::Pool<Manager>,
    place: String,
}

impl Pool {
    /// A pool of at most `size` connections; opens none yet.
    pub fn new(settings: &Settings, size: usize) -> Result<Self, StoreError> {
        let tls = Arc::new(client_config(
            settings.ssl_mode,
            settings.root_certificate.as_deref(),
        )?);
        let mut config = ManagerConfig::default();
        // A connection is used right after it is taken: a test query each time would double the round trips.
        config.recycling_method = RecyclingMethod::Fast;
        let to = settings.clone();
        config.custom_setup = Box::new(move |_| connect(to.clone(), Arc::clone(&tls)).boxed());
        let inner = deadpool::managed::Pool::builder(Manager::new_with_config("", config))
            .max_size(size)
            .wait_timeout(Some(WAIT))
            .create_timeout(Some(CONNECT))
            .recycle_timeout(Some(CONNECT))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| StoreError::Configuration(error.to_string()))?;
        Ok(Self {
            inner,
            place: settings.place(),
        })
    }

    pub(crate) async fn get(&self) -> Result<Pooled, StoreError> {
        self.inner.get().await.map_err(|error| self.explain(error))
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
            PoolError::Backend(error) => {
                StoreError::Unavailable(format!("{place}: {}", chain(&error)))
            }
            other => StoreError::Unavailable(format!("{place}: {other}")),
        }
    }
}

async fn connect(
    settings: Settings,
    tls: Arc<ClientConfig>,
) -> Result<AsyncPgConnection, ConnectionError> {
    let refused = |error: tokio_postgres::Error| ConnectionError::BadConnection(chain(&error));
    let connector = MakeRustlsConnect::new((*tls).clone());
    let (client, connection) = settings.config.connect(connector).await.map_err(refused)?;
    if settings.config.get_ssl_mode() == DriverSslMode::Prefer {
        tracing::debug!("sslmode=prefer: connected, with TLS only if the server offers it");
    }
    let mut connection =
        AsyncPgConnection::try_from_client_and_connection(client, connection).await?;
    connection
        .batch_execute(SESSION)
        .await
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// Closes a connection instead of giving it back.
pub(crate) fn discard(connection: Pooled) {
    drop(Object::take(connection));
}
