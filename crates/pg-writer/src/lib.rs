#![doc = include_str!("../README.md")]

mod batch;
mod column;
mod error;
mod pool;
mod rejection;
mod schema;
mod settings;
mod settle;
mod statement;
mod store;
mod tls;

pub use batch::{Batch, Committed, LedgerKey};
pub use error::StoreError;
pub use pool::Pool;
pub use rejection::{Recorded, RejectionRecord};
pub use schema::prepare;
pub use settings::Settings;
pub use store::{PgStore, Report};
pub use tls::SslMode;
