//! The messages that hold one key's bytes: `AesSivKey` and `HmacPrfKey`.

use super::wire::{Field, Reader, Writer};
use super::{KeyType, KeysetError};
use crate::pii::Pii;

/// `HashType.SHA256` of Tink's `common.proto`.
const SHA256: u64 = 3;

/// The key's bytes, from the message that `type_url` names.
pub(super) fn read(key_type: KeyType, message: &[u8], key_id: u32) -> Result<Vec<u8>, KeysetError> {
    let bytes_field = bytes_field(key_type);
    let mut reader = Reader::new(message);
    let mut bytes = Pii::new(Vec::new());
    let mut hash = None;
    while let Some((number, field)) = reader
        .next()
        .map_err(|_| KeysetError::BadKeyMaterial { key_id })?
    {
        match (number, field) {
            (1, Field::Number(version)) if version != 0 => {
                return Err(KeysetError::UnsupportedKeyVersion { key_id });
            }
            (2, Field::Bytes(params)) if key_type == KeyType::HmacPrf => hash = read_hash(params)?,
            (field, Field::Bytes(value)) if field == u64::from(bytes_field) => {
                bytes = Pii::new(value.to_vec());
            }
            _ => {}
        }
    }
    if key_type == KeyType::HmacPrf && hash != Some(SHA256) {
        return Err(KeysetError::UnsupportedHash { key_id });
    }
    Ok(bytes.into_exposed())
}

fn read_hash(params: &[u8]) -> Result<Option<u64>, KeysetError> {
    let mut reader = Reader::new(params);
    let mut hash = None;
    while let Some((number, field)) = reader.next()? {
        if let (1, Field::Number(value)) = (number, field) {
            hash = Some(value);
        }
    }
    Ok(hash)
}

/// The message for a key's bytes: 66 bytes, `12 40 ‖ key`, for an `AesSivKey`.
pub(super) fn write(key_type: KeyType, bytes: &[u8]) -> Pii<Vec<u8>> {
    let mut writer = Writer::with_capacity(bytes.len() + 16);
    if key_type == KeyType::HmacPrf {
        writer.bytes(2, &[1 << 3, 3]);
    }
    writer.bytes(bytes_field(key_type), bytes);
    writer.finish()
}

const fn bytes_field(key_type: KeyType) -> u8 {
    match key_type {
        KeyType::AesSiv => 2,
        KeyType::HmacPrf => 3,
    }
}
