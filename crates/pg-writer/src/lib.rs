#![doc = include_str!("../README.md")]

mod balance;
mod batch;
mod column;
mod connect;
mod deadline;
mod erase;
mod error;
mod examine;
#[cfg(feature = "memory")]
mod memory;
mod neighbours;
mod own_options;
mod partitions;
mod pass_file;
mod password;
mod pool;
mod pooler;
mod prune;
mod recent;
mod rejection;
mod rejection_counts;
mod remask;
mod report;
mod schema;
mod session;
mod settings;
mod settle;
mod sqlstate;
mod statement;
mod store;
mod tls;
mod tls_notice;
mod witness;

pub use balance::{DayBalance, balance};
pub use batch::{Batch, Committed, LedgerKey};
pub use erase::{DayRows, PersonColumn, count_logins, erase_logins};
pub use error::StoreError;
pub use examine::{ServerFacts, TableFacts};
#[cfg(feature = "memory")]
pub use memory::{Condition, MemoryFaults, MemoryStore, StoredLogin, StoredRejection};
pub use partitions::{PartitionedTable, keep_partitions, partition};
pub use password::{Token, TokenMaker};
pub use pool::{Connections, Pool};
pub use prune::{LEDGER_AGE, prune};
pub use rejection::{Recorded, RejectionRecord};
pub use rejection_counts::{RejectionCount, rejection_counts};
pub use remask::{Change, Finished, OldLogin, Place, Remasking};
pub use report::Report;
pub use schema::prepare;
pub use settings::Settings;
pub use store::PgStore;
pub use tls::SslMode;
