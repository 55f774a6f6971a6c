//! Why there are no keys, and what to do about it. Paths, ids and codes are told; no key material, and nothing that was
//! encrypted.

use std::path::{Path, PathBuf};

use masking::{BuildError, KeyFileError, KeysetError, Scheme};

use super::kms_error::KmsError;

/// A masker cannot be built, or a key file not be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The scheme needs a key, and no file is named.
    #[error("{scheme} for {domain} needs a key, and no key file is named")]
    NotNamed {
        /// What was asked for.
        scheme: Scheme,
        /// For which field.
        domain: String,
    },
    /// `device_id` is not an address.
    #[error("{0} masks addresses only, and device_id holds none")]
    AddressesOnly(Scheme),
    /// The file is not used, or not written.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// What stands in the file is of no use.
    #[error("cannot use the keys of {}", path.display())]
    Keys {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        source: KeysetError,
    },
    /// The file is in the clear, and a wrapping key is named for it.
    #[error(
        "{} is not encrypted, and --keyset-kek names the key that it should be encrypted with",
        .0.display()
    )]
    NotEncrypted(PathBuf),
    /// KMS did not open the file.
    #[error("cannot open {}", path.display())]
    Closed {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: KmsError,
    },
    /// KMS did not do what it was asked.
    #[error(transparent)]
    Kms(#[from] KmsError),
    /// The keys are not for the scheme.
    #[error("cannot mask {domain}")]
    Unfit {
        /// Which field.
        domain: String,
        /// Why not.
        source: BuildError,
    },
}

impl KeyError {
    /// With the file that it is about.
    pub fn of(path: &Path) -> impl Fn(KeysetError) -> Self {
        move |source| Self::Keys {
            path: path.to_owned(),
            source,
        }
    }

    /// Whether it may pass by itself.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Closed { source, .. } | Self::Kms(source) => source.may_pass(),
            _ => false,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let fixed = match self {
            Self::NotNamed { scheme, .. } => {
                let made = new_file(*scheme, "keyset.json");
                return Some(format!("{made}, and name it: --keyset (ETL_KEYSET)"));
            }
            Self::NotEncrypted(path) => {
                return Some(format!(
                    "`etl keyset encrypt --keyset {} --out FILE` makes an encrypted copy",
                    path.display()
                ));
            }
            Self::Unfit {
                source: BuildError::WrongKeyType { scheme, .. },
                ..
            } => {
                let made = new_file(*scheme, "FILE");
                return Some(format!("a key file holds keys of one kind: {made}"));
            }
            Self::Unfit { .. } => None,
            Self::AddressesOnly(_) => Some(
                "give device_id another scheme: --mask-device-id aes-siv --keyset-device-id FILE",
            ),
            Self::File(error) => Some(of_file(error)),
            Self::Keys { source, .. } => of_keys(source),
            Self::Closed { source, .. } | Self::Kms(source) => source.hint(),
        };
        fixed.map(str::to_owned)
    }
}

fn new_file(scheme: Scheme, name: &str) -> String {
    format!("make one with `etl keyset new --scheme {scheme} --out {name}`")
}

fn of_file(error: &KeyFileError) -> &'static str {
    let known = match error {
        KeyFileError::Keyset { source, .. } => of_keys(source),
        KeyFileError::Exists { .. } => Some("a key file is never written over: name another one"),
        KeyFileError::WritableByOthers { .. } => Some("chmod 600 it, if you trust what it holds"),
        KeyFileError::ChangeUnderWay { .. } => {
            Some("if no other change is under way, remove that file and try again")
        }
        _ => None,
    };
    known.unwrap_or("--keyset names a file of mode 0600 that `etl keyset new --out FILE` has made")
}

fn of_keys(error: &KeysetError) -> Option<&'static str> {
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
