//! `etl remask`: brings old rows of `user_logins` under the primary key, block by block.
//!
//! Nothing is remembered between runs. Every value tells whether it is finished, so a second run, or one after a kill,
//! passes over what the first one did at the speed of reading. The last pass is always one that finds nothing to do.

mod convert;
mod plan;
mod summary;
mod walk;

use std::process::ExitCode;
use std::time::Instant;

use pg_writer::{Remasking, StoreError};

use self::plan::Plan;
use self::summary::Summary;
use self::walk::{Ending, Walk};
use crate::arguments::RemaskArguments;
use crate::database::open_pool;
use crate::failure::Failure;
use crate::run::patiently;
use crate::signals::{Signals, Stop};

/// Rows in a block of 8 kB, about: what turns `--batch-size` into blocks.
const ROWS_A_BLOCK: u32 = 50;

pub(crate) async fn remask(
    arguments: &RemaskArguments,
    signals: &Signals,
) -> Result<ExitCode, Failure> {
    let plan = Plan::of(arguments).await?;
    let pool = open_pool(&arguments.database, 1)?;
    let table = patiently(StoreError::is_transient, async || {
        Remasking::open(&pool, plan.finished()).await
    })
    .await?;
    let stop = signals.hold();
    let started = Instant::now();
    let walk = Walk {
        table: &table,
        plan: &plan,
        batch: (arguments.batch_size / ROWS_A_BLOCK).max(1),
        dry_run: arguments.dry_run,
        stop: &stop.token,
    };
    let (ending, tally) = walk.to_the_end().await?;
    let summary = Summary::new(&tally, arguments.dry_run, started.elapsed());
    summary.print(arguments.output);
    conclude(ending, &tally.unreadable, &stop)
}

fn conclude(
    ending: Ending,
    unreadable: &walk::Unreadable,
    stop: &Stop,
) -> Result<ExitCode, Failure> {
    match ending {
        Ending::Stopped => {
            eprintln!("stopped; the same command goes on from here");
            Ok(ExitCode::from(stop.exit_code()))
        }
        Ending::Restless => Err(Failure::gave_up(
            "rows that are not under the primary key keep coming",
        )
        .hint("give the key file to every worker that writes, restart them, and run this again")),
        Ending::Done if unreadable.count() > 0 => Err(Failure::gave_up(format!(
            "{} values cannot be read and were left as they are: {unreadable}",
            unreadable.count()
        ))
        .hint("--from names the scheme of old values; a disabled key can be enabled: etl keyset enable")),
        Ending::Done => Ok(ExitCode::SUCCESS),
    }
}
