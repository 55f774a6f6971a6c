//! What can be wrong with a key file. Paths and permissions are told, contents never.

use core::fmt;
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use crate::keyset::KeysetError;

/// A key file is not used, or not written.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The operating system refused.
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Its answer.
        source: io::Error,
    },
    /// Its group or the world may write it, so anyone of them may have chosen the keys. Remedy: `chmod 600`.
    WritableByOthers {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A key file is never written over.
    Exists {
        /// Which file.
        path: PathBuf,
    },
    /// `NAME.new` exists: another change is under way, or one was cut short and the file is to be removed.
    ChangeUnderWay {
        /// The file that stands in the way.
        path: PathBuf,
    },
    /// More than a mebibyte: not a key file.
    TooLarge {
        /// Which file.
        path: PathBuf,
    },
    /// What stands in it is not a sound keyset, or the change was refused.
    Keyset {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        source: KeysetError,
    },
}

impl KeyFileError {
    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            action,
            path: path.into(),
            source,
        }
    }
}

impl fmt::Display for KeyFileError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { action, path, .. } => {
                write!(formatter, "cannot {action} {}", path.display())
            }
            Self::WritableByOthers { path, mode } => {
                write!(
                    formatter,
                    "{} can be written by others than its owner (mode {mode:o})",
                    path.display()
                )
            }
            Self::Exists { path } => write!(formatter, "{} exists already", path.display()),
            Self::ChangeUnderWay { path } => {
                write!(
                    formatter,
                    "{} exists: another change is under way, or was cut short",
                    path.display()
                )
            }
            Self::TooLarge { path } => {
                write!(formatter, "{} is too large for a key file", path.display())
            }
            Self::Keyset { path, .. } => {
                write!(formatter, "cannot use the keys of {}", path.display())
            }
        }
    }
}

impl Error for KeyFileError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Keyset { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// A key file was read, and somebody should know this about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyFileWarning {
    /// Its group or the world may read it.
    ReadableByOthers {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

impl fmt::Display for KeyFileWarning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::ReadableByOthers { path, mode } = self;
        write!(
            formatter,
            "{} can be read by others than its owner (mode {mode:o})",
            path.display()
        )
    }
}
