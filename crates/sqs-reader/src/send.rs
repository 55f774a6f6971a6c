//! Sending in batches, failed entries tried again.

use std::time::Duration;

use crate::backoff::jittered;
use crate::error::QueueError;
use crate::message::OutgoingMessage;
use crate::transport::{EntryFailures, MAX_BATCH, Transport};

/// Bytes that SQS takes in one message or batch, attributes included.
pub const MAX_BYTES: usize = 1024 * 1024;

const TRIES: u32 = 5;
const BASE: Duration = Duration::from_millis(200);
const CAP: Duration = Duration::from_secs(5);

/// Sends all of `messages` (ten at most, [`MAX_BYTES`] together) to the queue at `url`, trying failed entries
/// again. The error is that of the first message that was not sent; others may have been.
pub async fn send_all<T: Transport>(
    transport: &T,
    url: &str,
    messages: &[OutgoingMessage],
) -> Result<(), QueueError> {
    let outcomes = send_each(transport, url, messages).await;
    outcomes.into_iter().collect()
}

/// The same, with what became of each message. An entry that the queue blames on its sender is
/// [`QueueError::Refused`].
pub(crate) async fn send_each<T: Transport>(
    transport: &T,
    url: &str,
    messages: &[OutgoingMessage],
) -> Vec<Result<(), QueueError>> {
    let mut outcomes = vec![Ok(()); messages.len()];
    let mut open: Vec<usize> = (0..messages.len()).collect();
    for attempt in 0..TRIES {
        let batch: Vec<OutgoingMessage> = open.iter().map(|&at| messages[at].clone()).collect();
        match transport.send(url, &batch).await {
            Ok(failures) => open = sort_out(&failures, &open, &mut outcomes),
            Err(error) => {
                for &index in &open {
                    outcomes[index] = Err(error.clone());
                }
                if !error.is_transient() {
                    break;
                }
            }
        }
        if open.is_empty() || attempt + 1 == TRIES {
            break;
        }
        tokio::time::sleep(jittered(attempt, BASE, CAP)).await;
    }
    outcomes
}

/// Notes what became of the entries that were `tried`; answers those to try again.
fn sort_out(
    failures: &EntryFailures,
    tried: &[usize],
    outcomes: &mut [Result<(), QueueError>],
) -> Vec<usize> {
    for &index in tried {
        outcomes[index] = Ok(());
    }
    let mut again = Vec::new();
    for failure in failures {
        let Some(&index) = tried.get(failure.index) else {
            continue;
        };
        outcomes[index] = Err(if failure.sender_fault {
            QueueError::Refused(failure.code.clone())
        } else {
            again.push(index);
            QueueError::Server(failure.code.clone())
        });
    }
    again
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
