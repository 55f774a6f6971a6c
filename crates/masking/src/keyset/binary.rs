//! Tink's binary `Keyset` message: what an encrypted keyset holds inside.

use super::wire::{Field, Reader, Writer};
use super::{Key, KeyPrefix, KeyStatus, KeyType, Keyset, KeysetError, document, material};
use crate::pii::Pii;

impl Keyset {
    /// Reads Tink's binary form, as a key service gives it back.
    pub fn from_binary(message: &[u8]) -> Result<Self, KeysetError> {
        let mut reader = Reader::new(message);
        let mut primary = 0;
        let mut keys = Vec::new();
        while let Some((number, field)) = reader.next()? {
            match (number, field) {
                (1, Field::Number(id)) => primary = key_id(id)?,
                (2, Field::Bytes(key)) => keys.push(read_key(key)?),
                _ => {}
            }
        }
        document::assemble(&keys, primary)
    }

    /// Tink's binary form, for a key service to encrypt. It holds the key material in the clear.
    pub fn to_binary(&self) -> Pii<Vec<u8>> {
        let mut writer = Writer::with_capacity(8 + self.keys.len() * 256);
        writer.number(1, u64::from(self.primary));
        for key in &self.keys {
            writer.bytes(2, write_key(key).expose());
        }
        writer.finish()
    }
}

fn read_key(message: &[u8]) -> Result<document::Draft, KeysetError> {
    let mut reader = Reader::new(message);
    let mut draft = document::Draft::default();
    while let Some((number, field)) = reader.next()? {
        match (number, field) {
            (1, Field::Bytes(data)) => read_data(data, &mut draft)?,
            (2, Field::Number(status)) => draft.status = status_of(status),
            (3, Field::Number(id)) => draft.id = key_id(id)?,
            (4, Field::Number(prefix)) => draft.prefix = prefix_of(prefix),
            _ => {}
        }
    }
    Ok(draft)
}

fn read_data(message: &[u8], draft: &mut document::Draft) -> Result<(), KeysetError> {
    let mut reader = Reader::new(message);
    while let Some((number, field)) = reader.next()? {
        match (number, field) {
            (1, Field::Bytes(url)) => {
                draft.type_url = Some(String::from_utf8_lossy(url).into_owned());
            }
            (2, Field::Bytes(value)) => draft.value = Pii::new(value.to_vec()),
            _ => {}
        }
    }
    Ok(())
}

fn write_key(key: &Key) -> Pii<Vec<u8>> {
    let mut writer = Writer::with_capacity(224);
    if key.status() != KeyStatus::Destroyed {
        writer.bytes(1, write_data(key.key_type(), key.material()).expose());
    }
    writer.number(2, status_number(key.status()));
    writer.number(3, u64::from(key.id()));
    writer.number(4, prefix_number(key.prefix()));
    writer.finish()
}

fn write_data(key_type: KeyType, bytes: &[u8]) -> Pii<Vec<u8>> {
    let mut writer = Writer::with_capacity(96 + bytes.len());
    writer.bytes(1, key_type.type_url().as_bytes());
    writer.bytes(2, material::write(key_type, bytes).expose());
    // KeyMaterialType.SYMMETRIC
    writer.number(3, 1);
    writer.finish()
}

fn key_id(number: u64) -> Result<u32, KeysetError> {
    u32::try_from(number).map_err(|_| KeysetError::NotProtobuf)
}

const fn status_number(status: KeyStatus) -> u64 {
    match status {
        KeyStatus::Enabled => 1,
        KeyStatus::Disabled => 2,
        KeyStatus::Destroyed => 3,
    }
}

const fn status_of(number: u64) -> Option<KeyStatus> {
    match number {
        1 => Some(KeyStatus::Enabled),
        2 => Some(KeyStatus::Disabled),
        3 => Some(KeyStatus::Destroyed),
        _ => None,
    }
}

const fn prefix_number(prefix: KeyPrefix) -> u64 {
    match prefix {
        KeyPrefix::Tink => 1,
        KeyPrefix::Raw => 3,
    }
}

const fn prefix_of(number: u64) -> Option<KeyPrefix> {
    match number {
        1 => Some(KeyPrefix::Tink),
        3 => Some(KeyPrefix::Raw),
        _ => None,
    }
}
