//! Bugs that were, each with its story in one line.

use crate::harness::{Database, Etl, Event};

/// A dry run held every body until its end, and waited for ever once they weighed more than may be held.
#[test]
fn a_dry_run_over_many_large_bodies_ends() {
    let padding = "x".repeat(1 << 20);
    let line = Event(0).with("padding", padding) + "\n";
    let outcome = Etl::run_lines(line.repeat(40), &Database::empty())
        .args(["--dry-run"])
        .output();
    assert_eq!(outcome.code, 0);
    assert_eq!(outcome.stdout.lines().count(), 40);
}
