//! What is held: the newest receipt handle of each message, and when the queue would show it again.
//!
//! Invariant: an entry lives exactly as long as a [`Receipt`] of its message does, so whatever is dropped on any
//! path stops being extended and gives its permit back.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit};
use tokio::time::Instant;
use uuid::Uuid;

/// SQS lets no message stay hidden for longer than twelve hours after its receive, which by its clock was before ours;
/// it refuses an extension that goes further.
const LONGEST_HOLD: Duration = Duration::from_secs(12 * 3600 - 10);
/// An extension that gains less is not worth a request; it is one of the last before the twelve hours.
const LEAST_GAIN: Duration = Duration::from_secs(1);

/// The right to delete or release one delivery, and its place among those in flight.
pub struct Receipt {
    message: Uuid,
    registry: Arc<InFlight>,
    _permit: OwnedSemaphorePermit,
}

impl Receipt {
    /// The queue's own id of the message, whatever it was first sent as.
    pub(crate) fn message(&self) -> Uuid {
        self.message
    }

    /// The newest receipt handle known for this message: an older one may no longer delete it. There always is one,
    /// by the invariant of this module.
    pub(crate) fn handle(&self) -> Option<String> {
        let entries = self.registry.entries();
        entries.get(&self.message).map(|entry| entry.handle.clone())
    }

    /// The message is no longer extended, however often it is still held here: from now on the holder decides how long
    /// it stays hidden.
    pub(crate) fn let_go(&self) {
        if let Some(entry) = self.registry.entries().get_mut(&self.message) {
            entry.kept = false;
        }
    }
}

impl std::fmt::Debug for Receipt {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Receipt")
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        self.registry.forget(self.message);
    }
}

/// All messages held by one reader.
#[derive(Default)]
pub(crate) struct InFlight {
    entries: Mutex<HashMap<Uuid, Entry>>,
    emptied: Notify,
}

struct Entry {
    handle: String,
    receipts: u32,
    received_at: Instant,
    visible_at: Instant,
    /// Whether it is extended.
    kept: bool,
}

/// A message whose visibility needs to be extended.
#[derive(Clone, Copy)]
pub(crate) struct Due {
    pub(crate) message: Uuid,
    /// Whole seconds, never past the 12 hours that SQS allows since the receive.
    pub(crate) timeout: Duration,
}

impl InFlight {
    /// Takes note of one delivery. Where the message is held already, its newer handle replaces the older.
    pub(crate) fn admit(
        self: &Arc<Self>,
        message: Uuid,
        handle: String,
        visibility: Duration,
        permit: OwnedSemaphorePermit,
    ) -> Receipt {
        let now = Instant::now();
        let fresh = Entry {
            handle,
            receipts: 0,
            received_at: now,
            visible_at: now + visibility,
            kept: true,
        };
        let mut entries = self.entries();
        let receipts = entries.get(&message).map_or(0, |known| known.receipts);
        entries.insert(
            message,
            Entry {
                receipts: receipts + 1,
                ..fresh
            },
        );
        drop(entries);
        Receipt {
            message,
            registry: Arc::clone(self),
            _permit: permit,
        }
    }

    /// Messages whose remaining time is at most half of `visibility`, where an extension gains any.
    pub(crate) fn due(&self, visibility: Duration) -> Vec<Due> {
        let now = Instant::now();
        let least_gain = LEAST_GAIN.min(visibility / 4);
        let due = |(message, entry): (&Uuid, &Entry)| {
            let left = LONGEST_HOLD.saturating_sub(now.duration_since(entry.received_at));
            let timeout = Duration::from_secs(visibility.min(left).as_secs());
            let nears = entry.visible_at <= now + visibility / 2;
            let gains = entry.visible_at + least_gain <= now + timeout;
            (entry.kept && nears && gains && !timeout.is_zero()).then_some(Due {
                message: *message,
                timeout,
            })
        };
        self.entries().iter().filter_map(due).collect()
    }

    /// The newest handle of a message that is still to be kept hidden.
    pub(crate) fn handle_to_extend(&self, message: Uuid) -> Option<String> {
        let entries = self.entries();
        let entry = entries.get(&message).filter(|entry| entry.kept);
        entry.map(|entry| entry.handle.clone())
    }

    /// Notes that the queue hides `message` for `timeout` from `since` on. A newer delivery may have set a later time.
    pub(crate) fn extended(&self, message: Uuid, since: Instant, timeout: Duration) {
        if let Some(entry) = self.entries().get_mut(&message) {
            entry.visible_at = entry.visible_at.max(since + timeout);
        }
    }

    /// Distinct messages held.
    pub(crate) fn len(&self) -> usize {
        self.entries().len()
    }

    /// For how long the message is held that was received first; a message that came again counts from then.
    pub(crate) fn oldest(&self) -> Option<Duration> {
        let now = Instant::now();
        let entries = self.entries();
        let held = entries
            .values()
            .map(|entry| now.duration_since(entry.received_at));
        held.max()
    }

