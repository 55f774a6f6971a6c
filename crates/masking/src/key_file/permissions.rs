//! Who may read and write a key file. On Unix; elsewhere nothing is looked at and nothing set.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use super::{KeyFileError, KeyFileWarning};

/// Write for group and world.
#[cfg(unix)]
const WRITABLE_BY_OTHERS: u32 = 0o022;
/// Read for group and world.
#[cfg(unix)]
const READABLE_BY_OTHERS: u32 = 0o044;

#[cfg(unix)]
pub(super) fn check(file: &File, path: &Path) -> Result<Option<KeyFileWarning>, KeyFileError> {
    use std::os::unix::fs::MetadataExt;

    let metadata = file
        .metadata()
        .map_err(|error| KeyFileError::io("look at", path, error))?;
    let mode = metadata.mode() & 0o7777;
    if mode & WRITABLE_BY_OTHERS != 0 {
        return Err(KeyFileError::WritableByOthers {
            path: path.into(),
            mode,
        });
    }
    let readable = mode & READABLE_BY_OTHERS != 0;
    Ok(readable.then(|| KeyFileWarning::ReadableByOthers {
        path: path.into(),
        mode,
    }))
}

#[cfg(not(unix))]
pub(super) fn check(_: &File, _: &Path) -> Result<Option<KeyFileWarning>, KeyFileError> {
    Ok(None)
}

#[cfg(unix)]
pub(super) fn owner_only(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;

    options.mode(0o600);
}

#[cfg(not(unix))]
pub(super) fn owner_only(_: &mut OpenOptions) {}

/// Gives `file` the owner and the permissions of `model`, so that a service still reads the keyset that root rotated.
#[cfg(unix)]
pub(super) fn copy(model: &Path, file: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};

    let (wanted, present) = (std::fs::metadata(model)?, file.metadata()?);
    if (wanted.uid(), wanted.gid()) != (present.uid(), present.gid()) {
        fchown(file, Some(wanted.uid()), Some(wanted.gid()))?;
    }
    file.set_permissions(wanted.permissions())
}

#[cfg(not(unix))]
pub(super) fn copy(_: &Path, _: &File) -> io::Result<()> {
    Ok(())
}
