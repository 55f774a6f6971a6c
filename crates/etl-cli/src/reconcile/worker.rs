//! What a running worker counts: deliveries received are those settled and those held.

use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::failure::Failure;

const ANSWER: Duration = Duration::from_secs(10);
/// The counters move while they are read, so one reading that does not add up says nothing.
const READINGS: u32 = 20;
const BETWEEN: Duration = Duration::from_millis(250);

/// Its counters since its start.
#[derive(Debug, Serialize)]
pub(super) struct Worker {
    url: String,
    received: u64,
    written: u64,
    duplicates: u64,
    rejected: u64,
    left: u64,
    in_flight: u64,
    /// Deliveries that stand nowhere; negative: settled more than received.
    difference: i64,
}

impl Worker {
    /// Reads the counters until they add up, a few times at most.
    pub(super) async fn ask(url: &str) -> Result<Self, Failure> {
        let mut reading = Self::read(url).await?;
        for _ in 1..READINGS {
            if reading.difference == 0 {
                break;
            }
            sleep(BETWEEN).await;
            reading = Self::read(url).await?;
        }
        Ok(reading)
    }

    async fn read(url: &str) -> Result<Self, Failure> {
        let text = match timeout(ANSWER, fetch(url)).await {
            Ok(fetched) => fetched.map_err(|error| refused(url, &error.to_string()))?,
            Err(_) => return Err(refused(url, "no answer")),
        };
        Self::of(url, &text).ok_or_else(|| refused(url, "these are no metrics of etl"))
    }

    fn of(url: &str, text: &str) -> Option<Self> {
        let counter = |name| value_of(text, name);
        let mut worker = Self {
            url: url.to_owned(),
            received: counter("etl_messages_received_total")?,
            written: counter("etl_rows_written_total")?,
            duplicates: counter("etl_messages_duplicate_total")?,
            rejected: counter("etl_messages_dead_lettered_total")?,
            left: counter("etl_messages_left_total")?,
            in_flight: counter("etl_messages_in_flight")?,
            difference: 0,
        };
        let settled = worker.written + worker.duplicates + worker.rejected + worker.left;
        let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        worker.difference = signed(worker.received) - signed(settled + worker.in_flight);
        Some(worker)
    }

    pub(super) fn complaint(&self) -> Option<String> {
        let Self {
            url, difference, ..
        } = self;
        (*difference != 0)
            .then(|| format!("{url}: received and settled deliveries differ by {difference}"))
    }

    pub(super) fn text(&self) -> String {
        let Self {
            url,
            received,
            written,
            duplicates,
            rejected,
            left,
            in_flight,
            ..
        } = self;
        format!(
            "{url}: received {received} = written {written} + duplicates {duplicates} + rejected {rejected} + left {left} \
             + in flight {in_flight}, difference {:+}\n",
            self.difference
        )
    }
}

fn refused(url: &str, why: &str) -> Failure {
    Failure::gave_up(format!("--metrics {url}: {why}"))
        .hint("http://HOST:PORT/metrics, as --metrics-addr of the worker has it")
}

/// The value of a metric without labels.
fn value_of(text: &str, name: &str) -> Option<u64> {
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    value.split(' ').next()?.parse().ok()
}

/// One GET; workers speak HTTP without TLS on a network of one's own.
async fn fetch(url: &str) -> std::io::Result<String> {
    let unreadable = || std::io::Error::other("not a URL as http://HOST:PORT/metrics");
    let rest = url.strip_prefix("http://").ok_or_else(unreadable)?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, "metrics"));
    let mut stream = TcpStream::connect(host).await?;
    let request = format!("GET /{path} HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(unreadable)?;
    let status = head.lines().next().unwrap_or_default();
    if status.contains(" 200 ") {
        Ok(body.to_owned())
    } else {
        Err(std::io::Error::other(format!("it answers {status}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# TYPE etl_messages_received_total counter\n\
        etl_messages_received_total 100\netl_rows_written_total 90\netl_messages_duplicate_total 3\n\
        etl_messages_dead_lettered_total 2\netl_messages_left_total 1\netl_messages_in_flight 4\n\
        etl_messages_rejected_total{reason=\"not_json\"} 3\n";

    #[test]
    fn settled_and_held_deliveries_are_those_received() {
        let worker = Worker::of("http://w", TEXT).unwrap();
        assert_eq!((worker.difference, worker.complaint()), (0, None));
    }

    #[test]
    fn a_delivery_that_stands_nowhere_is_told() {
        let lost = TEXT.replace("written_total 90", "written_total 88");
        let worker = Worker::of("http://w", &lost).unwrap();
        assert!(worker.complaint().unwrap().ends_with("differ by 2"));
    }

    #[test]
    fn other_peoples_metrics_are_none() {
        assert!(Worker::of("http://w", "go_goroutines 7\n").is_none());
    }
}
