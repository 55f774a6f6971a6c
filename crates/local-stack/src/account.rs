//! Who the servers run as. Postgres refuses to run as root, so root lends it the account `nobody`;
//! everyone else runs it as themselves.

use std::ffi::OsString;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result};

use crate::hint::hinted;

const UNPRIVILEGED: &str = "nobody";

/// The user id of this process.
pub(crate) fn user_id() -> Result<u32> {
    static USER_ID: OnceLock<u32> = OnceLock::new();
    if let Some(id) = USER_ID.get() {
        return Ok(*id);
    }
    let output = Command::new("id").arg("-u").output();
    let output = output.context("failed to run `id -u`")?;
    let id = String::from_utf8_lossy(&output.stdout).trim().parse();
    Ok(*USER_ID.get_or_init(|| id.unwrap_or(u32::MAX)))
}

/// The account that a server's files belong to and that its process runs as.
#[derive(Clone, Debug)]
pub(crate) enum Account {
    /// The user who called.
    Own,
    /// An unprivileged one, lent by root.
    Lent { user: u32, group: u32 },
}

impl Account {
    pub(crate) fn for_servers() -> Result<Self> {
        if user_id()? != 0 {
            return Ok(Self::Own);
        }
        let accounts =
            std::fs::read_to_string("/etc/passwd").context("failed to read the accounts")?;
        find(&accounts, UNPRIVILEGED).ok_or_else(|| {
            hinted(
                "Postgres does not run as root, and there is no account `nobody` to lend it",
                "run as a plain user",
            )
        })
    }

    /// Hands a file or folder over to this account.
    pub(crate) fn take(&self, path: &Path) -> Result<()> {
        if let Self::Lent { user, group } = self {
            chown(path, Some(*user), Some(*group))
                .with_context(|| format!("failed to hand over {}", path.display()))?;
        }
        Ok(())
    }

    /// Whether this account can walk to a path that the caller can see.
    pub(crate) fn reaches(&self, path: &Path) -> bool {
        match self {
            Self::Own => true,
            Self::Lent { .. } => path.ancestors().all(open_to_all),
        }
    }

    /// The command line that runs `program` as this account.
    pub(crate) fn command_line(&self, program: &Path) -> Vec<OsString> {
        let mut line = match self {
            Self::Own => Vec::new(),
            Self::Lent { user, group } => lending_prefix(*user, *group),
        };
        line.push(program.into());
        line
    }
}

/// `setpriv` becomes the server itself; `runuser` and `su` stay as its parent, which the guardian allows for.
fn lending_prefix(user: u32, group: u32) -> Vec<OsString> {
    let words = if on_path("setpriv") {
        vec![
            "setpriv".to_owned(),
            format!("--reuid={user}"),
            format!("--regid={group}"),
            "--clear-groups".to_owned(),
        ]
    } else {
        let tool = if on_path("runuser") { "runuser" } else { "su" };
        [
            "-s",
            "/bin/sh",
            UNPRIVILEGED,
            "-c",
            "exec \"$0\" \"$@\"",
            "--",
        ]
        .iter()
        .fold(vec![tool.to_owned()], |mut line, word| {
            line.push((*word).to_owned());
            line
        })
    };
    words.into_iter().map(OsString::from).collect()
}

/// Whether a program of this name is on the PATH.
pub(crate) fn on_path(program: &str) -> bool {
    find_on_path(program).is_some()
}

/// The first program of this name on the PATH that may be read.
pub(crate) fn find_on_path(program: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

fn open_to_all(folder: &Path) -> bool {
    folder.as_os_str().is_empty()
        || std::fs::metadata(folder).is_ok_and(|metadata| metadata.mode() & 0o001 != 0)
}

fn find(accounts: &str, name: &str) -> Option<Account> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then_some(())?;
        let user = fields.nth(1)?.parse().ok()?;
        let group = fields.next()?.parse().ok()?;
        Some(Account::Lent { user, group })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_name() {
        let accounts = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65533::/:/usr/sbin/nologin\n";
        let found = find(accounts, "nobody");
        assert!(matches!(
            found,
            Some(Account::Lent {
                user: 65534,
                group: 65533
            })
        ));
        assert!(find(accounts, "postgres").is_none());
    }

    #[test]
    fn a_lent_account_reaches_public_folders_only() {
        let lent = Account::Lent {
            user: 65534,
            group: 65534,
        };
        assert!(lent.reaches(Path::new("/usr/bin")));
        assert!(!lent.reaches(Path::new("/no/such/folder")));
    }
}
