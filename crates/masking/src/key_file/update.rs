//! Changing what stands in a key file: all or nothing, and one change at a time.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::{KeyFile, KeyFileError, create_new, fill, permissions, sync_folder};
use crate::keyset::{Keyset, KeysetError};

/// A change of a key file that is under way, for whom [`KeyFile::update`] does not fit: a keyset that a key service
/// opens and seals again. Dropped, it leaves the file as it was.
#[derive(Debug)]
#[must_use]
pub struct KeyFileChange {
    current: KeyFile,
    target: PathBuf,
    fresh: Fresh,
}

/// The file beside, which keeps others from changing; taken away unless it took the place of the first.
#[derive(Debug)]
struct Fresh {
    path: PathBuf,
    file: File,
    is_in_place: bool,
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if !self.is_in_place {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl KeyFile {
    /// Reads the keyset of a file, changes it and puts it back; owner and permissions stay as they were.
    ///
    /// The new text is written beside the file, as `NAME.new`, and takes its place in one step, so no reader and no
    /// power cut sees half of it. While `NAME.new` exists another change is refused: two at once would lose a key.
    pub fn update<T>(
        path: impl AsRef<Path>,
        change: impl FnOnce(&mut Keyset) -> Result<T, KeysetError>,
    ) -> Result<T, KeyFileError> {
        let file = Self::change(path)?;
        let refused = |source| KeyFileError::Keyset {
            path: file.target.clone(),
            source,
        };
        let mut keyset = file.current().keyset().map_err(refused)?;
        let answer = change(&mut keyset).map_err(refused)?;
        file.replace(keyset.to_json().expose())?;
        Ok(answer)
    }

    /// Begins a change in the manner of [`update`](Self::update): until it is over, others are refused.
    pub fn change(path: impl AsRef<Path>) -> Result<KeyFileChange, KeyFileError> {
        let path = path.as_ref();
        // Through a link to the file itself: renaming would replace the link and leave the file as it was.
        let target =
            fs::canonicalize(path).map_err(|error| KeyFileError::io("open", path, error))?;
        let fresh = Fresh::beside(&target)?;
        Ok(KeyFileChange {
            current: Self::read(&target)?,
            target,
            fresh,
        })
    }
}

impl Fresh {
    fn beside(target: &Path) -> Result<Self, KeyFileError> {
        let mut name = target.as_os_str().to_owned();
        name.push(".new");
        let path = PathBuf::from(name);
        let file = create_new(&path).map_err(|error| match error {
            KeyFileError::Exists { path } => KeyFileError::ChangeUnderWay { path },
            other => other,
        })?;
        Ok(Self {
            path,
            file,
            is_in_place: false,
        })
    }
}

impl KeyFileChange {
    /// What stands in the file until it is replaced.
    pub const fn current(&self) -> &KeyFile {
        &self.current
    }

    /// Puts `text` in its place.
    pub fn replace(mut self, text: &str) -> Result<(), KeyFileError> {
        let Fresh { path, file, .. } = &self.fresh;
        permissions::copy(&self.target, file)
            .map_err(|error| KeyFileError::io("set the owner of", path, error))?;
        fill(file, path, text)?;
        fs::rename(path, &self.target)
            .map_err(|error| KeyFileError::io("replace", &self.target, error))?;
        self.fresh.is_in_place = true;
        sync_folder(&self.target)
    }
}
