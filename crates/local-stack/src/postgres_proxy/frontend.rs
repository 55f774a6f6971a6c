//! What a client says to Postgres, as far as it takes to know which statement runs: messages of the protocol's version
//! 3 (PostgreSQL manual, "Message Formats"), without TLS.

use std::collections::HashMap;

/// Follows one connection's messages.
#[derive(Debug, Default)]
pub(crate) struct Frontend {
    started: bool,
    statements: HashMap<Vec<u8>, String>,
}

/// What a message means to the proxy.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A statement with this text is about to run.
    Runs(String),
    /// The server will say `ReadyForQuery` once it is done with all up to here.
    Syncs,
    /// Anything else.
    Other,
}

const SSL_REQUEST: u32 = 80_877_103;

impl Frontend {
    /// The length of the first message in the buffer, once it is there as a whole.
    pub(crate) fn length(&self, buffer: &[u8]) -> Option<usize> {
        let kind = usize::from(self.started);
        let length = u32::from_be_bytes(buffer.get(kind..kind + 4)?.try_into().ok()?);
        let length = kind + usize::try_from(length).ok()?;
        (buffer.len() >= length).then_some(length)
    }

    /// Takes note of a whole message.
    pub(crate) fn read(&mut self, message: &[u8]) -> Meaning {
        if !self.started {
            // A request for TLS is answered with one byte; the start-up message proper comes after it.
            let is_request = message.get(4..8) == Some(&SSL_REQUEST.to_be_bytes());
            self.started = !is_request;
            return if is_request {
                Meaning::Other
            } else {
                Meaning::Syncs
            };
        }
        let Some((kind, content)) = message
            .split_first()
            .and_then(|(kind, rest)| Some((kind, rest.get(4..)?)))
        else {
            return Meaning::Other;
        };
        match kind {
            b'Q' => Meaning::Runs(text(content)),
            b'P' => {
                let (name, rest) = until_zero(content);
                self.statements.insert(name.to_vec(), text(rest));
                Meaning::Other
            }
            b'B' => {
                let (_portal, rest) = until_zero(content);
                let statement = self.statements.get(until_zero(rest).0);
                Meaning::Runs(statement.cloned().unwrap_or_default())
            }
            b'S' => Meaning::Syncs,
            _ => Meaning::Other,
        }
    }
}

/// Whether the message is a simple query, which syncs by itself.
pub(crate) fn is_simple_query(message: &[u8]) -> bool {
    message.first() == Some(&b'Q')
}

fn until_zero(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    (&bytes[..end], bytes.get(end + 1..).unwrap_or_default())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(until_zero(bytes).0).into_owned()
}

/// How many `ReadyForQuery` the server's bytes hold; keeps what is left of an unfinished message.
#[derive(Debug, Default)]
pub(crate) struct Backend {
    buffer: Vec<u8>,
    started: bool,
}

impl Backend {
    pub(crate) fn count_ready(&mut self, bytes: &[u8]) -> u64 {
        self.buffer.extend_from_slice(bytes);
        let (mut start, mut ready) = (0, 0);
        // The one byte by which TLS is refused stands before all messages.
        if !self.started && self.buffer.first() == Some(&b'N') && self.buffer.len() == 1 {
            self.buffer.clear();
            return 0;
        }
        self.started = true;
        while let Some(header) = self.buffer.get(start..start + 5) {
            let length = u32::from_be_bytes([header[1], header[2], header[3], header[4]]);
            let end = start + 1 + usize::try_from(length).unwrap_or(usize::MAX - start - 1);
            if end > self.buffer.len() {
                break;
            }
            ready += u64::from(header[0] == b'Z');
            start = end;
        }
        self.buffer.drain(..start);
        ready
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len() + 4).unwrap().to_be_bytes();
        [&[kind], &length[..], content].concat()
    }

    #[test]
    fn a_bound_statement_is_known_by_its_text() {
        let mut frontend = Frontend {
            started: true,
            ..Frontend::default()
        };
        frontend.read(&message(b'P', b"s1\0INSERT INTO user_logins\0\0\0"));
        let bind = frontend.read(&message(b'B', b"\0s1\0rest"));
        assert_eq!(bind, Meaning::Runs("INSERT INTO user_logins".to_owned()));
        assert_eq!(
            frontend.read(&message(b'Q', b"COMMIT\0")),
            Meaning::Runs("COMMIT".to_owned())
        );
        assert_eq!(frontend.read(&message(b'S', b"")), Meaning::Syncs);
    }

    #[test]
    fn messages_are_whole_before_they_are_read() {
        let frontend = Frontend {
            started: true,
            ..Frontend::default()
        };
        let whole = message(b'Q', b"SELECT 1\0");
        assert_eq!(frontend.length(&whole[..7]), None);
        assert_eq!(frontend.length(&whole), Some(whole.len()));
    }

    #[test]
    fn readiness_is_counted_across_pieces() {
        let mut backend = Backend::default();
        assert_eq!(backend.count_ready(b"N"), 0);
        let stream = [
            message(b'C', b"INSERT 0 1\0"),
            message(b'Z', b"I"),
            message(b'Z', b"I"),
        ]
        .concat();
        let (one, two) = stream.split_at(stream.len() - 3);
        assert_eq!((backend.count_ready(one), backend.count_ready(two)), (1, 1));
    }
}
