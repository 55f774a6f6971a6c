//! The key file of `ipcrypt-pfx`: `{"scheme": "ipcrypt-pfx", "key": "<64 hexadecimal digits>"}`, the notation of
//! draft-denis-ipcrypt.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::ipcrypt_key::IpcryptKey;
use crate::keyset::{KeysetError, json};
use crate::pii::Pii;
use crate::scheme::Scheme;

#[derive(Serialize, Deserialize)]
struct Document<'json> {
    #[serde(borrow, default)]
    scheme: Option<Cow<'json, str>>,
    #[serde(borrow, default)]
    key: Cow<'json, str>,
}

/// What a Tink keyset has in the place of our key: only that it is there matters.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Keyset {
    primary_key_id: Option<IgnoredAny>,
    encrypted_keyset: Option<IgnoredAny>,
}

impl IpcryptKey {
    /// Reads a key file's text.
    pub fn from_json(text: &str) -> Result<Self, KeysetError> {
        let other: Keyset = json::parse(text)?;
        if other.primary_key_id.is_some() || other.encrypted_keyset.is_some() {
            return Err(KeysetError::NotIpcryptKey);
        }
        let document: Document<'_> = json::parse(text)?;
        let scheme = document.scheme.and_then(|name| name.parse().ok());
        if scheme != Some(Scheme::IpcryptPfx) {
            return Err(KeysetError::NotIpcryptKey);
        }
        let key = Pii::new(document.key);
        let bytes = Pii::new(decode(key.expose()).ok_or(KeysetError::BadIpcryptKey)?);
        Self::from_bytes(bytes.expose()).map_err(|_| KeysetError::BadIpcryptKey)
    }

    /// The key file's text, the key in the clear.
    pub fn to_json(&self) -> Pii<String> {
        let key = Pii::new(encode(self.bytes()));
        let scheme = Scheme::IpcryptPfx.name().into();
        let document = Document {
            scheme: Some(scheme),
            key: Cow::Borrowed(key.expose()),
        };
        json::write(&document, 256)
    }
}

fn decode(text: &str) -> Option<[u8; 32]> {
    let (digits, rest) = text.as_bytes().as_chunks::<2>();
    let mut bytes = [0; 32];
    if !rest.is_empty() || digits.len() != bytes.len() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(digits) {
        let value = char::from(*high).to_digit(16)? * 16 + char::from(*low).to_digit(16)?;
        *byte = u8::try_from(value).ok()?;
    }
    Some(bytes)
}

fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
    }
    text
}
