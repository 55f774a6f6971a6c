//! Redriving: from a dead-letter queue back to the queue that is read, under the identity of the first sending, so
//! that a message whose row stands already makes no second one.

use std::time::Duration;

use crate::copies::{Resend, with_own};
use crate::dead_letter::source_attributes;
use crate::delivery::Delivery;
use crate::message::OutgoingMessage;
use crate::reader::{DeleteReport, Reader};
use crate::transport::Transport;

/// What became of the messages that were to be redriven.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RedriveReport {
    /// Stand on the queue.
    pub redriven: u64,
    /// Could not be sent; visible in the dead-letter queue again.
    pub left: u64,
    /// Of those redriven, what became of their deletion from the dead-letter queue.
    pub deletion: DeleteReport,
}

impl<T: Transport> Reader<T> {
    /// Sends the deliveries of this dead-letter queue to the queue at `url`, then deletes them here. A crash between
    /// the two leaves a message in both places; its identity makes one row of it all the same.
    pub async fn redrive(&self, deliveries: Vec<Delivery>, url: &str, fifo: bool) -> RedriveReport {
        let copies = deliveries
            .into_iter()
            .map(|delivery| copy_of(delivery, fifo));
        // Never without attributes: they are the identity.
        let (sent, left) = self.send_copies(copies.collect(), url, false).await;
        let report = RedriveReport {
            redriven: sent.len() as u64,
            left: left.len() as u64,
            deletion: self.delete(sent).await,
        };
        if !left.is_empty() {
            self.hide(left, Duration::ZERO).await;
        }
        report
    }
}

fn copy_of(delivery: Delivery, fifo: bool) -> Resend {
    let dead_letter_id = delivery.receipt.message().to_string();
    let copy = OutgoingMessage {
        body: delivery.body.clone(),
        attributes: with_own(source_attributes(delivery.identity), &delivery.attributes),
        group_id: fifo.then(|| {
            delivery
                .group_id
                .clone()
                .unwrap_or_else(|| dead_letter_id.clone())
        }),
        // Of the dead-letter message: the source's id may have been used within the five minutes that SQS remembers.
        deduplication_id: fifo.then_some(dead_letter_id),
    };
    (delivery, copy)
}
