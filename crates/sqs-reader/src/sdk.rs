//! The transport over the AWS SDK: requests built, answers taken apart, requests counted. No decision is made here.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry,
    DeleteMessageBatchRequestEntry, Message, MessageAttributeValue, MessageSystemAttributeName,
    QueueAttributeName, SendMessageBatchRequestEntry,
};

use crate::attributes::{QueueFacts, RedrivePolicy};
use crate::error::{QueueError, classify};
use crate::message::{AttributeContent, AttributeValue, OutgoingMessage, ReceivedMessage};
use crate::transport::{EntryFailure, EntryFailures, Transport};

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

/// `None` for an answer without the id or the handle: all such messages would pass for one, and could not be settled.
fn received(message: Message) -> Option<ReceivedMessage> {
    let mut system = message.attributes.unwrap_or_default();
    let mut take = |name: MessageSystemAttributeName| system.remove(&name);
    let attributes = message.message_attributes.unwrap_or_default();
    Some(ReceivedMessage {
        sent_at_ms: take(MessageSystemAttributeName::SentTimestamp)
            .and_then(|text| text.parse().ok()),
        receive_count: take(MessageSystemAttributeName::ApproximateReceiveCount)
            .and_then(|text| text.parse().ok())
            .unwrap_or(1),
        group_id: take(MessageSystemAttributeName::MessageGroupId),
        message_id: message.message_id.filter(|id| !id.is_empty())?,
        receipt_handle: message.receipt_handle.filter(|handle| !handle.is_empty())?,
        body: message.body.unwrap_or_default(),
        attributes: attributes.into_iter().filter_map(attribute).collect(),
    })
}

fn attribute((name, value): (String, MessageAttributeValue)) -> Option<(String, AttributeValue)> {
    let content = match (value.string_value, value.binary_value) {
        (Some(text), _) => AttributeContent::Text(text),
        (None, Some(bytes)) => AttributeContent::Binary(bytes.into_inner()),
        (None, None) => return None,
    };
    Some((
        name,
        AttributeValue {
            data_type: value.data_type,
            content,
        },
    ))
}

/// The position is the entry's id: a batch with two equal ids is refused whole.
fn entry(
    index: usize,
    message: &OutgoingMessage,
) -> Result<SendMessageBatchRequestEntry, aws_sdk_sqs::error::BuildError> {
    let mut builder = SendMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .message_body(&message.body)
        .set_message_group_id(message.group_id.clone())
        .set_message_deduplication_id(message.deduplication_id.clone());
    for (name, value) in &message.attributes {
        let attribute = MessageAttributeValue::builder().data_type(&value.data_type);
        let attribute = match &value.content {
            AttributeContent::Text(text) => attribute.string_value(text),
            AttributeContent::Binary(bytes) => attribute.binary_value(Blob::new(bytes.clone())),
        };
        builder = builder.message_attributes(name, attribute.build()?);
    }
    builder.build()
}

fn built<E>(
    entries: impl Iterator<Item = Result<E, aws_sdk_sqs::error::BuildError>>,
) -> Result<Vec<E>, QueueError> {
    entries
        .collect::<Result<_, _>>()
        .map_err(|error| QueueError::Configuration(error.to_string()))
}

/// Every entry that the answer does not call successful, so that a garbled answer never passes for success: what was
/// "sent" is deleted next.
fn failures<'a>(
    entries: usize,
    successful: impl Iterator<Item = &'a str>,
    failed: &[BatchResultErrorEntry],
) -> EntryFailures {
    let mut open: Vec<bool> = vec![true; entries];
    for index in successful.filter_map(|id| id.parse::<usize>().ok()) {
        if let Some(entry) = open.get_mut(index) {
            *entry = false;
        }
    }
    let failure = |index: usize| {
        let told = failed.iter().find(|entry| entry.id == index.to_string());
        EntryFailure {
            index,
            code: told.map_or_else(|| "NotMentioned".to_owned(), |entry| entry.code.clone()),
            sender_fault: told.is_some_and(|entry| entry.sender_fault),
        }
    };
    (0..entries)
        .filter(|&index| open[index])
        .map(failure)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_that_the_answer_does_not_mention_has_failed() {
        let told = BatchResultErrorEntry::builder()
            .id("2")
            .code("InvalidMessageContents")
            .sender_fault(true)
            .build()
            .unwrap();
        let failed = failures(4, ["0", "junk", "17"].into_iter(), &[told]);
        let seen = failed.iter().map(|entry| (entry.index, entry.sender_fault));
        assert_eq!(
            seen.collect::<Vec<_>>(),
            [(1, false), (2, true), (3, false)]
        );
    }

    #[test]
    fn a_message_that_cannot_be_told_from_others_is_left_out() {
        let message = || Message::builder().body("b").receipt_handle("h");
        assert!(received(message().build()).is_none());
        assert!(received(message().message_id("").build()).is_none());
        assert!(received(message().message_id("m").build()).is_some());
    }
}
