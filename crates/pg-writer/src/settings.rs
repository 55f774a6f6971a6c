//! The database URL, read: tokio-postgres's own options, and `sslmode` and `sslrootcert` with libpq's full meaning.
//! Invariant: nothing in this crate reads the environment, and no error or `Debug` repeats the URL.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode as DriverSslMode};

use crate::error::StoreError;
use crate::tls::SslMode;
use crate::tls_options;

/// Longer than any batch of the largest size takes on a busy disk.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(60);
/// What the driver has where the connection string says nothing.
const DRIVERS_KEEPALIVE: Duration = Duration::from_secs(2 * 60 * 60);

/// How to reach the database.
#[derive(Clone)]
pub struct Settings {
    pub(crate) config: Config,
    pub(crate) ssl_mode: SslMode,
    pub(crate) root_certificate: Option<PathBuf>,
    pub(crate) statement_timeout: Duration,
}

/// Where, never with what password.
impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Settings")
            .field("at", &self.place())
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Reads `postgres://user:password@host:port/database?sslmode=…`, or `key=value` pairs as libpq writes them.
    pub fn parse(url: &str) -> Result<Self, StoreError> {
        let taken = tls_options::take(url).ok_or_else(unreadable)?;
        // The driver's own error may repeat a stretch of the password, where that holds a letter that ends it.
        let config: Config = taken.rest.parse().map_err(|_| unreadable())?;
        if config.get_hosts().iter().any(is_cut_password) {
            return Err(unreadable());
        }
        let mut settings = Self {
            ssl_mode: SslMode::default(),
            root_certificate: None,
            statement_timeout: STATEMENT_TIMEOUT,
            config: with_timeouts(config),
        };
        for (name, value) in taken.options {
            settings.set(&name, &value)?;
        }
        settings.config.ssl_mode(match settings.ssl_mode {
            SslMode::Disable => DriverSslMode::Disable,
            SslMode::Prefer => DriverSslMode::Prefer,
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => DriverSslMode::Require,
        });
        Ok(settings)
    }

    /// How long a statement may take before the server ends it and the write is tried again; a minute unless told.
    #[must_use]
    pub fn statement_timeout(mut self, limit: Duration) -> Self {
        self.statement_timeout = limit;
        self
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        match (name, value) {
            ("sslrootcert", "system") => self.ssl_mode = SslMode::VerifyFull,
            ("sslrootcert", file) => self.root_certificate = Some(PathBuf::from(file)),
            (_, mode) => self.ssl_mode = SslMode::parse(mode).ok_or_else(unknown_mode)?,
        }
        Ok(())
    }

    /// Whether nobody on a network is between.
    pub(crate) fn is_on_this_machine(&self) -> bool {
        self.config.get_hosts().iter().all(|host| match host {
            Host::Tcp(name) => {
                let address = name.parse::<IpAddr>();
                name == "localhost" || address.is_ok_and(|address| address.is_loopback())
            }
            #[cfg(unix)]
            Host::Unix(_) => true,
        })
    }

    /// Host, port and database, for messages.
    pub fn place(&self) -> String {
        let host = match self.config.get_hosts().first() {
            Some(Host::Tcp(name)) => name.clone(),
            #[cfg(unix)]
            Some(Host::Unix(path)) => path.display().to_string(),
            None => "localhost".to_owned(),
        };
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        format!(
            "{host}:{port}/{}",
            self.config.get_dbname().unwrap_or("postgres")
        )
    }
}

/// An `@` in a password ends it too early, and its rest would stand in messages as the host's name.
fn is_cut_password(host: &Host) -> bool {
    matches!(host, Host::Tcp(name) if name.contains('@'))
}

fn unreadable() -> StoreError {
    StoreError::Configuration(
        "the database URL cannot be read; expected postgres://USER:PASSWORD@HOST:PORT/DATABASE, \
         with %40 for an @ in the password, %2F for a / and so on"
            .to_owned(),
    )
}

fn unknown_mode() -> StoreError {
    StoreError::Configuration(
        "sslmode in the database URL is one of disable, prefer, require, verify-ca, verify-full"
            .to_owned(),
    )
}

/// A peer that vanished is noticed by the kernel, without cancelling a statement that may still commit.
fn with_timeouts(mut config: Config) -> Config {
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(5));
    }
    if config.get_keepalives_idle() == DRIVERS_KEEPALIVE {
        config.keepalives_idle(Duration::from_secs(10));
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(Duration::from_secs(30));
    }
    if config.get_application_name().is_none() {
        config.application_name("etl");
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libpq_ssl_modes_are_understood() {
        let mode = |query: &str| {
            Settings::parse(&format!("postgres://u@h/d{query}"))
                .unwrap()
                .ssl_mode
        };
        assert_eq!(mode(""), SslMode::Prefer);
        assert_eq!(mode("?sslmode=disable"), SslMode::Disable);
        assert_eq!(
            mode("?connect_timeout=3&sslmode=verify-full"),
            SslMode::VerifyFull
        );
        assert_eq!(mode("?sslrootcert=system"), SslMode::VerifyFull);
        let pairs = Settings::parse("host=h user=u sslmode=verify-ca sslrootcert='/my ca.pem'");
        let pairs = pairs.unwrap();
        assert_eq!(pairs.ssl_mode, SslMode::VerifyCa);
        assert_eq!(pairs.root_certificate.unwrap().as_os_str(), "/my ca.pem");
    }

    #[test]
    fn an_error_or_debug_never_repeats_the_password() {
        for url in [
            "postgres://u:hunter2@h:port/d",
            "postgres://u:hunter2@h/d?sslmode=maybe",
            "host=h password=hunter2 x=1",
            "host=h password=two hunter2=words",
            "postgres://u:p@hunter2@h/d",
            "postgres://u:p@h?hunter2@h/d",
        ] {
            let error = Settings::parse(url).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
        let settings = Settings::parse("postgres://u:hunter2@db.example:5433/logins").unwrap();
        assert_eq!(settings.place(), "db.example:5433/logins");
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
