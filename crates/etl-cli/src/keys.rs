//! Maskers from key files: the one place where the binary reads a key.

use std::path::Path;

use masking::{FieldMasker, KeyFile, Kind, Scheme};

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
            let keyset = open(scheme, domain, key_file)?.keyset();
            builder.keyset(&keyset.map_err(|error| unusable(domain, &error))?)
        }
        (_, true) => {
            let key = open(scheme, domain, key_file)?.ipcrypt_key();
            builder.ipcrypt_key(&key.map_err(|error| unusable(domain, &error))?)
        }
    };
    builder
        .build()
        .map_err(|error| Failure::usage(format!("{scheme} for {domain}: {error}")))
}

fn open(scheme: Scheme, domain: &str, key_file: Option<&Path>) -> Result<KeyFile, Failure> {
    let path = key_file.ok_or_else(|| {
        Failure::usage(format!(
            "{scheme} for {domain} needs a key, and no --keyset is given"
        ))
        .hint(format!(
            "make one with `etl keyset new --scheme {scheme} --out keyset.json`"
        ))
    })?;
    let file = KeyFile::read(path).map_err(|error| Failure::usage(format!("--keyset: {error}")))?;
    if let Some(warning) = file.warning() {
        tracing::warn!("{warning}");
    }
    Ok(file)
}

fn unusable(domain: &str, error: &masking::KeysetError) -> Failure {
    Failure::usage(format!("the key file for {domain} cannot be used: {error}"))
}
