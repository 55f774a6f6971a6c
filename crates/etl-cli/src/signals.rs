//! SIGTERM and SIGINT: the first asks the run to stop, a second ends the process at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;

const SIGINT: u8 = 2;
const SIGTERM: u8 = 15;

/// The wish to stop, and which signal expressed it.
#[derive(Clone, Default)]
pub(crate) struct Signals {
    pub(crate) stop: CancellationToken,
    number: Arc<AtomicU8>,
}

impl Signals {
    /// Listens from now on.
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

    async fn wait(self, mut interrupt: Signal, mut terminate: Signal) {
        loop {
            let number = tokio::select! {
                _ = interrupt.recv() => SIGINT,
                _ = terminate.recv() => SIGTERM,
            };
            if self.stop.is_cancelled() {
                std::process::exit(i32::from(exit_code(number)));
            }
            tracing::info!(
                signal = number,
                "stopping: what is held is written first; a second signal ends at once"
            );
            self.number.store(number, Ordering::Relaxed);
            self.stop.cancel();
        }
    }

    /// What a run cut short by the signal exits with, as shells do: 130 or 143.
    pub(crate) fn exit_code(&self) -> u8 {
        exit_code(self.number.load(Ordering::Relaxed))
    }
}

fn exit_code(number: u8) -> u8 {
    128 + number
}
