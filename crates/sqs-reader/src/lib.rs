#![doc = include_str!("../README.md")]

mod attributes;
pub mod backoff;
mod batch;
mod connect;
mod dead_letter;
mod delivery;
mod error;
mod in_flight;
mod message;
mod reader;
mod sdk;
mod transport;

pub use attributes::QueueFacts;
pub use connect::{Connection, Endpoint, QueueAddress, Settings};
pub use dead_letter::{ForwardReport, Note};
pub use delivery::{Delivery, Identity};
pub use error::QueueError;
pub use in_flight::Receipt;
pub use message::{AttributeValue, OutgoingMessage, ReceivedMessage};
pub use reader::{DeleteReport, Reader, ReaderOptions, Slots};
pub use sdk::SdkTransport;
pub use transport::{EntryFailure, MAX_BATCH, Transport};
