//! The real binary on a real queue and a real Postgres, killed, cut off and served twice, at full length: what the
//! simulation proves of the pipeline, seen from outside. Run by `just soak`; not part of the ordinary tests.
//!
//! `kills` (20,000 messages, 100 times kill -9), `outage` (Postgres away for 30 s), `redrive` (10,000 messages, killed in
//! the middle), `workers` (four on one queue), `rolling` (four, one of them replaced every second); without a name all.
//! Each prints one line and ends with an error where a message is lost or there twice.

mod kills;
mod outage;
mod random;
mod redrive;
mod rolling;
mod stage;
mod verdict;
mod workers;

use std::process::ExitCode;

/// Its name, and whether it held.
type Scenario = (&'static str, fn() -> bool);

fn main() -> ExitCode {
    let named: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |name: &str| named.is_empty() || named.iter().any(|given| given == name);
    let scenarios: [Scenario; 5] = [
        ("kills", kills::run),
        ("outage", outage::run),
        ("redrive", redrive::run),
        ("workers", workers::run),
        ("rolling", rolling::run),
    ];
    let asked_for = scenarios.into_iter().filter(|(name, _)| wanted(name));
    let passed: Vec<bool> = asked_for.map(|(_, run)| run()).collect();
    if passed.is_empty() {
        eprintln!("expected one of: kills, outage, redrive, workers, rolling");
    }
    if passed.is_empty() || passed.contains(&false) {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
