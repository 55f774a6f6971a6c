//! Maskers from key files: the one place where a program here reads a key. A file is read once, and opened by the key at
//! AWS KMS that is named for it where it is encrypted.

mod error;
mod file;
mod kms;
mod kms_error;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use login_model::Maskers;
use masking::{
    FieldMasker, FieldMaskerBuilder, KeyInfo, KeyPrefix, KeyStatus, Keyset, Kind, Scheme,
};

pub use self::error::KeyError;
pub use self::file::{open, read, text, warn_of};
pub use self::kms::{NoKey, WrappingKey};
pub use self::kms_error::KmsError;

/// Characters in the columns that hold masked values.
const COLUMN_CHARS: usize = 256;

/// How one column is masked.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'a> {
    /// Under which scheme.
    pub scheme: Scheme,
    /// With the key in this file, where the scheme needs one.
    pub key_file: Option<&'a Path>,
}

/// The keysets of one program.
pub struct Keys<'a> {
    wrapped_by: Option<&'a WrappingKey>,
    takes_clear: bool,
    opened: BTreeMap<PathBuf, Keyset>,
}

impl<'a> Keys<'a> {
    /// Of files that are encrypted with this key; in the clear, where none is named.
    pub fn new(wrapped_by: Option<&'a WrappingKey>) -> Self {
        Self {
            wrapped_by,
            takes_clear: wrapped_by.is_none(),
            opened: BTreeMap::new(),
        }
    }

    /// Of files that may also be from before they were encrypted.
    pub fn old(wrapped_by: Option<&'a WrappingKey>) -> Self {
        Self {
            takes_clear: true,
            ..Self::new(wrapped_by)
        }
    }

    /// The maskers of the two columns of `user_logins`.
    pub async fn maskers(
        &mut self,
        ip: Choice<'_>,
        device_id: Choice<'_>,
    ) -> Result<Maskers, KeyError> {
        if device_id.scheme.needs_ipcrypt_key() {
            return Err(KeyError::AddressesOnly(device_id.scheme));
        }
        Ok(Maskers {
            ip: self.masker(ip, "ip", Kind::Ip).await?,
            device_id: self.masker(device_id, "device_id", Kind::Text).await?,
        })
    }

    /// A masker for one field; reads the key file where the scheme needs one.
    pub async fn masker(
        &mut self,
        choice: Choice<'_>,
        domain: &str,
        kind: Kind,
    ) -> Result<FieldMasker, KeyError> {
        let scheme = choice.scheme;
        let mut builder = builder(scheme, domain, kind);
        if scheme.needs_keyset() {
            let path = choice.named(domain)?;
            builder = builder.keyset(self.keyset(path).await?);
        } else if scheme.needs_ipcrypt_key() && kind == Kind::Ip {
            let path = choice.named(domain)?;
            let file = read(path)?;
            warn_of(&file);
            let key = file.ipcrypt_key();
            builder = builder.ipcrypt_key(&key.map_err(KeyError::of(path))?);
        }
        builder.build().map_err(|source| KeyError::Unfit {
            domain: domain.to_owned(),
            source,
        })
    }

    /// The ids of the keys in a file.
    pub async fn ids(&mut self, path: &Path) -> Result<Vec<u32>, KeyError> {
        let keys = self.keyset(path).await?.show();
        Ok(keys.iter().map(|key| key.key_id).collect())
    }

    /// The id that stands before what the primary masks, if one does.
    pub async fn primary_id(&mut self, path: &Path) -> Result<Option<u32>, KeyError> {
        let is_prefix = |key: &&KeyInfo| key.primary && key.prefix == KeyPrefix::Tink;
        let keys = self.keyset(path).await?.show();
        Ok(keys.iter().find(is_prefix).map(|key| key.key_id))
    }

    /// The ids of keys that are switched off, and so mask nothing that is searched for.
    pub async fn disabled_ids(&mut self, path: &Path) -> Result<Vec<u32>, KeyError> {
        let is_disabled = |key: &&KeyInfo| key.status == KeyStatus::Disabled;
        let keys = self.keyset(path).await?.show();
        Ok(keys
            .iter()
            .filter(is_disabled)
            .map(|key| key.key_id)
            .collect())
    }

    async fn keyset(&mut self, path: &Path) -> Result<&Keyset, KeyError> {
        if !self.opened.contains_key(path) {
            let file = read(path)?;
            let is_clear = self.takes_clear && file.encrypted_keyset().is_err();
            let wrapped_by = self.wrapped_by.filter(|_| !is_clear);
            let keyset = open(&file, path, wrapped_by).await?;
            self.opened.insert(path.to_owned(), keyset);
        }
        Ok(&self.opened[path])
    }
}

impl<'a> Choice<'a> {
    fn named(self, domain: &str) -> Result<&'a Path, KeyError> {
        self.key_file.ok_or_else(|| KeyError::NotNamed {
            scheme: self.scheme,
            domain: domain.to_owned(),
        })
    }
}

/// A masker for a column of ours, without its keys.
pub fn builder(scheme: Scheme, domain: &str, kind: Kind) -> FieldMaskerBuilder {
    FieldMasker::builder(scheme)
        .domain(domain)
        .kind(kind)
        .max_chars(COLUMN_CHARS)
}

/// Says what a scheme does not protect, once, where it does not.
pub fn warn_of_encodings(maskers: &Maskers) {
    if [maskers.ip.scheme(), maskers.device_id.scheme()].contains(&Scheme::Base64) {
        tracing::warn!(
            "base64 is an encoding, not protection: whoever reads the column can decode it"
        );
    }
}
