//! The options of `etl migrate`.

use clap::ValueEnum;

use super::DatabaseArguments;

/// Create or update the tables
#[derive(Debug, clap::Args)]
pub(crate) struct MigrateArguments {
    #[command(flatten)]
    pub(crate) database: DatabaseArguments,
    /// Turn a table into a partitioned one, for very large ones (docs/LARGE-TABLES.md); what it holds becomes the first
    /// partition, and workers go on meanwhile. Give it twice for both
    #[arg(long, value_enum, value_name = "TABLE")]
    pub(crate) partition: Vec<PartitionedTable>,
}

/// A table that may be partitioned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PartitionedTable {
    /// By month of create_date
    #[value(name = "user_logins")]
    UserLogins,
    /// By day of sent_at
    #[value(name = "ingested_messages")]
    IngestedMessages,
}

impl From<PartitionedTable> for pg_writer::PartitionedTable {
    fn from(table: PartitionedTable) -> Self {
        match table {
            PartitionedTable::UserLogins => Self::UserLogins,
            PartitionedTable::IngestedMessages => Self::IngestedMessages,
        }
    }
}
