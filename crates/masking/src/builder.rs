//! Puts a masker together, and refuses what would mask wrongly before the first value is seen.

use alloc::string::String;

use crate::engine::Engine;
use crate::error::BuildError;
use crate::ipcrypt_key::IpcryptKey;
#[cfg(any(feature = "aes-siv", feature = "hmac"))]
use crate::keyset::KeyType;
use crate::keyset::Keyset;
use crate::masker::{FieldMasker, Kind};
use crate::scheme::Scheme;

/// Collects what a [`FieldMasker`] needs; made by [`FieldMasker::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct FieldMaskerBuilder {
    pub(crate) scheme: Scheme,
    pub(crate) domain: Option<String>,
    pub(crate) kind: Kind,
    pub(crate) keyset: Option<Keyset>,
    pub(crate) ipcrypt_key: Option<IpcryptKey>,
    pub(crate) max_chars: usize,
}

impl FieldMaskerBuilder {
    pub(crate) const fn new(scheme: Scheme) -> Self {
        Self {
            scheme,
            domain: None,
            kind: Kind::Text,
            keyset: None,
            ipcrypt_key: None,
            max_chars: usize::MAX,
        }
    }

    /// Separates fields under one keyset: equal text masks differently in two domains, so two columns never link.
    /// Usually the field's name. Needed by `aes-siv` and `hmac-sha256` (an empty one is allowed if said), ignored by
    /// the others.
    pub fn domain(mut self, domain: &str) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// What the field holds; plain text unless said.
    pub const fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// The keys of `aes-siv` and `hmac-sha256`, ignored by the others.
    pub fn keyset(mut self, keyset: &Keyset) -> Self {
        self.keyset = Some(keyset.clone());
        self
    }

    /// The key of `ipcrypt-pfx`, ignored by the others.
    pub fn ipcrypt_key(mut self, key: &IpcryptKey) -> Self {
        self.ipcrypt_key = Some(key.clone());
        self
    }

    /// The longest masked text in characters, the width of its column; without limit unless said.
    pub const fn max_chars(mut self, limit: usize) -> Self {
        self.max_chars = limit;
        self
    }

    /// Prepares the keys.
    pub fn build(self) -> Result<FieldMasker, BuildError> {
        let engine = Engine::prepare(&self)?;
        Ok(FieldMasker::new(engine, self))
    }

    /// Domain and keyset of a scheme that needs both.
    #[cfg(any(feature = "aes-siv", feature = "hmac"))]
    pub(crate) fn keyed(&self, wanted: KeyType) -> Result<(&str, &Keyset), BuildError> {
        let scheme = self.scheme;
        let domain = self
            .domain
            .as_deref()
            .ok_or(BuildError::MissingDomain(scheme))?;
        let keyset = self
            .keyset
            .as_ref()
            .ok_or(BuildError::MissingKeyset(scheme))?;
        match keyset.key_type() {
            found if found == wanted => Ok((domain, keyset)),
            found => Err(BuildError::WrongKeyType { scheme, found }),
        }
    }

    /// The key of the scheme that masks addresses and nothing else.
    #[cfg(feature = "ip")]
    pub(crate) fn address_key(&self) -> Result<&IpcryptKey, BuildError> {
        match self.kind {
            Kind::Ip => self
                .ipcrypt_key
                .as_ref()
                .ok_or(BuildError::MissingIpcryptKey),
            Kind::Text => Err(BuildError::AddressesOnly),
        }
    }
}
