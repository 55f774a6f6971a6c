//! Maskers from key files: the one place where the binary reads a key.

use std::path::Path;

use masking::{FieldMasker, KeyFile, KeyFileError, KeyInfo, KeyPrefix, Kind, Scheme};

use crate::failure::Failure;

/// Characters in the columns that hold masked values.
const COLUMN_CHARS: usize = 256;

/// A masker for one field; reads the key file where the scheme needs one.
pub(crate) fn masker(
    scheme: Scheme,
    domain: &str,
    kind: Kind,
    key_file: Option<&Path>,
) -> Result<FieldMasker, Failure> {
    let builder = FieldMasker::builder(scheme)
        .domain(domain)
        .kind(kind)
        .max_chars(COLUMN_CHARS);
    let builder = match (scheme.needs_keyset(), scheme.needs_ipcrypt_key()) {
        (false, false) => builder,
        (true, _) => {
            let path = named(scheme, domain, key_file)?;
            let keyset = read(path)?.keyset();
            builder.keyset(&keyset.map_err(|error| unusable(path, &error))?)
        }
        (_, true) => {
            let path = named(scheme, domain, key_file)?;
            let key = read(path)?.ipcrypt_key();
            builder.ipcrypt_key(&key.map_err(|error| unusable(path, &error))?)
        }
    };
    builder
        .build()
        .map_err(|error| Failure::usage(format!("{scheme} for {domain}: {error}")))
}

fn named<'path>(
    scheme: Scheme,
    domain: &str,
    key_file: Option<&'path Path>,
) -> Result<&'path Path, Failure> {
    key_file.ok_or_else(|| {
        Failure::usage(format!(
            "{scheme} for {domain} needs a key, and no --keyset is given"
        ))
        .hint(format!(
            "make one with `etl keyset new --scheme {scheme} --out keyset.json`"
        ))
    })
}

/// Reads a key file; warns of one that others may read.
pub(crate) fn read(path: &Path) -> Result<KeyFile, Failure> {
    let file = KeyFile::read(path).map_err(unreadable)?;
    if let Some(warning) = file.warning() {
        tracing::warn!("{warning}");
    }
    Ok(file)
}

/// The ids of the keys in a file.
pub(crate) fn ids(path: &Path) -> Result<Vec<u32>, Failure> {
    Ok(show(path)?.iter().map(|key| key.key_id).collect())
}

/// The id that stands before what the primary masks, if one does.
pub(crate) fn primary_id(path: &Path) -> Result<Option<u32>, Failure> {
    let is_prefix = |key: &&KeyInfo| key.primary && key.prefix == KeyPrefix::Tink;
    Ok(show(path)?.iter().find(is_prefix).map(|key| key.key_id))
}

/// What may be told of a keyset that was read before, and so warned of.
fn show(path: &Path) -> Result<Vec<KeyInfo>, Failure> {
    let keyset = KeyFile::read(path).map_err(unreadable)?.keyset();
    let keyset = keyset.map_err(|error| unusable(path, &error))?;
    Ok(keyset.show())
}

/// What is wrong with a key file, with its cause.
pub(crate) fn unreadable(error: KeyFileError) -> Failure {
    Failure::usage(format!("{:#}", anyhow::Error::new(error)))
        .hint("--keyset names a file of mode 0600 that `etl keyset new --out FILE` has made")
}

pub(crate) fn unusable(path: &Path, error: &masking::KeysetError) -> Failure {
    Failure::usage(format!(
        "cannot use the keys of {}: {error}",
        path.display()
    ))
}
