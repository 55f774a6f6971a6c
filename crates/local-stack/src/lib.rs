#![doc = include_str!("../README.md")]

mod account;
mod command;
mod guarded;
mod hint;
mod home;
mod http;
mod load_queue;
mod port;
mod postgres;
mod random;
mod sqs;
mod stack;
mod wheel;

pub use command::run;
pub use hint::report;
pub use load_queue::{LoadQueue, Statistics};
pub use postgres::{Database, Postgres, postgres};
pub use sqs::{ACCESS_KEY_ID, ACCOUNT_ID, REGION, SECRET_ACCESS_KEY, Sqs, SqsClient, sqs};
