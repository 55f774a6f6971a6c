#![doc = include_str!("../README.md")]
#![cfg_attr(not(any(feature = "ip", feature = "keyset", test)), no_std)]

extern crate alloc;

mod address;
mod builder;
mod engine;
mod error;
mod ipcrypt_key;
#[cfg(feature = "keyset")]
mod ipcrypt_key_json;
#[cfg(feature = "keyset")]
mod key_file;
mod keyset;
mod masked;
mod masker;
mod pii;
mod scheme;
mod secret;
#[cfg(feature = "base64")]
mod text;

pub use builder::FieldMaskerBuilder;
pub use error::{BuildError, MaskError, UnmaskError};
pub use ipcrypt_key::{IpcryptKey, WeakIpcryptKey};
#[cfg(feature = "keyset")]
pub use key_file::{KeyFile, KeyFileChange, KeyFileError, KeyFileWarning};
#[cfg(feature = "keyset")]
pub use keyset::{EncryptedKeyset, OpenError};
pub use keyset::{Key, KeyInfo, KeyPrefix, KeyStatus, KeyType, Keyset, KeysetError};
pub use masked::Masked;
pub use masker::{FieldMasker, Kind};
pub use pii::{Pii, Wipe};
pub use scheme::{Scheme, UnknownScheme};
