//! The local stack, tried as the tests of the other crates use it.

mod command;
mod conformance;
mod fault_proxy;
mod kill;
mod load_queue;
mod postgres;
mod postgres_proxy;
mod sqs;
mod stack;
