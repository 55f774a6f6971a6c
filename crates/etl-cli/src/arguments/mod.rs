//! The command line: every option with its environment variable and help. Reads; decides nothing.

mod check;
mod config_file;
mod database;
mod erase;
mod filter;
mod keyset;
mod masking;
mod migrate;
mod observing;
mod prune;
mod queue;
mod reconcile;
mod reference;
mod rejects;
mod remask;
mod run;
mod secrets;
mod send;
mod sources;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};

pub(crate) use self::check::CheckArguments;
pub(crate) use self::database::DatabaseArguments;
pub(crate) use self::erase::{EraseArguments, PersonField};
pub(crate) use self::filter::{
    FieldKind, FieldSpecification, FilterArguments, MaskArguments, UnmaskArguments,
};
pub(crate) use self::keyset::{
    DestroyKey, EncryptKeyset, KekArguments, KeysetCommand, KeysetFile, NamedKey, NewKeyset,
    PromoteKey,
};
pub(crate) use self::masking::MaskingArguments;
pub(crate) use self::migrate::MigrateArguments;
pub(crate) use self::observing::ObservingArguments;
pub(crate) use self::prune::{LedgerArguments, PruneArguments};
pub(crate) use self::queue::QueueArguments;
pub(crate) use self::reconcile::ReconcileArguments;
pub(crate) use self::reference::{CompletionsArguments, ManArguments, option_table};
pub(crate) use self::rejects::{ListArguments, RedriveArguments, RejectsCommand};
pub(crate) use self::remask::{LoginColumn, RemaskArguments};
pub(crate) use self::run::{OutputFormat, RunArguments, WritingArguments};
pub(crate) use self::secrets::{Exposed, warn_of_exposed};
pub(crate) use self::send::SendArguments;
pub(crate) use self::sources::read;

const AFTER_HELP: &str = "\
To begin with:
  etl send --queue-name QUEUE --generate 100    sample events onto a queue
  etl run --queue-name QUEUE --masking redact   from the queue to the database that DATABASE_URL names

Every option may stand in the environment instead, under the name in [env: …], or in the file of --config;
`etl COMMAND -h` is shorter.
Results go to stdout, all else to stderr. Exit codes: 0 done; 1 gave up on the queue or the database;
2 bad usage or configuration; 130 or 143 cut short by SIGINT or SIGTERM.";

/// Login events from an SQS queue, masked, into Postgres
#[derive(Debug, Parser)]
#[command(name = "etl", version, propagate_version = true, max_term_width = 110, after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Read options from this file: keys are their long names, as in `batch-size = 500`. The command line wins over the
    /// environment, and that over the file
    #[arg(
        long,
        value_name = "FILE.toml",
        env = "ETL_CONFIG",
        global = true,
        help_heading = "Configuration"
    )]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) log: LogArguments,
    /// Options that show a password to whoever may list the processes of this machine
    #[arg(skip)]
    pub(crate) exposed: Vec<Exposed>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read, mask, write, delete until the queue is empty, then exit; with --follow, keep going
    Run(Box<RunArguments>),
    /// Say whether a run with these options would work: each thing that it needs, and what to do about it
    Check(Box<CheckArguments>),
    /// Put login events on a queue: a JSONL file, or generated ones
    Send(SendArguments),
    /// Create or update the tables
    Migrate(MigrateArguments),
    /// Forget messages that no queue can deliver again; `run --follow` does so by itself
    Prune(PruneArguments),
    /// Delete the rows of a person, found by user_id, or by a plain ip or device_id; leaves a record
    Erase(EraseArguments),
    /// Check by day that every message stands once, as a row or as rejected; exit code 1 where it does not add up
    Reconcile(ReconcileArguments),
    /// What was rejected: count it, or bring it back
    #[command(subcommand)]
    Rejects(RejectsCommand),
    /// Make a key file and rotate its keys; key material is never printed
    #[command(subcommand)]
    Keyset(KeysetCommand),
    /// Mask values, stdin to stdout: one a line, or fields of JSON lines or CSV
    Mask(MaskArguments),
    /// Recover masked values, stdin to stdout; leaves a record of who did, and of how many
    Unmask(UnmaskArguments),
    /// Bring old rows of user_logins under the primary key, in batches; run it again to go on where it stopped
    Remask(RemaskArguments),
    /// Ask a run on this machine whether it works, at its --metrics-addr: exit code 0 or 1, for a container's health check
    Healthcheck(ObservingArguments),
    /// Print a completion script for a shell, as in `etl completions bash > /etc/bash_completion.d/etl`
    Completions(CompletionsArguments),
    /// Print the manual page of `etl`, or write those of all commands
    Man(ManArguments),
    /// Print the table of all options, as it stands in docs/OPTIONS.md
    #[command(hide = true)]
    Options,
}

/// What is logged, on stderr
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Logging")]
pub(crate) struct LogArguments {
    /// How log lines are written
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        default_value_t = LogFormat::Text,
        env = "ETL_LOG_FORMAT",
        global = true
    )]
    pub(crate) log_format: LogFormat,
    /// error, warn, info, debug or trace; RUST_LOG, where set, wins
    #[arg(
        long,
        value_name = "LEVEL",
        default_value = "info",
        env = "ETL_LOG_LEVEL",
        global = true
    )]
    pub(crate) log_level: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// Reads `200ms`, `25s`, `5m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|_| "expected a number with a unit, such as 200ms, 25s or 5m".to_owned())
}
