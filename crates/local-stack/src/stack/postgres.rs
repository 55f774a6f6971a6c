//! The Postgres of the stack: a data directory that lasts, a plain role `logins` and its database of the same name.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::detached;
use super::sqs::refuse_other_port;
use crate::port;
use crate::postgres::cluster::{Cluster, READY};
use crate::postgres::connection::{blocking, connect};

/// The role and the database that `etl` uses.
pub(crate) const LOGINS: &str = "logins";

/// Durable as anywhere, but small: it shares a developer's machine.
const SMALL: [(&str, &str); 3] = [
    ("shared_buffers", "32MB"),
    ("max_connections", "60"),
    ("max_wal_size", "256MB"),
];

const ATTEMPTS: usize = 5;

/// A server that was started.
#[derive(Clone, Debug)]
pub(crate) struct PostgresState {
    pub(crate) pid: u32,
    pub(crate) port: u16,
    pub(crate) folder: PathBuf,
    pub(crate) password: String,
}

impl PostgresState {
    pub(crate) fn up(home: &Path, before: Option<Self>, port: Option<u16>) -> Result<Self> {
        if let Some(running) = before.clone().filter(Self::is_running) {
            refuse_other_port(running.port, port, "--port-postgres")?;
            eprintln!("{} (as before)", running.describe());
            return Ok(running);
        }
        if let Some(port) = port {
            port::demand_free(port, "--port-postgres")?;
        }
        let old = before.filter(|old| {
            old.cluster()
                .is_ok_and(|cluster| cluster.data().join("PG_VERSION").exists())
        });
        let cluster = old.as_ref().map_or_else(|| make(home), Self::cluster)?;
        let started = start(cluster, port.or(old.map(|old| old.port)), port.is_some())?;
        started.prepare()?;
        eprintln!("{}", started.describe());
        Ok(started)
    }

    /// Whether it runs, and it is the one that answers on its port.
    pub(crate) fn is_running(&self) -> bool {
        let ours = || self.cluster()?.demand_ours(self.port);
        detached::is_running(self.pid, &self.folder) && ours().is_ok()
    }

    /// In good order where the data shall be kept, at once where it goes anyway.
    pub(crate) fn stop(&self, keep: bool) -> Result<()> {
        let signals: &[&str] = if keep { &["INT", "QUIT"] } else { &["QUIT"] };
        detached::stop(self.pid, &self.folder, signals).context("failed to stop Postgres")
    }

    /// Removes the data, also that of a start which never came to its end.
    pub(crate) fn remove(home: &Path) -> Result<()> {
        let folder = folder(home);
        stop_forgotten(&folder)?;
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .with_context(|| format!("failed to remove {}", folder.display()))?;
        }
        Ok(())
    }

    /// For `etl`: the plain role. No TLS on the loopback, and no word about it.
    pub(crate) fn database_url(&self) -> String {
        let Self { password, port, .. } = self;
        format!("postgres://{LOGINS}:{password}@127.0.0.1:{port}/{LOGINS}?sslmode=disable")
    }

    pub(crate) fn describe(&self) -> String {
        let Self { port, pid, .. } = self;
        format!(
            "Postgres: 127.0.0.1:{port}, pid {pid}, data in {}",
            self.folder.join("data").display()
        )
    }

    /// Becomes `psql` on the stack's database, with these arguments; returns only if that fails.
    pub(crate) fn become_psql(&self, arguments: &[String]) -> Result<()> {
        super::psql::become_psql(&self.cluster()?.program("psql"), self, arguments)
    }

    fn cluster(&self) -> Result<Cluster> {
        Cluster::new(self.folder.clone(), Some(self.password.clone()))
    }

    fn prepare(&self) -> Result<()> {
        let url = self.cluster()?.url(self.port, "postgres");
        let role = format!("CREATE ROLE {LOGINS} LOGIN PASSWORD '{}'", self.password);
        blocking(async move {
            let client = connect(&url).await?;
            let found = client
                .query_opt("SELECT FROM pg_database WHERE datname = $1", &[&LOGINS])
                .await?;
            if found.is_none() {
                let _ = client
                    .batch_execute(&format!("DROP ROLE IF EXISTS {LOGINS}"))
                    .await;
                client.batch_execute(&role).await?;
                client
                    .batch_execute(&format!(
                        "CREATE DATABASE {LOGINS} OWNER {LOGINS} TEMPLATE template0"
                    ))
                    .await?;
            }
            Ok(())
        })
        .context("failed to make the database")
    }
}

fn folder(home: &Path) -> PathBuf {
    home.join("postgres")
}

/// Makes a data directory in place of whatever an unfinished start left there.
fn make(home: &Path) -> Result<Cluster> {
    PostgresState::remove(home)?;
    let folder = folder(home);
    fs::create_dir_all(&folder).with_context(|| format!("failed to make {}", folder.display()))?;
    let cluster = Cluster::new(folder, None)?;
    let line = cluster.making()?;
    let output = Command::new(&line[0])
        .args(&line[1..])
        .env("LC_ALL", "C")
        .current_dir("/")
        .output();
    let output = output.context("failed to run initdb")?;
    if !output.status.success() {
        bail!(
            "initdb failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(cluster)
}

/// A server on our own folder that the state file has no word of.
fn stop_forgotten(folder: &Path) -> Result<()> {
    let pid_file = fs::read_to_string(folder.join("data/postmaster.pid")).unwrap_or_default();
    match pid_file.lines().next().and_then(|pid| pid.parse().ok()) {
        Some(pid) => detached::stop(pid, folder, &["INT", "QUIT"]),
        None => Ok(()),
    }
}

/// On the port it had before, if that is still free, or on another.
fn start(cluster: Cluster, port: Option<u16>, only_there: bool) -> Result<PostgresState> {
    stop_forgotten(&cluster.folder)?;
    let settings = SMALL.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let log = cluster.folder.join("log");
    let mut wanted = port;
    for _ in 0..ATTEMPTS {
        let port = wanted.take().map_or_else(port::free_port, Ok)?;
        match detached::start(&cluster.serving(port, &settings), &log, READY) {
            Err(error) if !only_there && port::was_taken(&format!("{error:#}")) => {}
            started => {
                let pid = started?;
                cluster.demand_ours(port)?;
                let Cluster {
                    folder, password, ..
                } = cluster;
                return Ok(PostgresState {
                    pid,
                    port,
                    folder,
                    password,
                });
            }
        }
    }
    bail!("every one of {ATTEMPTS} free ports was taken by somebody else before Postgres had it")
}
