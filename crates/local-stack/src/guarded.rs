//! A server that ends with this process, however this process ends.
//!
//! A guardian (`sh`, in a process group of its own so that Ctrl-C passes it by) is the server's parent. Its standard
//! input is a pipe that this process alone holds open. When the pipe closes, be it by drop, exit, panic or SIGKILL, the
//! guardian stops the server and removes its folder.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, PipeReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};

const START_TIMEOUT: Duration = Duration::from_mins(1);
const KEPT_LINES: usize = 200;

/// Only `kill` and `rm` here: nothing that a shell could lack. The pid file matters where `su` stands between the
/// guardian and the server. Shells let their background children ignore INT and QUIT, so only servers that ask for
/// those signals may be ended by them.
const SCRIPT: &str = r#"
directory=$1; pid_file=$2; end=$3; shift 3
"$@" </dev/null &
server=$!
exec >/dev/null 2>&1
read -r folder signal || folder=remove
{ read -r inner < "$pid_file"; } && kill -s "${signal:-$end}" "$inner"
kill -s "${signal:-$end}" "$server"
wait "$server"
[ "$folder" = keep ] || rm -rf "$directory"
"#;

/// What a guardian is told of the server in its care.
#[derive(Debug)]
pub(crate) struct Care<'a> {
    /// The server's folder, removed in the end.
    pub(crate) directory: &'a Path,
    /// Where the server writes its process id, if it does.
    pub(crate) pid_file: &'a Path,
    /// The signal that ends it at once.
    pub(crate) end: &'static str,
    /// The server prints this once it is ready.
    pub(crate) ready: &'static str,
}

impl<'a> Care<'a> {
    /// Of a server that needs no ceremony to end.
    pub(crate) fn simple(directory: &'a Path, ready: &'static str) -> Self {
        Self {
            directory,
            pid_file: Path::new("/dev/null"),
            end: "KILL",
            ready,
        }
    }
}

/// How a server is told to stop.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stop {
    /// Orderly: clients are disconnected, data is flushed.
    Orderly,
    /// As if the machine had lost power.
    Crash,
}

/// A running server and the pipe that keeps it alive.
#[derive(Debug)]
pub(crate) struct Guarded {
    guardian: Child,
    log: Log,
}

type Log = Arc<Mutex<VecDeque<String>>>;

enum Event {
    Ready,
    Ended,
}

impl Guarded {
    /// Starts the command line and returns once the server is ready. Fails with its last words if it ends before; the
    /// folder stays then.
    pub(crate) fn start(care: &Care, command_line: &[OsString]) -> Result<Self> {
        let (reader, writer) = std::io::pipe().context("failed to make a pipe")?;
        let guardian = Command::new("sh")
            .args(["-c", SCRIPT, "guardian"])
            .args([care.directory, care.pid_file])
            .arg(care.end)
            .args(command_line)
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .process_group(0)
            .spawn()
            .context("failed to start `sh`")?;
        let server = Self {
            guardian,
            log: Log::default(),
        };
        match server.wait_until_ready(reader, care.ready) {
            Ok(()) => Ok(server),
            Err(error) => server.stop(Stop::Crash).and(Err(error)),
        }
    }

    /// Runs a command line to its end; what is returned guards the folder from then on.
    pub(crate) fn run(directory: &Path, command_line: &[OsString]) -> Result<Self> {
        // The shell stays, so that its pid cannot become somebody else's before the guardian signals it.
        let script = r#""$@" && echo "local-stack: done" && exec tail -f /dev/null"#;
        let mut line = ["sh", "-c", script, "run"].map(OsString::from).to_vec();
        line.extend_from_slice(command_line);
        Self::start(&Care::simple(directory, "local-stack: done"), &line)
    }

    /// Stops the server and waits for its end; its folder stays.
    pub(crate) fn stop(mut self, how: Stop) -> Result<()> {
        let order = match how {
            Stop::Orderly => "keep INT\n",
            Stop::Crash => "keep\n",
        };
        let mut pipe = self
            .guardian
            .stdin
            .take()
            .context("the guardian was told to stop before")?;
        pipe.write_all(order.as_bytes())
            .context("failed to reach the guardian")?;
        self.guardian
            .wait()
            .context("failed to wait for the guardian")?;
        Ok(())
    }

    /// The last lines that the server printed.
    pub(crate) fn log(&self) -> String {
        let lines = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        lines
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn wait_until_ready(&self, reader: PipeReader, ready: &'static str) -> Result<()> {
        let (sender, events) = channel();
        let log = Arc::clone(&self.log);
        std::thread::Builder::new()
            .name("server-log".to_owned())
            .spawn(move || keep_log(reader, ready, &log, &sender))
            .context("failed to start a thread")?;
        match events.recv_timeout(START_TIMEOUT) {
            Ok(Event::Ready) => Ok(()),
            Ok(Event::Ended) => bail!("the server ended at once: {}", self.log()),
            Err(_) => bail!(
                "the server was not ready within {START_TIMEOUT:?}: {}",
                self.log()
            ),
        }
    }
}

/// Reads until the server is gone: a full pipe would block it.
fn keep_log(reader: PipeReader, ready: &str, log: &Log, events: &Sender<Event>) {
    for line in BufReader::new(reader).lines().map_while(Result::ok) {
        let is_ready = line.contains(ready);
        let mut lines = log.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
        drop(lines);
        if is_ready {
            let _ = events.send(Event::Ready);
        }
    }
    let _ = events.send(Event::Ended);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::ephemeral;

    fn start(script: &str) -> (std::path::PathBuf, Result<Guarded>) {
        let folder = ephemeral("unit").unwrap();
        let line = ["sh", "-c", script].map(OsString::from);
        let started = Guarded::start(&Care::simple(&folder, "ready"), &line);
        (folder, started)
    }

    #[test]
    fn a_server_that_ends_at_once_leaves_its_last_words_and_the_folder() {
        let (folder, started) = start("echo no such luck");
        let error = started.unwrap_err().to_string();
        assert!(error.contains("no such luck"), "{error}");
        std::fs::remove_dir(&folder).unwrap();
    }

    #[test]
    fn the_folder_of_a_finished_command_is_guarded() {
        let folder = ephemeral("unit").unwrap();
        let guard = Guarded::run(&folder, &["true"].map(OsString::from)).unwrap();
        assert!(folder.exists());
        drop(guard);
        wait_until_gone(&folder);
    }

    #[test]
    fn dropping_stops_the_server_and_removes_its_folder() {
        let (folder, started) = start("echo ready; exec tail -f /dev/null");
        drop(started.unwrap());
        wait_until_gone(&folder);
    }

    #[test]
    fn a_stop_keeps_the_folder() {
        let (folder, started) = start("echo ready; exec tail -f /dev/null");
        started.unwrap().stop(Stop::Crash).unwrap();
        std::fs::remove_dir(&folder).unwrap();
    }

    /// Nobody tells us when a guardian that we let go of is done.
    fn wait_until_gone(folder: &Path) {
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        while folder.exists() {
            assert!(
                std::time::Instant::now() < deadline,
                "{} stays",
                folder.display()
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}
