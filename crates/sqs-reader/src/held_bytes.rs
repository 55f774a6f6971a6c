//! How many bytes of bodies are held. Permits bound their number; this bounds what they weigh, since one may have a
//! mebibyte.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// The weight of all bodies held by one reader. No receive starts above the limit; those that are out may overshoot
/// it by what they bring.
pub(crate) struct HeldBytes {
    held: AtomicUsize,
    limit: usize,
    freed: Notify,
}

/// The weight of one body, for as long as it is held.
pub(crate) struct Weight {
    bytes: usize,
    all: Arc<HeldBytes>,
}

impl HeldBytes {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            held: AtomicUsize::new(0),
            limit,
            freed: Notify::new(),
        }
    }

    pub(crate) fn hold(self: &Arc<Self>, bytes: usize) -> Weight {
        self.held.fetch_add(bytes, Ordering::Relaxed);
        Weight {
            bytes,
            all: Arc::clone(self),
        }
    }

    /// Waits until less than the limit is held. Safe to cancel.
    pub(crate) async fn room(&self) {
        loop {
            // Asked for before the look, so that no release falls between.
            let freed = self.freed.notified();
            if self.held.load(Ordering::Relaxed) < self.limit {
                return;
            }
            freed.await;
        }
    }
}

impl Weight {
    /// The body is gone before the delivery is.
    pub(crate) fn let_go(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        let before = self.all.held.fetch_sub(bytes, Ordering::Relaxed);
        if before >= self.all.limit {
            self.all.freed.notify_waiters();
        }
    }
}

impl Drop for Weight {
    fn drop(&mut self) {
        self.let_go();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn there_is_room_again_once_enough_is_dropped() {
        let held = Arc::new(HeldBytes::new(100));
        held.room().await;
        let (large, small) = (held.hold(90), held.hold(10));
        let no_room = tokio::time::timeout(Duration::from_secs(1), held.room()).await;
        assert!(no_room.is_err());
        let waiting = tokio::spawn({
            let held = Arc::clone(&held);
            async move { held.room().await }
        });
        tokio::task::yield_now().await;
        drop(small);
        waiting.await.unwrap();
        drop(large);
        assert_eq!(held.held.load(Ordering::Relaxed), 0);
    }
}
