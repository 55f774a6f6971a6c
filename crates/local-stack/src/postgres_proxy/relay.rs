//! The connections of the proxy: bytes both ways, until a rule or the mode says otherwise.

use std::io::{self, ErrorKind};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;

use super::frontend::{Backend, Frontend, Meaning, is_simple_query};
use super::{Mode, StatementFault};
use crate::when::Trigger;

/// A fault for statements that contain a text.
#[derive(Debug)]
pub(crate) struct StatementRule {
    pub(crate) contains: String,
    pub(crate) fault: StatementFault,
    pub(crate) trigger: Trigger,
}

/// What all connections share.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) upstream: u16,
    pub(crate) rules: Arc<Mutex<Vec<StatementRule>>>,
    pub(crate) struck: Arc<AtomicU64>,
    pub(crate) mode: watch::Receiver<Mode>,
}

/// One connection's two directions know this of each other.
#[derive(Debug, Default)]
struct Progress {
    /// Answers of `ReadyForQuery` that the client has asked for.
    asked: AtomicU64,
    /// Nothing reaches the client any more; the connection ends with this answer. 0 while it lives on.
    last: AtomicU64,
}

impl Shared {
    pub(crate) async fn serve(self, listener: TcpListener) {
        while let Ok((client, _)) = listener.accept().await {
            let shared = self.clone();
            // However a connection ends, both of its sides are dropped and so closed.
            tokio::spawn(async move { shared.relay(client).await });
        }
    }

    async fn relay(mut self, client: TcpStream) -> io::Result<()> {
        let generation = self.mode.borrow_and_update().generation;
        if self.mode.borrow().refuses {
            return client.set_zero_linger();
        }
        client.set_nodelay(true)?;
        let server = TcpStream::connect((Ipv4Addr::LOCALHOST, self.upstream)).await?;
        server.set_nodelay(true)?;
        let progress = Progress::default();
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let mut mode = self.mode.clone();
        tokio::select! {
            ended = self.forward(from_client, to_server, &progress) => ended,
            ended = self.backward(from_server, to_client, &progress) => ended,
            _ = mode.wait_for(|mode| mode.generation != generation) => Ok(()),
        }
    }

    /// Message by message, so that a statement is known before the server sees any of it.
    async fn forward(
        &self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        progress: &Progress,
    ) -> io::Result<()> {
        let (mut frontend, mut buffer) = (Frontend::default(), Vec::new());
        loop {
            while let Some(length) = frontend.length(&buffer) {
                let message: Vec<u8> = buffer.drain(..length).collect();
                self.unpaused().await?;
                self.pass(&frontend.read(&message), &message, progress)
                    .await?;
                to.write_all(&message).await?;
            }
            if from.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        }
    }

    /// Returns when the message may go to the server; an error cuts the connection.
    async fn pass(&self, meaning: &Meaning, message: &[u8], progress: &Progress) -> io::Result<()> {
        let runs = match meaning {
            Meaning::Runs(text) => Some(text),
            Meaning::Syncs => {
                progress.asked.fetch_add(1, Ordering::Relaxed);
                None
            }
            Meaning::Other => None,
        };
        let simple = runs.is_some() && is_simple_query(message);
        match runs.and_then(|text| self.judge(text)) {
            Some(StatementFault::CutBefore) => return Err(ErrorKind::ConnectionAborted.into()),
            Some(StatementFault::CutAfter) => {
                progress.last.store(
                    progress.asked.load(Ordering::Relaxed) + 1,
                    Ordering::Relaxed,
                );
            }
            Some(StatementFault::Delay(delay)) => sleep(delay).await,
            None => {}
        }
        progress
            .asked
            .fetch_add(u64::from(simple), Ordering::Relaxed);
        Ok(())
    }

    async fn backward(
        &self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        progress: &Progress,
    ) -> io::Result<()> {
        let (mut backend, mut ready, mut buffer) =
            (Backend::default(), 0, Vec::with_capacity(8 << 10));
        loop {
            buffer.clear();
            if from.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
            ready += backend.count_ready(&buffer);
            match progress.last.load(Ordering::Relaxed) {
                0 => {
                    self.unpaused().await?;
                    to.write_all(&buffer).await?;
                }
                // The server has done the work, and the client will never know.
                last if ready >= last => return Err(ErrorKind::ConnectionAborted.into()),
                _ => {}
            }
        }
    }

    fn judge(&self, statement: &str) -> Option<StatementFault> {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let mut about = rules
            .iter_mut()
            .filter(|rule| statement.contains(&rule.contains));
        let struck = about.find_map(|rule| rule.trigger.strikes().then_some(rule.fault));
        self.struck
            .fetch_add(u64::from(struck.is_some()), Ordering::Relaxed);
        struck
    }

    async fn unpaused(&self) -> io::Result<()> {
        let mut mode = self.mode.clone();
        let resumed = mode.wait_for(|mode| !mode.paused).await;
        resumed
            .map(drop)
            .map_err(|_| ErrorKind::ConnectionAborted.into())
    }
}
