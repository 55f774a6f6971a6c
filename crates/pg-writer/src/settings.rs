//! The database URL, read: tokio-postgres's own options, and `sslmode` and `sslrootcert` with libpq's full meaning.
//! Invariant: nothing in this crate reads the environment, and no error or `Debug` repeats the URL.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::SslMode as DriverSslMode;

use crate::error::StoreError;
use crate::tls::SslMode;

/// How to reach the database.
#[derive(Clone)]
pub struct Settings {
    pub(crate) config: Config,
    pub(crate) ssl_mode: SslMode,
    pub(crate) root_certificate: Option<PathBuf>,
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
        let (plain, tls_options) = take_tls_options(url);
        let mut config: Config = plain.parse().map_err(|error: tokio_postgres::Error| {
            StoreError::Configuration(format!(
                "the database URL cannot be read ({error}); expected postgres://USER:PASSWORD@HOST:PORT/DATABASE"
            ))
        })?;
        let mut settings = Self {
            ssl_mode: from_driver(&config),
            root_certificate: None,
            config: Config::new(),
        };
        for (name, value) in tls_options {
            settings.set(&name, &value)?;
        }
        config.ssl_mode(match settings.ssl_mode {
            SslMode::Disable => DriverSslMode::Disable,
            SslMode::Prefer => DriverSslMode::Prefer,
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => DriverSslMode::Require,
        });
        settings.config = with_timeouts(config);
        Ok(settings)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        if name == "sslrootcert" {
            self.root_certificate = Some(PathBuf::from(value));
            return Ok(());
        }
        self.ssl_mode = SslMode::parse(value).ok_or_else(|| {
            StoreError::Configuration(
                "sslmode in the database URL is one of disable, prefer, require, verify-ca, verify-full".to_owned(),
            )
        })?;
        Ok(())
    }

    /// Host, port and database, for messages.
    pub fn place(&self) -> String {
        use tokio_postgres::config::Host;
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

/// A peer that vanished is noticed by the kernel, without cancelling a statement that may still commit.
fn with_timeouts(mut config: Config) -> Config {
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(5));
    }
    config
        .keepalives_idle(Duration::from_secs(10))
        .tcp_user_timeout(Duration::from_secs(30));
    if config.get_application_name().is_none() {
        config.application_name("etl");
    }
    config
}

fn from_driver(config: &Config) -> SslMode {
    match config.get_ssl_mode() {
        DriverSslMode::Disable => SslMode::Disable,
        DriverSslMode::Require => SslMode::Require,
        _ => SslMode::Prefer,
    }
}

/// Splits off the query parameters that the driver would refuse.
fn take_tls_options(url: &str) -> (String, Vec<(String, String)>) {
    let Some((base, query)) = url.split_once('?').filter(|(base, _)| base.contains("://")) else {
        return (url.to_owned(), Vec::new());
    };
    let is_tls = |pair: &&str| pair.starts_with("sslmode=") || pair.starts_with("sslrootcert=");
    let (tls, rest): (Vec<&str>, Vec<&str>) = query.split('&').partition(|pair| is_tls(pair));
    let options = tls
        .iter()
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let plain = if rest.is_empty() {
        base.to_owned()
    } else {
        format!("{base}?{}", rest.join("&"))
    };
    (plain, options.collect())
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
    }

    #[test]
    fn an_error_or_debug_never_repeats_the_password() {
        for url in [
            "postgres://u:hunter2@h:port/d",
            "postgres://u:hunter2@h/d?sslmode=maybe",
            "host=h password=hunter2 x=1",
        ] {
            let error = Settings::parse(url).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
        let settings = Settings::parse("postgres://u:hunter2@db.example:5433/logins").unwrap();
        assert_eq!(settings.place(), "db.example:5433/logins");
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
