//! Four workers on one queue that doubles every fifth delivery: every row once.

use std::process::Child;
use std::time::Instant;

use crate::random::seed;
use crate::stage::Stage;
use crate::verdict::Verdict;

const MESSAGES: usize = 20_000;
const WORKERS: usize = 4;

pub(crate) fn run() -> bool {
    let began = Instant::now();
    let mut stage = Stage::new(30, &["duplicate@1/5"], seed());
    stage.send(MESSAGES);
    let start = |_| stage.etl("run").spawn().expect("etl starts");
    let workers: Vec<Child> = (0..WORKERS).map(start).collect();
    let ended = workers
        .into_iter()
        .map(|mut worker| worker.wait().expect("a child"));
    let succeeded = ended.filter(std::process::ExitStatus::success).count();
    let verdict = Verdict::of(&stage);
    println!(
        "soak workers: {verdict}; {succeeded} of {WORKERS} workers ended well, faults {:?}, {:.0} s",
        stage.proxy.struck(),
        began.elapsed().as_secs_f64()
    );
    verdict.holds() && succeeded == WORKERS
}
