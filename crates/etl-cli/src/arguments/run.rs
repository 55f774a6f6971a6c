//! The options of `etl run`.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use clap::builder::BoolishValueParser;
use login_model::{AppVersionRule, BodyEncoding, EnvelopeRule};

use super::{
    DatabaseArguments, LedgerArguments, MaskingArguments, ObservingArguments, QueueArguments,
    duration,
};

const AFTER_HELP: &str = "\
Examples, with the database in DATABASE_URL:
  etl run --queue-name logins --masking aes-siv --keyset keys.json
      drains the queue and ends; `etl keyset new --out keys.json` makes the keys
  etl run --queue-name logins --masking redact --dry-run --max-messages 10
      only shows the rows of ten messages
  etl run --input logins.jsonl --masking redact
      reads a file in place of a queue

A message leaves the queue only once its row stands, or once it stands in the dead-letter queue. One that is
delivered twice is one row. Exit codes: 0 done (rejected messages do not change it); 1 gave up on the queue or
the database; 2 bad usage or configuration; 130 or 143 a drain cut short by SIGINT or SIGTERM.";

/// Read, mask, write, delete until the queue is empty, then exit; with --follow, keep going
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) queue: QueueArguments,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
    #[command(flatten)]
    pub(crate) masking: MaskingArguments,
    #[command(flatten)]
    pub(crate) writing: WritingArguments,
    #[command(flatten)]
    pub(crate) ending: EndingArguments,
    #[command(flatten)]
    pub(crate) observing: ObservingArguments,
}

/// How the queue is read
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Reading")]
pub(crate) struct ReadingArguments {
    /// How long a poll waits for the first message, 0 to 20 s
    #[arg(long, alias = "wait_time_seconds", value_name = "S", default_value_t = 20,
        value_parser = clap::value_parser!(u64).range(0..=20), env = "ETL_WAIT_TIME_SECONDS")]
    pub(crate) wait_time_seconds: u64,
    /// Take at most this many deliveries, then end
    #[arg(long, alias = "max_num_messages", value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..), env = "ETL_MAX_MESSAGES")]
    pub(crate) max_messages: Option<u64>,
    /// How many polls may run at once while there is much to read; an idle queue gets one
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = at_least_one, env = "ETL_POLLERS")]
    pub(crate) pollers: usize,
    /// Deliveries held at once, which bounds memory
    #[arg(long, value_name = "N", default_value_t = 5000,
        value_parser = in_flight, env = "ETL_MAX_IN_FLIGHT")]
    pub(crate) max_in_flight: usize,
    /// How long the queue hides what was received; extended while it is held [default: the queue's own]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(1..=43_200), env = "ETL_VISIBILITY_TIMEOUT")]
    pub(crate) visibility_timeout: Option<u64>,
    /// Where unreadable messages go, name or URL [default: as the queue's RedrivePolicy says]
    #[arg(long, value_name = "QUEUE", env = "ETL_DEAD_LETTER_QUEUE")]
    pub(crate) dead_letter_queue: Option<String>,
    /// auto: open SNS notifications and EventBridge events; none: take each body as it is
    #[arg(
        long,
        value_name = "auto|none",
        default_value = "auto",
        env = "ETL_ENVELOPE"
    )]
    pub(crate) envelope: EnvelopeRule,
    /// gzip: unpack bodies that are base64 of gzip, up to 1 MiB each; plain JSON is read all the same
    #[arg(
        long,
        value_name = "plain|gzip",
        default_value = "plain",
        env = "ETL_BODY_ENCODING"
    )]
    pub(crate) body_encoding: BodyEncoding,
    /// Read lines of this file (- for stdin) in place of a queue
    #[arg(long, value_name = "FILE.jsonl", env = "ETL_INPUT", conflicts_with_all = ["queue_name", "queue_url", "follow"])]
    pub(crate) input: Option<PathBuf>,
    /// The create_date of what --input reads, YYYY-MM-DD [default: the file's; today for stdin]. The same input under
    /// the same date is written once
    #[arg(long, value_name = "DATE", env = "ETL_DATE", requires = "input")]
    pub(crate) date: Option<String>,
}

/// How rows are written
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Writing")]
pub(crate) struct WritingArguments {
    #[command(flatten)]
    pub(crate) database: DatabaseArguments,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
    /// What app_version becomes: the major number, or major*1000000 + minor*1000 + patch
    #[arg(
        long,
        value_name = "major|packed",
        default_value = "major",
        env = "ETL_APP_VERSION"
    )]
    pub(crate) app_version: AppVersionRule,
    /// Rows in one statement
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = batch_size, env = "ETL_BATCH_SIZE")]
    pub(crate) batch_size: usize,
    /// How long a batch waits to be filled
    #[arg(long, value_name = "TIME", default_value = "200ms", value_parser = duration, env = "ETL_BATCH_AGE")]
    pub(crate) batch_age: Duration,
    /// Connections that write at once
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = at_least_one, env = "ETL_WRITERS")]
    pub(crate) writers: usize,
    /// Refuse an older schema instead of migrating it
    #[arg(long, env = "ETL_NO_MIGRATE", value_parser = switch())]
    pub(crate) no_migrate: bool,
    /// Print masked rows; write and delete nothing (100 deliveries unless --max-messages says otherwise)
    #[arg(long, env = "ETL_DRY_RUN", value_parser = switch())]
    pub(crate) dry_run: bool,
}

/// When to end, and what to say
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Ending")]
pub(crate) struct EndingArguments {
    /// Keep going when the queue is empty, until SIGTERM or SIGINT
    #[arg(long, env = "ETL_FOLLOW", value_parser = switch())]
    pub(crate) follow: bool,
    /// How long what is held may take to be written after a signal
    #[arg(long, value_name = "TIME", default_value = "25s", value_parser = duration, env = "ETL_GRACE_PERIOD")]
    pub(crate) grace_period: Duration,
    /// How long a drain puts up with an outage of queue or database; --follow never gives up
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration, env = "ETL_GIVE_UP_AFTER")]
    pub(crate) give_up_after: Duration,
    /// How the summary is written, on stdout
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = OutputFormat::Text, env = "ETL_OUTPUT")]
    pub(crate) output: OutputFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// For people
    Text,
    /// One JSON object on one line
    Json,
}

/// A switch in the environment: 1, true, yes or on; 0, false, no or off.
fn switch() -> BoolishValueParser {
    BoolishValueParser::new()
}

fn at_least_one(text: &str) -> Result<usize, String> {
    bounded(text, 1, 1024)
}

fn batch_size(text: &str) -> Result<usize, String> {
    bounded(text, 1, 50_000)
}

fn in_flight(text: &str) -> Result<usize, String> {
    bounded(text, 10, 120_000)
}

fn bounded(text: &str, least: usize, most: usize) -> Result<usize, String> {
    let number = text
        .parse()
        .map_err(|_| "expected a whole number".to_owned())?;
    if (least..=most).contains(&number) {
        Ok(number)
    } else {
        Err(format!("{number} is not in {least}..={most}"))
    }
}
