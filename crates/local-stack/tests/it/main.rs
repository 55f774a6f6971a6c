//! The local stack, tried as the tests of the other crates use it.

mod postgres;
mod sqs;
