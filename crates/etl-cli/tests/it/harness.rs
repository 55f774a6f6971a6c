//! What every test here stands on: a queue, a database and the program, each of one's own.

mod database;
mod event;
mod page;
mod program;
mod queue;
mod silent;
mod wait;

pub(crate) use self::database::{Database, Held};
pub(crate) use self::event::{Event, events};
pub(crate) use self::page::Pages;
pub(crate) use self::program::{Etl, Outcome, Running};
pub(crate) use self::queue::Queue;
pub(crate) use self::silent::Silent;
pub(crate) use self::wait::until;

/// A queue with its dead-letter queue and a migrated database.
pub(crate) fn stage() -> (Queue, Database) {
    (Queue::with_dead_letter_queue(), Database::migrated())
}
