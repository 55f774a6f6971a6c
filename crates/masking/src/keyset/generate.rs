//! New keys from the operating system's random source, shaped as Tink's own templates shape them.

use super::{Key, KeyType, Keyset, KeysetError};
use crate::ipcrypt_key::IpcryptKey;
use crate::pii::Pii;

impl Keyset {
    /// A keyset of one new key, which is its primary: Tink's template `AES256_SIV` or `HMAC_SHA256_PRF`.
    pub fn generate(key_type: KeyType) -> Result<Self, KeysetError> {
        let key = Key::generate(key_type, |_| false)?;
        let primary = key.id();
        Self::new(vec![key], primary)
    }

    /// Adds a new key and tells its id. It recovers at once, and masks once it is promoted.
    pub fn add_generated(&mut self) -> Result<u32, KeysetError> {
        let taken = |id| self.keys.iter().any(|key| key.id() == id);
        let key = Key::generate(self.key_type(), taken)?;
        let key_id = key.id();
        self.add(key)?;
        Ok(key_id)
    }
}

impl Key {
    fn generate(key_type: KeyType, taken: impl Fn(u32) -> bool) -> Result<Self, KeysetError> {
        let mut id = random_id()?;
        // Zero is what a missing field reads as.
        while id == 0 || taken(id) {
            id = random_id()?;
        }
        match key_type {
            KeyType::AesSiv => Self::aes_siv(id, random::<64>()?.expose()),
            KeyType::HmacPrf => Self::hmac_prf(id, random::<32>()?.expose()),
        }
    }
}

impl IpcryptKey {
    /// A new key.
    pub fn generate() -> Result<Self, KeysetError> {
        loop {
            // Halves that are equal by chance (once in 2^128) are refused; then another is drawn.
            if let Ok(key) = Self::from_bytes(random::<32>()?.expose()) {
                return Ok(key);
            }
        }
    }
}

fn random_id() -> Result<u32, KeysetError> {
    getrandom::u32().map_err(|_| KeysetError::NoRandomness)
}

fn random<const N: usize>() -> Result<Pii<[u8; N]>, KeysetError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| KeysetError::NoRandomness)?;
    Ok(Pii::new(bytes))
}
