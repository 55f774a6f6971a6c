//! Maskers from key files: the one place where the binary reads a key. A file is read once a command, and opened by
//! the key at AWS KMS that `--keyset-kek` names where it is encrypted.

mod kms;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use masking::{
    BuildError, FieldMasker, FieldMaskerBuilder, KeyFile, KeyFileError, KeyInfo, KeyPrefix,
    KeyStatus, Keyset, KeysetError, Kind, Pii, Scheme,
};

pub(crate) use self::kms::WrappingKey;
use crate::failure::Failure;

/// Characters in the columns that hold masked values.
const COLUMN_CHARS: usize = 256;

/// The keysets of one command.
pub(crate) struct Keys<'a> {
    wrapped_by: Option<&'a WrappingKey>,
    takes_clear: bool,
    opened: BTreeMap<PathBuf, Keyset>,
}

impl<'a> Keys<'a> {
    /// Of files that are encrypted with this key; in the clear, where none is named.
    pub(crate) fn new(wrapped_by: Option<&'a WrappingKey>) -> Self {
        Self {
            wrapped_by,
            takes_clear: wrapped_by.is_none(),
            opened: BTreeMap::new(),
        }
    }

    /// Of files that may also be from before they were encrypted.
    pub(crate) fn old(wrapped_by: Option<&'a WrappingKey>) -> Self {
        Self {
            takes_clear: true,
            ..Self::new(wrapped_by)
        }
    }

    /// A masker for one field; reads the key file where the scheme needs one.
    pub(crate) async fn masker(
        &mut self,
        scheme: Scheme,
        domain: &str,
        kind: Kind,
        key_file: Option<&Path>,
    ) -> Result<FieldMasker, Failure> {
        let mut builder = builder(scheme, domain, kind);
        if scheme.needs_keyset() {
            let path = named(scheme, domain, key_file)?;
            builder = builder.keyset(self.keyset(path).await?);
        } else if scheme.needs_ipcrypt_key() && kind == Kind::Ip {
            let path = named(scheme, domain, key_file)?;
            let file = read(path)?;
            warn_of(&file);
            let key = file.ipcrypt_key();
            builder = builder.ipcrypt_key(&key.map_err(|error| unusable(path, &error))?);
        }
        builder.build().map_err(|error| refused(domain, error))
    }

    /// The ids of the keys in a file.
    pub(crate) async fn ids(&mut self, path: &Path) -> Result<Vec<u32>, Failure> {
        let keys = self.keyset(path).await?.show();
        Ok(keys.iter().map(|key| key.key_id).collect())
    }

    /// The id that stands before what the primary masks, if one does.
    pub(crate) async fn primary_id(&mut self, path: &Path) -> Result<Option<u32>, Failure> {
        let is_prefix = |key: &&KeyInfo| key.primary && key.prefix == KeyPrefix::Tink;
        let keys = self.keyset(path).await?.show();
        Ok(keys.iter().find(is_prefix).map(|key| key.key_id))
    }

    /// The ids of keys that are switched off, and so mask nothing that is searched for.
    pub(crate) async fn disabled_ids(&mut self, path: &Path) -> Result<Vec<u32>, Failure> {
        let is_disabled = |key: &&KeyInfo| key.status == KeyStatus::Disabled;
        let keys = self.keyset(path).await?.show();
        Ok(keys
            .iter()
            .filter(is_disabled)
            .map(|key| key.key_id)
            .collect())
    }

