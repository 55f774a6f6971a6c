//! The record of who recovered how many values: one JSON object a line, before the first value and after the last.
//!
//! Two lines, so that a run that is killed leaves one. Invariant: no value is part of a record.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::SystemTime;

use nix::unistd::{Uid, User, gethostname, getuid};
use serde::Serialize;
use uuid::Uuid;

use super::absolute;
use super::field::Field;
use super::tally::Tally;
use crate::arguments::FilterArguments;
use crate::failure::Failure;

/// What the kernel says where nobody has logged in.
const NO_LOGIN: u32 = u32::MAX;

/// Where records go: a file that is only ever appended to, or stderr.
pub(super) struct AuditLog {
    file: Option<File>,
}

impl AuditLog {
    /// Opens it before anything is recovered.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else {
            return Ok(Self { file: None });
        };
        let mut options = OpenOptions::new();
        options.append(true).create(true).mode(0o600);
        let file = options.open(path).map_err(|error| {
            Failure::usage(format!(
                "failed to open the audit log {}: {error}",
                path.display()
            ))
            .hint("nothing was recovered: --audit-log (ETL_AUDIT_LOG) names a file that you may append to")
        })?;
        Ok(Self { file: Some(file) })
    }

    /// Appends one line, in one write, and waits until it is on the disk.
    pub(super) fn append(&mut self, entry: &Entry<'_>) -> Result<(), Failure> {
        let mut line = serde_json::to_string(entry).map_err(|error| failed(&error.into()))?;
        line.push('\n');
        let Some(file) = &mut self.file else {
            return io::stderr()
                .write_all(line.as_bytes())
                .map_err(|error| failed(&error));
        };
        file.write_all(line.as_bytes())
            .and_then(|()| file.sync_data().or_else(is_no_disk))
            .map_err(|error| failed(&error))
    }
}

/// A pipe or a terminal has nothing to sync.
fn is_no_disk(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::InvalidInput => Ok(()),
        _ => Err(error),
    }
}

fn failed(error: &io::Error) -> Failure {
    Failure::gave_up(format!("failed to write the audit record: {error}"))
}

/// What the lines of one run share.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Record<'a> {
    /// Ties the two lines of a run together.
    run: String,
    user: Option<String>,
    uid: u32,
    /// Who logged in, where that is another: behind `sudo` the user is root.
    #[serde(skip_serializing_if = "Option::is_none")]
    login_user: Option<String>,
    host: String,
    scheme: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    keyset: Option<String>,
    domains: Vec<&'a str>,
}

/// One line of the log.
#[derive(Debug, Serialize)]
pub(super) struct Entry<'a> {
    time: String,
    event: &'static str,
    #[serde(flatten)]
    record: &'a Record<'a>,
    #[serde(flatten)]
    outcome: Option<Outcome>,
}

#[derive(Debug, Serialize)]
struct Outcome {
    recovered: u64,
    failures: u64,
    key_ids: Vec<u32>,
}

impl<'a> Record<'a> {
    pub(super) fn new(arguments: &FilterArguments, fields: &'a [Field]) -> Self {
        let user = name_of(getuid());
        let login_user = login_user().filter(|name| Some(name) != user.as_ref());
        Self {
            run: Uuid::from_u128(fastrand::u128(..)).to_string(),
            user,
            uid: getuid().as_raw(),
            login_user,
            host: host(),
            scheme: arguments.masking.name(),
            keyset: arguments.keyset.as_deref().map(absolute),
            domains: fields.iter().map(|field| field.domain.as_str()).collect(),
        }
    }

    pub(super) fn started(&'a self) -> Entry<'a> {
        self.entry("unmask_started", None)
    }

    /// `known_keys` are those of the keyset: of a value without a prefix, the first bytes may look like one.
    pub(super) fn finished(&'a self, tally: &Tally, known_keys: &[u32]) -> Entry<'a> {
        let key_ids = tally.key_ids.iter().copied();
        let outcome = Outcome {
            recovered: tally.converted,
            failures: tally.failures,
            key_ids: key_ids.filter(|id| known_keys.contains(id)).collect(),
        };
        self.entry("unmask_finished", Some(outcome))
    }

    fn entry(&'a self, event: &'static str, outcome: Option<Outcome>) -> Entry<'a> {
        Entry {
            time: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
            event,
            record: self,
            outcome,
        }
    }
}

fn name_of(uid: Uid) -> Option<String> {
    User::from_uid(uid).ok().flatten().map(|user| user.name)
}

/// The kernel's own record of the login where it keeps one, else what `sudo` says.
fn login_user() -> Option<String> {
    let recorded = std::fs::read_to_string("/proc/self/loginuid").ok();
    let recorded = recorded.and_then(|text| text.trim().parse().ok());
    match recorded.filter(|uid| *uid != NO_LOGIN) {
        Some(uid) => name_of(Uid::from_raw(uid)),
        None => std::env::var("SUDO_USER").ok(),
    }
}

fn host() -> String {
    let name = gethostname().ok().and_then(|name| name.into_string().ok());
    name.unwrap_or_default()
}
