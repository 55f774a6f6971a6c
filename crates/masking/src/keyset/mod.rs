//! Tink keysets: keys under ids, one of them primary. Reading, writing and changing them.

#[cfg(feature = "keyset")]
mod binary;
#[cfg(feature = "keyset")]
mod document;
#[cfg(feature = "keyset")]
mod encrypted;
mod error;
#[cfg(feature = "keyset")]
mod generate;
#[cfg(feature = "keyset")]
pub(crate) mod json;
mod key;
#[cfg(feature = "keyset")]
mod material;
mod operations;
#[cfg(feature = "keyset")]
mod wire;

use alloc::vec::Vec;

#[cfg(feature = "keyset")]
pub use encrypted::{EncryptedKeyset, OpenError};
pub use error::KeysetError;
#[cfg(feature = "aes-siv")]
pub(crate) use key::PREFIX_LENGTH;
pub use key::{Key, KeyInfo, KeyPrefix, KeyStatus, KeyType};

/// Keys of one type, one of them primary: masking uses the primary, recovering whichever key made the value.
///
/// Invariant: the keys are of one type, their ids differ, and the primary is enabled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyset {
    keys: Vec<Key>,
    primary: u32,
}

impl Keyset {
    /// A keyset of `keys`, of which `primary` is the id that masks.
    pub fn new(keys: Vec<Key>, primary: u32) -> Result<Self, KeysetError> {
        let keyset = Self { keys, primary };
        keyset.check()?;
        Ok(keyset)
    }

    /// The type of all its keys.
    pub fn key_type(&self) -> KeyType {
        // `check` refused a keyset without a key.
        self.keys.first().map_or(KeyType::AesSiv, Key::key_type)
    }

    /// The id of the key that masks.
    pub const fn primary_key_id(&self) -> u32 {
        self.primary
    }

    /// What may be shown of the keys, in their order of making: everything but the material.
    pub fn show(&self) -> Vec<KeyInfo> {
        self.keys.iter().map(|key| key.info(self.primary)).collect()
    }

    /// Every key, in the order of making.
    #[cfg(feature = "aes-siv")]
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter()
    }

    /// The key that masks.
    #[cfg(feature = "aes-siv")]
    pub(crate) fn primary(&self) -> &Key {
        // `check` refused a keyset whose primary is missing; no operation removes it.
        self.keys
            .iter()
            .find(|key| key.id() == self.primary)
            .unwrap_or(&self.keys[0])
    }

    /// The keys that may be used, the primary first.
    #[cfg(any(feature = "aes-siv", feature = "hmac"))]
    pub(crate) fn enabled_primary_first(&self) -> impl Iterator<Item = &Key> {
        let is_primary = |key: &&Key| key.id() == self.primary;
        let others = self.keys.iter().filter(move |key| !is_primary(key));
        self.keys
            .iter()
            .filter(is_primary)
            .chain(others)
            .filter(|key| key.status() == KeyStatus::Enabled)
    }

    fn check(&self) -> Result<(), KeysetError> {
        let Some(first) = self.keys.first() else {
            return Err(KeysetError::Empty);
        };
        for (index, key) in self.keys.iter().enumerate() {
            if key.key_type() != first.key_type() {
                return Err(KeysetError::MixedTypes);
            }
            if self.keys[..index]
                .iter()
                .any(|earlier| earlier.id() == key.id())
            {
                return Err(KeysetError::DuplicateKeyId { key_id: key.id() });
            }
        }
        self.check_primary(self.primary)
    }

    fn check_primary(&self, key_id: u32) -> Result<(), KeysetError> {
        match self.keys.iter().find(|key| key.id() == key_id) {
            None => Err(KeysetError::PrimaryMissing { key_id }),
            Some(key) if key.status() != KeyStatus::Enabled => {
                Err(KeysetError::PrimaryNotEnabled { key_id })
            }
            Some(_) => Ok(()),
        }
    }
}
