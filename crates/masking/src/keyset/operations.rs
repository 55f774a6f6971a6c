//! How a keyset changes: keys are added, promoted, disabled and destroyed. Each refusal leaves the keyset as it was.
//!
//! Rotation is `add`, hand the file to every reader, then `promote`: a value is never written with a key that a reader
//! does not know yet.

use super::{Key, KeyStatus, Keyset, KeysetError};

impl Keyset {
    /// Adds a key of the keyset's type under an id that is free. It recovers at once, and masks once it is promoted.
    pub fn add(&mut self, key: Key) -> Result<(), KeysetError> {
        if key.key_type() != self.key_type() {
            return Err(KeysetError::MixedTypes);
        }
        if self.keys.iter().any(|present| present.id() == key.id()) {
            return Err(KeysetError::DuplicateKeyId { key_id: key.id() });
        }
        self.keys.push(key);
        Ok(())
    }

    /// Makes a key the one that masks, and tells which: the newest that is enabled unless one is named.
    pub fn promote(&mut self, key_id: Option<u32>) -> Result<u32, KeysetError> {
        let newest = self
            .keys
            .iter()
            .rev()
            .find(|key| key.status() == KeyStatus::Enabled);
        let key_id = key_id.or(newest.map(Key::id)).unwrap_or(self.primary);
        match self.find(key_id)?.status() {
            KeyStatus::Enabled => self.primary = key_id,
            _ => return Err(KeysetError::PrimaryNotEnabled { key_id }),
        }
        Ok(key_id)
    }

    /// Stops a key from recovering, for the time being. The primary cannot be disabled: promote another first.
    pub fn disable(&mut self, key_id: u32) -> Result<(), KeysetError> {
        self.change_status(key_id, KeyStatus::Disabled)
    }

    /// Lets a disabled key recover again.
    pub fn enable(&mut self, key_id: u32) -> Result<(), KeysetError> {
        self.change_status(key_id, KeyStatus::Enabled)
    }

    /// Wipes a key's material for good: what it masked can never be recovered (crypto-shredding), as far as no copy of
    /// the keyset is kept. The primary cannot be destroyed: promote another first.
    pub fn destroy(&mut self, key_id: u32) -> Result<(), KeysetError> {
        self.changeable(key_id)?.destroy();
        Ok(())
    }

    fn change_status(&mut self, key_id: u32, status: KeyStatus) -> Result<(), KeysetError> {
        let key = self.changeable(key_id)?;
        if key.status() == KeyStatus::Destroyed {
            return Err(KeysetError::Destroyed { key_id });
        }
        key.set_status(status);
        Ok(())
    }

    fn changeable(&mut self, key_id: u32) -> Result<&mut Key, KeysetError> {
        let is_primary = key_id == self.primary;
        let key = self.keys.iter_mut().find(|key| key.id() == key_id);
        match key.ok_or(KeysetError::UnknownKey { key_id })? {
            _ if is_primary => Err(KeysetError::IsPrimary { key_id }),
            key => Ok(key),
        }
    }

    fn find(&self, key_id: u32) -> Result<&Key, KeysetError> {
        let key = self.keys.iter().find(|key| key.id() == key_id);
        key.ok_or(KeysetError::UnknownKey { key_id })
    }
}
