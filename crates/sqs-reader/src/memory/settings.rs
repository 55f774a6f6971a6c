//! How a queue in memory behaves: the attributes with which SQS would create it.

use std::time::Duration;

use crate::send::MAX_BYTES;

/// How a queue behaves.
#[derive(Debug, Clone)]
pub struct QueueSettings {
    /// How long a received message stays hidden.
    pub visibility_timeout: Duration,
    /// Groups in order, deduplication. SQS demands that the name of such a queue ends in `.fifo`.
    pub fifo: bool,
    /// Where messages go that were received too often.
    pub redrive: Option<Redrive>,
    /// Messages that may be hidden at a time.
    pub in_flight_limit: usize,
    /// The size of a message, attributes included.
    pub max_message_bytes: usize,
}

/// Those of SQS: 30 s, a standard queue, no dead-letter queue, 120,000 in flight, 1 MiB.
impl Default for QueueSettings {
    fn default() -> Self {
        Self {
            visibility_timeout: Duration::from_secs(30),
            fifo: false,
            redrive: None,
            in_flight_limit: 120_000,
            max_message_bytes: MAX_BYTES,
        }
    }
}

/// A queue's redrive policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrive {
    /// The name of the dead-letter queue.
    pub to: String,
    /// Receives after which the next one moves a message there.
    pub max_receive_count: u32,
}
