//! A transport whose calls fail, late, or happen twice, as a seed decides. It wraps the double and the real thing.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fastrand::Rng;

use super::faults::{Faults, Moment, Strike};
use crate::attributes::QueueFacts;
use crate::error::QueueError;
use crate::message::{OutgoingMessage, ReceivedMessage};
use crate::transport::{EntryFailures, Transport};

/// How long a call that is no receive hangs before the client gives up on it.
const CLIENT_TIME_OUT: Duration = Duration::from_secs(10);

/// A transport with faults. The same seed and the same order of calls make the same faults.
pub struct Faulty<T> {
    inner: T,
    faults: Faults,
    random: Mutex<Rng>,
    calm: AtomicBool,
    down: AtomicBool,
    requests: AtomicU64,
}

impl<T> Faulty<T> {
    /// Wraps `inner`.
    pub fn new(inner: T, seed: u64, faults: Faults) -> Self {
        Self {
            inner,
            faults,
            random: Mutex::new(Rng::with_seed(seed)),
            calm: AtomicBool::new(false),
            down: AtomicBool::new(false),
            requests: AtomicU64::new(0),
        }
    }

    /// What is wrapped.
    pub fn inner(&self) -> &T {
        &self.inner
    }

    /// Ends the faults, or begins them again.
    pub fn set_calm(&self, calm: bool) {
        self.calm.store(calm, Ordering::Relaxed);
    }

    /// An outage: while it is down, every call fails at once and does nothing.
    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::Relaxed);
    }

    fn strike(&self, entries: usize) -> Result<Strike, QueueError> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if self.down.load(Ordering::Relaxed) {
            return Err(QueueError::Unreachable("connection refused".to_owned()));
        }
        let none = Faults::default();
        let calm = self.calm.load(Ordering::Relaxed);
        let faults = if calm { &none } else { &self.faults };
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(faults.strike(&mut random, entries))
    }

    /// Does `work`, with what `strike` holds for a call as a whole.
    async fn suffer<R>(
        strike: &mut Strike,
        work: impl Future<Output = Result<R, QueueError>>,
    ) -> Result<R, QueueError> {
        let [before, after] = strike.latency;
        pause(before).await;
        if let Some((_, error)) = strike.error.take_if(|(when, _)| *when == Moment::Before) {
            return Err(error);
        }
        let result = work.await;
        pause(after).await;
        match strike.error.take() {
            Some((_, error)) => Err(error),
            None => result,
        }
    }
}

impl<T: Transport> Transport for Faulty<T> {
    fn set_visibility_timeout(&mut self, timeout: Duration) {
        self.inner.set_visibility_timeout(timeout);
    }

    async fn receive(
        &self,
        at_most: usize,
        wait: Duration,
    ) -> Result<Vec<ReceivedMessage>, QueueError> {
        let mut strike = self.strike(at_most)?;
        let received = Self::suffer(&mut strike, self.inner.receive(at_most, wait)).await;
        if strike.hangs {
            return std::future::pending().await;
        }
        self.duplicate(received?, &strike, at_most).await
    }

    async fn delete(&self, handles: &[String]) -> Result<EntryFailures, QueueError> {
        let mut strike = self.strike(handles.len())?;
        let call = |open: Vec<String>| async move { self.inner.delete(&open).await };
        on_entries(&mut strike, handles, call).await
    }

    async fn change_visibility(
        &self,
        handles: &[String],
        timeout: Duration,
    ) -> Result<EntryFailures, QueueError> {
        let mut strike = self.strike(handles.len())?;
        let call =
            |open: Vec<String>| async move { self.inner.change_visibility(&open, timeout).await };
        on_entries(&mut strike, handles, call).await
    }

    async fn send(
        &self,
        url: &str,
        messages: &[OutgoingMessage],
    ) -> Result<EntryFailures, QueueError> {
        let mut strike = self.strike(messages.len())?;
        let call = |open: Vec<OutgoingMessage>| async move { self.inner.send(url, &open).await };
        on_entries(&mut strike, messages, call).await
    }

    async fn facts(&self) -> Result<QueueFacts, QueueError> {
        let mut strike = self.strike(0)?;
        Self::suffer(&mut strike, self.inner.facts()).await
    }

    async fn url_of(&self, name: &str, account: Option<&str>) -> Result<String, QueueError> {
        let mut strike = self.strike(0)?;
        Self::suffer(&mut strike, self.inner.url_of(name, account)).await
    }

    fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

impl<T: Transport> Faulty<T> {
    /// Makes some of `received` visible again behind the reader's back, and shows some twice.
    async fn duplicate(
        &self,
        received: Vec<ReceivedMessage>,
        strike: &Strike,
        at_most: usize,
    ) -> Result<Vec<ReceivedMessage>, QueueError> {
        let mut room = at_most.saturating_sub(received.len());
        let mut answer = Vec::with_capacity(at_most);
        for (message, fate) in received.into_iter().zip(&strike.entries) {
            if fate.duplicate {
                let handle = std::slice::from_ref(&message.receipt_handle);
                self.inner.change_visibility(handle, Duration::ZERO).await?;
            }
            if fate.twice && room > 0 {
                room -= 1;
                answer.push(message.clone());
            }
            answer.push(message);
        }
        Ok(answer)
    }
}

/// Makes a batch call with what `strike` holds for it and for its entries.
async fn on_entries<E, F, Fut>(
    strike: &mut Strike,
    entries: &[E],
    call: F,
) -> Result<EntryFailures, QueueError>
where
    E: Clone,
    F: FnOnce(Vec<E>) -> Fut,
    Fut: Future<Output = Result<EntryFailures, QueueError>>,
{
    let passed_on = strike.passed_on();
    let mut failed = strike.failed();
    let open: Vec<E> = passed_on.iter().map(|&at| entries[at].clone()).collect();
    if strike.hangs {
        pause(CLIENT_TIME_OUT).await;
    }
    let work = async {
        if open.is_empty() {
            return Ok(Vec::new());
        }
        call(open).await
    };
    for mut failure in Faulty::<()>::suffer(strike, work).await? {
        failure.index = passed_on[failure.index];
        failed.retain(|known| known.index != failure.index);
        failed.push(failure);
    }
    Ok(failed)
}

async fn pause(duration: Duration) {
    if !duration.is_zero() {
        tokio::time::sleep(duration).await;
    }
}
