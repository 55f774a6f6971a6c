//! The program as a user starts it: with a clean environment, its output captured line by line.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use local_stack::Sqs;
use serde_json::Value;

use super::database::Database;
use super::queue::Queue;
use super::wait::PATIENCE;

/// A command to be run.
pub(crate) struct Etl {
    command: Command,
    stdin: Option<Vec<u8>>,
    keeps_stdin_open: bool,
}

impl Etl {
    /// A command in an environment that holds nothing.
    pub(crate) fn bare(subcommand: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_etl"));
        command.env_clear().arg(subcommand);
        Self {
            command,
            stdin: None,
            keeps_stdin_open: false,
        }
    }

    /// A command with the credentials of the SQS server.
    pub(crate) fn new(subcommand: &str) -> Self {
        let etl = Self::bare(subcommand);
        Sqs::environment()
            .into_iter()
            .fold(etl, |etl, (name, value)| etl.env(name, value))
    }

    /// Drains `queue` into `database` with short waits and the summary as JSON.
    pub(crate) fn run(queue: &Queue, database: &Database) -> Self {
        Self::new("run")
            .reading(queue)
            .env("DATABASE_URL", database.url())
            .env("ETL_MASKING", "base64")
            .env("ETL_OUTPUT", "json")
            .env("ETL_WAIT_TIME_SECONDS", "0")
    }

    /// Reads stdin in place of a queue.
    pub(crate) fn run_lines(lines: impl Into<Vec<u8>>, database: &Database) -> Self {
        Self::new("run")
            .env("DATABASE_URL", database.url())
            .env("ETL_MASKING", "base64")
            .env("ETL_OUTPUT", "json")
            .args(["--input", "-"])
            .stdin(lines)
    }

    pub(crate) fn reading(self, queue: &Queue) -> Self {
        self.env("ETL_ENDPOINT_URL", &queue.endpoint)
            .env("ETL_QUEUE_NAME", &queue.name)
    }

    pub(crate) fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.command.args(arguments);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    pub(crate) fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(text.into());
        self
    }

    /// Text after which more may come, for all that the program knows.
    pub(crate) fn open_stdin(self, text: impl Into<Vec<u8>>) -> Self {
        Self {
            keeps_stdin_open: true,
            ..self.stdin(text)
        }
    }

    /// Runs it to its end.
    pub(crate) fn output(self) -> Outcome {
        self.start().end()
    }

    /// Runs it to its end, which is exit code 0 with a summary that adds up.
    pub(crate) fn summary(self) -> Summary {
        let outcome = self.output();
        assert_eq!(outcome.code, 0, "{outcome:?}");
        outcome.summary()
    }

    pub(crate) fn start(mut self) -> Running {
        let piped = if self.stdin.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        };
        let command = self.command.stdin(piped);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take();
        if let (Some(text), Some(stdin)) = (self.stdin, &mut stdin) {
            // A program that refuses its options reads nothing.
            drop(stdin.write_all(&text));
        }
        Running {
            _stdin: stdin.filter(|_| self.keeps_stdin_open),
            started: Instant::now(),
            stdout: Capture::of(child.stdout.take().unwrap()),
            stderr: Capture::of(child.stderr.take().unwrap()),
            child,
        }
    }
}

/// The program at work; killed where a test ends before it does.
pub(crate) struct Running {
    child: Child,
    _stdin: Option<ChildStdin>,
    started: Instant,
    stdout: Capture,
    stderr: Capture,
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails where it has ended, which is well.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Running {
    /// Returns once stderr holds `text`.
    pub(crate) fn until_logged(&self, text: &str) {
        self.stderr.until(text);
    }

    /// The first line of stderr that holds `text`, once there is one.
    pub(crate) fn line_logged(&self, text: &str) -> String {
        self.stderr.until(text);
        self.stderr.line_with(text)
    }

    /// Returns once stdout holds `text`.
    pub(crate) fn until_printed(&self, text: &str) {
        self.stdout.until(text);
    }

    /// Sends a signal such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let script = format!("kill -{name} {}", self.child.id());
        let sent = Command::new("/bin/sh").args(["-c", &script]).status();
        assert!(sent.unwrap().success());
    }

    pub(crate) fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Outcome {
        let status: ExitStatus = self.child.wait().unwrap();
        let elapsed = self.started.elapsed();
        Outcome {
            code: status.code().unwrap_or(-1),
            stdout: self.stdout.whole(),
            stderr: self.stderr.whole(),
            elapsed,
        }
    }
}

/// What a pipe has brought so far.
struct Capture {
    text: Arc<(Mutex<String>, Condvar)>,
    reader: Option<JoinHandle<()>>,
}

impl Capture {
    fn of(pipe: impl Read + Send + 'static) -> Self {
        let text = Arc::<(Mutex<String>, Condvar)>::default();
        let filled = Arc::clone(&text);
        let reader = std::thread::spawn(move || {
            let mut lines = BufReader::new(pipe);
            let mut line = Vec::new();
            while lines.read_until(b'\n', &mut line).unwrap() > 0 {
                let chunk = String::from_utf8_lossy(&line);
                filled.0.lock().unwrap().push_str(&chunk);
                filled.1.notify_all();
                line.clear();
            }
        });
        Self {
            text,
            reader: Some(reader),
        }
    }

    fn until(&self, wanted: &str) {
        let missing = |text: &mut String| !text.contains(wanted);
        let text = self.text.0.lock().unwrap();
        let ended = self.text.1.wait_timeout_while(text, PATIENCE, missing);
        let (text, outcome) = ended.unwrap();
        assert!(!outcome.timed_out(), "no `{wanted}` in:\n{text}");
    }

    fn line_with(&self, wanted: &str) -> String {
        let text = self.text.0.lock().unwrap();
        let mut lines = text.lines();
        lines.find(|line| line.contains(wanted)).unwrap().to_owned()
    }

    fn whole(&mut self) -> String {
        self.reader.take().unwrap().join().unwrap();
        self.text.0.lock().unwrap().clone()
    }
}

/// How the program ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) elapsed: Duration,
}

impl Outcome {
    /// The summary that it printed as JSON, which adds up.
    pub(crate) fn summary(&self) -> Summary {
        let parsed = serde_json::from_str(&self.stdout);
        let summary = Summary(parsed.unwrap_or_else(|error| panic!("{error}: {self:?}")));
        let settled = ["written", "duplicates", "rejected", "left"];
        let settled: u64 = settled.iter().map(|name| summary.get(name)).sum();
        assert!(settled <= summary.get("received"), "{self:?}");
        let is_queue = summary.get("sqs_requests") > 0;
        let deletable = u64::from(is_queue) * (settled - summary.get("left"));
        let deleted = summary.get("deleted") + summary.get("undeleted");
        assert_eq!(deleted, deletable, "{self:?}");
        summary
    }

    /// Ended so, and stderr holds all of `texts`.
    pub(crate) fn assert_refused(&self, code: i32, texts: &[&str]) {
        assert_eq!(self.code, code, "{self:?}");
        let absent = texts.iter().find(|text| !self.stderr.contains(**text));
        assert_eq!(absent, None, "in {}", self.stderr);
    }
}

/// The object that `--output json` prints.
#[derive(Debug)]
pub(crate) struct Summary(Value);

impl Summary {
    pub(crate) fn get(&self, name: &str) -> u64 {
        self.0[name]
            .as_u64()
            .unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }

    /// received, written, duplicates, rejected, left.
    pub(crate) fn counts(&self) -> [u64; 5] {
        ["received", "written", "duplicates", "rejected", "left"].map(|name| self.get(name))
    }
}
