//! HTTP/1.1 messages over a TCP connection, as little of it as SQS clients and servers speak: a head, a body of
//! `Content-Length`, keep-alive. The buffer is reused, so a request in the steady state allocates nothing here.

use std::io::{self, ErrorKind};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// No SQS message is longer, its attributes and escapes included.
const LONGEST_BODY: usize = 16 << 20;
const LONGEST_HEAD: usize = 64 << 10;

/// One side of a connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// Where the head and the body of a message end in the connection's buffer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    head: usize,
    end: usize,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(16 << 10),
        })
    }

    /// The next whole message, or none where the other side closed between two.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Frame>> {
        let mut searched = 0;
        loop {
            if let Some(head) = end_of_head(&self.buffer, searched) {
                let end = head + content_length(&self.buffer[..head])?;
                while self.buffer.len() < end {
                    self.buffer.reserve(end - self.buffer.len());
                    self.fill().await?;
                }
                return Ok(Some(Frame { head, end }));
            }
            searched = self.buffer.len().saturating_sub(3);
            if searched > LONGEST_HEAD {
                return Err(ErrorKind::InvalidData.into());
            }
            match self.fill().await {
                Err(error)
                    if error.kind() == ErrorKind::UnexpectedEof && self.buffer.is_empty() =>
                {
                    return Ok(None);
                }
                filled => filled?,
            }
        }
    }

    pub(crate) fn head(&self, frame: Frame) -> &[u8] {
        &self.buffer[..frame.head]
    }

    pub(crate) fn body(&self, frame: Frame) -> &[u8] {
        &self.buffer[frame.head..frame.end]
    }

    /// Head and body together.
    pub(crate) fn whole(&self, frame: Frame) -> &[u8] {
        &self.buffer[..frame.end]
    }

    /// Lets go of a message that was dealt with.
    pub(crate) fn release(&mut self, frame: Frame) {
        self.buffer.drain(..frame.end);
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Returns once the other side has closed, or sends what it should not send yet.
    pub(crate) async fn closed(&self) {
        let mut byte = [0];
        let _ = self.stream.peek(&mut byte).await;
    }

    /// Ends the connection with a reset, as a crashed peer or a firewall does.
    pub(crate) fn reset(self) -> io::Result<()> {
        self.stream.set_zero_linger()
    }

    async fn fill(&mut self) -> io::Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}

fn end_of_head(buffer: &[u8], from: usize) -> Option<usize> {
    Some(from + memchr::memmem::find(&buffer[from..], b"\r\n\r\n")? + 4)
}

fn content_length(head: &[u8]) -> io::Result<usize> {
    let Some(value) = header(head, "content-length") else {
        return Ok(0);
    };
    let length = value.parse().ok().filter(|length| *length <= LONGEST_BODY);
    length.ok_or_else(|| ErrorKind::InvalidData.into())
}

/// The value of a header; its name in small letters.
pub(crate) fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    let mut lines = memchr::memchr_iter(b'\n', head).map(|end| &head[end + 1..]);
    let rest = lines.find_map(|rest| {
        let (found, rest) = rest.split_at_checked(name.len())?;
        found.eq_ignore_ascii_case(name.as_bytes()).then_some(())?;
        rest.strip_prefix(b":")
    })?;
    let end = memchr::memchr(b'\r', rest)?;
    Some(str::from_utf8(&rest[..end]).ok()?.trim())
}

/// A copy of a head with its length changed, and another body.
pub(crate) fn with_body(head: &[u8], body: &[u8]) -> Vec<u8> {
    let length = format!("Content-Length: {}\r\n\r\n", body.len());
    let is_length = |line: &[u8]| {
        line.get(..15)
            .is_some_and(|name| name.eq_ignore_ascii_case(b"content-length:"))
    };
    let lines = head
        .split_inclusive(|byte| *byte == b'\n')
        .filter(|line| *line != b"\r\n" && !is_length(line));
    let mut message: Vec<u8> = lines.flatten().copied().collect();
    message.extend_from_slice(length.as_bytes());
    message.extend_from_slice(body);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_found_whatever_their_case() {
        let head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-LENGTH:  17 \r\n\r\n";
        assert_eq!(header(head, "content-length"), Some("17"));
        assert_eq!(header(head, "content"), None);
        assert_eq!(content_length(head).unwrap(), 17);
    }

    #[test]
    fn a_length_that_no_message_has_is_refused() {
        assert!(content_length(b"\r\ncontent-length: 99999999999\r\n\r\n").is_err());
        assert!(content_length(b"\r\ncontent-length: -1\r\n\r\n").is_err());
    }

    #[test]
    fn another_body_has_another_length() {
        let message = with_body(
            b"POST / HTTP/1.1\r\ncontent-length: 2\r\nHost: x\r\n\r\n",
            b"{...}",
        );
        assert_eq!(
            message,
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n{...}"
        );
    }

    #[test]
    fn the_end_of_a_head_is_found_across_two_reads() {
        assert_eq!(end_of_head(b"GET / HTTP/1.1\r\n\r\n{}", 14), Some(18));
        assert_eq!(end_of_head(b"GET / HTTP/1.1\r\n\r", 0), None);
    }
}
