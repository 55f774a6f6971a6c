//! The calls of a [`Transport`] on a queue in memory: limits checked, the work done under the lock, waiting outside.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::limits::{self, Code, LONGEST_VISIBILITY};
use super::look::whole_seconds;
use super::receipt::{self, Receipt};
use super::server::{ACCOUNT, Happening, MemoryQueue, Untold, url};
use crate::attributes::{QueueFacts, RedrivePolicy};
use crate::error::QueueError;
use crate::message::{OutgoingMessage, ReceivedMessage};
use crate::transport::{EntryFailure, EntryFailures, Transport};

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
