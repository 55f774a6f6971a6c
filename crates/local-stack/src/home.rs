//! Where files live: `.local/` at the workspace root, or a folder of one's own under the system's temporary
//! directory where `.local/` is somebody else's or the servers' account cannot walk to it.

use std::fs::{DirBuilder, create_dir_all, symlink_metadata};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::account::{Account, user_id};
use crate::hint::hinted;
use crate::random;

/// Chooses another folder for the state of `local-stack up`: a second stack beside the clone's own.
const CHOICE: &str = "LOCAL_STACK_HOME";

/// The folder for the state of `local-stack up`; made if it is not there.
pub(crate) fn home() -> Result<PathBuf> {
    match std::env::var_os(CHOICE) {
        Some(chosen) => own(PathBuf::from(chosen)),
        None => downloads(),
    }
}

/// The folder for downloads; made if it is not there.
pub(crate) fn downloads() -> Result<PathBuf> {
    let account = Account::for_servers()?;
    let local = workspace_root().join(".local");
    if account.reaches(workspace_root()) && create_dir_all(&local).is_ok() && is_ours(&local)? {
        return Ok(local);
    }
    own(temporary_root(&account).join(fallback_name()?))
}

fn own(folder: PathBuf) -> Result<PathBuf> {
    create_dir_all(&folder).with_context(|| format!("failed to make {}", folder.display()))?;
    if is_ours(&folder)? {
        return Ok(folder);
    }
    Err(hinted(
        format_args!("{} belongs to another user", folder.display()),
        format_args!("set TMPDIR or {CHOICE} to a folder of your own"),
    ))
}

/// A new folder for one server of a test, under the system's temporary directory, removed by its guardian.
pub(crate) fn ephemeral(kind: &str) -> Result<PathBuf> {
    let account = Account::for_servers()?;
    let name = format!(
        "local-stack-{kind}-{}-{}",
        std::process::id(),
        random::hex(4)?
    );
    let folder = temporary_root(&account).join(name);
    DirBuilder::new()
        .mode(0o711)
        .create(&folder)
        .with_context(|| format!("failed to make {}", folder.display()))?;
    Ok(folder)
}

fn workspace_root() -> &'static Path {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.ancestors().nth(2).unwrap_or(crate_folder)
}

/// TMPDIR may be private to root; `/tmp` is open to every account.
fn temporary_root(account: &Account) -> PathBuf {
    let chosen = std::env::temp_dir();
    if account.reaches(&chosen) {
        chosen
    } else {
        PathBuf::from("/tmp")
    }
}

/// One name a user and clone, so that neither meets another's.
fn fallback_name() -> Result<String> {
    let mut hasher = DefaultHasher::new();
    workspace_root().hash(&mut hasher);
    Ok(format!(
        "local-stack-{}-{:016x}",
        user_id()?,
        hasher.finish()
    ))
}

/// Links are not followed: in a shared temporary directory anyone can plant one.
fn is_ours(folder: &Path) -> Result<bool> {
    let metadata = symlink_metadata(folder)
        .with_context(|| format!("failed to look at {}", folder.display()))?;
    Ok(metadata.is_dir() && metadata.uid() == user_id()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_root_holds_the_lock_file() {
        assert!(workspace_root().join("Cargo.toml").exists());
    }

    #[test]
    fn two_ephemeral_folders_differ() {
        let (one, two) = (ephemeral("unit").unwrap(), ephemeral("unit").unwrap());
        assert_ne!(one, two);
        std::fs::remove_dir(one).unwrap();
        std::fs::remove_dir(two).unwrap();
    }
}
