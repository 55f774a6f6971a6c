//! One look at a queue for a receive: what is visible is taken, what was received too often moves to the dead-letter
//! queue in the same step.

use std::time::Duration;

use tokio::time::Instant;

use super::queue::Stored;
use super::receipt::{self, Receipt};
use super::server::{Happening, MemoryQueue, State, Untold};
use crate::message::ReceivedMessage;

/// What one look at the queue brought.
pub(super) struct Look {
    pub(super) received: Vec<ReceivedMessage>,
    pub(super) next_visible: Option<Instant>,
    pub(super) over_limit: bool,
}

impl MemoryQueue {
    pub(super) fn look(&self, at_most: usize) -> Look {
        let mut state = self.server.state();
        let (look, events) = self.take(&mut state, at_most);
        drop(state);
        self.server.tell(&events);
        look
    }

    fn take(&self, state: &mut State, at_most: usize) -> (Look, Vec<Untold>) {
        let now = Instant::now();
        let queue = state
            .queues
            .get_mut(&self.name)
            .expect("a queue is never removed");
        queue.settle(now);
        let timeout = self
            .visibility_timeout
            .unwrap_or_else(|| whole_seconds(queue.settings.visibility_timeout));
        let (taken, dead) = queue.receive(at_most, now, timeout);
        queue.counts.deliveries += taken.len();
        let received: Vec<ReceivedMessage> = taken
            .into_iter()
            .map(|(index, receipt)| received(&self.name, &queue.messages[index], receipt))
            .collect();
        let look = Look {
            next_visible: queue.settle(now),
            over_limit: queue.is_full() && !queue.settings.fifo,
            received,
        };
        let ids = look.received.iter().map(|message| &message.message_id);
        let mut events: Vec<Untold> = ids
            .map(|id| (self.name.clone(), id.clone(), Happening::Received))
            .collect();
        events.extend(self.bury(state, dead, now));
        (look, events)
    }

    /// Moves messages to the dead-letter queue; without one they are lost, as where it was removed.
    fn bury(&self, state: &mut State, dead: Vec<Stored>, now: Instant) -> Vec<Untold> {
        let policy = state
            .queues
            .get(&self.name)
            .and_then(|queue| queue.settings.redrive.clone());
        let Some(name) = policy.map(|redrive| redrive.to) else {
            return Vec::new();
        };
        let mut events = Vec::new();
        for stored in dead {
            events.push((
                self.name.clone(),
                stored.id.clone(),
                Happening::DeadLettered,
            ));
            events.push((name.clone(), stored.id.clone(), Happening::Sent));
            if let Some(queue) = state.queues.get_mut(&name) {
                queue.push(stored, now);
            }
        }
        if !events.is_empty() {
            self.server.arrivals().notify_waiters();
        }
        events
    }
}

fn received(queue: &str, stored: &Stored, receipt: Receipt) -> ReceivedMessage {
    ReceivedMessage {
        message_id: stored.id.clone(),
        receipt_handle: receipt::write(queue, receipt),
        body: stored.message.body.clone(),
        sent_at_ms: Some(stored.sent_at_ms),
        receive_count: stored.receive_count,
        group_id: stored.message.group_id.clone(),
        attributes: stored.message.attributes.clone(),
    }
}

/// SQS takes whole seconds.
pub(super) fn whole_seconds(duration: Duration) -> Duration {
    Duration::from_secs(duration.as_secs())
}
