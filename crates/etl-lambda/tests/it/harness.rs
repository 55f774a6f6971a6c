//! What every test here stands on. Queues and events are those of `etl`'s own tests.

#[expect(dead_code, reason = "shared with the tests of pg-writer")]
#[path = "../../../pg-writer/tests/it/tls/certificates.rs"]
mod certificates;
mod database;
#[expect(dead_code, reason = "shared with the tests of etl")]
#[path = "../../../etl-cli/tests/it/harness/event.rs"]
mod event;
mod function;
mod mapping;
#[expect(dead_code, reason = "shared with the tests of etl")]
#[path = "../../../etl-cli/tests/it/harness/queue.rs"]
mod queue;
mod rds;
mod runtime_api;

pub(crate) use self::database::Database;
pub(crate) use self::event::Event;
pub(crate) use self::function::Function;
pub(crate) use self::mapping::{deliver, record};
pub(crate) use self::queue::Queue;
pub(crate) use self::rds::Rds;
pub(crate) use self::runtime_api::Answer;
