//! Who may write log lines: the one rule that keeps people's data out of the logs of every program here.

use tracing::Level;
use tracing::Metadata;

/// Crates whose log lines are known to hold no value of a message.
const OURS: [&str; 8] = [
    "etl",
    "etl_access",
    "etl_lambda",
    "etl_stages",
    "login_model",
    "masking",
    "pg_writer",
    "sqs_reader",
];

/// What the SDK warns of there comes back as an error, which is told once and with a hint.
const TOLD_AS_ERRORS: [&str; 2] = [
    "aws_config::meta::credentials",
    "aws_config::profile::credentials",
];

/// Whether a log line may appear: only this workspace's crates speak below `warn`, whatever filter is asked for. The
/// driver of the database logs bind parameters, the SDK and Lambda's runtime log bodies, which are people's data.
pub fn may_speak(metadata: &Metadata<'_>) -> bool {
    let crate_name = metadata.target().split("::").next().unwrap_or_default();
    let is_told = |origin: &&str| metadata.target().starts_with(*origin);
    let is_warning = *metadata.level() <= Level::WARN;
    OURS.contains(&crate_name) || is_warning && !TOLD_AS_ERRORS.iter().any(is_told)
}
