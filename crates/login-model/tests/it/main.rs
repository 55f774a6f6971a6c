//! What a caller of the crate relies on, through its public names only.

mod allocation;
mod bad_input;
mod compressed;
mod envelopes;
mod laws;
mod privacy;
mod sample;
mod support;
