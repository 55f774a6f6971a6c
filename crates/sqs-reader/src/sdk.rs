//! The transport over the AWS SDK: requests built, answers taken apart, requests counted. No decision is made here.

mod probe;
mod wire;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
    MessageSystemAttributeName, QueueAttributeName,
};

pub use self::probe::SendRight;
use self::wire::{built, entry, failures, received};
use crate::attributes::{QueueFacts, RedrivePolicy};
use crate::error::{QueueError, classify};
use crate::message::{OutgoingMessage, ReceivedMessage};
use crate::transport::{EntryFailures, Transport};

/// One SQS queue through the AWS SDK.
pub struct SdkTransport {
    polls: Client,
    calls: Client,
    pub(crate) queue_url: String,
    /// Seconds; `None` leaves it to the queue.
    visibility_timeout: Option<i32>,
    requests: AtomicU64,
}

impl SdkTransport {
    pub(crate) fn new(polls: Client, calls: Client) -> Self {
        Self {
            polls,
            calls,
            queue_url: String::new(),
            visibility_timeout: None,
            requests: AtomicU64::new(0),
        }
    }

    /// The queue's URL.
    pub fn queue_url(&self) -> &str {
        &self.queue_url
    }

    /// The region that requests are signed for.
    pub fn region(&self) -> &str {
        let region = self.calls.config().region();
        region.map(AsRef::as_ref).unwrap_or_default()
    }

    fn count(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }
}

impl Transport for SdkTransport {
    fn set_visibility_timeout(&mut self, timeout: Duration) {
        self.visibility_timeout = i32::try_from(timeout.as_secs()).ok();
    }

    async fn receive(
        &self,
        at_most: usize,
        wait: Duration,
    ) -> Result<Vec<ReceivedMessage>, QueueError> {
        self.count();
        let answer = self
            .polls
            .receive_message()
            .queue_url(&self.queue_url)
            .max_number_of_messages(i32::try_from(at_most).unwrap_or(1))
            .wait_time_seconds(i32::try_from(wait.as_secs()).unwrap_or(20))
            .set_visibility_timeout(self.visibility_timeout)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .message_system_attribute_names(MessageSystemAttributeName::MessageGroupId)
            .message_attribute_names("All")
            .send()
            .await
            .map_err(|error| classify(&format!("receive from {}", self.queue_url), &error))?;
        Ok(answer
            .messages
            .unwrap_or_default()
            .into_iter()
            .filter_map(received)
            .collect())
    }

    async fn delete(&self, handles: &[String]) -> Result<EntryFailures, QueueError> {
        self.count();
        let entries = handles.iter().enumerate().map(|(index, handle)| {
            DeleteMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .receipt_handle(handle)
                .build()
        });
        let call = self
            .calls
            .delete_message_batch()
            .queue_url(&self.queue_url)
            .set_entries(Some(built(entries)?));
        let answer = call
            .send()
            .await
            .map_err(|error| classify(&format!("delete from {}", self.queue_url), &error))?;
        let done = answer.successful.iter().map(|entry| entry.id.as_str());
        Ok(failures(handles.len(), done, &answer.failed))
    }

    async fn change_visibility(
        &self,
        handles: &[String],
        timeout: Duration,
    ) -> Result<EntryFailures, QueueError> {
        self.count();
        let seconds = i32::try_from(timeout.as_secs()).unwrap_or(i32::MAX);
        let entries = handles.iter().enumerate().map(|(index, handle)| {
            ChangeMessageVisibilityBatchRequestEntry::builder()
                .id(index.to_string())
                .receipt_handle(handle)
                .visibility_timeout(seconds)
                .build()
        });
        let call = self
            .calls
            .change_message_visibility_batch()
            .queue_url(&self.queue_url)
            .set_entries(Some(built(entries)?));
        let answer = call.send().await.map_err(|error| {
            classify(&format!("change visibility on {}", self.queue_url), &error)
        })?;
        let done = answer.successful.iter().map(|entry| entry.id.as_str());
        Ok(failures(handles.len(), done, &answer.failed))
    }

    async fn send(
        &self,
        url: &str,
        messages: &[OutgoingMessage],
    ) -> Result<EntryFailures, QueueError> {
        self.count();
        let entries = messages
            .iter()
            .enumerate()
            .map(|(index, message)| entry(index, message));
        let call = self
            .calls
            .send_message_batch()
            .queue_url(url)
            .set_entries(Some(built(entries)?));
        let answer = call
            .send()
            .await
            .map_err(|error| classify(&format!("send to {url}"), &error))?;
        let done = answer.successful.iter().map(|entry| entry.id.as_str());
        Ok(failures(messages.len(), done, &answer.failed))
    }

    async fn facts(&self) -> Result<QueueFacts, QueueError> {
        self.count();
        let answer = self
            .calls
            .get_queue_attributes()
            .queue_url(&self.queue_url)
            .attribute_names(QueueAttributeName::All)
            .send()
            .await
            .map_err(|error| {
                classify(
                    &format!("read the attributes of {}", self.queue_url),
                    &error,
                )
            })?;
        let attributes = answer.attributes.unwrap_or_default();
        let text = |name: QueueAttributeName| attributes.get(&name).map(String::as_str);
        let number = |name| text(name).and_then(|text| text.parse().ok());
        Ok(QueueFacts {
            visibility_timeout: Duration::from_secs(
                number(QueueAttributeName::VisibilityTimeout).unwrap_or(30),
            ),
            waiting: number(QueueAttributeName::ApproximateNumberOfMessages).unwrap_or(0),
            in_flight: number(QueueAttributeName::ApproximateNumberOfMessagesNotVisible)
                .unwrap_or(0),
            fifo: text(QueueAttributeName::FifoQueue) == Some("true"),
            redrive: text(QueueAttributeName::RedrivePolicy).and_then(RedrivePolicy::parse),
        })
    }

    async fn url_of(&self, name: &str, account: Option<&str>) -> Result<String, QueueError> {
        self.count();
        let call = self.calls.get_queue_url().queue_name(name);
        let call = call.set_queue_owner_aws_account_id(account.map(str::to_owned));
        let answer = call
            .send()
            .await
            .map_err(|error| classify(&format!("look up queue {name}"), &error))?;
        answer
            .queue_url
            .ok_or_else(|| QueueError::NoSuchQueue(name.to_owned()))
    }

    fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}
