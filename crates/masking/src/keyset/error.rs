//! What can be wrong with a keyset.
//!
//! Invariant: neither key material nor a piece of the document is part of an error; a JSON error names its place only.

use alloc::string::String;
use core::fmt;

/// A keyset cannot be read, or not be changed so.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeysetError {
    /// No keys at all.
    Empty,
    /// Keys of more than one type.
    MixedTypes,
    /// Two keys under one id.
    DuplicateKeyId {
        /// The id.
        key_id: u32,
    },
    /// The primary's id names no key.
    PrimaryMissing {
        /// The id.
        key_id: u32,
    },
    /// The primary is disabled or destroyed.
    PrimaryNotEnabled {
        /// The id.
        key_id: u32,
    },
    /// The key's bytes are not what its type demands.
    BadKeyMaterial {
        /// The id.
        key_id: u32,
    },
    /// Keys of a type that masks nothing here.
    UnsupportedType {
        /// The type's URL, as the document names it.
        type_url: String,
    },
    /// No key has the id.
    UnknownKey {
        /// The id.
        key_id: u32,
    },
    /// The primary can be neither disabled nor destroyed.
    IsPrimary {
        /// The id.
        key_id: u32,
    },
    /// The key's material is gone for good.
    Destroyed {
        /// The id.
        key_id: u32,
    },
    /// A prefix other than `TINK` and `RAW`.
    UnsupportedPrefix {
        /// The id.
        key_id: u32,
    },
    /// A status other than Tink's three.
    UnsupportedStatus {
        /// The id.
        key_id: u32,
    },
    /// A version of the key's message after the first.
    UnsupportedKeyVersion {
        /// The id.
        key_id: u32,
    },
    /// An HMAC key for a hash other than SHA-256.
    UnsupportedHash {
        /// The id.
        key_id: u32,
    },
    /// Not JSON, or not shaped as a keyset.
    NotJson {
        /// Where the reader stopped, from 1.
        line: usize,
        /// Where in the line it stopped.
        column: usize,
    },
    /// The binary form is broken: decrypted with something else, or cut.
    NotProtobuf,
    /// The ciphertext of an encrypted keyset is not base64.
    NotBase64,
    /// An encrypted keyset, where one in the clear was expected.
    Encrypted,
    /// A keyset in the clear, where an encrypted one was expected.
    NotEncrypted,
    /// A key file of `ipcrypt-pfx`, where a keyset was expected.
    IsIpcryptKey,
    /// Something else, where a key file of `ipcrypt-pfx` was expected.
    NotIpcryptKey,
    /// The key of `ipcrypt-pfx` is not 64 hexadecimal digits, or its halves are equal.
    BadIpcryptKey,
    /// The operating system gave no random bytes.
    NoRandomness,
}

impl KeysetError {
    /// The key that is at fault and what is wrong with it, where it is one key.
    const fn about_one_key(&self) -> Option<(u32, &'static str)> {
        Some(match self {
            Self::DuplicateKeyId { key_id } => (*key_id, "stands in the keyset twice"),
            Self::PrimaryMissing { key_id } => (*key_id, "is named as primary and is missing"),
            Self::PrimaryNotEnabled { key_id } => (*key_id, "cannot be primary, it is not enabled"),
            Self::BadKeyMaterial { key_id } => (*key_id, "has material that is not valid"),
            Self::UnknownKey { key_id } => (*key_id, "is not in the keyset"),
            Self::IsPrimary { key_id } => (*key_id, "is the primary, promote another first"),
            Self::Destroyed { key_id } => (*key_id, "is destroyed"),
            Self::UnsupportedPrefix { key_id } => (*key_id, "has a prefix other than TINK and RAW"),
            Self::UnsupportedStatus { key_id } => (*key_id, "has a status that is not known"),
            Self::UnsupportedKeyVersion { key_id } => (*key_id, "has a version that is not known"),
            Self::UnsupportedHash { key_id } => (*key_id, "is for a hash other than SHA-256"),
            _ => return None,
        })
    }

    const fn about_the_whole(&self) -> &'static str {
        match self {
            Self::Empty => "the keyset holds no keys",
            Self::MixedTypes => "the keyset holds keys of more than one type",
            Self::UnsupportedType { .. } => {
                "the keyset holds keys of a type that masks nothing here"
            }
            Self::NotProtobuf => "not a keyset in binary form",
            Self::NotBase64 => "the encrypted keyset is not base64",
            Self::Encrypted => "the keyset is encrypted",
            Self::NotEncrypted => "the keyset is not encrypted",
            Self::IsIpcryptKey => "this is a key of ipcrypt-pfx, not a keyset",
            Self::NotIpcryptKey => "this is not a key of ipcrypt-pfx",
            Self::BadIpcryptKey => "not 64 hexadecimal digits with halves that differ",
            Self::NoRandomness => "the operating system gave no random bytes",
            _ => "not a keyset in JSON",
        }
    }
}

impl fmt::Display for KeysetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((key_id, fault)) = self.about_one_key() {
            return write!(formatter, "key {key_id} {fault}");
        }
        formatter.write_str(self.about_the_whole())?;
        match self {
            Self::UnsupportedType { type_url } => write!(
                formatter,
                ": {type_url} (AesSivKey is for aes-siv, HmacPrfKey for hmac-sha256)"
            ),
            Self::NotJson { line, column } => {
                write!(formatter, ", from line {line} column {column} on")
            }
            _ => Ok(()),
        }
    }
}

impl core::error::Error for KeysetError {}
