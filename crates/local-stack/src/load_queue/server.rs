//! The connections of a load queue: a task each, one thread for all.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout_at};

use super::actions::{self, Receive, Wait, parse, receive};
use super::broker::Broker;
use super::fault::Refusal;
use crate::http::{Connection, Frame, header};

/// What all connections share.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    broker: Arc<Mutex<Broker>>,
    latency: Duration,
}

/// The length goes into the gap once it is known: blanks before a header's value mean nothing.
const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\n\
x-amzn-RequestId: 00000000-0000-4000-8000-000000000000\r\nContent-Length:           \r\n\r\n";
const LENGTH_END: usize = HEAD.len() - 4;

impl Shared {
    pub(crate) fn new(broker: Broker, latency: Duration) -> Self {
        Self {
            broker: Arc::new(Mutex::new(broker)),
            latency,
        }
    }

    /// Held for microseconds and never across an await.
    pub(crate) fn broker(&self) -> MutexGuard<'_, Broker> {
        self.broker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves until the future is dropped.
    pub(crate) async fn serve(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let shared = self.clone();
            // A client that goes away is its own affair.
            tokio::spawn(async move { shared.converse(stream).await });
        }
    }

    async fn converse(self, stream: TcpStream) -> io::Result<()> {
        let mut connection = Connection::new(stream)?;
        let mut out = Vec::with_capacity(16 << 10);
        while let Some(frame) = connection.next().await? {
            self.answer(&connection, frame, &mut out).await;
            let keep_alive = header(connection.head(frame), "connection") != Some("close");
            connection.release(frame);
            if !self.latency.is_zero() {
                sleep(self.latency).await;
            }
            connection.write(&out).await?;
            if !keep_alive {
                break;
            }
        }
        Ok(())
    }

    /// Leaves the whole answer in `out`.
    async fn answer(&self, connection: &Connection, frame: Frame, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(HEAD);
        let head = connection.head(frame);
        let done = match header(head, "x-amz-target") {
            None => {
                out.extend_from_slice(self.broker().statistics.to_json().to_string().as_bytes());
                Ok(())
            }
            Some(target) => match actions::named(target) {
                Ok(action) => self.act(action, connection, frame, out).await,
                Err(refusal) => Err(refusal),
            },
        };
        match done {
            Ok(()) => close_head(out),
            Err(refusal) => refusal.write(out),
        }
    }

    async fn act(
        &self,
        action: &'static str,
        connection: &Connection,
        frame: Frame,
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        *self.broker().statistics.requests.entry(action).or_default() += 1;
        let input = connection.body(frame);
        if action != "ReceiveMessage" {
            return actions::respond(&mut self.broker(), action, input, out);
        }
        let input: Receive = parse(input)?;
        let Some(wait) = receive(&mut self.broker(), &input, out)? else {
            return Ok(());
        };
        self.wait_and_receive(connection, &input, wait, out).await
    }

    /// A long poll: tries again at each arrival, and whenever a hidden message shows.
    async fn wait_and_receive(
        &self,
        connection: &Connection,
        input: &Receive<'_>,
        mut wait: Wait,
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        let end = Instant::now() + Duration::from_secs(wait.seconds);
        while Instant::now() < end {
            let arrivals = self.broker().queue(input.queue_url())?.arrivals.clone();
            let mut arrival = std::pin::pin!(arrivals.notified());
            // Enabled before the queue is looked at, so that no arrival falls between.
            arrival.as_mut().enable();
            let Some(again) = receive(&mut self.broker(), input, out)? else {
                return Ok(());
            };
            wait = again;
            let shows = wait
                .next_visible_at
                .map(|at| Instant::from_std(self.broker().instant(at)));
            let wake = shows.map_or(end, |shows| shows.min(end));
            tokio::select! {
                _ = timeout_at(wake, arrival) => {}
                // Messages taken for a client that has gone would be hidden for nothing.
                () = connection.closed() => break,
            }
        }
        self.broker().statistics.empty_receives += 1;
        out.extend_from_slice(b"{}");
        Ok(())
    }
}

fn close_head(out: &mut [u8]) {
    let mut length = out.len() - HEAD.len();
    let mut position = LENGTH_END;
    while length > 0 || position == LENGTH_END {
        position -= 1;
        out[position] = b"0123456789"[length % 10];
        length /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_stands_at_the_end_of_its_gap() {
        for (body, expected) in [(0, "          0\r\n\r\n"), (1234, "       1234\r\n\r\n")] {
            let mut out = HEAD.to_vec();
            out.resize(HEAD.len() + body, b'x');
            close_head(&mut out);
            let head = String::from_utf8_lossy(&out[..HEAD.len()]).into_owned();
            assert!(head.ends_with(expected), "{head}");
        }
    }
}
