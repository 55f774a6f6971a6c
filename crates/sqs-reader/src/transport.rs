//! The seam to a queue: the six calls that this crate makes. `SdkTransport` makes them over the AWS SDK;
//! a double makes them in memory and passes the same conformance suite.

use std::future::Future;
use std::time::Duration;

use crate::attributes::QueueFacts;
use crate::error::QueueError;
use crate::message::{OutgoingMessage, ReceivedMessage};

/// Entries that SQS takes in one batch, and messages that it gives in one receive.
pub const MAX_BATCH: usize = 10;

/// One entry of a batch that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryFailure {
    /// Position in the batch.
    pub index: usize,
    /// SQS's code.
    pub code: String,
    /// Whether trying again is of no use.
    pub sender_fault: bool,
}

/// What a batch call says of its entries: those that failed. All others succeeded.
pub type EntryFailures = Vec<EntryFailure>;

/// One queue, as its server offers it. Each call is one request to it, retries of the client aside.
///
/// SQS counts in whole seconds: a fraction of a second in a wait or a timeout is cut off.
pub trait Transport: Send + Sync + 'static {
    /// From now on, hides what is received for `timeout` in place of the queue's own visibility timeout.
    /// Does nothing where messages are not hidden at all.
    fn set_visibility_timeout(&mut self, timeout: Duration) {
        let _ = timeout;
    }

    /// Up to `at_most` (1 to 10) messages, waiting up to `wait` (0 to 20 s) for the first.
    fn receive(
        &self,
        at_most: usize,
        wait: Duration,
    ) -> impl Future<Output = Result<Vec<ReceivedMessage>, QueueError>> + Send;

    /// Deletes up to ten messages by receipt handle.
    fn delete(
        &self,
        handles: &[String],
    ) -> impl Future<Output = Result<EntryFailures, QueueError>> + Send;

    /// Makes up to ten messages visible again after `timeout` (0 s to 12 h) from now.
    fn change_visibility(
        &self,
        handles: &[String],
        timeout: Duration,
    ) -> impl Future<Output = Result<EntryFailures, QueueError>> + Send;

    /// Sends up to ten messages, 1 MiB together, to the queue at `url`.
    fn send(
        &self,
        url: &str,
        messages: &[OutgoingMessage],
    ) -> impl Future<Output = Result<EntryFailures, QueueError>> + Send;

    /// What the queue says of itself.
    fn facts(&self) -> impl Future<Output = Result<QueueFacts, QueueError>> + Send;

    /// The URL of a queue of that name, owned by `account` where given.
    fn url_of(
        &self,
        name: &str,
        account: Option<&str>,
    ) -> impl Future<Output = Result<String, QueueError>> + Send;

    /// Requests made so far.
    fn requests(&self) -> u64;
}
