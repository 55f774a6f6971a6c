//! What can go wrong with a masker and with a value. Written by hand, so that `base64` alone builds one dependency.
//!
//! Invariant: no variant holds a value, a masked value or key material; key ids and limits are all that is told.

use core::fmt;

use crate::keyset::KeyType;
use crate::scheme::Scheme;

/// A [`FieldMasker`](crate::FieldMasker) cannot be made from what was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// The scheme was left out of this build.
    NotCompiled {
        /// What was asked for.
        scheme: Scheme,
        /// The cargo feature of this crate that brings it.
        feature: &'static str,
    },
    /// A keyed scheme without a domain: without one, equal text in two fields would link.
    MissingDomain(Scheme),
    /// The scheme needs a keyset.
    MissingKeyset(Scheme),
    /// The scheme needs an ipcrypt key.
    MissingIpcryptKey,
    /// The keyset holds keys of another type.
    WrongKeyType {
        /// What was asked for.
        scheme: Scheme,
        /// What the keyset holds.
        found: KeyType,
    },
    /// `ipcrypt-pfx` masks addresses, and the field was not said to be one.
    AddressesOnly,
}

impl fmt::Display for BuildError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCompiled { scheme, feature } => {
                write!(
                    formatter,
                    "{scheme} is not in this build, it takes the cargo feature {feature:?}"
                )
            }
            Self::MissingDomain(scheme) => write!(formatter, "{scheme} needs a domain"),
            Self::MissingKeyset(scheme) => write!(formatter, "{scheme} needs a keyset"),
            Self::MissingIpcryptKey => write!(formatter, "ipcrypt-pfx needs an ipcrypt key"),
            Self::WrongKeyType { scheme, found } => {
                let other = found.scheme();
                write!(
                    formatter,
                    "{scheme} cannot use a keyset of {found} keys, which are for {other}"
                )
            }
            Self::AddressesOnly => write!(formatter, "ipcrypt-pfx masks addresses only"),
        }
    }
}

impl core::error::Error for BuildError {}

/// A value cannot be masked. It is the value's fault: another one may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MaskError {
    /// The masked text would be longer than the masker's limit. Nothing is ever cut.
    TooLong {
        /// The limit, in characters.
        limit: usize,
    },
    /// `ipcrypt-pfx` was given something that is not an address.
    NotAnAddress,
}

impl fmt::Display for MaskError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { limit } => {
                write!(
                    formatter,
                    "the masked value would be longer than {limit} characters"
                )
            }
            Self::NotAnAddress => write!(formatter, "the value is not an IP address"),
        }
    }
}

impl core::error::Error for MaskError {}

/// A masked value cannot be recovered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnmaskError {
    /// The scheme goes one way.
    NotReversible(Scheme),
    /// Not base64, in either alphabet.
    NotBase64,
    /// Too short to have come from this scheme.
    Truncated,
    /// The key that masked it is not in the keyset.
    UnknownKey {
        /// The id in the value's prefix.
        key_id: u32,
    },
    /// The key that masked it is in the keyset, disabled or destroyed.
    KeyNotEnabled {
        /// The id in the value's prefix.
        key_id: u32,
    },
    /// Altered, or masked in another domain, or with another key: the authentication failed.
    NotAuthentic,
    /// What came out is not text: this was not made by a masker.
    NotText,
    /// `ipcrypt-pfx` was given something that is not an address.
    NotAnAddress,
}

impl fmt::Display for UnmaskError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotReversible(scheme) => write!(formatter, "{scheme} cannot be reversed"),
            Self::NotBase64 => write!(formatter, "the masked value is not base64"),
            Self::Truncated => write!(formatter, "the masked value is too short to be whole"),
            Self::UnknownKey { key_id } => {
                write!(
                    formatter,
                    "the masked value was made with key {key_id}, which is not in the keyset"
                )
            }
            Self::KeyNotEnabled { key_id } => {
                write!(
                    formatter,
                    "the masked value was made with key {key_id}, which is not enabled"
                )
            }
            Self::NotAuthentic => {
                write!(
                    formatter,
                    "the masked value was altered, or made in another domain or with another key"
                )
            }
            Self::NotText => write!(formatter, "the recovered value is not text"),
            Self::NotAnAddress => write!(formatter, "the masked value is not an IP address"),
        }
    }
}

impl core::error::Error for UnmaskError {}
