//! The law: every valid message is one row, every other one is recorded as rejected and stands in the dead-letter
//! queue, or on the queue where there is none, and nothing is deleted before its proof.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pg_writer::LedgerKey;
use pg_writer::MemoryStore;
use sqs_reader::SOURCE_MESSAGE_ID;
use sqs_reader::memory::{
    Event, Happening, MemoryQueue, MemoryServer, Place, QueueSettings, StoredMessage,
};
use tokio::time::Instant;
use uuid::Uuid;

use super::journal::Journal;
use super::scenario::Scenario;
use super::workload::{Fate, Letter, REFUSED_DEVICE};

const DEAD_LETTERS: &str = "dead-letters";

/// Queue, dead-letter queue and store, and what must become of each message that was sent.
pub(super) struct Law {
    pub(super) queue: MemoryQueue,
    pub(super) dead_letters: Option<MemoryQueue>,
    pub(super) store: MemoryStore,
    journal: Arc<Journal>,
    sent: Mutex<Vec<Sent>>,
    /// What was received since the faults ended.
    calm: Mutex<Option<BTreeSet<String>>>,
}

struct Sent {
    message_id: String,
    key: LedgerKey,
    letter: Letter,
}

impl Law {
    pub(super) fn new(scenario: &Scenario, journal: Arc<Journal>) -> Arc<Self> {
        Arc::new_cyclic(|law: &std::sync::Weak<Self>| {
            let law = law.clone();
            let server = MemoryServer::observed(move |event| {
                if let Some(law) = law.upgrade() {
                    law.observe(event);
                }
            });
            let settings = QueueSettings {
                visibility_timeout: scenario.visibility_timeout,
                fifo: scenario.fifo,
                ..QueueSettings::default()
            };
            let suffix = if scenario.fifo { ".fifo" } else { "" };
            let queue = |name: &str| server.queue(&format!("{name}{suffix}"), settings.clone());
            Self {
                queue: queue("logins"),
                dead_letters: scenario.dead_letters.then(|| queue(DEAD_LETTERS)),
                store: MemoryStore::refusing(scenario.store.clone(), |_, login| {
                    login.device_type.as_deref() == Some(REFUSED_DEVICE)
                }),
                journal,
                sent: Mutex::default(),
                calm: Mutex::default(),
            }
        })
    }

    pub(super) fn send(&self, letters: Vec<Letter>) {
        let mut sent = self.sent();
        let first = sent.len();
        for (offset, letter) in letters.iter().enumerate() {
            let message = letter.message(first + offset);
            self.queue
                .put(message)
                .expect("the workload fits the queue");
        }
        let stored = self.queue.messages().split_off(first);
        sent.extend(stored.into_iter().zip(letters).map(|(stored, letter)| {
            let own = LedgerKey {
                sent_at_ms: stored.sent_at_ms,
                message_id: Uuid::try_parse(&stored.message_id).expect("its ids are UUIDs"),
            };
            Sent {
                key: letter.source.unwrap_or(own),
                message_id: stored.message_id,
                letter,
            }
        }));
    }

    /// Sends earlier messages once more, as a redrive does: under another id, with their source.
    pub(super) fn send_again(&self, numbers: &[usize]) {
        let copy = |sent: &Sent| Letter {
            source: Some(sent.key),
            ..sent.letter.clone()
        };
        let sent = self.sent();
        let chosen = numbers.iter().map(|number| &sent[number % sent.len()]);
        let copies = chosen
            .filter(|sent| !sent.letter.is_refused())
            .map(copy)
            .collect();
        drop(sent);
        self.send(copies);
    }

    /// From now on a message is delivered once: nothing makes it come again while it is held.
    pub(super) fn calm(&self) {
        *self.received() = Some(BTreeSet::new());
    }

    /// When the last message shows again.
    pub(super) fn hidden_until(&self) -> Instant {
        let until = |stored: StoredMessage| match stored.place {
            Place::Hidden(until) => Some(until),
            Place::Visible | Place::Deleted | Place::DeadLettered => None,
        };
        let hidden = self.queue.messages().into_iter().filter_map(until);
        hidden.max().unwrap_or_else(Instant::now)
    }

