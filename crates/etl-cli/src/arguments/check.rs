//! The options of `etl check`: those of `etl run`.

use super::RunArguments;

const AFTER_HELP: &str = "\
Example:
  etl check --queue-name logins --masking aes-siv --keyset keys.json && etl run …
      takes the same options as `etl run`, from the same places

A line each: pass; warn, what works and should be mended; fail, what a run would stop at; skip, what was not looked
at and why. Nothing is written, and no message is touched: rights on the queue are tried with requests that SQS
refuses for another reason. Exit codes: 0 a run would work; 1 it would not; 2 bad usage.";

/// Say whether a run with these options would work: each thing that it needs, and what to do about it
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct CheckArguments {
    #[command(flatten)]
    pub(crate) run: RunArguments,
}
