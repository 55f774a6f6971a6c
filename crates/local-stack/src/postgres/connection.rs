//! Connections for the housekeeping done here; the tests bring their own drivers.

use std::future::Future;

use anyhow::{Context, Result, anyhow};
use tokio_postgres::{Client, NoTls};

/// A client whose connection is driven by a task of the current runtime.
pub(crate) async fn connect(url: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .context("failed to connect to Postgres")?;
    tokio::spawn(connection);
    Ok(client)
}

/// Runs a future to its end from anywhere, from inside another runtime too: it gets a thread and a runtime of its own.
pub(crate) fn blocking<T: Send>(work: impl Future<Output = Result<T>> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| runtime()?.block_on(work));
        thread
            .join()
            .map_err(|_| anyhow!("the housekeeping thread panicked"))?
    })
}

/// A runtime on the calling thread alone.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder
        .enable_all()
        .build()
        .context("failed to make a runtime")
}
