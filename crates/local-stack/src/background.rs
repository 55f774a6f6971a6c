//! A server of our own on a thread of its own: listens on the loopback, ends when it is dropped.

use std::net::Ipv4Addr;
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::hint::hinted;
use crate::postgres::connection::runtime;

/// The thread and the port it listens on.
#[derive(Debug)]
pub(crate) struct Background {
    pub(crate) port: u16,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Listens on a port of 127.0.0.1 (0 for a free one) and hands the listener to `serve`, with the port.
    pub(crate) fn start<F>(
        name: &str,
        port: u16,
        serve: impl FnOnce(TcpListener) -> F + Send + 'static,
    ) -> Result<Self>
    where
        F: Future<Output = ()> + 'static,
    {
        let listener =
            std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| {
                hinted(
                    format_args!("failed to listen on port {port}: {error}"),
                    "leave --port out for a free one",
                )
            })?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let (stop, stopped) = oneshot::channel::<()>();
        let runtime = runtime()?;
        let run = move || {
            runtime.block_on(async move {
                // It was made non-blocking above, the one thing that can be wrong with it.
                let Ok(listener) = TcpListener::from_std(listener) else {
                    return;
                };
                tokio::select! {
                    biased;
                    _ = stopped => {}
                    () = serve(listener) => {}
                }
            });
        };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run);
        Ok(Self {
            port,
            stop: Some(stop),
            thread: Some(thread.context("failed to start a thread")?),
        })
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It only panics where a bug made it, and that was printed.
            let _ = thread.join();
        }
    }
}
