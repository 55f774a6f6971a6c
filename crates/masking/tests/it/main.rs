//! Everything that the crate promises, tested from outside, in one binary.
#![cfg(all(
    feature = "aes-siv",
    feature = "hmac",
    feature = "ip",
    feature = "keyset",
    feature = "zeroize"
))]

mod build;
mod keys;
mod laws;
mod vectors;
