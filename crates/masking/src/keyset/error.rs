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
}

impl fmt::Display for KeysetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(formatter, "the keyset holds no keys"),
            Self::MixedTypes => write!(formatter, "the keyset holds keys of more than one type"),
            Self::DuplicateKeyId { key_id } => write!(formatter, "two keys have the id {key_id}"),
            Self::PrimaryMissing { key_id } => {
                write!(formatter, "the primary key {key_id} is not in the keyset")
            }
            Self::PrimaryNotEnabled { key_id } => {
                write!(formatter, "the primary key {key_id} is not enabled")
            }
            Self::BadKeyMaterial { key_id } => {
                write!(formatter, "the material of key {key_id} is not valid")
            }
            Self::UnsupportedType { type_url } => {
                write!(formatter, "keys of type {type_url} mask nothing here")
            }
        }
    }
}

impl core::error::Error for KeysetError {}
