//! One queue: what is visible, what is hidden until when, and which receipt of a message is its newest.
//!
//! Invariant: nothing here reads a clock or waits; `now` is handed in, and `settle` makes the past so.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use super::inspect::{Counts, Place};
use super::limits::{Code, LONGEST_VISIBILITY};
use super::receipt::Receipt;
use super::settings::QueueSettings;
use crate::message::OutgoingMessage;

/// How long a FIFO queue remembers a deduplication id.
const DEDUPLICATION: Duration = Duration::from_secs(300);

/// A message and all that happened to it. None is ever forgotten: tests look at them.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) id: String,
    pub(super) message: OutgoingMessage,
    pub(super) sent_at_ms: i64,
    pub(super) place: Place,
    pub(super) receive_count: u32,
    generation: u32,
    received_at: Option<Instant>,
    /// Its turn among the visible.
    turn: u64,
}

impl Stored {
    pub(super) fn new(id: String, message: OutgoingMessage, sent_at_ms: i64) -> Self {
        Self {
            id,
            message,
            sent_at_ms,
            place: Place::Visible,
            receive_count: 0,
            generation: 0,
            received_at: None,
            turn: 0,
        }
    }
}

#[derive(Debug)]
pub(super) struct Queue {
    pub(super) settings: QueueSettings,
    pub(super) deny_sends: bool,
    pub(super) counts: Counts,
    pub(super) messages: Vec<Stored>,
    visible: BTreeSet<(u64, usize)>,
    hidden: BTreeSet<(Instant, usize)>,
    deduplicated: HashMap<String, (Instant, String)>,
    turns: u64,
}

impl Queue {
    pub(super) fn new(settings: QueueSettings) -> Self {
        Self {
            settings,
            deny_sends: false,
            counts: Counts::default(),
            messages: Vec::new(),
            visible: BTreeSet::new(),
            hidden: BTreeSet::new(),
            deduplicated: HashMap::new(),
            turns: 0,
        }
    }

    /// The id of the message that had this deduplication id in the last five minutes.
    pub(super) fn known(&self, message: &OutgoingMessage, now: Instant) -> Option<String> {
        let (since, id) = self
            .deduplicated
            .get(message.deduplication_id.as_deref()?)?;
        (now.duration_since(*since) < DEDUPLICATION).then(|| id.clone())
    }

    pub(super) fn push(&mut self, stored: Stored, now: Instant) {
        if let Some(id) = &stored.message.deduplication_id {
            self.deduplicated
                .insert(id.clone(), (now, stored.id.clone()));
        }
        self.messages.push(stored);
        self.show(self.messages.len() - 1);
    }

    /// Shows what was hidden until now; answers when the next message shows.
    pub(super) fn settle(&mut self, now: Instant) -> Option<Instant> {
        while let Some((until, index)) = self.hidden.first().copied() {
            if until > now {
                return Some(until);
            }
            self.hidden.remove(&(until, index));
            self.show(index);
        }
        None
    }

    /// Takes up to `at_most` messages; the second list was received too often and leaves the queue.
    pub(super) fn receive(
        &mut self,
        at_most: usize,
        now: Instant,
        timeout: Duration,
    ) -> (Vec<(usize, Receipt)>, Vec<Stored>) {
        let (mut taken, mut dead) = (Vec::new(), Vec::new());
        let locked = self.locked_groups();
        while taken.len() < at_most && !self.is_full() {
            let Some(index) = self.next(&locked) else {
                break;
            };
            self.visible.remove(&(self.messages[index].turn, index));
            if self.is_exhausted(index) {
                dead.push(self.bury(index));
            } else {
                taken.push((index, self.hide_received(index, now, timeout)));
            }
        }
        (taken, dead)
    }

    /// Whether the queue hides as much as it may.
    pub(super) fn is_full(&self) -> bool {
        self.hidden.len() >= self.settings.in_flight_limit
    }

    /// Answers the message that is gone, if one is.
    pub(super) fn delete(&mut self, receipt: Receipt) -> Result<Option<usize>, Code> {
        let stored = self.find(receipt)?;
        if matches!(stored.place, Place::Deleted | Place::DeadLettered) {
            return Ok(None);
        }
        let stale = stored.generation != receipt.generation;
        if self.settings.fifo && (stale || stored.place == Place::Visible) {
            // "The receipt handle has expired."
            return Err("InvalidParameterValue");
        }
        if stale {
            self.counts.ignored_deletes += 1;
            return Ok(None);
        }
        self.leave(receipt.index, Place::Deleted);
        self.counts.deleted += 1;
        Ok(Some(receipt.index))
    }

