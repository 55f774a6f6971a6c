//! One key file: read and opened, and what is to stand in one.

use std::path::Path;

use masking::{KeyFile, Keyset, KeysetError, Pii};

use super::error::KeyError;
use super::kms::WrappingKey;

/// Reads a key file, encrypted or not.
pub fn read(path: &Path) -> Result<KeyFile, KeyError> {
    Ok(KeyFile::read(path)?)
}

/// Says what is not right about a file that holds a key in the clear.
pub fn warn_of(file: &KeyFile) {
    if let Some(warning) = file.warning() {
        tracing::warn!("{warning}");
    }
}

/// The keyset of a file. Where a wrapping key is named, one in the clear is refused: who names it counts on it.
pub async fn open(
    file: &KeyFile,
    path: &Path,
    wrapped_by: Option<&WrappingKey>,
) -> Result<Keyset, KeyError> {
    match (file.keyset(), wrapped_by) {
        (Ok(_), Some(_)) => Err(KeyError::NotEncrypted(path.to_owned())),
        (Ok(keyset), None) => {
            warn_of(file);
            Ok(keyset)
        }
        (Err(KeysetError::Encrypted), Some(key)) => {
            let sealed = file.encrypted_keyset().map_err(KeyError::of(path))?;
            let opened = key.open(&sealed).await;
            opened.map_err(|source| KeyError::Closed {
                path: path.to_owned(),
                source,
            })
        }
        (Err(error), _) => Err(KeyError::of(path)(error)),
    }
}

/// What is to stand in a file.
pub async fn text(
    keyset: &Keyset,
    wrapped_by: Option<&WrappingKey>,
) -> Result<Pii<String>, KeyError> {
    match wrapped_by {
        None => Ok(keyset.to_json()),
        Some(key) => Ok(Pii::new(key.seal(keyset).await?.to_json())),
    }
}
