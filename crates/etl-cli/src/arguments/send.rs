//! The options of `etl send`.

use std::path::PathBuf;

use clap::ArgGroup;

use super::QueueArguments;

/// Put login events on a queue: a JSONL file, or generated ones
#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("source").required(true).args(["input", "generate"]))]
pub(crate) struct SendArguments {
    #[command(flatten)]
    pub(crate) queue: QueueArguments,
    /// Send each line of this file (- for stdin) as one message
    #[arg(long, value_name = "FILE.jsonl")]
    pub(crate) input: Option<PathBuf>,
    /// Send this many generated events, one in a hundred of them malformed
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) generate: Option<u64>,
    /// What the generated events are made from: the same seed, the same events
    #[arg(long, value_name = "SEED", default_value_t = 1, requires = "generate")]
    pub(crate) seed: u64,
}
