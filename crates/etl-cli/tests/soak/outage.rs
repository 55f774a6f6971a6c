//! Postgres away for 30 s in the middle, twice the visibility timeout: the run goes on by itself.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::random::seed;
use crate::stage::Stage;
use crate::verdict::Verdict;

const MESSAGES: usize = 20_000;
const VISIBILITY_SECONDS: u32 = 15;
const OUTAGE: Duration = Duration::from_secs(30);
/// By then a worker has seen the first write fail.
const NOTICED_AFTER: Duration = Duration::from_secs(2);
/// So that the outage falls in the middle of the work.
const PACE: [&str; 1] = ["latency=20ms"];

pub(crate) fn run() -> bool {
    let began = Instant::now();
    let mut stage = Stage::new(VISIBILITY_SECONDS, &PACE, seed());
    stage.send(MESSAGES);
    let mut worker = stage.etl("run").spawn().expect("etl starts");
    while stage.queue.statistics().deleted < MESSAGES as u64 / 4 {
        assert!(
            worker.try_wait().expect("a child").is_none(),
            "the worker ended early"
        );
        sleep(Duration::from_millis(5));
    }
    stage.postgres.stop();
    let stopped = Instant::now();
    let received = || stage.queue.statistics().received;
    sleep(NOTICED_AFTER);
    let before = received();
    sleep(OUTAGE.saturating_sub(stopped.elapsed()));
    let during = received() - before;
    stage.postgres.start();
    let status = worker.wait().expect("a child");
    let again = received().saturating_sub(MESSAGES as u64);
    let verdict = Verdict::of(&stage);
    println!(
        "soak outage: {verdict}; Postgres away for {} s with a visibility timeout of {VISIBILITY_SECONDS} s, \
         {again} delivered again, {during} received while it was away, exit {}, {:.0} s",
        OUTAGE.as_secs(),
        status.code().unwrap_or(-1),
        began.elapsed().as_secs_f64()
    );
    verdict.holds() && status.success() && again * 100 <= MESSAGES as u64 && during == 0
}
