//! TLS in front of a Postgres that was built without it, as a load balancer would do it: whoever asks for TLS gets it
//! here and reaches the server from 127.0.0.2, whoever does not from 127.0.0.1, so that the server's own rules can tell
//! the two apart.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::certificates::Signed;

/// From where the server sees connections that are encrypted as far as here.
pub(crate) const ENCRYPTED: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// PostgreSQL manual, "Message Formats".
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

type Acceptor = Arc<Mutex<Option<TlsAcceptor>>>;

/// Runs until its runtime is dropped with it.
pub(crate) struct Terminator {
    pub(crate) port: u16,
    acceptor: Acceptor,
    _runtime: Background,
}

/// A runtime that may be dropped inside of another.
struct Background(Option<tokio::runtime::Runtime>);

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Terminator {
    pub(crate) fn start(upstream: u16) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let acceptor = Acceptor::default();
        runtime.spawn(serve(listener, upstream, Arc::clone(&acceptor)));
        Self {
            port,
            acceptor,
            _runtime: Background(Some(runtime)),
        }
    }

    /// From now on with this certificate.
    pub(crate) fn serve(&self, signed: &Signed) {
        let certificate = CertificateDer::from_pem_slice(signed.certificate.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(signed.key.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let configuration = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(configuration));
        *self.acceptor.lock().unwrap_or_else(PoisonError::into_inner) = Some(acceptor);
    }
}

async fn serve(listener: std::net::TcpListener, upstream: u16, acceptor: Acceptor) {
    let listener = TcpListener::from_std(listener).unwrap();
    while let Ok((client, _)) = listener.accept().await {
        let acceptor = acceptor
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        // A client that refuses the certificate ends here; it is the client whose word the tests hear.
        tokio::spawn(relay(client, upstream, acceptor));
    }
}

async fn relay(
    mut client: TcpStream,
    upstream: u16,
    acceptor: Option<TlsAcceptor>,
) -> std::io::Result<()> {
    let mut first = [0; 8];
    client.read_exact(&mut first).await?;
    if first != SSL_REQUEST {
        let mut server = reach(Ipv4Addr::LOCALHOST, upstream).await?;
        server.write_all(&first).await?;
        copy_bidirectional(&mut client, &mut server).await?;
        return Ok(());
    }
    let Some(acceptor) = acceptor else {
        return client.write_all(b"N").await;
    };
    client.write_all(b"S").await?;
    let mut client = acceptor.accept(client).await?;
    let mut server = reach(ENCRYPTED, upstream).await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

async fn reach(from: Ipv4Addr, port: u16) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((from, 0)))?;
    socket
        .connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .await
}
