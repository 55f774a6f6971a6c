//! The options of `etl reconcile`.

use std::path::PathBuf;

use super::{DatabaseArguments, LedgerArguments, OutputFormat};

/// Check by day that every message stands once, as a row or as rejected; exit code 1 where it does not add up
#[derive(Debug, clap::Args)]
pub(crate) struct ReconcileArguments {
    #[command(flatten)]
    pub(crate) database: DatabaseArguments,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
    /// The record of `etl erase`: rows that it deleted are not missing
    #[arg(long, value_name = "FILE", env = "ETL_AUDIT_LOG")]
    pub(crate) audit_log: Option<PathBuf>,
    /// The metrics of a running worker, whose deliveries are to add up too; may be repeated
    #[arg(long, value_name = "http://HOST:PORT/metrics")]
    pub(crate) metrics: Vec<String>,
    /// How the result is written, on stdout
    #[arg(long, value_enum, default_value_t = OutputFormat::Text, env = "ETL_OUTPUT")]
    pub(crate) output: OutputFormat,
}
