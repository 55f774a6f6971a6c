//! From what a document says to a keyset that is sound: the checks that JSON and binary share.

use super::{Key, KeyPrefix, KeyStatus, KeyType, Keyset, KeysetError, material};
use crate::pii::Pii;
use crate::secret::Secret;

/// A key as a document has it, not yet checked. A part is missing where the document names none that is known.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) id: u32,
    pub(super) type_url: Option<String>,
    pub(super) value: Pii<Vec<u8>>,
    pub(super) status: Option<KeyStatus>,
    pub(super) prefix: Option<KeyPrefix>,
}

/// Checks every key, and the keyset as a whole.
pub(super) fn assemble(drafts: &[Draft], primary: u32) -> Result<Keyset, KeysetError> {
    // Tink drops the whole key data of a destroyed key, its type too: it was of the type of the others.
    let common = drafts
        .iter()
        .find_map(|draft| draft.type_url.clone())
        .ok_or(KeysetError::Empty)?;
    let keys = drafts
        .iter()
        .map(|draft| finish(draft, &common))
        .collect::<Result<_, _>>()?;
    Keyset::new(keys, primary)
}

fn finish(draft: &Draft, common: &str) -> Result<Key, KeysetError> {
    let key_id = draft.id;
    let purpose = key_type(draft.type_url.as_deref().unwrap_or(common))?;
    let status = draft
        .status
        .ok_or(KeysetError::UnsupportedStatus { key_id })?;
    let prefix = draft
        .prefix
        .ok_or(KeysetError::UnsupportedPrefix { key_id })?;
    if status == KeyStatus::Destroyed {
        return Ok(Key {
            id: key_id,
            purpose,
            status,
            prefix,
            material: None,
        });
    }
    let bytes = Secret::new(material::read(purpose, draft.value.expose(), key_id)?);
    let key = match purpose {
        KeyType::AesSiv => Key::aes_siv(key_id, bytes.bytes())?,
        KeyType::HmacPrf => Key::hmac_prf(key_id, bytes.bytes())?,
    };
    Ok(Key {
        status,
        ..key.with_prefix(prefix)
    })
}

fn key_type(type_url: &str) -> Result<KeyType, KeysetError> {
    let known = [KeyType::AesSiv, KeyType::HmacPrf];
    let found = known
        .into_iter()
        .find(|key_type| key_type.type_url() == type_url);
    // Only what looks like a type is repeated, in case a key was pasted in its place.
    let shown = if type_url.starts_with("type.googleapis.com/google.crypto.tink.") {
        type_url
    } else {
        "(not one of Tink)"
    };
    found.ok_or_else(|| KeysetError::UnsupportedType {
        type_url: shown.into(),
    })
}
