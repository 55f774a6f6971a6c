//! One queue: what is ready, what is hidden until when, and which receipt handle is the newest.
//!
//! Invariant: a message that was not received yet costs memory only if it was sent; a backlog's messages cost none.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use tokio::sync::Notify;

use super::message::{Backlog, Content, Stored};

/// The bound of a standard queue (SQS quotas).
const IN_FLIGHT_LIMIT: usize = 120_000;

/// Where messages go that were received too often.
#[derive(Clone, Debug)]
pub(crate) struct Redrive {
    pub(crate) target: String,
    pub(crate) max_receive_count: u32,
}

/// A receipt: which slot, and which receive of it. Only the newest is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

/// A message that was sent or received and is not deleted.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) content: Option<Content>,
    generation: u32,
    pub(crate) receive_count: u32,
    pub(crate) first_received_at: u64,
    hidden_until: Option<u64>,
}

#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// As text, the way they were set.
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) redrive: Option<Redrive>,
    pub(crate) backlog: Option<Backlog>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    ready: VecDeque<Receipt>,
    hidden: BTreeSet<(u64, u32)>,
    /// Hidden by a delay, not by a receive.
    delayed: usize,
    pub(crate) arrivals: Arc<Notify>,
}

impl Queue {
    /// A number among the attributes.
    pub(crate) fn number(&self, name: &str, default: u64) -> u64 {
        self.attributes
            .get(name)
            .and_then(|value| value.parse().ok())
            .unwrap_or(default)
    }

    /// Takes a message in; hidden until `visible_at` if that is to come. `received` so often before, elsewhere.
    pub(crate) fn push(&mut self, message: Stored, received: u32, visible_at: Option<u64>) {
        let slot = self.occupy(Content::Stored(Arc::new(message)));
        self.slots[slot as usize].receive_count = received;
        match visible_at {
            Some(visible_at) => {
                self.delayed += 1;
                self.hide(slot, visible_at);
            }
            None => self.ready.push_back(self.receipt(slot)),
        }
        self.arrivals.notify_waiters();
    }

    /// Up to `max` messages, hidden until `hidden_until`; and what goes to the dead-letter queue instead, with its
    /// count of receives.
    pub(crate) fn receive(
        &mut self,
        max: usize,
        now: u64,
        hidden_until: u64,
    ) -> (Vec<Receipt>, Vec<(Stored, u32)>) {
        self.uncover(now);
        let (mut taken, mut dead) = (Vec::with_capacity(max), Vec::new());
        while taken.len() < max && self.hidden.len() < IN_FLIGHT_LIMIT {
            let Some(slot) = self.next_slot() else { break };
            if self.is_exhausted(slot) {
                dead.extend(self.bury(slot));
                continue;
            }
            let message = &mut self.slots[slot as usize];
            message.generation = message.generation.wrapping_add(1);
            message.receive_count += 1;
            if message.first_received_at == 0 {
                message.first_received_at = now;
            }
            self.hide(slot, hidden_until);
            taken.push(self.receipt(slot));
        }
        (taken, dead)
    }

    /// When the next hidden message shows again, if none is touched until then.
    pub(crate) fn next_visible_at(&self) -> Option<u64> {
        self.hidden.first().map(|(at, _)| *at)
    }

    /// The slot of a receipt, if it is the newest of a message that is still there.
    pub(crate) fn find(&self, receipt: Receipt) -> Option<&Slot> {
        let slot = self.slots.get(receipt.slot as usize)?;
        (slot.generation == receipt.generation && slot.content.is_some()).then_some(slot)
    }

    /// Deletes by the newest receipt; an older one is accepted and does nothing, as SQS documents it.
    pub(crate) fn delete(&mut self, receipt: Receipt) -> bool {
        let found = self.find(receipt).is_some();
        if found {
            self.vacate(receipt.slot);
        }
        found
    }

