//! A Postgres server for tests: its own data directory, a private port, gone with the process.

pub(crate) mod binaries;
pub(crate) mod cluster;
pub(crate) mod connection;
mod database;

use std::collections::HashMap;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::{Context, Result, bail};
use tokio::sync::OnceCell;

use self::cluster::{Cluster, READY};
pub use self::database::Database;
use crate::guarded::{Care, Guarded, Stop};
use crate::hint::report;
use crate::home::ephemeral;
use crate::port;

/// Nothing here is worth a disk's patience: the data ends with the process.
const FAST: [(&str, &str); 9] = [
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("wal_level", "minimal"),
    ("max_wal_senders", "0"),
    ("max_connections", "300"),
    ("shared_buffers", "32MB"),
    ("max_wal_size", "4GB"),
    ("checkpoint_timeout", "1h"),
    ("log_checkpoints", "off"),
];

const ATTEMPTS: usize = 5;

/// A running (or stopped) server. Dropping it stops it and removes its data.
#[derive(Debug)]
pub struct Postgres {
    cluster: Cluster,
    port: u16,
    settings: Vec<(String, String)>,
    server: Mutex<Option<Guarded>>,
    /// Keeps the folder while the server is stopped.
    _folder: Guarded,
    templates: Mutex<HashMap<String, Arc<OnceCell<String>>>>,
    janitor: OnceLock<Sender<String>>,
}

/// The server that all tests of this process share; the first call starts it (about a second).
///
/// # Panics
/// If it cannot be started, with what to do about it.
pub fn postgres() -> &'static Postgres {
    static SHARED: OnceLock<Postgres> = OnceLock::new();
    SHARED.get_or_init(Postgres::start_private)
}

impl Postgres {
    /// A server of one's own, for tests that stop it.
    ///
    /// # Panics
    /// If it cannot be started, with what to do about it.
    pub fn start_private() -> Self {
        Self::start_private_with(&[])
    }

    /// The same with settings of `postgresql.conf`, which win over the defaults.
    ///
    /// # Panics
    /// If it cannot be started, with what to do about it.
    pub fn start_private_with(settings: &[(&str, &str)]) -> Self {
        Self::try_start(settings)
            .unwrap_or_else(|error| panic!("failed to start Postgres: {}", report(&error)))
    }

    /// The same, and the trouble as a value.
    pub fn try_start(settings: &[(&str, &str)]) -> Result<Self> {
        let cluster = Cluster::new(ephemeral("postgres")?, None)?;
        let folder =
            Guarded::run(&cluster.folder, &cluster.making()?).context("failed to run initdb")?;
        let settings = FAST.iter().chain(settings);
        let settings: Vec<_> = settings
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let (port, server) = start_on_free_port(&cluster, &settings)?;
        Ok(Self {
            cluster,
            port,
            settings,
            server: Mutex::new(Some(server)),
            _folder: folder,
            templates: Mutex::default(),
            janitor: OnceLock::new(),
        })
    }

    /// The port on 127.0.0.1; it stays the same over `stop` and `start`.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The superuser's URL of the database `postgres`.
    pub fn admin_url(&self) -> String {
        self.url_of("postgres")
    }

    /// The superuser's URL of a database by its name.
    pub fn url_of(&self, database: &str) -> String {
        self.cluster.url(self.port, database)
    }

    /// Stops the server in good order: clients are disconnected, data is kept.
    ///
    /// # Panics
    /// If it is not running.
    pub fn stop(&self) {
        self.end(Stop::Orderly);
    }

    /// Stops the server as a power cut would; `start` then recovers.
    ///
    /// # Panics
    /// If it is not running.
    pub fn crash(&self) {
        self.end(Stop::Crash);
    }

    /// Starts a stopped server again, on the same port and data.
    ///
    /// # Panics
    /// If it does not start, or its port was taken meanwhile.
    pub fn start(&self) {
        let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(server.is_none(), "Postgres is running");
        let started = start_on(&self.cluster, self.port, &self.settings);
        *server = Some(
            started
                .unwrap_or_else(|error| panic!("failed to restart Postgres: {}", report(&error))),
        );
    }

    /// The last lines that the server printed.
    pub fn log(&self) -> String {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        server.as_ref().map(Guarded::log).unwrap_or_default()
    }

    fn end(&self, how: Stop) {
        let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        let stopped = server
            .take()
            .expect("Postgres is stopped already")
            .stop(how);
        stopped.unwrap_or_else(|error| panic!("failed to stop Postgres: {}", report(&error)));
    }
}

fn start_on_free_port(cluster: &Cluster, settings: &[(String, String)]) -> Result<(u16, Guarded)> {
    for _ in 0..ATTEMPTS {
        let port = port::free_port()?;
        match start_on(cluster, port, settings) {
            Err(error) if port::was_taken(&format!("{error:#}")) => {}
            started => return Ok((port, started?)),
        }
    }
    bail!("every one of {ATTEMPTS} free ports was taken by somebody else before Postgres had it")
}

fn start_on(cluster: &Cluster, port: u16, settings: &[(String, String)]) -> Result<Guarded> {
    let care = Care {
        directory: &cluster.folder,
        pid_file: &cluster.data().join("postmaster.pid"),
        end: "QUIT",
        ready: READY,
    };
    let server = Guarded::start(&care, &cluster.serving(port, settings))?;
    cluster.demand_ours(port)?;
    Ok(server)
}
