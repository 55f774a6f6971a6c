//! Forwarding what cannot be read: sent to the dead-letter queue first, deleted only then. What cannot be sent is
//! left on the queue, hidden for long: nothing is deleted that stands nowhere else.

use std::time::Duration;

use uuid::Uuid;

use crate::delivery::{Delivery, Identity, SOURCE_MESSAGE_ID, SOURCE_SENT_AT};
use crate::error::QueueError;
use crate::message::{AttributeValue, OutgoingMessage};
use crate::reader::{DeleteReport, Reader};
use crate::send::{MAX_BYTES, batch_length, send_all};
use crate::transport::Transport;

/// Attributes that SQS takes on one message.
const MAX_ATTRIBUTES: usize = 10;
/// How long a message that no dead-letter queue took is hidden, so that a drain ends and a follower does not spin.
const LEFT_HIDDEN: Duration = Duration::from_hours(1);

const REJECT_REASON: &str = "reject-reason";
const REJECT_FIELD: &str = "reject-field";

/// Why a message is forwarded: codes, never a value.
#[derive(Debug, Clone, Copy)]
pub struct Note {
    /// Such as `missing_field`.
    pub reason: &'static str,
    /// Such as `user_id`; none where the body as a whole is at fault.
    pub field: Option<&'static str>,
}

/// What became of the messages that were to be forwarded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ForwardReport {
    /// Stand in the dead-letter queue.
    pub forwarded: u64,
    /// Still on the queue, hidden for an hour.
    pub left: u64,
    /// Of those forwarded, what became of their deletion.
    pub deletion: DeleteReport,
}

impl<T: Transport> Reader<T> {
    /// Sends the deliveries to the queue at `dead_letter_url`, then deletes them; leaves those that it cannot send,
    /// which without a dead-letter queue is all of them.
    pub async fn forward(
        &self,
        rejected: Vec<(Delivery, Note)>,
        dead_letter_url: Option<&str>,
    ) -> ForwardReport {
        let (sent, left) = match dead_letter_url {
            Some(url) => self.copy_all(rejected, url).await,
            None => (
                Vec::new(),
                rejected.into_iter().map(|(delivery, _)| delivery).collect(),
            ),
        };
        let report = ForwardReport {
            forwarded: sent.len() as u64,
            left: left.len() as u64,
            deletion: self.delete(sent).await,
        };
        if !left.is_empty() {
            self.hide(left, LEFT_HIDDEN).await;
        }
        report
    }

    async fn copy_all(
        &self,
        rejected: Vec<(Delivery, Note)>,
        url: &str,
    ) -> (Vec<Delivery>, Vec<Delivery>) {
        let (mut sent, mut left) = (Vec::new(), Vec::new());
        let mut open: Vec<(Delivery, OutgoingMessage)> = rejected
            .into_iter()
            .map(|(delivery, note)| self.with_copy(delivery, note))
            .collect();
        while !open.is_empty() {
            let later = open.split_off(batch_length(open.iter().map(|(_, copy)| copy)));
            self.send_batch(open, url, &mut sent, &mut left).await;
            open = later;
        }
        (sent, left)
    }

    async fn send_batch(
        &self,
        batch: Vec<(Delivery, OutgoingMessage)>,
        url: &str,
        sent: &mut Vec<Delivery>,
        left: &mut Vec<Delivery>,
    ) {
        let (deliveries, messages): (Vec<Delivery>, Vec<OutgoingMessage>) =
            batch.into_iter().unzip();
        let unsent = match send_all(&self.transport, url, &messages).await {
            Ok(()) => Vec::new(),
            // One message may be too large, or refused for what it is: find out which.
            Err(QueueError::Refused(_)) => self.send_one_by_one(url, &messages).await,
            Err(error) => {
                tracing::warn!(error = %error, messages = messages.len(), "failed to forward to the dead-letter queue");
                (0..messages.len()).collect()
            }
        };
        for (index, delivery) in deliveries.into_iter().enumerate() {
            if unsent.contains(&index) {
                left.push(delivery);
            } else {
                sent.push(delivery);
            }
        }
    }

    /// Positions of messages that cannot be sent even without their attributes.
    async fn send_one_by_one(&self, url: &str, messages: &[OutgoingMessage]) -> Vec<usize> {
        let mut unsent = Vec::new();
        for (index, message) in messages.iter().enumerate() {
            let bare = OutgoingMessage {
                attributes: Vec::new(),
                ..message.clone()
            };
            let one = std::slice::from_ref(message);
            if send_all(&self.transport, url, one).await.is_ok() {
                continue;
            }
            if let Err(error) = send_all(&self.transport, url, &[bare]).await {
                tracing::warn!(error = %error, "failed to forward a message to the dead-letter queue");
                unsent.push(index);
            }
        }
        unsent
    }

    fn with_copy(&self, delivery: Delivery, note: Note) -> (Delivery, OutgoingMessage) {
        let mut copy = OutgoingMessage {
            body: delivery.body.clone(),
            ..OutgoingMessage::default()
        };
        if self.fifo {
            // Never content-based: two equal bodies would be taken for one, and one of them be lost.
            copy.deduplication_id = Some(delivery.identity.message_id.to_string());
            copy.group_id = Some(
                delivery
                    .group_id
                    .clone()
                    .unwrap_or_else(|| Uuid::nil().to_string()),
            );
        }
        copy.attributes = attributes(&delivery, note);
        if copy.size() > MAX_BYTES {
            copy.attributes.clear();
        }
        (delivery, copy)
    }
}

/// Source and reason, and of the sender's own attributes as many as fit beside them.
fn attributes(delivery: &Delivery, note: Note) -> Vec<(String, AttributeValue)> {
    let Identity {
        message_id,
        sent_at_ms,
    } = delivery.identity;
    let ours = [
        (SOURCE_MESSAGE_ID, Some(message_id.to_string())),
        (SOURCE_SENT_AT, Some(sent_at_ms.to_string())),
        (REJECT_REASON, Some(note.reason.to_owned())),
        (REJECT_FIELD, note.field.map(str::to_owned)),
    ];
    let mut all: Vec<(String, AttributeValue)> = ours
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), AttributeValue::text(value?))))
        .collect();
    for (name, value) in &delivery.attributes {
        if all.len() < MAX_ATTRIBUTES && !all.iter().any(|(known, _)| known == name) {
            all.push((name.clone(), value.clone()));
        }
    }
    all
}
