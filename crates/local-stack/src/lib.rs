#![doc = include_str!("../README.md")]

mod account;
mod background;
mod command;
mod fault_proxy;
mod guarded;
mod hint;
mod home;
mod http;
mod load_queue;
mod port;
mod postgres;
mod postgres_proxy;
mod random;
mod sqs;
mod stack;
mod wheel;
mod when;

pub use command::run;
pub use fault_proxy::{Fault, FaultProxy, Rule};
pub use hint::report;
pub use load_queue::{LoadQueue, Statistics};
pub use postgres::{Database, Postgres, postgres};
pub use postgres_proxy::{PostgresProxy, StatementFault};
pub use sqs::{
    ACCESS_KEY_ID, ACCOUNT_ID, KmsClient, REGION, SECRET_ACCESS_KEY, Sqs, SqsClient, sqs,
};
pub use when::When;
