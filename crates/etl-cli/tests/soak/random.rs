//! Random numbers from a seed, so that a soak can be repeated as far as processes and networks allow.

use std::time::Duration;

pub(crate) fn seed() -> u64 {
    let given = std::env::var("SEED").ok();
    given.and_then(|text| text.parse().ok()).unwrap_or(1)
}

pub(crate) fn between(random: &mut fastrand::Rng, least: Duration, most: Duration) -> Duration {
    least + most.saturating_sub(least).mul_f64(random.f64())
}