    async fn keyset(&mut self, path: &Path) -> Result<&Keyset, Failure> {
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

/// A masker for a column of ours, without its keys.
pub(crate) fn builder(scheme: Scheme, domain: &str, kind: Kind) -> FieldMaskerBuilder {
    FieldMasker::builder(scheme)
        .domain(domain)
        .kind(kind)
        .max_chars(COLUMN_CHARS)
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

/// Reads a key file, encrypted or not.
pub(crate) fn read(path: &Path) -> Result<KeyFile, Failure> {
    KeyFile::read(path).map_err(unreadable)
}

/// Says what is not right about a file that holds a key in the clear.
pub(crate) fn warn_of(file: &KeyFile) {
    if let Some(warning) = file.warning() {
        tracing::warn!("{warning}");
    }
}

/// The keyset of a file. Where a wrapping key is named, one in the clear is refused: who names it counts on it.
pub(crate) async fn open(
    file: &KeyFile,
    path: &Path,
    wrapped_by: Option<&WrappingKey>,
) -> Result<Keyset, Failure> {
    match (file.keyset(), wrapped_by) {
        (Ok(_), Some(_)) => Err(not_encrypted(path)),
        (Ok(keyset), None) => {
            warn_of(file);
            Ok(keyset)
        }
        (Err(KeysetError::Encrypted), Some(key)) => {
            let sealed = file
                .encrypted_keyset()
                .map_err(|error| unusable(path, &error))?;
            let opened = key.open(&sealed).await;
            opened.map_err(|failure| failure.within(&format!("cannot open {}", path.display())))
        }
        (Err(error), _) => Err(unusable(path, &error)),
    }
}

/// What is to stand in a file.
pub(crate) async fn text(
    keyset: &Keyset,
    wrapped_by: Option<&WrappingKey>,
) -> Result<Pii<String>, Failure> {
    match wrapped_by {
        None => Ok(keyset.to_json()),
        Some(key) => Ok(Pii::new(key.seal(keyset).await?.to_json())),
    }
}

fn not_encrypted(path: &Path) -> Failure {
    let path = path.display();
    Failure::usage(format!(
        "{path} is not encrypted, and --keyset-kek names the key that it should be encrypted with"
    ))
    .hint(format!(
        "`etl keyset encrypt --keyset {path} --out FILE` makes an encrypted copy"
    ))
}

/// What is wrong with a key file, with its cause.
pub(crate) fn unreadable(error: KeyFileError) -> Failure {
    let hint = match &error {
        KeyFileError::Keyset { source, .. } => hint_of(source),
        KeyFileError::Exists { .. } => Some("a key file is never written over: name another one"),
        KeyFileError::WritableByOthers { .. } => Some("chmod 600 it, if you trust what it holds"),
        KeyFileError::ChangeUnderWay { .. } => {
            Some("if no other change is under way, remove that file and try again")
        }
        _ => None,
    };
    Failure::usage(format!("{:#}", anyhow::Error::new(error))).hint(
        hint.unwrap_or(
            "--keyset names a file of mode 0600 that `etl keyset new --out FILE` has made",
        ),
    )
}

/// What is wrong with the keys in a file.
pub(crate) fn unusable(path: &Path, error: &KeysetError) -> Failure {
    let failure = Failure::usage(format!(
        "cannot use the keys of {}: {error}",
        path.display()
    ));
    match hint_of(error) {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn hint_of(error: &KeysetError) -> Option<&'static str> {
    match error {
        KeysetError::UnknownKey { .. } => Some("`etl keyset show` lists the keys"),
        KeysetError::Encrypted => Some(
            "--keyset-kek (ETL_KEYSET_KEK) names the key that it is encrypted with: \
             aws-kms://arn:aws:kms:REGION:ACCOUNT:key/ID",
        ),
        KeysetError::IsIpcryptKey => Some(
            "it is for --masking ipcrypt-pfx alone. Its values name no key, so it is not rotated: make another with \
             `etl keyset new`, and bring the column over with `etl remask`",
        ),
        KeysetError::NotIpcryptKey => {
            Some("make one with `etl keyset new --scheme ipcrypt-pfx --out FILE`")
        }
        _ => None,
    }
}

/// Why a scheme cannot mask a field.
fn refused(domain: &str, error: BuildError) -> Failure {
    let failure = Failure::usage(format!("cannot mask {domain}: {error}"));
    match error {
        BuildError::WrongKeyType { scheme, .. } => failure.hint(format!(
            "a key file holds keys of one kind: make one with `etl keyset new --scheme {scheme} --out FILE`"
        )),
        _ => failure,
    }
}
