//! The calls of a [`Transport`] on a queue in memory: limits checked, the work done under the lock, waiting outside.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::limits::{self, Code, LONGEST_VISIBILITY};
use super::queue::Stored;
use super::receipt::{self, Receipt};
use super::server::{ACCOUNT, Happening, MemoryQueue, State, Untold, url};
use crate::attributes::{QueueFacts, RedrivePolicy};
use crate::error::QueueError;
use crate::message::{OutgoingMessage, ReceivedMessage};
use crate::transport::{EntryFailure, EntryFailures, Transport};

/// What one look at the queue brought.
struct Look {
    received: Vec<ReceivedMessage>,
    next_visible: Option<Instant>,
    over_limit: bool,
}

impl Transport for MemoryQueue {
    fn set_visibility_timeout(&mut self, timeout: Duration) {
        self.visibility_timeout = Some(whole_seconds(timeout));
    }

    async fn receive(
        &self,
        at_most: usize,
        wait: Duration,
    ) -> Result<Vec<ReceivedMessage>, QueueError> {
        self.count();
        limits::receive(at_most, wait)?;
        let deadline = Instant::now() + whole_seconds(wait);
        loop {
            // Made before the look: an arrival between the two is not missed.
            let arrival = self.server.arrivals().notified();
            let look = self.look(at_most);
            if !look.received.is_empty() {
                return Ok(look.received);
            }
            if Instant::now() >= deadline {
                // A short poll is told of the limit; a long poll just comes back empty.
                return if look.over_limit && wait.is_zero() {
                    Err(QueueError::Throttled("OverLimit".to_owned()))
                } else {
                    Ok(Vec::new())
                };
            }
            let until = look
                .next_visible
                .map_or(deadline, |visible| visible.min(deadline));
            drop(tokio::time::timeout_at(until, arrival).await);
        }
    }

    async fn delete(&self, handles: &[String]) -> Result<EntryFailures, QueueError> {
        self.count();
        limits::batch(handles.len())?;
        let mut gone = Vec::new();
        let failures = self.on_each(handles, |queue, _, receipt| {
            let deleted = queue.delete(receipt)?;
            gone.extend(deleted.map(|index| queue.messages[index].id.clone()));
            Ok(())
        });
        self.tell_all(gone, Happening::Deleted);
        // On a FIFO queue the end of one message frees its group.
        self.server.arrivals().notify_waiters();
        Ok(failures)
    }

    async fn change_visibility(
        &self,
        handles: &[String],
        timeout: Duration,
    ) -> Result<EntryFailures, QueueError> {
        self.count();
        limits::batch(handles.len())?;
        let timeout = whole_seconds(timeout);
        let failures = self.on_each(handles, |queue, now, receipt| {
            if timeout > LONGEST_VISIBILITY {
                return Err("InvalidParameterValue");
            }
            queue.change_visibility(receipt, now, timeout)
        });
        self.server.arrivals().notify_waiters();
        Ok(failures)
    }

    async fn send(
        &self,
        url: &str,
        messages: &[OutgoingMessage],
    ) -> Result<EntryFailures, QueueError> {
        self.count();
        limits::batch(messages.len())?;
        limits::batch_bytes(messages)?;
        let name = self.may_send_to(url)?;
        let now = Instant::now();
        let sent_at_ms = self.server.sent_at_ms(now);
        let mut state = self.server.state();
        let outcomes: Vec<Result<String, Code>> = messages
            .iter()
            .map(|message| state.send(&name, message.clone(), now, sent_at_ms))
            .collect();
        drop(state);
        self.server.arrivals().notify_waiters();
        let told = |id: &String| (name.clone(), id.clone(), Happening::Sent);
        let events: Vec<Untold> = outcomes.iter().flatten().map(told).collect();
        self.server.tell(&events);
        Ok(failures(outcomes))
    }

    async fn facts(&self) -> Result<QueueFacts, QueueError> {
        self.count();
        Ok(self.on_queue(|queue, now| {
            queue.settle(now);
            let (visible, hidden) = queue.lengths();
            let redrive = queue.settings.redrive.as_ref();
            QueueFacts {
                visibility_timeout: queue.settings.visibility_timeout,
                waiting: visible as u64,
                in_flight: hidden as u64,
                fifo: queue.settings.fifo,
                redrive: redrive.map(|redrive| RedrivePolicy {
                    dead_letter_arn: format!("arn:aws:sqs:memory:{ACCOUNT}:{}", redrive.to),
                    max_receive_count: Some(redrive.max_receive_count),
                }),
            }
        }))
    }

    async fn url_of(&self, name: &str, account: Option<&str>) -> Result<String, QueueError> {
        self.count();
        let known = self.server.state().queues.contains_key(name);
        if known && account.is_none_or(|account| account == ACCOUNT) {
            return Ok(url(name));
        }
        Err(QueueError::NoSuchQueue(name.to_owned()))
    }

    fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

impl MemoryQueue {
    fn look(&self, at_most: usize) -> Look {
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

    fn on_each(
        &self,
        handles: &[String],
        mut call: impl FnMut(&mut super::queue::Queue, Instant, Receipt) -> Result<(), Code>,
    ) -> EntryFailures {
        let outcomes = self.on_queue(|queue, now| {
            queue.settle(now);
            let outcome = |handle: &String| {
                let receipt = receipt::read(&self.name, handle).ok_or("ReceiptHandleIsInvalid")?;
                call(queue, now, receipt)
            };
            handles.iter().map(outcome).collect::<Vec<_>>()
        });
        failures(outcomes)
    }

    fn tell_all(&self, ids: Vec<String>, happening: Happening) {
        let told = |id| (self.name.clone(), id, happening);
        let events: Vec<Untold> = ids.into_iter().map(told).collect();
        self.server.tell(&events);
    }

    fn may_send_to(&self, url: &str) -> Result<String, QueueError> {
        let state = self.server.state();
        let found = state.queues.iter().find(|(name, _)| self::url(name) == url);
        match found {
            None => Err(QueueError::NoSuchQueue(format!("send to {url}"))),
            Some((_, queue)) if queue.deny_sends => {
                Err(QueueError::Denied(format!("send to {url}")))
            }
            Some((name, _)) => Ok(name.clone()),
        }
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

fn failures<R>(outcomes: Vec<Result<R, Code>>) -> EntryFailures {
    let failure = |(index, outcome): (usize, Result<R, Code>)| {
        outcome.err().map(|code| EntryFailure {
            index,
            code: code.to_owned(),
            sender_fault: true,
        })
    };
    outcomes
        .into_iter()
        .enumerate()
        .filter_map(failure)
        .collect()
}

/// SQS takes whole seconds.
fn whole_seconds(duration: Duration) -> Duration {
    Duration::from_secs(duration.as_secs())
}
