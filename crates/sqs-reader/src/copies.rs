//! Copies of messages, sent to another queue: what dead-lettering and redriving have in common. Nothing is deleted
//! here.

use crate::dead_letter::{REJECT_FIELD, REJECT_REASON};
use crate::delivery::{Delivery, SOURCE_MESSAGE_ID, SOURCE_SENT_AT};
use crate::error::QueueError;
use crate::message::{AttributeValue, Attributes, OutgoingMessage};
use crate::reader::Reader;
use crate::send::{batch_length, send_all, send_each};
use crate::transport::Transport;

/// Attributes that SQS takes on one message.
const MAX_ATTRIBUTES: usize = 10;
/// The attributes that are set here; a sender's of these names are replaced.
const OURS: [&str; 4] = [
    SOURCE_MESSAGE_ID,
    SOURCE_SENT_AT,
    REJECT_REASON,
    REJECT_FIELD,
];

/// A delivery, and what is to be sent in its place.
pub(crate) type Resend = (Delivery, OutgoingMessage);

/// Our attributes, and of the sender's own as many as SQS takes beside them.
pub(crate) fn with_own(mut ours: Attributes, own: &Attributes) -> Attributes {
    let room = MAX_ATTRIBUTES.saturating_sub(ours.len());
    let own = own.iter().filter(|attribute| !is_ours(attribute));
    ours.extend(own.take(room).cloned());
    ours
}

fn is_ours((name, _): &(String, AttributeValue)) -> bool {
    OURS.contains(&name.as_str())
}

/// SQS demands the ending of the name; a queue and its dead-letter queue need not be of one kind.
pub(crate) fn is_fifo(url: &str) -> bool {
    url.strip_suffix(".fifo").is_some()
}

impl<T: Transport> Reader<T> {
    /// Answers which deliveries' copies stand at `url`, and which do not. A copy that is refused goes without the
    /// sender's attributes, and with `may_go_bare` then without any.
    pub(crate) async fn send_copies(
        &self,
        mut open: Vec<Resend>,
        url: &str,
        may_go_bare: bool,
    ) -> (Vec<Delivery>, Vec<Delivery>) {
        let (mut sent, mut left) = (Vec::new(), Vec::new());
        while !open.is_empty() {
            let later = open.split_off(batch_length(open.iter().map(|(_, copy)| copy)));
            let (deliveries, messages): (Vec<Delivery>, Vec<OutgoingMessage>) =
                open.into_iter().unzip();
            let unsent = self.send_batch(url, &messages, may_go_bare).await;
            for (index, delivery) in deliveries.into_iter().enumerate() {
                let side = if unsent.contains(&index) {
                    &mut left
                } else {
                    &mut sent
                };
                side.push(delivery);
            }
            open = later;
        }
        (sent, left)
    }

    /// Positions of messages that were not sent.
    async fn send_batch(
        &self,
        url: &str,
        messages: &[OutgoingMessage],
        may_go_bare: bool,
    ) -> Vec<usize> {
        let mut unsent = Vec::new();
        let mut first_error = None;
        let outcomes = send_each(&self.transport, url, messages).await;
        for (index, mut outcome) in outcomes.into_iter().enumerate() {
            for form in forms(&messages[index], messages.len() == 1, may_go_bare) {
                // Only what was refused may pass in another form. An outage is no reason to strip a message of its
                // identity.
                if !matches!(outcome, Err(QueueError::Refused(_))) {
                    break;
                }
                outcome = send_all(&self.transport, url, &[form]).await;
            }
            if let Err(error) = outcome {
                first_error.get_or_insert(error);
                unsent.push(index);
            }
        }
        if let Some(error) = first_error {
            self.counts.failed(&error);
            tracing::warn!(error = %error, messages = unsent.len(), "failed to send copies of messages");
        }
        unsent
    }
}

/// What to try after a refusal: the message alone, where it was sent with others; then lighter and lighter.
fn forms(message: &OutgoingMessage, was_alone: bool, may_go_bare: bool) -> Vec<OutgoingMessage> {
    let with = |keep: fn(&(String, AttributeValue)) -> bool| {
        let kept = message
            .attributes
            .iter()
            .filter(|attribute| keep(attribute));
        OutgoingMessage {
            attributes: kept.cloned().collect(),
            ..message.clone()
        }
    };
    let alone = (!was_alone).then(|| message.clone());
    let bare = may_go_bare.then(|| with(|_| false));
    alone
        .into_iter()
        .chain([with(is_ours)])
        .chain(bare)
        .collect()
}
