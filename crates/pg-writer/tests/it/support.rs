//! Databases, batches and what is found in the tables afterwards.

mod database;
mod rows;

pub(crate) use database::{Migrated, connect, migrated, pool, pool_of, restartable};
pub(crate) use rows::{batch, key, login, push, record, tokens};
