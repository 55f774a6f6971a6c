//! Copies of messages, sent to another queue: what dead-lettering and redriving have in common. Nothing is deleted
//! here.

use crate::delivery::Delivery;
use crate::error::QueueError;
use crate::message::OutgoingMessage;
use crate::reader::Reader;
use crate::send::{batch_length, send_all};
use crate::transport::Transport;

/// A delivery, and what is to be sent in its place.
pub(crate) type Resend = (Delivery, OutgoingMessage);

impl<T: Transport> Reader<T> {
    /// Answers which deliveries' copies stand at `url`, and which do not. With `may_go_bare`, a copy that is refused
    /// with its attributes goes without them.
    pub(crate) async fn send_copies(
        &self,
        mut open: Vec<Resend>,
        url: &str,
        may_go_bare: bool,
    ) -> (Vec<Delivery>, Vec<Delivery>) {
        let (mut sent, mut left) = (Vec::new(), Vec::new());
        while !open.is_empty() {
            let later = open.split_off(batch_length(open.iter().map(|(_, copy)| copy)));
            let (deliveries, messages): (Vec<_>, Vec<_>) = open.into_iter().unzip();
            let unsent = self.send_batch(url, &messages, may_go_bare).await;
            sort_out(deliveries, &unsent, &mut sent, &mut left);
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
        match send_all(&self.transport, url, messages).await {
            Ok(()) => Vec::new(),
            // One message may be too large, or refused for what it is: find out which.
            Err(QueueError::Refused(_)) => self.send_one_by_one(url, messages, may_go_bare).await,
            Err(error) => {
                tracing::warn!(error = %error, messages = messages.len(), "failed to send copies of messages");
                (0..messages.len()).collect()
            }
        }
    }

    async fn send_one_by_one(
        &self,
        url: &str,
        messages: &[OutgoingMessage],
        may_go_bare: bool,
    ) -> Vec<usize> {
        let mut unsent = Vec::new();
        for (index, message) in messages.iter().enumerate() {
            if let Err(error) = self.send_one(url, message, may_go_bare).await {
                tracing::warn!(error = %error, "failed to send the copy of a message");
                unsent.push(index);
            }
        }
        unsent
    }

    async fn send_one(
        &self,
        url: &str,
        message: &OutgoingMessage,
        may_go_bare: bool,
    ) -> Result<(), QueueError> {
        let whole = send_all(&self.transport, url, std::slice::from_ref(message)).await;
        if whole.is_ok() || !may_go_bare {
            return whole;
        }
        let bare = OutgoingMessage {
            attributes: Vec::new(),
            ..message.clone()
        };
        send_all(&self.transport, url, &[bare]).await
    }
}

fn sort_out(
    deliveries: Vec<Delivery>,
    unsent: &[usize],
    sent: &mut Vec<Delivery>,
    left: &mut Vec<Delivery>,
) {
    for (index, delivery) in deliveries.into_iter().enumerate() {
        if unsent.contains(&index) {
            left.push(delivery);
        } else {
            sent.push(delivery);
        }
    }
}
