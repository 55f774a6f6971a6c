//! Sending in batches, failed entries tried again.

use std::time::Duration;

use crate::backoff::jittered;
use crate::error::QueueError;
use crate::message::OutgoingMessage;
use crate::transport::{MAX_BATCH, Transport};

/// Bytes that SQS takes in one message or batch, attributes included.
pub const MAX_BYTES: usize = 1024 * 1024;

const TRIES: u32 = 5;
const BASE: Duration = Duration::from_millis(200);
const CAP: Duration = Duration::from_secs(5);

/// Sends all of `messages` (ten at most, [`MAX_BYTES`] together) to the queue at `url`, trying failed entries
/// again. An entry that the queue blames on its sender is [`QueueError::Refused`].
pub async fn send_all<T: Transport>(
    transport: &T,
    url: &str,
    messages: &[OutgoingMessage],
) -> Result<(), QueueError> {
    let mut open = messages.to_vec();
    let mut last = QueueError::Unreachable(url.to_owned());
    for attempt in 0..TRIES {
        match transport.send(url, &open).await {
            Ok(failures) => match failures.iter().find(|failure| failure.sender_fault) {
                Some(failure) => return Err(QueueError::Refused(failure.code.clone())),
                None if failures.is_empty() => return Ok(()),
                None => {
                    open = failures
                        .iter()
                        .filter_map(|failure| open.get(failure.index).cloned())
                        .collect();
                }
            },
            Err(error) if error.is_transient() => last = error,
            Err(error) => return Err(error),
        }
        tokio::time::sleep(jittered(attempt, BASE, CAP)).await;
    }
    Err(last)
}

/// How many of the first messages fit one request; at least one.
pub fn batch_length<'a>(messages: impl Iterator<Item = &'a OutgoingMessage>) -> usize {
    let mut bytes = 0;
    let fits = messages.take(MAX_BATCH).take_while(|message| {
        bytes += message.size();
        bytes <= MAX_BYTES
    });
    fits.count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_ends_at_ten_messages_or_one_mebibyte() {
        let of = |bytes: usize| OutgoingMessage {
            body: "x".repeat(bytes),
            ..OutgoingMessage::default()
        };
        let small = vec![of(1); 12];
        assert_eq!(batch_length(small.iter()), 10);
        let large = [of(MAX_BYTES / 2), of(MAX_BYTES / 2), of(1)];
        assert_eq!(batch_length(large.iter()), 2);
        assert_eq!(batch_length([of(MAX_BYTES + 1)].iter()), 1);
    }
}
