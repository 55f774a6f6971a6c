//! The options of `etl prune`.

use std::time::Duration;

use super::{DatabaseArguments, duration};

/// Forget messages that no queue can deliver again; `run --follow` does so by itself
#[derive(Debug, clap::Args)]
pub(crate) struct PruneArguments {
    #[command(flatten)]
    pub(crate) database: DatabaseArguments,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
}

/// How long messages are remembered
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct LedgerArguments {
    /// How long after it was written the ledger remembers a message, by the database's clock. SQS keeps one for 14 days,
    /// and 14 more on a dead-letter queue; a redrive gives it 14 again. One that comes after it was forgotten, or a file
    /// that is read again then, is written again
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = duration, env = "ETL_LEDGER_AGE")]
    pub(crate) ledger_age: Duration,
}
