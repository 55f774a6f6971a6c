//! How personal data is masked, and with which keys: a file in the function's package, a layer or a mounted file system,
//! in the clear or encrypted by a key at AWS KMS.

mod wrapping_key;

use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use login_model::Maskers;
use masking::{FieldMasker, KeyFile, Keyset, Kind, Scheme};

use self::wrapping_key::WrappingKey;

/// Characters in the columns that hold masked values.
const COLUMN_CHARS: usize = 256;

/// The choice for each column.
pub(crate) struct MaskingConfiguration {
    ip: Choice,
    device_id: Choice,
    wrapped_by: Option<WrappingKey>,
}

struct Choice {
    scheme: Scheme,
    keyset: Option<PathBuf>,
}

impl MaskingConfiguration {
    pub(super) fn read(lookup: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        let choice = |scheme, keyset| {
            let scheme = self::scheme(lookup, scheme)?;
            let keyset = lookup(keyset).or_else(|| lookup("ETL_KEYSET"));
            let keyset = keyset.map(PathBuf::from);
            anyhow::Ok(Choice { scheme, keyset })
        };
        let wrapped_by = lookup("ETL_KEYSET_KEK").map(|uri| uri.parse());
        Ok(Self {
            wrapped_by: wrapped_by.transpose().context("ETL_KEYSET_KEK")?,
            ip: choice("ETL_MASK_IP", "ETL_KEYSET_IP")?,
            device_id: choice("ETL_MASK_DEVICE_ID", "ETL_KEYSET_DEVICE_ID")?,
        })
    }

    pub(crate) async fn maskers(&self) -> anyhow::Result<Maskers> {
        let key = self.wrapped_by.as_ref();
        Ok(Maskers {
            ip: self.ip.masker("ip", Kind::Ip, key).await?,
            device_id: self.device_id.masker("device_id", Kind::Text, key).await?,
        })
    }
}

fn scheme(lookup: &dyn Fn(&str) -> Option<String>, own: &'static str) -> anyhow::Result<Scheme> {
    let (name, scheme) = match (lookup(own), lookup("ETL_MASKING")) {
        (Some(scheme), _) => (own, scheme),
        (None, Some(scheme)) => ("ETL_MASKING", scheme),
        (None, None) => return Err(anyhow!("ETL_MASKING is not set, and has no default")),
    };
    scheme.parse().with_context(|| name)
}

impl Choice {
    async fn masker(
        &self,
        domain: &str,
        kind: Kind,
        wrapped_by: Option<&WrappingKey>,
    ) -> anyhow::Result<FieldMasker> {
        let mut builder = FieldMasker::builder(self.scheme)
            .domain(domain)
            .kind(kind)
            .max_chars(COLUMN_CHARS);
        if self.scheme.needs_keyset() {
            builder = builder.keyset(&self.keyset(wrapped_by).await?);
        } else if self.scheme.needs_ipcrypt_key() {
            builder = builder.ipcrypt_key(&self.file()?.ipcrypt_key()?);
        }
        Ok(builder.build()?)
    }

    /// Who names a wrapping key counts on it: a keyset in the clear is refused then, as by `etl`.
    async fn keyset(&self, wrapped_by: Option<&WrappingKey>) -> anyhow::Result<Keyset> {
        let file = self.file()?;
        match wrapped_by {
            Some(key) if file.keyset().is_ok() => Err(anyhow!(
                "the key file is not encrypted, and ETL_KEYSET_KEK names {key}"
            )),
            Some(key) => key.open(&file.encrypted_keyset()?).await,
            None => {
                if let Some(warning) = file.warning() {
                    tracing::warn!("{warning}");
                }
                Ok(file.keyset()?)
            }
        }
    }

    fn file(&self) -> anyhow::Result<KeyFile> {
        let scheme = self.scheme;
        let path = self.keyset.as_ref();
        let path =
            path.ok_or_else(|| anyhow!("{scheme} needs a key, and ETL_KEYSET is not set"))?;
        Ok(KeyFile::read(path)?)
    }
}
