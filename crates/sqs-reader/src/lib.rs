#![doc = include_str!("../README.md")]

mod address;
mod attributes;
pub mod backoff;
mod batch;
mod caller;
mod connect;
mod copies;
mod counts;
mod dead_letter;
mod delivery;
mod error;
mod extend;
mod held_bytes;
mod in_flight;
#[cfg(feature = "memory")]
pub mod memory;
mod message;
mod reader;
mod redrive;
mod sdk;
mod send;
mod transport;

pub use address::{Endpoint, QueueAddress, is_same_queue};
pub use attributes::{QueueFacts, RedrivePolicy};
/// Of the AWS SDK, for [`Connection::open_as`].
pub use aws_sdk_sqs::config::Credentials;
pub use caller::Caller;
pub use connect::{Connection, Settings};
pub use dead_letter::{ForwardReport, Note, REJECT_FIELD, REJECT_REASON};
pub use delivery::{Delivery, Identity, SOURCE_MESSAGE_ID, SOURCE_SENT_AT};
pub use error::QueueError;
pub use in_flight::Receipt;
pub use message::{AttributeContent, AttributeValue, Attributes, OutgoingMessage, ReceivedMessage};
pub use reader::{DeleteReport, Reader, ReaderOptions, Slots};
pub use redrive::RedriveReport;
pub use sdk::{SdkTransport, SendRight};
pub use send::{MAX_BYTES, batch_length, send_all};
pub use transport::{EntryFailure, EntryFailures, MAX_BATCH, Transport};
