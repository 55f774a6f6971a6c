//! The options of `etl erase`.

use std::path::PathBuf;

use clap::ValueEnum;
use masking::Scheme;

use super::masking::scheme;
use super::{DatabaseArguments, KekArguments, OutputFormat};

const AFTER_HELP: &str = "\
Example:
  etl erase --field ip --input addresses.txt --masking aes-siv --keyset keys.json --dry-run

The values are masked under every enabled key, and rows that hold one of them are deleted, in one statement. Rows under
another scheme are found by another call. What else holds a person's data stands in docs/RUNBOOK.md.";

/// Delete the rows of a person, found by user_id, or by a plain ip or device_id; leaves a record
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct EraseArguments {
    #[command(flatten)]
    pub(crate) database: DatabaseArguments,
    /// What the values are
    #[arg(long, value_enum)]
    pub(crate) field: PersonField,
    /// The file of the values, one a line (- for stdin); never an option, since `ps` shows those
    #[arg(long, value_name = "FILE")]
    pub(crate) input: PathBuf,
    /// The scheme that masked the rows; not needed for user_id
    #[arg(long, value_name = "SCHEME", env = "ETL_MASKING", value_parser = scheme)]
    pub(crate) masking: Option<Scheme>,
    /// The key file, for the schemes that need a key
    #[arg(long, value_name = "FILE", env = "ETL_KEYSET")]
    pub(crate) keyset: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) kek: KekArguments,
    /// Count the rows; delete nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    /// Append who erased how many rows when, one JSON object a line [default: stderr]
    #[arg(long, value_name = "FILE", env = "ETL_AUDIT_LOG")]
    pub(crate) audit_log: Option<PathBuf>,
    /// How the summary is written, on stdout
    #[arg(long, value_enum, default_value_t = OutputFormat::Text, env = "ETL_OUTPUT")]
    pub(crate) output: OutputFormat,
}

/// By what a person is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PersonField {
    /// The account, which is stored as it is
    #[value(name = "user_id", alias = "user-id")]
    UserId,
    /// An address
    Ip,
    /// The id of a device
    #[value(name = "device_id", alias = "device-id")]
    DeviceId,
}

impl PersonField {
    /// As in a message, and as a masking domain.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::UserId => "user_id",
            Self::Ip => "ip",
            Self::DeviceId => "device_id",
        }
    }
}
