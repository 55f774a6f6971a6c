//! `etl check`: whether a run with these options would work, a line for each thing that it needs.
//!
//! Invariant: nothing is written and no message is taken from anybody.

mod columns;
mod database;
mod dead_letters;
mod masking;
mod queue;
mod report;
mod tables;

use std::process::ExitCode;

use self::report::Report;
use crate::arguments::RunArguments;

/// Clocks that differ by more than this many seconds are told of; AWS refuses requests that are 300 off.
const SKEW: f64 = 60.0;

pub(crate) async fn check(arguments: &RunArguments) -> ExitCode {
    let masked = async {
        let (masking, maskers) = masking::check(&arguments.masking).await;
        let database = database::check(arguments, maskers.as_ref()).await;
        (masking, database)
    };
    let queue = queue::check(arguments);
    let ((masking, database), queue) = tokio::join!(Box::pin(masked), Box::pin(queue));
    let report = Report::of([masking, queue, database]);
    report.print(arguments.ending.output);
    report.exit_code()
}

/// How this machine's clock stands to another.
fn report_clock(report: &mut Report, check: &'static str, lead: f64) {
    let (seconds, way) = (
        lead.abs().round(),
        if lead > 0.0 { "ahead of" } else { "behind" },
    );
    if seconds > SKEW {
        report.warn(
            check,
            format!("this machine's clock is {seconds} s {way} the server's"),
            "set both clocks (NTP)",
        );
    } else {
        report.pass(check, format!("within {SKEW} s of this machine's clock"));
    }
}
