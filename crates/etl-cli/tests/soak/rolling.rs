//! A rolling restart that does not end: of four workers under load one is replaced every second, for a minute. What
//! a worker holds when SIGTERM comes it writes; little is delivered again, nothing twice in the table.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::random::seed;
use crate::stage::Stage;
use crate::verdict::Verdict;

const WORKERS: usize = 4;
const RESTARTS: u32 = 60;
const PERIOD: Duration = Duration::from_secs(1);
/// Filled up to this before every restart, so that a worker has work in hand when its turn comes.
const DEPTH: u64 = 2_000;
const MESSAGES_AT_ONCE: usize = 200;
/// At most so many times a restart, so that a sender slower than the workers does not go on for ever.
const FILLS: usize = 8;
const VISIBILITY_SECONDS: u32 = 15;
/// With few pollers on a queue that is not near, the workers leave something on it.
const PACE: [&str; 1] = ["latency=100ms"];
const POLLERS: &str = "2";
/// In a hundred messages.
const MOST_DELIVERED_AGAIN: u64 = 2;

pub(crate) fn run() -> bool {
    let began = Instant::now();
    let mut stage = Stage::new(VISIBILITY_SECONDS, &PACE, seed());
    (0..2).for_each(|_| fill(&mut stage));
    let mut workers: Vec<Child> = (0..WORKERS).map(|_| start(&stage)).collect();
    let (mut ended_well, mut idle) = (0, 0);
    let first_restart = Instant::now();
    for restart in 0..RESTARTS {
        fill(&mut stage);
        sleep((PERIOD * restart).saturating_sub(first_restart.elapsed()));
        idle += usize::from(stage.depth() == 0);
        let leaving = workers.remove(0);
        ask_to_stop(&leaving);
        workers.push(start(&stage));
        ended_well += usize::from(is_well(end(leaving)));
    }
    let restarting = first_restart.elapsed();
    workers.iter().for_each(ask_to_stop);
    ended_well += workers
        .into_iter()
        .map(end)
        .filter(|status| is_well(*status))
        .count();
    // What a poll took that was given up at the end of a worker comes back by itself.
    sleep(Duration::from_secs(u64::from(VISIBILITY_SECONDS) + 1));
    stage.drain();
    let messages = stage.sent.all() as u64;
    let again = stage.queue.statistics().received - messages;
    let verdict = Verdict::of(&stage);
    println!(
        "soak rolling: {verdict}; {RESTARTS} restarts of {WORKERS} workers in {:.0} s ({idle} with nothing to do), \
         {ended_well} ended well, {again} delivered again ({:.2} %), {:.0} s",
        restarting.as_secs_f64(),
        percentage(again, messages),
        began.elapsed().as_secs_f64()
    );
    let all_ended_well = ended_well == RESTARTS as usize + WORKERS;
    verdict.holds() && all_ended_well && idle == 0 && again * 100 < messages * MOST_DELIVERED_AGAIN
}

fn fill(stage: &mut Stage) {
    for _ in 0..FILLS {
        if stage.depth() < DEPTH {
            stage.send(MESSAGES_AT_ONCE);
        }
    }
}

fn start(stage: &Stage) -> Child {
    let mut worker = stage.etl("run");
    worker.args(["--follow", "--pollers", POLLERS]);
    worker.spawn().expect("etl starts")
}

fn ask_to_stop(worker: &Child) {
    let sent = Command::new("kill")
        .args(["-TERM", &worker.id().to_string()])
        .status();
    assert!(sent.expect("kill starts").success(), "the worker was gone");
}

/// One that was only just started may not listen to signals yet: it dies of SIGTERM, and holds nothing then.
fn is_well(status: ExitStatus) -> bool {
    const SIGTERM: i32 = 15;
    status.success() || status.signal() == Some(SIGTERM)
}

fn end(mut worker: Child) -> ExitStatus {
    worker.wait().expect("a child")
}

#[expect(clippy::cast_precision_loss, reason = "a percentage to be read")]
fn percentage(part: u64, whole: u64) -> f64 {
    part as f64 * 100.0 / whole as f64
}
