//! How personal data is masked, and with which keys: a file in the function's package, a layer or a mounted file system,
//! in the clear or encrypted by a key at AWS KMS.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use etl_access::keys::{Choice, KeyError, Keys, WrappingKey};
use login_model::Maskers;
use masking::Scheme;

use super::with_remedy;

/// The choice for each column.
pub(crate) struct MaskingConfiguration {
    ip: Column,
    device_id: Column,
    wrapped_by: Option<WrappingKey>,
}

struct Column {
    scheme: Scheme,
    key_file: Option<PathBuf>,
}

impl MaskingConfiguration {
    pub(super) fn read(lookup: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        let column = |scheme, key_file| {
            let scheme = self::scheme(lookup, scheme)?;
            let key_file = lookup(key_file).or_else(|| lookup("ETL_KEYSET"));
            let key_file = key_file.map(PathBuf::from);
            anyhow::Ok(Column { scheme, key_file })
        };
        let wrapped_by = lookup("ETL_KEYSET_KEK").map(|uri| uri.parse());
        Ok(Self {
            wrapped_by: wrapped_by.transpose().context("ETL_KEYSET_KEK")?,
            ip: column("ETL_MASK_IP", "ETL_KEYSET_IP")?,
            device_id: column("ETL_MASK_DEVICE_ID", "ETL_KEYSET_DEVICE_ID")?,
        })
    }

    pub(crate) async fn maskers(&self) -> anyhow::Result<Maskers> {
        let mut keys = Keys::new(self.wrapped_by.as_ref());
        let maskers = keys
            .maskers(self.ip.choice(), self.device_id.choice())
            .await;
        maskers.map_err(told)
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

impl Column {
    fn choice(&self) -> Choice<'_> {
        Choice {
            scheme: self.scheme,
            key_file: self.key_file.as_deref(),
        }
    }
}

fn told(error: KeyError) -> anyhow::Error {
    let hint = error.hint();
    let is_unset = matches!(error, KeyError::NotNamed { .. });
    let error = anyhow::Error::new(error);
    let error = if is_unset {
        error.context("ETL_KEYSET is not set")
    } else {
        error
    };
    with_remedy(error, hint)
}
