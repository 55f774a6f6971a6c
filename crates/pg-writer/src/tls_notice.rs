//! Notices whether a connection got TLS: under `sslmode=prefer` the driver falls back without a word.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};

/// A TLS connector that remembers whether the server took it up.
#[derive(Clone)]
pub(crate) struct Noticing<C> {
    inner: C,
    encrypted: Arc<AtomicBool>,
}

impl<C> Noticing<C> {
    pub(crate) fn new(inner: C) -> Self {
        Self {
            inner,
            encrypted: Arc::default(),
        }
    }

    /// True from the moment at which a handshake begins.
    pub(crate) fn encrypted(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.encrypted)
    }
}

impl<S, C: MakeTlsConnect<S>> MakeTlsConnect<S> for Noticing<C> {
    type Stream = C::Stream;
    type TlsConnect = Noticing<C::TlsConnect>;
    type Error = C::Error;

    fn make_tls_connect(&mut self, domain: &str) -> Result<Self::TlsConnect, Self::Error> {
        Ok(Noticing {
            inner: self.inner.make_tls_connect(domain)?,
            encrypted: self.encrypted(),
        })
    }
}

impl<S, C: TlsConnect<S>> TlsConnect<S> for Noticing<C> {
    type Stream = C::Stream;
    type Error = C::Error;
    type Future = C::Future;

    fn connect(self, stream: S) -> Self::Future {
        self.encrypted.store(true, Ordering::Relaxed);
        self.inner.connect(stream)
    }
}
