//! A queue in memory that behaves as SQS documents it, so that what reads a queue is tested without a server, and
//! under tokio's paused clock: visibility timeouts, redelivery with a new receipt handle, receive counts, long
//! polls, redrive to a dead-letter queue, FIFO groups and deduplication, limits. Where SQS leaves an outcome open,
//! this queue takes the one that hurts: a delete by an old receipt handle succeeds and deletes nothing.
//!
//! [`Faulty`] wraps any transport and makes its calls fail, late, or happen twice, as a seed decides.
//!
//! Left out: delays, retention, content-based deduplication, permissions beyond [`MemoryQueue::deny_sends`].
//!
//! ```
//! # use std::time::Duration;
//! # use sqs_reader::memory::{MemoryServer, QueueSettings, Redrive};
//! # use sqs_reader::Transport;
//! # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
//! let server = MemoryServer::new();
//! let dead_letters = server.queue("logins-dead", QueueSettings::default());
//! let queue = server.queue(
//!     "logins",
//!     QueueSettings {
//!         redrive: Some(Redrive { to: "logins-dead".to_owned(), max_receive_count: 3 }),
//!         ..QueueSettings::default()
//!     },
//! );
//! queue.put("a body")?;
//! let received = queue.receive(10, Duration::from_secs(20)).await?;
//! assert_eq!((received.len(), queue.counts().in_flight), (1, 1));
//! # Ok::<(), sqs_reader::QueueError>(())
//! # }).unwrap();
//! ```

mod calls;
mod faults;
mod faulty;
mod inspect;
mod limits;
mod look;
mod queue;
mod receipt;
mod server;
mod settings;

pub use self::faults::Faults;
pub use self::faulty::Faulty;
pub use self::inspect::{Counts, Place, StoredMessage};
pub use self::server::{Event, Happening, MemoryQueue, MemoryServer};
pub use self::settings::{QueueSettings, Redrive};
