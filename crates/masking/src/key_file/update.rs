//! Changing the keyset in a file: all or nothing, and one change at a time.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::{KeyFile, KeyFileError, create_new, fill, permissions, sync_folder};
use crate::keyset::{Keyset, KeysetError};

impl KeyFile {
    /// Reads the keyset of a file, changes it and puts it back; owner and permissions stay as they were.
    ///
    /// The new text is written beside the file, as `NAME.new`, and takes its place in one step, so no reader and no
    /// power cut sees half of it. While `NAME.new` exists another change is refused: two at once would lose a key.
    pub fn update<T>(
        path: impl AsRef<Path>,
        change: impl FnOnce(&mut Keyset) -> Result<T, KeysetError>,
    ) -> Result<T, KeyFileError> {
        let path = path.as_ref();
        // Through a link to the file itself: renaming would replace the link and leave the file as it was.
        let target =
            fs::canonicalize(path).map_err(|error| KeyFileError::io("open", path, error))?;
        let fresh = beside(&target);
        let file = create_new(&fresh).map_err(|error| match error {
            KeyFileError::Exists { path } => KeyFileError::ChangeUnderWay { path },
            other => other,
        })?;
        let changed = rewrite(file, &target, &fresh, change);
        if changed.is_err() {
            let _ = fs::remove_file(&fresh);
        }
        changed
    }
}

fn beside(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

fn rewrite<T>(
    file: File,
    target: &Path,
    fresh: &Path,
    change: impl FnOnce(&mut Keyset) -> Result<T, KeysetError>,
) -> Result<T, KeyFileError> {
    let refused = |source| KeyFileError::Keyset {
        path: target.into(),
        source,
    };
    let mut keyset = KeyFile::read(target)?.keyset().map_err(refused)?;
    let answer = change(&mut keyset).map_err(refused)?;
    permissions::copy(target, &file)
        .map_err(|error| KeyFileError::io("set the owner of", fresh, error))?;
    fill(file, fresh, keyset.to_json().expose())?;
    fs::rename(fresh, target).map_err(|error| KeyFileError::io("replace", target, error))?;
    sync_folder(target)?;
    Ok(answer)
}