    /// Waits until nothing is held. Safe to cancel.
    pub(crate) async fn emptied(&self) {
        loop {
            // Asked for before the look, so that no end falls between.
            let emptied = self.emptied.notified();
            if self.entries().is_empty() {
                return;
            }
            emptied.await;
        }
    }

    fn forget(&self, message: Uuid) {
        let mut entries = self.entries();
        if let Some(entry) = entries.get_mut(&message) {
            entry.receipts -= 1;
            if entry.receipts == 0 {
                entries.remove(&message);
            }
        }
        if entries.is_empty() {
            self.emptied.notify_waiters();
        }
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<Uuid, Entry>> {
        // A panic elsewhere leaves a map that is whole: each method changes it in one step.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::Semaphore;

    const VISIBILITY: Duration = Duration::from_secs(30);

    fn permit(permits: &Arc<Semaphore>) -> OwnedSemaphorePermit {
        Arc::clone(permits).try_acquire_owned().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn the_newest_handle_of_a_message_wins() {
        let (held, permits) = (Arc::new(InFlight::default()), Arc::new(Semaphore::new(2)));
        let first = held.admit(Uuid::nil(), "old".to_owned(), VISIBILITY, permit(&permits));
        let second = held.admit(Uuid::nil(), "new".to_owned(), VISIBILITY, permit(&permits));
        assert_eq!(first.handle().as_deref(), Some("new"));
        drop(first);
        assert_eq!(second.handle().as_deref(), Some("new"));
        assert_eq!(held.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_receipt_frees_its_place() {
        let (held, permits) = (Arc::new(InFlight::default()), Arc::new(Semaphore::new(1)));
        let receipt = held.admit(Uuid::nil(), "h".to_owned(), VISIBILITY, permit(&permits));
        assert_eq!(permits.available_permits(), 0);
        drop(receipt);
        assert_eq!((held.len(), permits.available_permits()), (0, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_is_the_one_held_for_longest_and_is_gone_with_its_receipt() {
        let (held, permits) = (Arc::new(InFlight::default()), Arc::new(Semaphore::new(2)));
        let admit = |id| {
            held.admit(
                Uuid::from_u128(id),
                String::new(),
                VISIBILITY,
                permit(&permits),
            )
        };
        assert_eq!(held.oldest(), None);
        let first = admit(1);
        tokio::time::advance(Duration::from_secs(5)).await;
        let _second = admit(2);
        assert_eq!(held.oldest(), Some(Duration::from_secs(5)));
        drop(first);
        assert_eq!(held.oldest(), Some(Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn visibility_is_due_at_half_its_time() {
        let (held, permits) = (Arc::new(InFlight::default()), Arc::new(Semaphore::new(1)));
        let _receipt = held.admit(Uuid::nil(), "h".to_owned(), VISIBILITY, permit(&permits));
        tokio::time::advance(Duration::from_secs(14)).await;
        assert!(held.due(VISIBILITY).is_empty());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(held.due(VISIBILITY).len(), 1);
        held.extended(Uuid::nil(), Instant::now(), VISIBILITY);
        assert!(held.due(VISIBILITY).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn no_hold_outlasts_twelve_hours_and_the_last_extension_gains_some() {
        let (held, permits) = (Arc::new(InFlight::default()), Arc::new(Semaphore::new(1)));
        let _receipt = held.admit(Uuid::nil(), "h".to_owned(), VISIBILITY, permit(&permits));
        tokio::time::advance(LONGEST_HOLD.saturating_sub(Duration::from_millis(5500))).await;
        let due = held.due(VISIBILITY);
        assert_eq!(due[0].timeout, Duration::from_secs(5));
        held.extended(Uuid::nil(), Instant::now(), due[0].timeout);
        assert!(held.due(VISIBILITY).is_empty());
        tokio::time::advance(Duration::from_secs(5)).await;
        assert!(held.due(VISIBILITY).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_let_go_is_not_extended_unless_it_is_delivered_again() {
        let (held, permits) = (Arc::new(InFlight::default()), Arc::new(Semaphore::new(2)));
        let first = held.admit(Uuid::nil(), "old".to_owned(), VISIBILITY, permit(&permits));
        first.let_go();
        tokio::time::advance(VISIBILITY).await;
        assert!(held.due(VISIBILITY).is_empty());
        assert_eq!(held.handle_to_extend(Uuid::nil()), None);
        let _second = held.admit(Uuid::nil(), "new".to_owned(), VISIBILITY, permit(&permits));
        tokio::time::advance(VISIBILITY / 2).await;
        assert_eq!(held.due(VISIBILITY).len(), 1);
        assert_eq!(held.handle_to_extend(Uuid::nil()).as_deref(), Some("new"));
    }
}