    /// Hides a received message until another time; false where it is not in flight.
    pub(crate) fn change_visibility(&mut self, receipt: Receipt, now: u64, until: u64) -> bool {
        if self
            .find(receipt)
            .and_then(|slot| slot.hidden_until)
            .is_none_or(|hidden| hidden <= now)
        {
            return false;
        }
        self.hide(receipt.slot, until);
        self.arrivals.notify_waiters();
        true
    }

    /// Removes everything.
    pub(crate) fn purge(&mut self) {
        self.backlog = None;
        for slot in 0..self.slots.len() {
            self.vacate(u32::try_from(slot).unwrap_or(u32::MAX));
        }
    }

    /// Messages that are visible, hidden by a receive, and delayed.
    pub(crate) fn counts(&mut self, now: u64) -> [u64; 3] {
        self.uncover(now);
        let live = self.slots.len() - self.free.len();
        let backlog = self.backlog.as_ref().map_or(0, Backlog::remaining);
        let (hidden, delayed) = (self.hidden.len() as u64, self.delayed as u64);
        [live as u64 - hidden + backlog, hidden - delayed, delayed]
    }

    fn uncover(&mut self, now: u64) {
        while let Some((_, slot)) = self.hidden.first().copied().filter(|(at, _)| *at <= now) {
            self.show(slot);
            self.ready.push_back(self.receipt(slot));
        }
    }

    fn next_slot(&mut self) -> Option<u32> {
        while let Some(receipt) = self.ready.pop_front() {
            if self
                .find(receipt)
                .is_some_and(|slot| slot.hidden_until.is_none())
            {
                return Some(receipt.slot);
            }
        }
        let backlog = self
            .backlog
            .as_mut()
            .filter(|backlog| backlog.next < backlog.total)?;
        let index = backlog.next;
        backlog.next += 1;
        Some(self.occupy(Content::Generated(index)))
    }

    fn is_exhausted(&self, slot: u32) -> bool {
        let count = self.slots[slot as usize].receive_count;
        self.redrive
            .as_ref()
            .is_some_and(|redrive| count >= redrive.max_receive_count)
    }

    /// Takes a message out for the dead-letter queue.
    fn bury(&mut self, slot: u32) -> Option<(Stored, u32)> {
        let received = self.slots[slot as usize].receive_count;
        let stored = match self.slots[slot as usize].content.clone()? {
            Content::Stored(stored) => Arc::unwrap_or_clone(stored),
            Content::Generated(index) => self.backlog.as_ref()?.store(index),
        };
        self.vacate(slot);
        Some((stored, received))
    }

    fn occupy(&mut self, content: Content) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| {
            let new = Slot {
                content: None,
                generation: 0,
                receive_count: 0,
                first_received_at: 0,
                hidden_until: None,
            };
            self.slots.push(new);
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        self.slots[slot as usize].content = Some(content);
        slot
    }

    fn vacate(&mut self, slot: u32) {
        if self.slots[slot as usize].content.is_none() {
            return;
        }
        self.show(slot);
        let left = &mut self.slots[slot as usize];
        // The generation stays ahead of every receipt that was ever given out for this slot.
        let generation = left.generation.wrapping_add(1);
        *left = Slot {
            content: None,
            generation,
            receive_count: 0,
            first_received_at: 0,
            hidden_until: None,
        };
        self.free.push(slot);
    }

    fn hide(&mut self, slot: u32, until: u64) {
        if self.slots[slot as usize].receive_count > 0 {
            self.show(slot);
        }
        self.slots[slot as usize].hidden_until = Some(until);
        self.hidden.insert((until, slot));
    }

    fn show(&mut self, slot: u32) {
        let message = &mut self.slots[slot as usize];
        if let Some(until) = message.hidden_until.take() {
            self.hidden.remove(&(until, slot));
            if message.receive_count == 0 {
                self.delayed -= 1;
            }
        }
    }

    fn receipt(&self, slot: u32) -> Receipt {
        Receipt {
            slot,
            generation: self.slots[slot as usize].generation,
        }
    }
}
