#![doc = include_str!("../README.md")]

mod account;
mod guarded;
mod hint;
mod home;
mod port;
mod postgres;
mod random;
mod sqs;
mod wheel;

pub use hint::report;
pub use postgres::{Database, Postgres, postgres};
pub use sqs::{ACCESS_KEY_ID, ACCOUNT_ID, REGION, SECRET_ACCESS_KEY, Sqs, sqs};
