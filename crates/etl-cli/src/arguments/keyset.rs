//! The options of `etl keyset`.

use std::fmt;
use std::path::PathBuf;

use clap::Subcommand;
use masking::Scheme;

use super::masking::scheme;
use etl_access::keys::WrappingKey;

/// Make a key file and rotate its keys; key material is never printed
#[derive(Debug, Subcommand)]
pub(crate) enum KeysetCommand {
    /// Make a key file with one key
    New(NewKeyset),
    /// Add a key; it masks nothing before it is promoted
    Add(KeysetFile),
    /// Let a key mask from now on
    Promote(PromoteKey),
    /// Stop a key from recovering, for the time being
    Disable(NamedKey),
    /// Let a disabled key recover again
    Enable(NamedKey),
    /// Wipe a key: what it masked is gone for good (crypto-shredding)
    Destroy(DestroyKey),
    /// Make a copy of a key file that a key at AWS KMS encrypts
    Encrypt(EncryptKeyset),
    /// List the keys: ids, types, states
    Show(KeysetFile),
}

/// Which key encrypts the key files
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct KekArguments {
    /// The key at AWS KMS that key files are encrypted with, as Tink names it [default: they are in the clear]
    #[arg(
        long,
        value_name = "aws-kms://ARN",
        env = "ETL_KEYSET_KEK",
        long_help = "The key at AWS KMS that key files are encrypted with, as Tink names it: \
            aws-kms://arn:aws:kms:REGION:ACCOUNT:key/ID [default: they are in the clear]"
    )]
    pub(crate) keyset_kek: Option<WrappingKey>,
}

/// Make a key file with one key
#[derive(Debug, clap::Args)]
pub(crate) struct NewKeyset {
    /// The file to make, readable by its owner alone; refused if it exists
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// aes-siv, hmac-sha256 or ipcrypt-pfx: what the key is for
    #[arg(long, value_name = "SCHEME", default_value = "aes-siv", value_parser = scheme)]
    pub(crate) scheme: Scheme,
    #[command(flatten)]
    pub(crate) kek: KekArguments,
}

/// As it is given to a command: ` --keyset-kek URI`, or nothing.
impl fmt::Display for KekArguments {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.keyset_kek {
            Some(key) => write!(formatter, " --keyset-kek {}", key.uri()),
            None => Ok(()),
        }
    }
}

/// Which key file
#[derive(Debug, clap::Args)]
pub(crate) struct KeysetFile {
    /// The key file
    #[arg(long, value_name = "FILE", env = "ETL_KEYSET")]
    pub(crate) keyset: PathBuf,
    #[command(flatten)]
    pub(crate) kek: KekArguments,
}

/// As it is given to a command.
impl fmt::Display for KeysetFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "--keyset {}{}", self.keyset.display(), self.kek)
    }
}

/// Make a copy of a key file that a key at AWS KMS encrypts
#[derive(Debug, clap::Args)]
pub(crate) struct EncryptKeyset {
    /// The key file in the clear; it stays as it is
    #[arg(long, value_name = "FILE", env = "ETL_KEYSET")]
    pub(crate) keyset: PathBuf,
    /// The file to make; refused if it exists
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// The key at AWS KMS: aws-kms://arn:aws:kms:REGION:ACCOUNT:key/ID
    #[arg(long, value_name = "aws-kms://ARN", env = "ETL_KEYSET_KEK")]
    pub(crate) keyset_kek: WrappingKey,
}

/// Let a key mask from now on
#[derive(Debug, clap::Args)]
pub(crate) struct PromoteKey {
    #[command(flatten)]
    pub(crate) file: KeysetFile,
    /// Which key [default: the newest that is enabled]
    #[arg(long, value_name = "ID")]
    pub(crate) key_id: Option<u32>,
}

/// Which key of which file
#[derive(Debug, clap::Args)]
pub(crate) struct NamedKey {
    #[command(flatten)]
    pub(crate) file: KeysetFile,
    /// Which key, as `etl keyset show` lists it
    #[arg(long, value_name = "ID")]
    pub(crate) key_id: u32,
}

/// Wipe a key: what it masked is gone for good (crypto-shredding)
#[derive(Debug, clap::Args)]
pub(crate) struct DestroyKey {
    #[command(flatten)]
    pub(crate) key: NamedKey,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}
