//! 20,000 messages on a faulty queue, a hundred times kill -9 at random instants, two crashes of Postgres.

use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::random::{between, seed};
use crate::stage::Stage;
use crate::verdict::Verdict;

const RULES: [&str; 4] = [
    "duplicate@1/7",
    "500@1/11",
    "fail-delete@1/13",
    "reset-after@1/17",
];
const KILLS: usize = 100;
const MESSAGES_BETWEEN: usize = 200;
const VISIBILITY_SECONDS: u32 = 4;
/// From the start of the program to its death: some die before their first receive, most in the middle of the work.
const SHORTEST_LIFE: Duration = Duration::from_millis(10);
const LONGEST_LIFE: Duration = Duration::from_secs(4);
/// Kills during which Postgres crashes too.
const CRASHES: [usize; 2] = [33, 66];

pub(crate) fn run() -> bool {
    let began = Instant::now();
    let mut random = fastrand::Rng::with_seed(seed());
    let mut stage = Stage::new(VISIBILITY_SECONDS, &RULES, seed());
    for kill in 0..KILLS {
        stage.send(MESSAGES_BETWEEN);
        let worker = stage.follow();
        sleep(between(&mut random, SHORTEST_LIFE, LONGEST_LIFE));
        if CRASHES.contains(&kill) {
            stage.postgres.crash();
        }
        end(worker);
        if CRASHES.contains(&kill) {
            stage.postgres.start();
        }
    }
    let struck = stage.proxy.struck();
    stage.proxy.set_rules(Vec::new());
    sleep(Duration::from_secs(u64::from(VISIBILITY_SECONDS) + 1));
    let last = stage.drain();
    let verdict = Verdict::of(&stage);
    let received = stage.queue.statistics().received;
    println!(
        "soak kills: {verdict}; {KILLS} kill -9, {} crashes of Postgres, {received} deliveries, faults {struck:?}, \
         {} rows by the last drain, seed {}, {:.0} s",
        CRASHES.len(),
        last["written"],
        seed(),
        began.elapsed().as_secs_f64()
    );
    verdict.holds()
}

/// SIGKILL, which no program sees coming.
fn end(mut worker: Child) {
    assert!(
        worker.try_wait().expect("a child").is_none(),
        "the worker ended by itself"
    );
    worker.kill().expect("it is killed");
    worker.wait().expect("it is gone");
}
