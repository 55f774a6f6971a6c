//! A small SQS client, JSON over HTTP/1.1, a connection a call: enough to make queues without an SDK.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};

use super::{ACCESS_KEY_ID, ACCOUNT_ID, REGION};

/// Above the longest wait of a receive, 20 s.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A client of a server on this machine.
#[derive(Clone, Debug)]
pub struct SqsClient {
    port: u16,
}

impl SqsClient {
    /// Of the server on this port of 127.0.0.1.
    pub fn new(port: u16) -> Self {
        Self { port }
    }

    /// Calls `action` and returns the answer's object; an error carries the server's own words.
    pub fn call(&self, action: &str, input: &Value) -> Result<Value> {
        let answer = self.exchange(action, &input.to_string());
        let answer =
            answer.with_context(|| format!("failed to call {action} on port {}", self.port))?;
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

    /// Makes the queue, or gives the queue of this name these attributes, and returns its URL.
    pub fn ensure_queue(&self, name: &str, attributes: &Value) -> Result<String> {
        let Ok(found) = self.call("GetQueueUrl", &json!({ "QueueName": name })) else {
            let input = json!({ "QueueName": name, "Attributes": attributes });
            return url_in(&self.call("CreateQueue", &input)?);
        };
        let url = url_in(&found)?;
        self.call(
            "SetQueueAttributes",
            &json!({ "QueueUrl": url, "Attributes": attributes }),
        )?;
        Ok(url)
    }

    /// The ARN of a queue by its name.
    pub fn arn(name: &str) -> String {
        format!("arn:aws:sqs:{REGION}:{ACCOUNT_ID}:{name}")
    }

    fn exchange(&self, action: &str, body: &str) -> Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        // The server routes by the service in the signature's scope; it checks nothing else of it.
        let request = format!(
            "POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\
             Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: AmazonSQS.{action}\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential={ACCESS_KEY_ID}/20260101/{REGION}/sqs/aws4_request, \
             SignedHeaders=host, Signature=0\r\nContent-Length: {length}\r\n\r\n{body}",
            port = self.port,
            length = body.len(),
        );
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

fn url_in(answer: &Value) -> Result<String> {
    let url = answer["QueueUrl"].as_str();
    url.map(str::to_owned)
        .ok_or_else(|| anyhow!("no QueueUrl in {answer}"))
}
