//! The pipeline under every fault that a seed can think of, on a queue and a store in memory and under tokio's paused
//! clock: faulty calls, outages, slow commits, stops and crashes at any moment, several workers on one queue.
//! Afterwards the faults end, a last drain runs, and the law of [`law`] must hold. A seed repeats its run bit by bit.

mod database;
mod draw;
mod journal;
mod law;
mod line;
mod scenario;
mod worker;
mod workload;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};

use self::journal::Detail;
use self::world::World;

/// Seeds of the ordinary test run; `just simulate` asks for more.
const SEEDS: u64 = 300;

/// What a seed came to.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    /// How the law was broken; nothing where it holds.
    broken: Vec<String>,
    /// Every call that was made, its time and its answer, where it was asked for.
    journal: Vec<String>,
}

fn simulate(seed: u64, detail: Detail) -> Outcome {
    // Jitter is drawn from the thread's own generator.
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async { World::new(seed, detail).run().await })
}

/// The broken laws of all seeds from `first` on, by as many threads as the machine has cores.
fn broken_among(first: u64, count: u64) -> Vec<String> {
    let next = AtomicU64::new(first);
    let take = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| seed - first < count);
    let work = || {
        let outcomes = std::iter::from_fn(take).map(|seed| (seed, simulate(seed, Detail::Verdict)));
        let broken = outcomes.filter(|(_, outcome)| !outcome.broken.is_empty());
        broken.map(report).collect::<Vec<String>>()
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let found = workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap());
        found.collect()
    })
}

fn report((seed, outcome): (u64, Outcome)) -> String {
    let broken = outcome.broken.join("\n  ");
    format!("seed {seed}:\n  {broken}\n  replay it with: just simulate-seed {seed}")
}

fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is no number")),
    )
}

/// `SEEDS=N` for more seeds than usual, `SEED=S` for one of them with all that happened.
#[test]
fn every_message_is_one_row_or_one_rejection_whatever_fails() {
    if let Some(seed) = from_environment("SEED") {
        let outcome = simulate(seed, Detail::Journal);
        outcome.journal.iter().for_each(|line| println!("{line}"));
        assert!(outcome.broken.is_empty(), "{}", report((seed, outcome)));
        return;
    }
    let seeds = from_environment("SEEDS").unwrap_or(SEEDS);
    let began = std::time::Instant::now();
    let broken = broken_among(1, seeds);
    println!(
        "{seeds} seeds in {:.1} s, {} broken",
        began.elapsed().as_secs_f64(),
        broken.len()
    );
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn a_seed_repeats_its_run_bit_by_bit() {
    for seed in 1..=20 {
        let first = simulate(seed, Detail::Journal);
        let second = simulate(seed, Detail::Journal);
        let differs = first
            .journal
            .iter()
            .zip(&second.journal)
            .position(|(one, other)| one != other);
        let context = differs.map(|at| (&first.journal[at], &second.journal[at]));
        assert_eq!(context, None, "seed {seed}, line {differs:?}");
        assert_eq!(first, second, "seed {seed}");
    }
}
