//! The database URL, read: tokio-postgres's own options; `sslmode`, `sslrootcert` and `passfile` with libpq's meaning;
//! and what else a connection needs: its password, its schema.
//! Invariant: nothing in this crate reads the environment, and no error or `Debug` repeats the URL.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode as DriverSslMode};

use crate::error::StoreError;
use crate::own_options;
use crate::password::{Password, TokenMaker};
use crate::tls::SslMode;

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
    pub(crate) password: Password,
    pub(crate) schema: Option<String>,
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
        let taken = own_options::take(url).ok_or_else(unreadable)?;
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
            password: Password::default(),
            schema: None,
        };
        for (name, value) in taken.options {
            settings.set(&name, &value)?;
        }
        let mode = settings.ssl_mode;
        Ok(settings.with_ssl_mode(mode))
    }

    /// How long a statement may take before the server ends it and the write is tried again; a minute unless told.
    #[must_use]
    pub fn statement_timeout(mut self, limit: Duration) -> Self {
        self.statement_timeout = limit;
        self
    }

    /// Whether the connection string holds a password.
    pub fn has_password(&self) -> bool {
        let password = self.config.get_password();
        password.is_some_and(|password| !password.is_empty())
    }

    /// The role that connects, where one is named.
    pub fn user(&self) -> Option<&str> {
        self.config.get_user()
    }

    /// Host and port, where exactly one host is named; not a socket's folder.
    pub fn host_and_port(&self) -> Option<(&str, u16)> {
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        match self.config.get_hosts() {
            [Host::Tcp(name)] => Some((name, port)),
            _ => None,
        }
    }

    /// The role to connect as where the connection string names none.
    #[must_use]
    pub fn or_user(mut self, name: &str) -> Self {
        if self.user().is_none() {
            self.config.user(name);
        }
        self
    }

    /// Connects with this password.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.config.password(password);
        self
    }

    /// Takes the password from the first line of a file, which is read again for each connection.
    #[must_use]
    pub fn password_file(mut self, path: PathBuf) -> Self {
        self.password = Password::File(path);
        self
    }

    /// Looks the password up in libpq's password file, for each connection, unless `passfile` names another.
    #[must_use]
    pub fn pass_file(mut self, path: PathBuf) -> Self {
        if matches!(self.password, Password::Given) {
            self.password = Password::PassFile(path);
        }
        self
    }

    /// Asks for a new token for each physical connection. It goes to the server as it is, so only to one whose
    /// certificate and name were checked: `sslmode` becomes `verify-full`.
    ///
    /// # Errors
    /// [`StoreError::Configuration`] where the connection string asks for less.
    pub fn tokens(mut self, make: TokenMaker) -> Result<Self, StoreError> {
        if !matches!(self.ssl_mode, SslMode::Prefer | SslMode::VerifyFull) {
            return Err(StoreError::Configuration(
                "a token is sent in clear inside TLS: the database URL needs sslmode=verify-full"
                    .to_owned(),
            ));
        }
        self.password = Password::Token(make);
        Ok(self.with_ssl_mode(SslMode::VerifyFull))
    }

    /// Finds and makes the tables in this schema and in no other, as the server's `search_path` has it.
    ///
    /// # Errors
    /// [`StoreError::Configuration`] for what is no name.
    pub fn schema(mut self, name: &str) -> Result<Self, StoreError> {
        if name.is_empty() || name.contains('\0') {
            return Err(StoreError::Configuration("a schema has a name".to_owned()));
        }
        let mut options = self.config.get_options().unwrap_or_default().to_owned();
        options.push_str(" -csearch_path=");
        options.push_str(&option_of_name(name));
        self.config.options(options.trim_start());
        self.schema = Some(name.to_owned());
        Ok(self)
    }

    fn with_ssl_mode(mut self, mode: SslMode) -> Self {
        self.ssl_mode = mode;
        self.config.ssl_mode(match mode {
            SslMode::Disable => DriverSslMode::Disable,
            SslMode::Prefer => DriverSslMode::Prefer,
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => DriverSslMode::Require,
        });
        self
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        match (name, value) {
            ("passfile", file) => self.password = Password::PassFile(PathBuf::from(file)),
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

    /// Whether the server must show a certificate of a trusted authority.
    pub fn checks_certificate(&self) -> bool {
        match self.ssl_mode {
            SslMode::VerifyCa | SslMode::VerifyFull => true,
            SslMode::Require => self.root_certificate.is_some(),
            SslMode::Disable | SslMode::Prefer => false,
        }
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

/// A quoted name in the start-up options, where a space ends an option and a backslash keeps it from doing so.
fn option_of_name(name: &str) -> String {
    let quoted = format!("\"{}\"", name.replace('"', "\"\""));
    let mut option = String::with_capacity(quoted.len());
    for letter in quoted.chars() {
        if letter == '\\' || letter.is_whitespace() {
            option.push('\\');
        }
        option.push(letter);
    }
    option
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
    fn a_password_of_the_url_is_given_already_and_a_pass_file_may_be_named() {
        let parse = |url| Settings::parse(url).unwrap();
        assert!(parse("postgres://u:p@h/d").has_password());
        let named = parse("postgres://u@h/d?passfile=/run/pass").pass_file("/other".into());
        assert!(!named.has_password());
        assert!(matches!(named.password, Password::PassFile(path) if path == *"/run/pass"));
    }

    #[test]
    fn a_token_goes_only_to_a_server_that_was_checked() {
        let tokens = |url: &str| {
            let make: TokenMaker = std::sync::Arc::new(|| Box::pin(async { Ok("t".to_owned()) }));
            Settings::parse(url).unwrap().tokens(make)
        };
        let checked = tokens("postgres://u@h/d").unwrap();
        assert_eq!(checked.ssl_mode, SslMode::VerifyFull);
        assert_eq!(checked.config.get_ssl_mode(), DriverSslMode::Require);
        for mode in ["disable", "require", "verify-ca"] {
            let error = tokens(&format!("postgres://u@h/d?sslmode={mode}")).unwrap_err();
            assert!(error.to_string().contains("verify-full"), "{error}");
        }
    }

    #[test]
    fn a_schema_is_an_option_of_the_start() {
        let options = |url, name| {
            let settings = Settings::parse(url).unwrap().schema(name).unwrap();
            settings.config.get_options().unwrap().to_owned()
        };
        assert_eq!(
            options("postgres://h/d", "logins"),
            r#"-csearch_path="logins""#
        );
        assert_eq!(
            options("postgres://h/d?options=-cwork_mem%3D1MB", r#"a "b"\"#),
            r#"-cwork_mem=1MB -csearch_path="a\ ""b""\\""#
        );
        assert!(
            Settings::parse("postgres://h/d")
                .unwrap()
                .schema("")
                .is_err()
        );
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
