//! The SQS server of the stack.

use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::detached;
use crate::hint::hinted;
use crate::port;
use crate::sqs::server::{READY, command_line, fetch};

/// A server that was started.
#[derive(Clone, Debug)]
pub(crate) struct SqsState {
    pub(crate) pid: u32,
    pub(crate) port: u16,
    pub(crate) program: PathBuf,
}

impl SqsState {
    pub(crate) fn up(home: &Path, before: Option<Self>, port: Option<u16>) -> Result<Self> {
        if let Some(running) = before.filter(Self::is_running) {
            refuse_other_port(running.port, port, "--port-sqs")?;
            eprintln!("{} (as before)", running.describe());
            return Ok(running);
        }
        let program = fetch()?;
        if let Some(port) = port {
            port::demand_free(port, "--port-sqs")?;
        }
        let port = port.map_or_else(port::free_port, Ok)?;
        let pid = detached::start(&command_line(&program, port), &home.join("sqs.log"), READY)?;
        let started = Self { pid, port, program };
        eprintln!("{}", started.describe());
        Ok(started)
    }

    pub(crate) fn is_running(&self) -> bool {
        detached::is_running(self.pid, &self.program)
            && TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok()
    }

    /// Its queues are in memory: there is nothing to flush.
    pub(crate) fn stop(&self) -> Result<()> {
        detached::stop(self.pid, &self.program, &["KILL"]).context("failed to stop the SQS server")
    }

    pub(crate) fn describe(&self) -> String {
        format!(
            "SQS: http://127.0.0.1:{}, pid {}, in memory",
            self.port, self.pid
        )
    }
}

/// A running server stays where it is.
pub(crate) fn refuse_other_port(running: u16, wanted: Option<u16>, option: &str) -> Result<()> {
    if wanted.is_none_or(|wanted| wanted == running) {
        return Ok(());
    }
    Err(hinted(
        format_args!("it runs on port {running} already"),
        format_args!("leave {option} out, or run `local-stack down --keep` first"),
    ))
}