    fn observe(&self, event: &Event<'_>) {
        if event.queue.starts_with(DEAD_LETTERS) {
            return;
        }
        match event.happening {
            Happening::Received => self.observe_receive(event.message_id),
            Happening::Deleted => self.observe_delete(event.message_id),
            Happening::Sent | Happening::DeadLettered => {}
        }
    }

    fn observe_receive(&self, message_id: &str) {
        let mut received = self.received();
        let is_first = received
            .as_mut()
            .is_none_or(|ids| ids.insert(message_id.to_owned()));
        if !is_first {
            self.journal.broken(&format!(
                "{message_id} was delivered again while it was held"
            ));
        }
    }

    fn observe_delete(&self, message_id: &str) {
        let sent = self.sent();
        let found = sent.iter().find(|sent| sent.message_id == message_id);
        let missing = found.and_then(|sent| self.missing(sent));
        if let Some(missing) = missing {
            self.journal
                .broken(&format!("{message_id} was deleted: {missing}"));
        }
    }

    /// What a message lacks before it may go.
    fn missing(&self, sent: &Sent) -> Option<&'static str> {
        match sent.letter.fate {
            Fate::Row if self.store.logins_of(sent.key).is_empty() => Some("it has no row"),
            Fate::Row => None,
            Fate::Rejection if !self.store.rejections().contains_key(&sent.key) => {
                Some("its rejection is not recorded")
            }
            Fate::Rejection => {
                (!self.is_dead_letter(sent)).then_some("it is in no dead-letter queue")
            }
        }
    }

    fn is_dead_letter(&self, sent: &Sent) -> bool {
        let source = sent.key.message_id.to_string();
        let queue = self.dead_letters.as_ref();
        queue.is_some_and(|queue| {
            queue.messages().iter().any(|copy| {
                copy.attribute(SOURCE_MESSAGE_ID) == Some(&source) && copy.body == sent.letter.body
            })
        })
    }

    /// After the last drain.
    pub(super) fn judge(&self) {
        self.judge_rows();
        self.judge_rejections();
        self.judge_queue();
    }

    fn judge_rows(&self) {
        let mut rows: BTreeMap<LedgerKey, usize> = BTreeMap::new();
        for (key, _) in self.store.logins() {
            *rows.entry(key).or_default() += 1;
        }
        let expected = self.fates();
        for (key, fate) in &expected {
            let count = rows.remove(key).unwrap_or(0);
            if count != usize::from(*fate == Fate::Row) {
                let id = key.message_id;
                self.journal
                    .broken(&format!("{id} has {count} rows, its fate is {fate:?}"));
            }
        }
        if !rows.is_empty() {
            self.journal
                .broken(&format!("rows that nobody sent: {rows:?}"));
        }
    }

    fn judge_rejections(&self) {
        let recorded = self.store.rejections();
        let expected = self.fates();
        for (key, fate) in &expected {
            if recorded.contains_key(key) != (*fate == Fate::Rejection) {
                let id = key.message_id;
                self.journal.broken(&format!(
                    "{id} is recorded as rejected or is not, against its fate {fate:?}"
                ));
            }
        }
        let good = expected.iter().filter(|(_, fate)| **fate == Fate::Row);
        let good: Vec<String> = good.map(|(key, _)| key.message_id.to_string()).collect();
        for copy in self.dead_letters.iter().flat_map(MemoryQueue::messages) {
            let source = copy.attribute(SOURCE_MESSAGE_ID).unwrap_or_default();
            if source.is_empty() || good.iter().any(|id| id == source) {
                self.journal
                    .broken(&format!("a dead letter that is none, from {source:?}"));
            }
        }
    }

    fn judge_queue(&self) {
        let places = self.queue.messages();
        for (sent, stored) in self.sent().iter().zip(places) {
            let is_gone = stored.place == Place::Deleted;
            let may_stay = sent.letter.fate == Fate::Rejection && self.dead_letters.is_none();
            if is_gone == may_stay {
                self.journal.broken(&format!(
                    "{} is {:?} in the end",
                    sent.message_id, stored.place
                ));
            }
        }
    }

    fn fates(&self) -> BTreeMap<LedgerKey, Fate> {
        self.sent()
            .iter()
            .map(|sent| (sent.key, sent.letter.fate))
            .collect()
    }

    fn received(&self) -> MutexGuard<'_, Option<BTreeSet<String>>> {
        self.calm.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sent(&self) -> MutexGuard<'_, Vec<Sent>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
