//! One key of a keyset, and the names that Tink gives its parts.

use alloc::vec::Vec;
use core::fmt;

use super::KeysetError;
use crate::scheme::Scheme;
use crate::secret::Secret;

/// The length of Tink's prefix: `01` and the key's id.
#[cfg(feature = "aes-siv")]
pub(crate) const PREFIX_LENGTH: usize = 5;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyType {
    /// Tink's `AesSivKey`: 64 bytes, the first 32 of them for the MAC (RFC 5297's order).
    AesSiv,
    /// Tink's `HmacPrfKey` with SHA-256: 32 bytes or more.
    HmacPrf,
}

impl KeyType {
    /// The URL under which Tink knows the type.
    pub const fn type_url(self) -> &'static str {
        match self {
            Self::AesSiv => "type.googleapis.com/google.crypto.tink.AesSivKey",
            Self::HmacPrf => "type.googleapis.com/google.crypto.tink.HmacPrfKey",
        }
    }

    /// The scheme that masks with keys of the type.
    pub const fn scheme(self) -> Scheme {
        match self {
            Self::AesSiv => Scheme::AesSiv,
            Self::HmacPrf => Scheme::HmacSha256,
        }
    }

    const fn accepts_length(self, length: usize) -> bool {
        match self {
            Self::AesSiv => length == 64,
            Self::HmacPrf => length >= 32,
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::AesSiv => "AesSivKey",
            Self::HmacPrf => "HmacPrfKey",
        })
    }
}

/// Whether a key may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyStatus {
    /// Masks if it is primary, and recovers.
    Enabled,
    /// Recovers nothing until it is enabled again.
    Disabled,
    /// Its material is gone, and with it everything that it masked.
    Destroyed,
}

impl KeyStatus {
    /// Tink's name for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enabled => "ENABLED",
            Self::Disabled => "DISABLED",
            Self::Destroyed => "DESTROYED",
        }
    }
}

impl fmt::Display for KeyStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// What stands before a ciphertext.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyPrefix {
    /// `01` and the key's id: tells which key made the value.
    Tink,
    /// Nothing.
    Raw,
}

impl KeyPrefix {
    /// Tink's name for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tink => "TINK",
            Self::Raw => "RAW",
        }
    }
}

impl fmt::Display for KeyPrefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// One key: an id, what it is for, and its material unless that was destroyed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub(super) id: u32,
    pub(super) purpose: KeyType,
    pub(super) status: KeyStatus,
    pub(super) prefix: KeyPrefix,
    pub(super) material: Option<Secret>,
}

impl Key {
    /// An enabled `AesSivKey` with Tink's prefix, from its 64 bytes.
    pub fn aes_siv(id: u32, material: &[u8]) -> Result<Self, KeysetError> {
        Self::enabled(id, KeyType::AesSiv, KeyPrefix::Tink, Vec::from(material))
    }

    /// An enabled `HmacPrfKey` for SHA-256, from 32 bytes or more.
    pub fn hmac_prf(id: u32, material: &[u8]) -> Result<Self, KeysetError> {
        Self::enabled(id, KeyType::HmacPrf, KeyPrefix::Raw, Vec::from(material))
    }

    /// The same key with another prefix.
    #[must_use]
    pub const fn with_prefix(mut self, prefix: KeyPrefix) -> Self {
        self.prefix = prefix;
        self
    }

    fn enabled(
        id: u32,
        key_type: KeyType,
        prefix: KeyPrefix,
        material: Vec<u8>,
    ) -> Result<Self, KeysetError> {
        let material = Secret::new(material);
        if !key_type.accepts_length(material.bytes().len()) {
            return Err(KeysetError::BadKeyMaterial { key_id: id });
        }
        Ok(Self {
            id,
            purpose: key_type,
            status: KeyStatus::Enabled,
            prefix,
            material: Some(material),
        })
    }

    /// Its id in the keyset.
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// What it is for.
    pub const fn key_type(&self) -> KeyType {
        self.purpose
    }

    /// Whether it may be used.
    pub const fn status(&self) -> KeyStatus {
        self.status
    }

    /// What stands before its ciphertexts.
    pub const fn prefix(&self) -> KeyPrefix {
        self.prefix
    }

    /// The bytes that stand before its ciphertexts.
    #[cfg(feature = "aes-siv")]
    pub(crate) fn prefix_bytes(&self) -> Option<[u8; PREFIX_LENGTH]> {
        let [first, second, third, fourth] = self.id.to_be_bytes();
        (self.prefix == KeyPrefix::Tink).then_some([1, first, second, third, fourth])
    }

    /// The key's bytes; empty once they are destroyed.
    #[cfg(any(feature = "aes-siv", feature = "hmac", feature = "keyset"))]
    pub(crate) fn material(&self) -> &[u8] {
        self.material.as_ref().map_or(&[], Secret::bytes)
    }

    pub(super) const fn set_status(&mut self, status: KeyStatus) {
        self.status = status;
    }

    /// Drops the material, which wipes it.
    pub(super) fn destroy(&mut self) {
        self.status = KeyStatus::Destroyed;
        self.material = None;
    }

    pub(super) const fn info(&self, primary: u32) -> KeyInfo {
        KeyInfo {
            key_id: self.id,
            key_type: self.purpose,
            status: self.status,
            prefix: self.prefix,
            primary: self.id == primary,
        }
    }
}

/// What may be shown of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyInfo {
    /// Its id in the keyset.
    pub key_id: u32,
    /// What it is for.
    pub key_type: KeyType,
    /// Whether it may be used.
    pub status: KeyStatus,
    /// What stands before its ciphertexts.
    pub prefix: KeyPrefix,
    /// Whether it is the key that masks.
    pub primary: bool,
}
