//! One new connection: TLS as asked for, time-outs set, and a refusal sorted into what may pass by itself
//! and what a person must mend. Servers say their reasons in their own language; the SQLSTATE decides.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use diesel::result::ConnectionError;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection as _};
use rustls::{CertificateError, ClientConfig};
use tokio_postgres::error::SqlState;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::settings::Settings;
use crate::tls::SslMode;
use crate::tls_notice::Noticing;

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
        let tls = Noticing::new(MakeRustlsConnect::new((*self.tls).clone()));
        let encrypted = tls.encrypted();
        let connecting = self.settings.config.connect(tls);
        let (client, driver) = connecting.await.map_err(|error| sorted(&error))?;
        if !encrypted.load(Ordering::Relaxed) {
            self.tell_of_plain();
        }
        let mut connection =
            AsyncPgConnection::try_from_client_and_connection(client, driver).await?;
        connection
            .batch_execute(&self.session())
            .await
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(connection)
    }

    /// What any role may set; `lc_messages`, for one, it may not.
    fn session(&self) -> String {
        let limit = self.settings.statement_timeout.as_millis();
        format!(
            "SET statement_timeout = {limit}; SET idle_in_transaction_session_timeout = {limit}"
        )
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

fn sorted(error: &tokio_postgres::Error) -> ConnectionError {
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
    if text.ends_with("server does not support TLS") {
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
