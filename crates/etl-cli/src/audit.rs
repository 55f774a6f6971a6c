//! The record of who did what to people's data: one JSON object a line, before the first step and after the last.
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

use crate::failure::Failure;

/// What the kernel says where nobody has logged in.
const NO_LOGIN: u32 = u32::MAX;

/// Where records go: a file that is only ever appended to, or stderr.
pub(crate) struct AuditLog {
    file: Option<File>,
    actor: Actor,
}

/// Who; what all lines of one run share.
#[derive(Debug, Clone, Serialize)]
struct Actor {
    /// Ties the two lines of a run together.
    run: String,
    user: Option<String>,
    uid: u32,
    /// Who logged in, where that is another: behind `sudo` the user is root.
    #[serde(skip_serializing_if = "Option::is_none")]
    login_user: Option<String>,
    host: String,
}

/// One line of the log.
#[derive(Serialize)]
struct Line<'a, S, O> {
    time: String,
    event: &'static str,
    #[serde(flatten)]
    actor: &'a Actor,
    #[serde(flatten)]
    subject: &'a S,
    #[serde(flatten)]
    outcome: Option<&'a O>,
}

impl AuditLog {
    /// Opens it before anything is done; `undone` says in a hint that nothing was.
    pub(crate) fn open(path: Option<&Path>, undone: &str) -> Result<Self, Failure> {
        let open = |path: &Path| {
            let mut options = OpenOptions::new();
            let file = options.append(true).create(true).mode(0o600).open(path);
            file.map_err(|error| {
                Failure::usage(format!(
                    "failed to open the audit log {}: {error}",
                    path.display()
                ))
                .hint(format!(
                    "{undone}: --audit-log (ETL_AUDIT_LOG) names a file that you may append to"
                ))
            })
        };
        Ok(Self {
            file: path.map(open).transpose()?,
            actor: Actor::of_this_process(),
        })
    }

    /// Appends one line, in one write, and waits until it is on the disk.
    pub(crate) fn append<S: Serialize, O: Serialize>(
        &mut self,
        event: &'static str,
        subject: &S,
        outcome: Option<&O>,
    ) -> Result<(), Failure> {
        let line = Line {
            time: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
            event,
            actor: &self.actor,
            subject,
            outcome,
        };
        let mut text = serde_json::to_string(&line).map_err(|error| failed(&error.into()))?;
        text.push('\n');
        let Some(file) = &mut self.file else {
            return io::stderr()
                .write_all(text.as_bytes())
                .map_err(|error| failed(&error));
        };
        file.write_all(text.as_bytes())
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

impl Actor {
    fn of_this_process() -> Self {
        let user = name_of(getuid());
        let login_user = login_user().filter(|name| Some(name) != user.as_ref());
        Self {
            run: Uuid::from_u128(fastrand::u128(..)).to_string(),
            user,
            uid: getuid().as_raw(),
            login_user,
            host: host(),
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
