//! The door of an RDS server with IAM authentication: it speaks TLS alone, asks for the password in the clear, and takes a
//! signed request for one. Behind it is a real Postgres, which is given the role's password in place of a token.

use std::io;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use local_stack::postgres;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use super::certificates::{Authority, Server, Signed};
use super::database::Database;

/// PostgreSQL manual, "Message Formats".
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
/// What the role's password is behind the door.
const PASSWORD: &str = "behind-the-door";
/// The name that the certificate is for.
const HOST: &str = "localhost";

type Tokens = Arc<Mutex<Vec<String>>>;

/// Runs until it is dropped.
pub(crate) struct Rds {
    role: String,
    database: String,
    port: u16,
    authority: Authority,
    tokens: Tokens,
    _runtime: Runtime,
}

impl Rds {
    /// With a role that may do what a worker may.
    pub(crate) fn before(database: &Database) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let role = format!("etl_worker_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let rights = include_str!("../../../../../deploy/postgres/worker-rights.sql");
        let rights = rights.replace("etl_worker", &role);
        database.execute(&format!(
            "CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'; {rights}"
        ));
        let authority = Authority::new();
        let acceptor = acceptor(&authority.signs(&Server::valid(HOST)));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let listener = listener.unwrap();
        let port = listener.local_addr().unwrap().port();
        let tokens = Tokens::default();
        runtime.spawn(serve(listener, acceptor, Arc::clone(&tokens)));
        Self {
            role,
            database: database.name().to_owned(),
            port,
            authority,
            tokens,
            _runtime: runtime,
        }
    }

    pub(crate) fn role(&self) -> &str {
        &self.role
    }

    pub(crate) fn host(&self) -> String {
        format!("{HOST}:{}", self.port)
    }

    pub(crate) fn url(&self) -> String {
        format!(
            "postgres://{}@{}/{}?sslmode=verify-full&sslrootcert={}",
            self.role,
            self.host(),
            self.database,
            self.authority.file.path().display()
        )
    }

    /// What was given for a password so far.
    pub(crate) fn tokens(&self) -> Vec<String> {
        let tokens = self.tokens.lock();
        tokens.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn acceptor(signed: &Signed) -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_slice(signed.certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(signed.key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let configuration = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(configuration))
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, tokens: Tokens) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(admit(client, acceptor.clone(), Arc::clone(&tokens)));
    }
}

async fn admit(mut client: TcpStream, acceptor: TlsAcceptor, tokens: Tokens) -> io::Result<()> {
    let mut first = [0; 8];
    client.read_exact(&mut first).await?;
    if first != SSL_REQUEST {
        // Nobody is let in without TLS.
        return Ok(());
    }
    client.write_all(b"S").await?;
    let mut client = acceptor.accept(client).await?;
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, postgres().port())).await?;
    server.write_all(&message(&mut client, 0).await?).await?;
    client.write_all(&message(&mut server, 1).await?).await?;
    let answer = message(&mut client, 1).await?;
    let token = String::from_utf8_lossy(&answer[5..answer.len() - 1]).into_owned();
    let is_signed = token.contains("&X-Amz-Signature=");
    tokens
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(token);
    server.write_all(&password(is_signed)).await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

/// One message as it came: a tag of so many bytes, a length that counts itself, and the rest.
async fn message(from: &mut (impl AsyncRead + Unpin), tag: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; tag + 4];
    from.read_exact(&mut bytes).await?;
    let length = u32::from_be_bytes(bytes[tag..].try_into().unwrap());
    bytes.resize(tag + usize::try_from(length).unwrap(), 0);
    from.read_exact(&mut bytes[tag + 4..]).await?;
    Ok(bytes)
}

/// The message of the role's password; of a wrong one for what is no token.
fn password(is_signed: bool) -> Vec<u8> {
    let text = if is_signed { PASSWORD } else { "refused" };
    let length = u32::try_from(text.len() + 5).unwrap().to_be_bytes();
    [b"p", &length[..], text.as_bytes(), b"\0"].concat()
}
