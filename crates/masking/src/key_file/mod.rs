//! Files that hold keys: read only where nobody else can have written them, made readable by their owner alone, never
//! written over.
//!
//! Invariant: nothing here logs or prints; a warning is data, for the caller to tell.

mod error;
mod permissions;
mod update;

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

pub use error::{KeyFileError, KeyFileWarning};
pub use update::KeyFileChange;

use crate::ipcrypt_key::IpcryptKey;
use crate::keyset::{EncryptedKeyset, Keyset, KeysetError};
use crate::pii::Pii;

/// Larger than any keyset; keeps a mistaken path (a data file, a device) from filling memory.
const LARGEST: u64 = 1 << 20;

/// The text of a key file that was fit to be read; wiped when dropped.
#[derive(Debug)]
pub struct KeyFile {
    text: Pii<String>,
    warning: Option<KeyFileWarning>,
}

impl KeyFile {
    /// Reads a key file. One that its group or the world may write is refused; one that they may read is read, with a
    /// [warning](Self::warning), since orchestrators mount secrets so. (Permissions are looked at on Unix only.)
    pub fn read(path: impl AsRef<Path>) -> Result<Self, KeyFileError> {
        let path = path.as_ref();
        // The permissions are those of the open file, so nothing can be put in its place in between.
        let file = File::open(path).map_err(|error| KeyFileError::io("open", path, error))?;
        let warning = permissions::check(&file, path)?;
        let text = read_text(file, path)?;
        Ok(Self { text, warning })
    }

    /// What is not right about the file, though it was read.
    pub const fn warning(&self) -> Option<&KeyFileWarning> {
        self.warning.as_ref()
    }

    /// A keyset in the clear.
    pub fn keyset(&self) -> Result<Keyset, KeysetError> {
        Keyset::from_json(self.text.expose())
    }

    /// A keyset that a key service encrypted.
    pub fn encrypted_keyset(&self) -> Result<EncryptedKeyset, KeysetError> {
        EncryptedKeyset::from_json(self.text.expose())
    }

    /// A key of `ipcrypt-pfx`.
    pub fn ipcrypt_key(&self) -> Result<IpcryptKey, KeysetError> {
        IpcryptKey::from_json(self.text.expose())
    }

    /// Writes key material (the `to_json` of a keyset or of an ipcrypt key) to a file that does not exist yet, readable
    /// by its owner alone.
    pub fn create(path: impl AsRef<Path>, text: &str) -> Result<(), KeyFileError> {
        let path = path.as_ref();
        let file = create_new(path)?;
        fill(&file, path, text)?;
        sync_folder(path)
    }
}

fn read_text(file: File, path: &Path) -> Result<Pii<String>, KeyFileError> {
    let size = file
        .metadata()
        .map_or(0, |metadata| metadata.len())
        .min(LARGEST);
    // Room is taken once, so that growing leaves no copy of a key behind.
    let mut bytes = Pii::new(Vec::with_capacity(
        usize::try_from(size).unwrap_or_default() + 4096,
    ));
    let count = file
        .take(LARGEST + 1)
        .read_to_end(bytes.expose_mut())
        .map_err(|error| KeyFileError::io("read", path, error))?;
    if count as u64 > LARGEST {
        return Err(KeyFileError::TooLarge { path: path.into() });
    }
    match String::from_utf8(bytes.into_exposed()) {
        Ok(text) => Ok(Pii::new(text)),
        Err(error) => {
            drop(Pii::new(error.into_bytes()));
            Err(KeyFileError::Keyset {
                path: path.into(),
                source: KeysetError::NotJson { line: 1, column: 1 },
            })
        }
    }
}

fn create_new(path: &Path) -> Result<File, KeyFileError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    permissions::owner_only(&mut options);
    options.open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => KeyFileError::Exists { path: path.into() },
        _ => KeyFileError::io("create", path, error),
    })
}

/// Writes and syncs a file that was just made, or takes it away again: half a keyset is worse than none.
fn fill(mut file: &File, path: &Path, text: &str) -> Result<(), KeyFileError> {
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    written.map_err(|error| {
        let _ = std::fs::remove_file(path);
        KeyFileError::io("write", path, error)
    })
}

/// Makes a new name durable. A key that is in use and lost with a power cut takes its column with it.
fn sync_folder(path: &Path) -> Result<(), KeyFileError> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| KeyFileError::io("sync the folder of", path, error))
}
