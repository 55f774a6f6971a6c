//! The options of `etl remask`.

use std::path::PathBuf;

use clap::ValueEnum;
use masking::Scheme;

use super::masking::scheme;
use super::{DatabaseArguments, KekArguments, OutputFormat};

/// Bring old rows of user_logins under the primary key, in batches; run it again to go on where it stopped
#[derive(Debug, clap::Args)]
pub(crate) struct RemaskArguments {
    #[command(flatten)]
    pub(crate) database: DatabaseArguments,
    /// Which column; give it twice for both [default: both]
    #[arg(long, value_enum)]
    pub(crate) column: Vec<LoginColumn>,
    /// The scheme that the rows end under: aes-siv, hmac-sha256, or ipcrypt-pfx for ip
    #[arg(long, value_name = "SCHEME", env = "ETL_MASKING", value_parser = scheme)]
    pub(crate) masking: Scheme,
    /// The key file that the rows end under
    #[arg(long, value_name = "FILE", env = "ETL_KEYSET")]
    pub(crate) keyset: Option<PathBuf>,
    /// The scheme of the old rows: base64, aes-siv or ipcrypt-pfx [default: aes-siv under the file's older keys]
    #[arg(long, value_name = "SCHEME", value_parser = scheme)]
    pub(crate) from: Option<Scheme>,
    /// The key file of the old rows, where it is another; it may be in the clear
    #[arg(long, value_name = "FILE", requires = "from")]
    pub(crate) from_keyset: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) kek: KekArguments,
    /// Rows in one statement, about
    #[arg(long, value_name = "N", default_value_t = 5000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) batch_size: u32,
    /// Count what would be changed; change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How the summary is written, on stdout
    #[arg(long, value_enum, default_value_t = OutputFormat::Text, env = "ETL_OUTPUT")]
    pub(crate) output: OutputFormat,
}

/// A column of user_logins that holds masked values, by the field's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LoginColumn {
    /// masked_ip
    Ip,
    /// masked_device_id
    #[value(name = "device_id", alias = "device-id")]
    DeviceId,
}
