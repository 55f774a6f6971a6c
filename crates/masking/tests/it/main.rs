//! Everything that the crate promises, tested from outside, in one binary.
#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails by panicking, as the test does"
)]
#![expect(clippy::similar_names, reason = "a masker makes what is masked")]

mod build;
#[cfg(unix)]
mod key_file;
mod keys;
mod keyset;
mod laws;
mod vectors;
