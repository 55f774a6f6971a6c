//! One new connection: a password found, TLS as asked for, and a refusal sorted into what may pass by itself
//! and what a person must mend. Servers say their reasons in their own language; the SQLSTATE decides.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use diesel::result::ConnectionError;
use diesel_async::AsyncPgConnection;
use rustls::{CertificateError, ClientConfig};
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::StoreError;
use crate::session;
use crate::settings::Settings;
use crate::tls::SslMode;
use crate::tls_notice::Noticing;

type Tls = Noticing<MakeRustlsConnect>;
type Driver = Connection<Socket, <Tls as MakeTlsConnect<Socket>>::Stream>;

/// Makes connections to one database.
pub(crate) struct Connector {
    settings: Settings,
    tls: Arc<ClientConfig>,
    told_of_plain: AtomicBool,
}

impl Connector {
    pub(crate) fn new(settings: Settings, tls: ClientConfig) -> Self {
        Self {
            settings,
            tls: Arc::new(tls),
            told_of_plain: AtomicBool::new(false),
        }
    }

    /// # Errors
    /// `InvalidConnectionUrl` for what will not pass by itself.
    pub(crate) async fn connect(&self) -> Result<AsyncPgConnection, ConnectionError> {
        let (client, driver) = self.open().await?;
        let mut connection =
            AsyncPgConnection::try_from_client_and_connection(client, driver).await?;
        session::set_up(&mut connection, &self.settings).await?;
        Ok(connection)
    }

    /// The same without diesel on it.
    pub(crate) async fn connect_driver(&self) -> Result<Client, ConnectionError> {
        let (client, driver) = self.open().await?;
        // Ends with the client; what went wrong, the client's calls tell.
        tokio::spawn(driver);
        session::set_up_driver(&client, &self.settings).await?;
        Ok(client)
    }

    async fn open(&self) -> Result<(Client, Driver), ConnectionError> {
        let mut config = self.settings.config.clone();
        let password = self.settings.password.put_into(&mut config).await;
        let passed_over = password.map_err(of_password)?;
        let tls = Noticing::new(MakeRustlsConnect::new((*self.tls).clone()));
        let encrypted = tls.encrypted();
        let connecting = config.connect(tls).await;
        let opened = connecting.map_err(|error| sorted(&error, passed_over))?;
        if !encrypted.load(Ordering::Relaxed) {
            self.tell_of_plain();
        }
        Ok(opened)
    }

    /// Once a pool, since each of its connections would say the same.
    fn tell_of_plain(&self) {
        if self.settings.ssl_mode != SslMode::Prefer
            || self.told_of_plain.swap(true, Ordering::Relaxed)
        {
            return;
        }
        let place = self.settings.place();
        if self.settings.is_on_this_machine() {
            tracing::info!(
                database = place,
                "connected without TLS: the server offers none"
            );
        } else {
            tracing::warn!(
                database = place,
                "connected without TLS: the server offers none, and sslmode=prefer falls back \
                 (sslmode=require never does)"
            );
        }
    }
}

fn of_password(error: StoreError) -> ConnectionError {
    match error {
        StoreError::Unavailable(why) => ConnectionError::BadConnection(why),
        other => ConnectionError::InvalidConnectionUrl(other.to_string()),
    }
}

/// `passed_over` says why a password file was not used.
fn sorted(error: &tokio_postgres::Error, passed_over: Option<String>) -> ConnectionError {
    if let Some(refusal) = error.source().and_then(of_certificate) {
        return ConnectionError::InvalidConnectionUrl(refusal);
    }
    let text = chain(error);
    let by_code = error.code().is_some_and(will_not_pass);
    // Without a code it is the driver's own text, which is English.
    let by_text = error.code().is_none()
        && ["invalid configuration", "authentication error"]
            .iter()
            .any(|start| text.starts_with(start));
    if text.ends_with("password missing") {
        let why = passed_over.unwrap_or_else(|| "none is given".to_owned());
        ConnectionError::InvalidConnectionUrl(format!("the server asks for a password: {why}"))
    } else if text.contains("unsupported startup parameter") {
        // PgBouncer's own words, in English only.
        ConnectionError::InvalidConnectionUrl(format!(
            "{text} (a pooler between takes no options at the start: name the schema with ALTER ROLE … SET search_path)"
        ))
    } else if text.ends_with("server does not support TLS") {
        ConnectionError::InvalidConnectionUrl(
            "the server does not offer TLS, which sslmode asks for".to_owned(),
        )
    } else if by_code || by_text {
        ConnectionError::InvalidConnectionUrl(text)
    } else {
        ConnectionError::BadConnection(text)
    }
}

/// Wrong password or rules of access, unknown database, missing right to connect, an option that does not exist.
/// Source: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn will_not_pass(code: &SqlState) -> bool {
    code.code().starts_with("28")
        || code.code().starts_with("42")
        || [
            SqlState::INVALID_CATALOG_NAME,
            SqlState::INVALID_PARAMETER_VALUE,
            SqlState::FEATURE_NOT_SUPPORTED,
        ]
        .contains(code)
}

/// What is wrong with the server's certificate, where that is the trouble.
fn of_certificate(cause: &(dyn StdError + 'static)) -> Option<String> {
    let inner = cause.downcast_ref::<io::Error>()?.get_ref()?;
    let rustls::Error::InvalidCertificate(error) = inner.downcast_ref::<rustls::Error>()? else {
        return None;
    };
    Some(match error {
        // A new authority under an old one's name shows as a signature that is not its own.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "the server's certificate was not signed by an authority that is trusted here; \
             name the right one with sslrootcert=FILE"
                .to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet; check both clocks".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the server's certificate is for another host name; connect by that name, or use \
             sslmode=verify-ca"
                .to_owned()
        }
        other => format!("the server's certificate cannot be used ({other})"),
    })
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &dyn StdError) -> String {
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
