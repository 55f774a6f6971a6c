//! SIGTERM and SIGINT. They end a command at once, until it says that it holds something: from then on the first asks it
//! to stop, and a second ends the process.
//!
//! Every command listens, also one that could be left to the system: to process 1 of a container the system does not
//! deliver a signal that nobody listens for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;

const SIGINT: u8 = 2;
const SIGTERM: u8 = 15;

/// What is done at a signal.
#[derive(Clone, Default)]
pub(crate) struct Signals {
    is_held: Arc<AtomicBool>,
    stop: Stop,
}

/// The wish to stop, and which signal expressed it.
#[derive(Clone, Default)]
pub(crate) struct Stop {
    pub(crate) token: CancellationToken,
    number: Arc<AtomicU8>,
}

impl Signals {
    /// Listens from now on: the first signal ends the process, wherever it is.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let open = |kind| {
            signal(kind)
                .map_err(|error| Failure::gave_up(format!("cannot listen to signals: {error}")))
        };
        let (interrupt, terminate) = (
            open(SignalKind::interrupt())?,
            open(SignalKind::terminate())?,
        );
        let signals = Self::default();
        tokio::spawn(signals.clone().wait(interrupt, terminate));
        Ok(signals)
    }

    /// From now on the first signal is a wish, which the caller looks for.
    pub(crate) fn hold(&self) -> Stop {
        self.is_held.store(true, Ordering::Release);
        self.stop.clone()
    }

    async fn wait(self, mut interrupt: Signal, mut terminate: Signal) {
        loop {
            let number = tokio::select! {
                _ = interrupt.recv() => SIGINT,
                _ = terminate.recv() => SIGTERM,
            };
            if self.stop.token.is_cancelled() || !self.is_held.load(Ordering::Acquire) {
                std::process::exit(i32::from(exit_code(number)));
            }
            tracing::info!(
                signal = number,
                "stopping: what is under way is finished first; a second signal ends at once"
            );
            self.stop.number.store(number, Ordering::Relaxed);
            self.stop.token.cancel();
        }
    }
}

impl Stop {
    /// What a command cut short by the signal exits with, as shells do: 130 or 143.
    pub(crate) fn exit_code(&self) -> u8 {
        exit_code(self.number.load(Ordering::Relaxed))
    }
}

fn exit_code(number: u8) -> u8 {
    128 + number
}