    /// Hides a message that is in flight until `timeout` from now.
    pub(super) fn change_visibility(
        &mut self,
        receipt: Receipt,
        now: Instant,
        timeout: Duration,
    ) -> Result<(), Code> {
        let stored = self.find(receipt)?;
        if matches!(stored.place, Place::Deleted | Place::DeadLettered) {
            return Err("InvalidParameterValue");
        }
        let Place::Hidden(until) = stored.place else {
            return Err("AWS.SimpleQueueService.MessageNotInflight");
        };
        if stored.generation != receipt.generation {
            return Err("AWS.SimpleQueueService.MessageNotInflight");
        }
        let held = stored
            .received_at
            .map_or(Duration::ZERO, |since| now.duration_since(since));
        if held.saturating_add(timeout) > LONGEST_VISIBILITY {
            return Err("InvalidParameterValue");
        }
        self.hidden.remove(&(until, receipt.index));
        self.hide(receipt.index, now + timeout);
        self.settle(now);
        Ok(())
    }

    /// How many are visible, and how many hidden.
    pub(super) fn lengths(&self) -> (usize, usize) {
        (self.visible.len(), self.hidden.len())
    }

    fn find(&self, receipt: Receipt) -> Result<&Stored, Code> {
        let stored = self.messages.get(receipt.index);
        stored
            .filter(|stored| (1..=stored.generation).contains(&receipt.generation))
            .ok_or("ReceiptHandleIsInvalid")
    }

    /// FIFO: groups of which a message is hidden. None of theirs is given out.
    fn locked_groups(&self) -> HashSet<String> {
        if !self.settings.fifo {
            return HashSet::new();
        }
        let groups = self
            .hidden
            .iter()
            .filter_map(|(_, index)| self.messages[*index].message.group_id.clone());
        groups.collect()
    }

    fn next(&self, locked: &HashSet<String>) -> Option<usize> {
        let is_free = |index: usize| {
            let group = &self.messages[index].message.group_id;
            group.as_ref().is_none_or(|group| !locked.contains(group))
        };
        let mut indexes = self.visible.iter().map(|(_, index)| *index);
        indexes.find(|index| is_free(*index))
    }

    fn is_exhausted(&self, index: usize) -> bool {
        let received = self.messages[index].receive_count;
        let policy = self.settings.redrive.as_ref();
        policy.is_some_and(|redrive| received >= redrive.max_receive_count)
    }

    fn bury(&mut self, index: usize) -> Stored {
        self.leave(index, Place::DeadLettered);
        self.counts.dead_lettered += 1;
        let Stored {
            id,
            message,
            sent_at_ms,
            receive_count,
            ..
        } = self.messages[index].clone();
        Stored {
            receive_count,
            ..Stored::new(id, message, sent_at_ms)
        }
    }

    fn hide_received(&mut self, index: usize, now: Instant, timeout: Duration) -> Receipt {
        let stored = &mut self.messages[index];
        stored.receive_count += 1;
        stored.generation += 1;
        stored.received_at = Some(now);
        let generation = stored.generation;
        self.hide(index, now + timeout);
        Receipt { index, generation }
    }

    fn hide(&mut self, index: usize, until: Instant) {
        self.messages[index].place = Place::Hidden(until);
        self.hidden.insert((until, index));
    }

    /// On a standard queue what shows again stands at the end; on a FIFO queue it keeps its turn.
    fn show(&mut self, index: usize) {
        let stored = &mut self.messages[index];
        if !self.settings.fifo || stored.turn == 0 {
            self.turns += 1;
            stored.turn = self.turns;
        }
        stored.place = Place::Visible;
        self.visible.insert((stored.turn, index));
    }

    fn leave(&mut self, index: usize, place: Place) {
        let stored = &mut self.messages[index];
        self.visible.remove(&(stored.turn, index));
        if let Place::Hidden(until) = stored.place {
            self.hidden.remove(&(until, index));
        }
        stored.place = place;
    }
}
