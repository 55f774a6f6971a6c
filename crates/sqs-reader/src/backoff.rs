//! How long to wait before the next try: exponential with full jitter, as a pure function.
//! Source: <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>.

use std::time::Duration;

/// The wait before try number `attempt` (the first retry is 0), between `base` and `cap`.
/// `random` is uniform in `0.0..1.0`.
pub fn delay(attempt: u32, base: Duration, cap: Duration, random: f64) -> Duration {
    let ceiling = base.saturating_mul(2_u32.saturating_pow(attempt)).min(cap);
    base + ceiling.saturating_sub(base).mul_f64(random.clamp(0.0, 1.0))
}

/// The same with a random number drawn here.
pub fn jittered(attempt: u32, base: Duration, cap: Duration) -> Duration {
    delay(attempt, base, cap, fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: Duration = Duration::from_millis(100);
    const CAP: Duration = Duration::from_secs(5);

    #[test]
    fn it_grows_from_base_to_cap_and_never_overflows() {
        assert_eq!(delay(0, BASE, CAP, 1.0), BASE);
        assert_eq!(delay(3, BASE, CAP, 1.0), Duration::from_millis(800));
        assert_eq!(delay(u32::MAX, BASE, CAP, 1.0), CAP);
    }

    #[test]
    fn jitter_spreads_it_between_base_and_the_ceiling() {
        assert_eq!(delay(3, BASE, CAP, 0.0), BASE);
        assert_eq!(delay(3, BASE, CAP, 0.5), Duration::from_millis(450));
    }
}
