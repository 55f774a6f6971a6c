//! Makes a queue and its dead-letter queue.

use anyhow::Result;
use clap::Args;
use serde_json::json;

use crate::sqs::client::SqsClient;

#[derive(Debug, Args)]
pub(crate) struct QueueArguments {
    /// Name of the queue
    name: String,
    /// Name of its dead-letter queue [default: none]
    #[arg(long, value_name = "NAME")]
    dead_letter: Option<String>,
    /// Receives after which a message goes to the dead-letter queue
    #[arg(long, value_name = "N", default_value_t = 5)]
    max_receive_count: u32,
    /// Seconds for which a received message is hidden
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    visibility_timeout: u32,
}

/// Returns the URL of the queue.
pub(crate) fn create(client: &SqsClient, arguments: &QueueArguments) -> Result<String> {
    let mut attributes = json!({ "VisibilityTimeout": arguments.visibility_timeout.to_string() });
    if let Some(dead_letter) = &arguments.dead_letter {
        // Its messages wait for a person: the longest retention that there is.
        client.ensure_queue(dead_letter, &json!({ "MessageRetentionPeriod": "1209600" }))?;
        let policy = json!({
            "deadLetterTargetArn": SqsClient::arn(dead_letter),
            "maxReceiveCount": arguments.max_receive_count,
        });
        attributes["RedrivePolicy"] = policy.to_string().into();
    }
    client.ensure_queue(&arguments.name, &attributes)
}
