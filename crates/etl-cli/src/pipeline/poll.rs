//! The polling loop: a turn, a healthy database, room in flight, then a receive; what it brings is parsed and
//! masked at once and joins the batch.

use std::sync::Arc;
use std::time::Duration;

use etl_stages::Intake;
use sqs_reader::backoff::jittered;
use sqs_reader::{Delivery, MAX_BATCH, QueueError, Slots, Transport};
use tokio::time::Instant;
use tracing::Instrument as _;
use tracing::field::Empty;

use super::regulator::Next;
use super::{Pipeline, Store};

/// The longest wait of a drain once it has received something, so that it does not sit out a full long poll.
const DRAIN_WAIT: Duration = Duration::from_secs(1);
/// How long a receive that is out may take after a stop; what it took later comes back by its visibility timeout.
const ABANDON_AFTER: Duration = Duration::from_secs(1);
/// The least time between two receives that bring nothing, where the queue does not wait: a file, or a wait of 0.
const PACE: Duration = Duration::from_millis(200);
const BASE: Duration = Duration::from_millis(200);
const CAP: Duration = Duration::from_secs(20);

/// Whether the loop goes on.
enum Flow {
    Again,
    Rest,
    Over,
}

impl<T: Transport, S: Store> Pipeline<T, S> {
    /// One poller, until all is over. The error is the queue's refusal.
    pub(super) async fn poll(self: Arc<Self>) -> Result<(), String> {
        let mut failures = 0;
        while let Some(turn) = self.regulator.turn().await {
            loop {
                match self.poll_once(&mut failures).await {
                    Ok(Flow::Again) => {}
                    Ok(Flow::Rest) => {
                        turn.forget();
                        break;
                    }
                    Ok(Flow::Over) => {
                        self.regulator.end();
                        return Ok(());
                    }
                    Err(refusal) => {
                        self.regulator.end();
                        return Err(refusal);
                    }
                }
            }
        }
        Ok(())
    }

    async fn poll_once(self: &Arc<Self>, failures: &mut u32) -> Result<Flow, String> {
        let mut asked = self.budget.take(MAX_BATCH);
        if asked == 0 {
            // A receive that is out may bring less than it reserved, and then goes on.
            if self.regulator.rest_unless_alone() {
                return Ok(Flow::Rest);
            }
            // The last of them may have given back between the two looks, and gone to rest.
            asked = self.budget.take(MAX_BATCH);
            if asked == 0 {
                return Ok(Flow::Over);
            }
        }
        let Some(slots) = self.ready_for(asked).await else {
            self.budget.give_back(asked);
            return Ok(Flow::Over);
        };
        let (begun, room) = (Instant::now(), slots.count());
        self.regulator.receive_begins();
        let since = Instant::now();
        let received = self.receive(slots).await;
        self.measures.receive_ended(since);
        let Some(Ok(deliveries)) = received else {
            self.regulator.receive_failed();
            self.budget.give_back(asked);
            return match received {
                Some(Err(error)) => self.after_failure(&error, failures).await,
                _ => Ok(Flow::Over),
            };
        };
        *failures = 0;
        self.budget.give_back(asked - deliveries.len());
        let next = self.regulator.receive_ends(deliveries.len(), room);
        let is_empty = deliveries.is_empty();
        let flow = self.after_receive(deliveries, &next);
        if is_empty && matches!(flow, Flow::Again) {
            self.pause_until(begun + PACE).await;
        }
        Ok(flow)
    }

    /// A drain that only waits for what it holds goes on once that is settled.
    async fn pause_until(&self, end: Instant) {
        let settles = !self.options.follow && !self.inbox.is_idle();
        tokio::select! {
            biased;
            () = self.stop.cancelled() => {}
            () = self.release.cancelled() => {}
            () = self.inbox.idle(), if settles => {}
            () = tokio::time::sleep_until(end) => {}
        }
    }

    /// Room for `asked` deliveries, once the database is healthy; `None` after a stop.
    async fn ready_for(&self, asked: usize) -> Option<Slots> {
        let ready = async {
            loop {
                self.health.database_up().await;
                let slots = self.inbox.slots(asked).await;
                // It may have gone down while there was no room.
                if !self.health.is_database_down() {
                    return slots;
                }
            }
        };
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            () = self.release.cancelled() => None,
            slots = ready => Some(slots),
        }
    }

    /// `None` where a stop came and the receive did not end in time.
    async fn receive(&self, slots: Slots) -> Option<Result<Vec<Delivery>, QueueError>> {
        let abandoned = async {
            self.stop.cancelled().await;
            tokio::time::sleep(ABANDON_AFTER).await;
        };
        let span = tracing::info_span!("receive", messages.received = Empty);
        let receive = self.inbox.receive(slots, self.wait());
        tokio::select! {
            biased;
            received = receive.instrument(span.clone()) => {
                let count = received.as_ref().map_or(0, Vec::len);
                span.record("messages.received", count);
                Some(received)
            }
            () = abandoned => None,
        }
    }

    fn wait(&self) -> Duration {
        let first = self.tally.receives.get() == 0;
        if self.options.follow || first {
            self.options.wait
        } else {
            self.options.wait.min(DRAIN_WAIT)
        }
    }

    fn after_receive(self: &Arc<Self>, deliveries: Vec<Delivery>, next: &Next) -> Flow {
        self.tally.receives.add(1);
        self.health.queue_worked();
        self.tally.received.add(deliveries.len() as u64);
        self.measures.received(&deliveries);
        let empty = deliveries.is_empty();
        self.take_in(deliveries);
        if self.stop.is_cancelled() {
            return Flow::Over;
        }
        if empty && !self.options.follow {
            // Nothing more is coming that a batch could wait for.
            self.flush();
        }
        match next {
            Next::Rest => Flow::Rest,
            Next::AloneAndEmpty if !self.options.follow && self.inbox.is_idle() => Flow::Over,
            Next::AloneAndEmpty | Next::Continue => Flow::Again,
        }
    }

    async fn after_failure(&self, error: &QueueError, failures: &mut u32) -> Result<Flow, String> {
        let never_worked = self.tally.receives.get() == 0;
        // The run has found its queue: one that is gone since then was deleted, and may be made again.
        let may_pass = error.is_transient() || matches!(error, QueueError::NoSuchQueue(_));
        if never_worked && !may_pass {
            return Err(error.to_string());
        }
        if self.health.queue_failed(&error.to_string()) {
            return Ok(Flow::Over);
        }
        let pause = jittered(*failures, BASE, CAP);
        *failures = failures.saturating_add(1);
        tracing::warn!(error = %error, retry.in_ms = pause.as_millis(), "failed to receive");
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Ok(Flow::Over),
            () = tokio::time::sleep(pause) => Ok(Flow::Again),
        }
    }

    /// Parses and masks what one receive brought.
    fn take_in(self: &Arc<Self>, deliveries: Vec<Delivery>) {
        if deliveries.is_empty() {
            return;
        }
        let intake = Intake::of(deliveries, &self.rules);
        if let Some(full) = self.filling.add(intake.batch, intake.rejected) {
            self.settle(full);
        }
    }
}
