//! The local stack, tried as the tests of the other crates use it.

mod kill;
mod postgres;
mod sqs;
mod stack;
