//! Where the SQS server's program comes from and how it is started.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::ACCOUNT_ID;
use crate::wheel::Wheel;

/// A Rust binary in a wheel (MIT).
const WHEEL: Wheel = Wheel {
    project: "roto-aws",
    version: "0.10.1",
    sha256: "a1ac99b3a6c6cd202c8da4d780a3a556617474dd1cc31913610500128516c554",
};

/// What it prints once it takes connections.
pub(crate) const READY: &str = "listening on";

/// The server's program; downloads it on first use.
pub(crate) fn fetch() -> Result<PathBuf> {
    let content = WHEEL.unpacked().context("no SQS server")?;
    Ok(content.join("roto_aws-0.10.1.data/scripts/roto-server"))
}

/// In memory: an emulator that writes to the disk is slower and no truer.
pub(crate) fn command_line(program: &Path, port: u16) -> Vec<OsString> {
    let port = port.to_string();
    let options = ["--ephemeral", "--account-id", ACCOUNT_ID, "--port", &port];
    let mut line = vec![program.into()];
    line.extend(options.map(OsString::from));
    line
}
