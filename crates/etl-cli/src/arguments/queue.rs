//! Which queue, on which server. Shared by every command that talks to SQS.

use std::time::Duration;

use sqs_reader::{Endpoint, QueueAddress, Settings};

use crate::failure::Failure;

/// Which queue, and where
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Queue")]
pub(crate) struct QueueArguments {
    /// The queue's name, in the account of the credentials
    #[arg(
        long,
        alias = "queue_name",
        value_name = "NAME",
        env = "ETL_QUEUE_NAME",
        conflicts_with = "queue_url"
    )]
    pub(crate) queue_name: Option<String>,
    /// The queue's URL, instead of its name
    #[arg(long, value_name = "URL", env = "ETL_QUEUE_URL")]
    pub(crate) queue_url: Option<String>,
    /// An SQS server other than AWS's, such as http://localhost:4566 (a path after the host is ignored)
    #[arg(
        long,
        alias = "endpoint_url",
        value_name = "URL",
        env = "ETL_ENDPOINT_URL"
    )]
    pub(crate) endpoint_url: Option<String>,
    /// The AWS region; else from the queue's URL or the AWS profile
    #[arg(long, value_name = "REGION", env = "AWS_REGION")]
    pub(crate) region: Option<String>,
}

impl QueueArguments {
    pub(crate) fn settings(&self, longest_wait: Duration) -> Result<Settings, Failure> {
        Ok(Settings {
            queue: self.address()?,
            endpoint: self
                .endpoint_url
                .as_deref()
                .map(Endpoint::parse)
                .transpose()?,
            region: self.region.clone(),
            longest_wait,
        })
    }

    fn address(&self) -> Result<QueueAddress, Failure> {
        match (&self.queue_name, &self.queue_url) {
            (_, Some(url)) if !url.contains("://") => {
                Err(Failure::usage(format!("--queue-url is not a URL: {url}"))
                    .hint("give a queue's name with --queue-name"))
            }
            (_, Some(url)) => Ok(QueueAddress::Url(url.clone())),
            (Some(name), None) => Ok(QueueAddress::Name(name.clone())),
            (None, None) => Err(Failure::usage("no queue is named")
                .hint("give --queue-name NAME or --queue-url URL")),
        }
    }
}
