//! A small SQS client: enough to make queues without an SDK.

use anyhow::{Result, anyhow};
use serde_json::{Value, json};

use super::wire::Service;
use super::{ACCOUNT_ID, REGION};

const SQS: Service = Service {
    target: "AmazonSQS",
    scope: "sqs",
};

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
        SQS.call(self.port, action, input)
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
}

fn url_in(answer: &Value) -> Result<String> {
    let url = answer["QueueUrl"].as_str();
    url.map(str::to_owned)
        .ok_or_else(|| anyhow!("no QueueUrl in {answer}"))
}
