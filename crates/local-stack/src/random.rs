//! Names and passwords that nobody guesses.

use std::fmt::Write;
use std::fs::File;
use std::io::Read;

use anyhow::{Context, Result};

/// `bytes` random bytes of the operating system, in hexadecimal.
pub(crate) fn hex(bytes: usize) -> Result<String> {
    let mut buffer = vec![0; bytes];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut buffer))
        .context("failed to read random bytes")?;
    Ok(buffer.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}
