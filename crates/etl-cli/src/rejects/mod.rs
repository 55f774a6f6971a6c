//! `etl rejects`: what was rejected, counted; and the way back from the dead-letter queue.

mod filter;
mod list;
mod redrive;
mod report;

use std::process::ExitCode;

use crate::arguments::RejectsCommand;
use crate::failure::Failure;
use crate::signals::Signals;

pub(crate) async fn rejects(
    command: RejectsCommand,
    signals: &Signals,
) -> Result<ExitCode, Failure> {
    match command {
        RejectsCommand::List(arguments) => list::list(&arguments).await,
        RejectsCommand::Redrive(arguments) => redrive::redrive(&arguments, signals).await,
    }
}
