//! Bounded polling for what can be observed and not awaited.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Longer than anything takes that happens at all, on a busy machine too.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
const STEP: Duration = Duration::from_millis(10);

/// Returns once `condition` holds.
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        sleep(STEP);
    }
}
