//! The batch of one invocation as a queue: it is received once, and what is deleted from it is what Lambda is told to
//! delete. So the reader's rules, and with them the proof that a delete asks for, decide what counts as done.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqs_reader::{
    EntryFailures, OutgoingMessage, QueueError, QueueFacts, ReceivedMessage, Transport,
};

use crate::dead_letters::DeadLetters;
use crate::event::{Event, Record};

/// The ids of messages that are done with.
#[derive(Clone, Default)]
pub(crate) struct Settled(Arc<Mutex<HashSet<String>>>);

impl Settled {
    pub(crate) fn contains(&self, message_id: &str) -> bool {
        self.ids().contains(message_id)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ids().is_empty()
    }

    pub(crate) fn add(&self, message_ids: impl IntoIterator<Item = String>) {
        self.ids().extend(message_ids);
    }

    fn ids(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The messages of one invocation.
pub(crate) struct Invocation {
    waiting: Mutex<Vec<ReceivedMessage>>,
    settled: Settled,
    dead_letters: Arc<DeadLetters>,
}

impl Invocation {
    pub(crate) fn new(event: Event, dead_letters: Arc<DeadLetters>) -> Self {
        // Taken from the end.
        let messages = event.records.into_iter().rev().map(Record::into_message);
        Self {
            waiting: Mutex::new(messages.collect()),
            settled: Settled::default(),
            dead_letters,
        }
    }

    pub(crate) fn settled(&self) -> Settled {
        self.settled.clone()
    }

    /// What there is to know without asking. Nothing is hidden or extended here: that is Lambda's business.
    pub(crate) fn facts() -> QueueFacts {
        QueueFacts::of_single_pass()
    }
}

impl Transport for Invocation {
    async fn receive(
        &self,
        at_most: usize,
        _wait: Duration,
    ) -> Result<Vec<ReceivedMessage>, QueueError> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = waiting.len().saturating_sub(at_most);
        Ok(waiting.split_off(rest).into_iter().rev().collect())
    }

    async fn delete(&self, handles: &[String]) -> Result<EntryFailures, QueueError> {
        self.settled.add(handles.iter().cloned());
        Ok(Vec::new())
    }

    /// What is not settled is shown again by its visibility timeout, and counted, so that SQS itself moves in the end
    /// what nobody could.
    async fn change_visibility(
        &self,
        _handles: &[String],
        _timeout: Duration,
    ) -> Result<EntryFailures, QueueError> {
        Ok(Vec::new())
    }

    async fn send(
        &self,
        url: &str,
        messages: &[OutgoingMessage],
    ) -> Result<EntryFailures, QueueError> {
        self.dead_letters.send(url, messages).await
    }

    async fn facts(&self) -> Result<QueueFacts, QueueError> {
        Ok(Self::facts())
    }

    async fn url_of(&self, name: &str, _account: Option<&str>) -> Result<String, QueueError> {
        Err(QueueError::NoSuchQueue(name.to_owned()))
    }

    fn requests(&self) -> u64 {
        0
    }
}
