//! One call to the server: JSON over HTTP/1.1, a connection a call. SQS and KMS differ in names only.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{ACCESS_KEY_ID, REGION};

/// Above the longest wait of a receive, 20 s.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A service of the server.
pub(super) struct Service {
    /// What stands before the action's name.
    pub(super) target: &'static str,
    /// The name in a signature's scope.
    pub(super) scope: &'static str,
}

impl Service {
    /// Calls `action` and returns the answer's object; an error carries the server's own words.
    pub(super) fn call(&self, port: u16, action: &str, input: &Value) -> Result<Value> {
        let answer = self.exchange(port, action, &input.to_string());
        let answer = answer.with_context(|| format!("failed to call {action} on port {port}"))?;
        let (head, body) = answer
            .split_once("\r\n\r\n")
            .context("no end of the HTTP head")?;
        let ok = head.split(' ').nth(1) == Some("200");
        let body = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(body)?
        };
        if ok {
            return Ok(body);
        }
        let kind = body["__type"]
            .as_str()
            .unwrap_or("an answer without a type");
        let message = body["message"]
            .as_str()
            .or(body["Message"].as_str())
            .unwrap_or("");
        bail!("{action} was refused: {kind} {message}")
    }

    fn exchange(&self, port: u16, action: &str, body: &str) -> Result<String> {
        let Self { target, scope } = self;
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        // The server routes by the service in the signature's scope; it checks nothing else of it.
        let request = format!(
            "POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\
             Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: {target}.{action}\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential={ACCESS_KEY_ID}/20260101/{REGION}/{scope}/aws4_request, \
             SignedHeaders=host, Signature=0\r\nContent-Length: {length}\r\n\r\n{body}",
            length = body.len(),
        );
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}
