//! 10,000 messages brought back from the dead-letter queue, with a kill -9 in the middle of it: none is lost.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::random::seed;
use crate::stage::Stage;
use crate::verdict::Verdict;

const MESSAGES: usize = 10_000;
const VISIBILITY_SECONDS: u32 = 5;

pub(crate) fn run() -> bool {
    let began = Instant::now();
    let mut stage = Stage::new(VISIBILITY_SECONDS, &[], seed());
    stage.send_to_dead_letters(MESSAGES);
    let mut redrive = stage.redrive().spawn().expect("etl starts");
    let deleted = || stage.queue.statistics().deleted;
    while deleted() < MESSAGES as u64 / 2 {
        assert!(
            redrive.try_wait().expect("a child").is_none(),
            "the redrive ended early"
        );
        sleep(Duration::from_millis(5));
    }
    redrive.kill().expect("it is killed");
    redrive.wait().expect("it is gone");
    let before = deleted();
    // What the dead one held becomes visible again.
    sleep(Duration::from_secs(u64::from(VISIBILITY_SECONDS) + 1));
    let status = stage.redrive().status().expect("etl starts");
    let copies = stage.queue.statistics().sent - MESSAGES as u64;
    let last = stage.drain();
    let verdict = Verdict::of(&stage);
    println!(
        "soak redrive: {verdict}; killed after {before} of {MESSAGES}, {copies} copies sent, {} written and \
         {} duplicates by the drain, exit {}, {:.0} s",
        last["written"],
        last["duplicates"],
        status.code().unwrap_or(-1),
        began.elapsed().as_secs_f64()
    );
    verdict.holds() && status.success() && before < MESSAGES as u64
}
