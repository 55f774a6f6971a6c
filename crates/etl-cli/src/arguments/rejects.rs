//! The options of `etl rejects`.

use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use login_model::Reason;

use super::{DatabaseArguments, OutputFormat, QueueArguments, duration};

/// What was rejected: count it, or bring it back
#[derive(Debug, Subcommand)]
pub(crate) enum RejectsCommand {
    /// Count rejected messages by day, reason and field, from the table rejected_messages
    List(ListArguments),
    /// Send messages of the dead-letter queue to the queue again; one whose row stands makes no second one
    Redrive(RedriveArguments),
}

#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    pub(crate) database: DatabaseArguments,
    /// How the counts are written, on stdout
    #[arg(long, value_enum, default_value_t = OutputFormat::Text, env = "ETL_OUTPUT")]
    pub(crate) output: OutputFormat,
}

#[derive(Debug, Args)]
pub(crate) struct RedriveArguments {
    #[command(flatten)]
    pub(crate) queue: QueueArguments,
    /// The dead-letter queue, name or URL [default: as the queue's RedrivePolicy says]
    #[arg(long, value_name = "QUEUE", env = "ETL_DEAD_LETTER_QUEUE")]
    pub(crate) dead_letter_queue: Option<String>,
    /// Only messages rejected for this reason; may be repeated
    #[arg(long, value_name = "REASON", value_parser = reasons())]
    pub(crate) reason: Vec<Reason>,
    /// Only the message first sent under this id; may be repeated
    #[arg(long, value_name = "ID")]
    pub(crate) message_id: Vec<uuid::Uuid>,
    /// Only messages first sent at least this long ago, such as 2h
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) older_than: Option<Duration>,
    /// Only messages first sent at most this long ago
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) newer_than: Option<Duration>,
    /// At most this many messages a second
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rate: Option<u32>,
    /// Say what would be sent; send and delete nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// With --dry-run: print the bodies too. They hold personal data
    #[arg(long, requires = "dry_run")]
    pub(crate) show_bodies: bool,
    /// How the result is written, on stdout
    #[arg(long, value_enum, default_value_t = OutputFormat::Text, env = "ETL_OUTPUT")]
    pub(crate) output: OutputFormat,
}

fn reasons() -> impl TypedValueParser<Value = Reason> {
    let names = Reason::ALL.iter().map(|reason| reason.as_str());
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Reason>())
}
