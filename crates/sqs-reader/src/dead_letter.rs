//! Forwarding what cannot be read: sent to the dead-letter queue first, deleted only then. What cannot be sent is
//! left on the queue, hidden for long: nothing is deleted that stands nowhere else.

use std::time::Duration;

use crate::copies::{Resend, is_fifo, with_own};
use crate::delivery::{Delivery, Identity, SOURCE_MESSAGE_ID, SOURCE_SENT_AT};
use crate::message::{AttributeValue, Attributes, OutgoingMessage};
use crate::reader::{DeleteReport, Reader};
use crate::transport::Transport;

/// How long a message that no dead-letter queue took is hidden, so that a drain ends and a follower does not spin.
const LEFT_HIDDEN: Duration = Duration::from_hours(1);

/// Message attribute with the reason for a rejection, on what was forwarded.
pub const REJECT_REASON: &str = "reject-reason";
/// Message attribute with the field at fault, where one is.
pub const REJECT_FIELD: &str = "reject-field";

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
            Some(url) => {
                let copies = rejected
                    .into_iter()
                    .map(|(delivery, note)| copy_of(delivery, note, is_fifo(url)));
                self.send_copies(copies.collect(), url, true).await
            }
            None => (
                Vec::new(),
                rejected.into_iter().map(|(delivery, _)| delivery).collect(),
            ),
        };
        let (forwarded, left_behind) = (sent.len() as u64, left.len() as u64);
        // Side by side: deletes may be tried for long, and what is left must not come back meanwhile.
        let (deletion, ()) = tokio::join!(self.delete(sent), self.hide(left, LEFT_HIDDEN));
        ForwardReport {
            forwarded,
            left: left_behind,
            deletion,
        }
    }
}

fn copy_of(delivery: Delivery, note: Note, fifo: bool) -> Resend {
    let id = delivery.receipt.message().to_string();
    let group = delivery.group_id.clone();
    let copy = OutgoingMessage {
        body: delivery.body.clone(),
        attributes: with_own(ours(delivery.identity, note), &delivery.attributes),
        group_id: fifo.then(|| group.unwrap_or_else(|| id.clone())),
        // Never content-based: two equal bodies would be taken for one, and one of them be lost. Nor by the first
        // sending's id, which a message that was redriven and is rejected again within five minutes has used up.
        deduplication_id: fifo.then_some(id),
    };
    (delivery, copy)
}

/// Source and reason.
fn ours(identity: Identity, note: Note) -> Attributes {
    let mut ours = source_attributes(identity);
    let reason = Some((REJECT_REASON, note.reason));
    let field = note.field.map(|field| (REJECT_FIELD, field));
    for (name, value) in reason.into_iter().chain(field) {
        ours.push((name.to_owned(), AttributeValue::text(value)));
    }
    ours
}

/// Under which identity the message is known, wherever it is sent next.
pub(crate) fn source_attributes(identity: Identity) -> Attributes {
    let Identity {
        message_id,
        sent_at_ms,
    } = identity;
    vec![
        (
            SOURCE_MESSAGE_ID.to_owned(),
            AttributeValue::text(message_id.to_string()),
        ),
        (
            SOURCE_SENT_AT.to_owned(),
            AttributeValue::text(sent_at_ms.to_string()),
        ),
    ]
}
