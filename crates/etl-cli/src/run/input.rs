//! A file or stdin in place of a queue: the same stages read lines as if each were a message.
//!
//! A line's identity is a UUIDv5 of the input's digest and the line's number, so that reading the same input twice
//! writes its rows once.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use login_model::NOT_UTF8;
use sha2::{Digest as _, Sha256};
use sqs_reader::{
    EntryFailures, OutgoingMessage, QueueError, QueueFacts, ReceivedMessage, Transport,
};
use uuid::Uuid;

use crate::failure::Failure;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Lines of one input.
pub(super) struct Lines {
    state: Mutex<State>,
    digest: String,
    sent_at_ms: i64,
}

struct State {
    lines: Box<dyn BufRead + Send>,
    number: u64,
    /// Final: after a read that failed, the next line would begin anywhere.
    failed: Option<String>,
}

impl Lines {
    /// Opens `path`, or stdin for `-`, which is held in memory. `date` (YYYY-MM-DD) becomes the rows' `create_date`;
    /// without one it is the day on which the file was last written. The time of day is left out: it would make
    /// the lines of a file that was copied messages of their own.
    pub(super) fn open(path: &Path, date: Option<&str>) -> Result<Self, Failure> {
        let failed =
            |error: io::Error| Failure::usage(format!("--input {}: {error}", path.display()));
        let (lines, digest, written) = if path == Path::new("-") {
            stdin()
        } else {
            file(path)
        }
        .map_err(failed)?;
        let sent_at = date.map_or(Ok(written), midnight)?;
        let since_epoch = sent_at
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let sent_at_ms = i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX);
        Ok(Self {
            state: Mutex::new(State {
                lines,
                number: 0,
                failed: None,
            }),
            digest,
            sent_at_ms: sent_at_ms - sent_at_ms % DAY_MS,
        })
    }

    fn next(&self, state: &mut State) -> io::Result<Option<ReceivedMessage>> {
        loop {
            let mut line = Vec::new();
            if state.lines.read_until(b'\n', &mut line)? == 0 {
                return Ok(None);
            }
            state.number += 1;
            if !line.trim_ascii().is_empty() {
                return Ok(Some(self.message(line.trim_ascii_end(), state.number)));
            }
        }
    }

    fn message(&self, line: &[u8], number: u64) -> ReceivedMessage {
        let name = format!("{}:{number}", self.digest);
        let message_id = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).to_string();
        ReceivedMessage {
            receipt_handle: message_id.clone(),
            message_id,
            // Rejected for that, and not altered to something that can be read.
            body: String::from_utf8(line.to_vec()).unwrap_or_else(|_| NOT_UTF8.to_owned()),
            sent_at_ms: Some(self.sent_at_ms),
            receive_count: 1,
            group_id: None,
            attributes: Vec::new(),
        }
    }
}

type Opened = (Box<dyn BufRead + Send>, String, SystemTime);

fn stdin() -> io::Result<Opened> {
    let mut text = Vec::new();
    io::stdin().lock().read_to_end(&mut text)?;
    let digest = format!("{:x}", HexDigest(Sha256::digest(&text).as_slice()));
    Ok((Box::new(Cursor::new(text)), digest, SystemTime::now()))
}

fn file(path: &Path) -> io::Result<Opened> {
    let mut file = File::open(path)?;
    let written = file.metadata()?.modified()?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
    }
    file.rewind()?;
    Ok((
        Box::new(BufReader::new(file)),
        format!("{:x}", HexDigest(hasher.finalize().as_slice())),
        written,
    ))
}

/// Bytes as lower-case hexadecimal digits.
struct HexDigest<'a>(&'a [u8]);

impl std::fmt::LowerHex for HexDigest<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

fn midnight(date: &str) -> Result<SystemTime, Failure> {
    humantime::parse_rfc3339(&format!("{date}T00:00:00Z"))
        .map_err(|_| Failure::usage(format!("--date is not a date as 2026-01-31: {date}")))
}

/// A queue that is read once, in order, and forgets nothing.
impl Transport for Lines {
    async fn receive(
        &self,
        at_most: usize,
        _wait: Duration,
    ) -> Result<Vec<ReceivedMessage>, QueueError> {
        tokio::task::block_in_place(|| {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let mut messages = Vec::new();
            while messages.len() < at_most && state.failed.is_none() {
                match self.next(&mut state) {
                    Ok(Some(message)) => messages.push(message),
                    Ok(None) => break,
                    Err(error) => state.failed = Some(error.to_string()),
                }
            }
            match &state.failed {
                Some(error) if messages.is_empty() => {
                    Err(QueueError::Unreachable(format!("--input: {error}")))
                }
                _ => Ok(messages),
            }
        })
    }

    async fn delete(&self, _handles: &[String]) -> Result<EntryFailures, QueueError> {
        Ok(Vec::new())
    }

    async fn change_visibility(
        &self,
        _handles: &[String],
        _timeout: Duration,
    ) -> Result<EntryFailures, QueueError> {
        Ok(Vec::new())
    }

    async fn send(
        &self,
        _url: &str,
        _messages: &[OutgoingMessage],
    ) -> Result<EntryFailures, QueueError> {
        Err(QueueError::Refused(
            "a file has no dead-letter queue".to_owned(),
        ))
    }

    async fn facts(&self) -> Result<QueueFacts, QueueError> {
        Ok(QueueFacts::of_single_pass())
    }

    async fn url_of(&self, name: &str, _account: Option<&str>) -> Result<String, QueueError> {
        Err(QueueError::NoSuchQueue(name.to_owned()))
    }

    fn requests(&self) -> u64 {
        0
    }
}
