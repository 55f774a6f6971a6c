//! Tink's encrypted keyset: the binary keyset, encrypted by a key service with empty associated data.
//!
//! No key service is known here. The caller decrypts, by a callback or, where that takes an `await`, between
//! [`EncryptedKeyset::ciphertext`] and [`Keyset::from_binary`].

use core::fmt;
use std::error::Error;

use serde::{Deserialize, Serialize};

use super::{Key, Keyset, KeysetError, json};
use crate::text;

/// A keyset that only the key service opens. It holds nothing secret, so it may be shown and copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptedKeyset {
    ciphertext: Vec<u8>,
    info: Info,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    encrypted_keyset: Option<String>,
    #[serde(default)]
    keyset_info: Info,
}

/// What Tink tells of the keys beside the ciphertext.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Info {
    primary_key_id: u32,
    key_info: Vec<KeyLine>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct KeyLine {
    type_url: String,
    status: String,
    key_id: u32,
    output_prefix_type: String,
}

impl EncryptedKeyset {
    /// Reads the JSON that Tink writes.
    pub fn from_json(document: &str) -> Result<Self, KeysetError> {
        let document: Document = json::parse(document)?;
        let encoded = document.encrypted_keyset.ok_or(KeysetError::NotEncrypted)?;
        let ciphertext = text::decode(&encoded).map_err(|_| KeysetError::NotBase64)?;
        Ok(Self {
            ciphertext,
            info: document.keyset_info,
        })
    }

    /// The JSON that Tink reads.
    pub fn to_json(&self) -> String {
        let mut encoded = String::new();
        text::encode_into(&self.ciphertext, &mut encoded);
        let document = Document {
            encrypted_keyset: Some(encoded),
            keyset_info: self.info.clone(),
        };
        json::write(&document, 512).into_exposed()
    }

    /// What a key service encrypted of [`Keyset::to_binary`], with what may be told of the keys.
    pub fn from_ciphertext(ciphertext: Vec<u8>, keyset: &Keyset) -> Self {
        let info = Info {
            primary_key_id: keyset.primary,
            key_info: keyset.keys.iter().map(line).collect(),
        };
        Self { ciphertext, info }
    }

    /// What the key service is to decrypt, with empty associated data; [`Keyset::from_binary`] reads the answer.
    pub fn ciphertext(&self) -> &[u8] {
        &self.ciphertext
    }

    /// Opens it by a callback that decrypts. What the callback returns is wiped.
    pub fn open<E>(
        &self,
        decrypt: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>,
    ) -> Result<Keyset, OpenError<E>> {
        let binary = crate::Pii::new(decrypt(&self.ciphertext).map_err(OpenError::Decrypt)?);
        Keyset::from_binary(binary.expose()).map_err(OpenError::Keyset)
    }

    /// Seals a keyset by a callback that encrypts.
    pub fn seal<E>(
        keyset: &Keyset,
        encrypt: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>,
    ) -> Result<Self, E> {
        let ciphertext = encrypt(keyset.to_binary().expose())?;
        Ok(Self::from_ciphertext(ciphertext, keyset))
    }
}

fn line(key: &Key) -> KeyLine {
    KeyLine {
        type_url: key.key_type().type_url().into(),
        status: key.status().name().into(),
        key_id: key.id(),
        output_prefix_type: key.prefix().name().into(),
    }
}

/// An encrypted keyset does not open.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError<E> {
    /// The callback failed.
    Decrypt(E),
    /// What it decrypted is not a sound keyset.
    Keyset(KeysetError),
}

impl<E> fmt::Display for OpenError<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Decrypt(_) => "the key service did not decrypt the keyset",
            Self::Keyset(_) => "the decrypted keyset cannot be used",
        })
    }
}

impl<E: Error + 'static> Error for OpenError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Decrypt(error) => Some(error),
            Self::Keyset(error) => Some(error),
        }
    }
}
