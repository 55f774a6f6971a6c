//! What may be done with a queue, found out without touching a message: each request holds something that SQS refuses
//! once it has looked at the rights, such as a receipt handle that never was.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_sqs::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_sqs::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sqs::error::BoxError;
use aws_sdk_sqs::primitives::{DateTime, DateTimeFormat};
use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry};

use super::SdkTransport;
use super::wire::built;
use crate::error::{QueueError, classify};
use crate::transport::{EntryFailures, Transport as _};

const NO_HANDLE: &str = "etl-check";
/// A character that no message may hold, and more seconds than a message may be delayed by.
const NO_BODY: &str = "\u{fffe}";
const NO_DELAY: i32 = 901;

/// Whether messages may be sent to a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendRight {
    /// They may.
    Granted,
    /// They may not.
    Denied,
    /// They may; the server, which is stricter in AWS, took the message that was made to be refused.
    Taken,
}

impl SdkTransport {
    /// The actions among receive, delete and change visibility that the identity may not do.
    ///
    /// A receive is tried with a count of 0, which SQS refuses. That it looks at the rights first is not documented,
    /// so `is_empty` has one more receive made, of a queue where nothing waits to be taken.
    pub async fn denied_actions(&self, is_empty: bool) -> Result<Vec<&'static str>, QueueError> {
        let handle = [NO_HANDLE.to_owned()];
        let counts: &[i32] = if is_empty { &[0, 1] } else { &[0] };
        let (received, deleted, hidden) = tokio::join!(
            self.receive_unseen(counts),
            self.delete(&handle),
            self.change_visibility(&handle, Duration::ZERO),
        );
        let outcomes = [
            ("sqs:ReceiveMessage", denies(received)),
            ("sqs:DeleteMessage", denies(deleted)),
            ("sqs:ChangeMessageVisibility", denies(hidden)),
        ];
        let mut denied = Vec::new();
        for (action, outcome) in outcomes {
            if outcome? {
                denied.push(action);
            }
        }
        Ok(denied)
    }

    /// What is taken all the same is visible again at once.
    async fn receive_unseen(&self, counts: &[i32]) -> Result<EntryFailures, QueueError> {
        let mut outcome = Ok(Vec::new());
        for count in counts {
            self.count();
            let call = self.calls.receive_message().queue_url(&self.queue_url);
            let call = call.max_number_of_messages(*count).visibility_timeout(0);
            let answer = call.wait_time_seconds(0).send().await;
            let answer = answer
                .map_err(|error| classify(&format!("receive from {}", self.queue_url), &error));
            outcome = answer.map(|_| Vec::new());
            if matches!(outcome, Err(QueueError::Denied(_))) {
                break;
            }
        }
        outcome
    }

    /// Whether messages may be sent to the queue at `url`; sends one that SQS refuses.
    pub async fn send_right(&self, url: &str) -> Result<SendRight, QueueError> {
        self.count();
        let entry = SendMessageBatchRequestEntry::builder()
            .id("0")
            .message_body(NO_BODY)
            .delay_seconds(NO_DELAY)
            .build();
        let entries = built(std::iter::once(entry))?;
        let call = self.calls.send_message_batch().queue_url(url);
        let answer = call.set_entries(Some(entries)).send().await;
        match answer.map_err(|error| classify(&format!("send to {url}"), &error)) {
            Ok(answer) if !answer.successful.is_empty() => Ok(SendRight::Taken),
            Ok(_) | Err(QueueError::Refused(_)) => Ok(SendRight::Granted),
            Err(QueueError::Denied(_)) => Ok(SendRight::Denied),
            Err(error) => Err(error),
        }
    }

    /// Whether SQS itself may move messages from this queue to the one at `url`, by that one's `RedriveAllowPolicy`.
    pub async fn allows_redrive(&self, url: &str) -> Result<bool, QueueError> {
        let arn = self.attribute(&self.queue_url, QueueAttributeName::QueueArn);
        let policy = self.attribute(url, QueueAttributeName::RedriveAllowPolicy);
        let (arn, policy) = tokio::try_join!(arn, policy)?;
        Ok(policy.is_none_or(|policy| allows(&policy, arn.as_deref().unwrap_or_default())))
    }

    async fn attribute(
        &self,
        url: &str,
        name: QueueAttributeName,
    ) -> Result<Option<String>, QueueError> {
        self.count();
        let call = self.calls.get_queue_attributes().queue_url(url);
        let answer = call.attribute_names(name.clone()).send().await;
        let answer =
            answer.map_err(|error| classify(&format!("read the attributes of {url}"), &error))?;
        Ok(answer
            .attributes
            .and_then(|mut attributes| attributes.remove(&name)))
    }

    /// Seconds by which this machine's clock is ahead of the server's, as the head of an answer tells to the second;
    /// `None` where it tells no date.
    pub async fn clock_lead(&self) -> Result<Option<f64>, QueueError> {
        self.count();
        let heard = DateOfAnswer::default();
        let call = self.calls.get_queue_attributes().queue_url(&self.queue_url);
        let call = call.attribute_names(QueueAttributeName::QueueArn);
        let answer = call.customize().interceptor(heard.clone()).send().await;
        answer.map_err(|error| {
            classify(
                &format!("read the attributes of {}", self.queue_url),
                &error,
            )
        })?;
        let lead = heard.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(*lead)
    }
}

/// Whether the outcome says that the right is missing; other refusals come from the request itself.
fn denies(outcome: Result<EntryFailures, QueueError>) -> Result<bool, QueueError> {
    match outcome {
        Ok(failures) => Ok(failures
            .iter()
            .any(|entry| entry.code.contains("AccessDenied"))),
        Err(QueueError::Denied(_)) => Ok(true),
        Err(QueueError::Refused(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html>.
fn allows(policy: &str, source_arn: &str) -> bool {
    let policy: serde_json::Value = serde_json::from_str(policy).unwrap_or_default();
    let sources = policy["sourceQueueArns"].as_array();
    match policy["redrivePermission"].as_str() {
        Some("denyAll") => false,
        Some("byQueue") => sources.is_some_and(|arns| arns.iter().any(|arn| arn == source_arn)),
        _ => true,
    }
}

/// Compares the `Date` of an answer to this machine's clock when it comes in.
#[derive(Debug, Clone, Default)]
struct DateOfAnswer(Arc<Mutex<Option<f64>>>);

impl Intercept for DateOfAnswer {
    fn name(&self) -> &'static str {
        "DateOfAnswer"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let date = context.response().headers().get("date");
        let date = date.and_then(|text| DateTime::from_str(text, DateTimeFormat::HttpDate).ok());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            date.map(|date| now.as_secs_f64() - date.as_secs_f64());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redrive_allow_policy_names_who_may() {
        let arn = "arn:aws:sqs:eu-west-1:1:logins";
        let by_queue = format!(r#"{{"redrivePermission":"byQueue","sourceQueueArns":["{arn}"]}}"#);
        assert!(allows(&by_queue, arn));
        assert!(!allows(&by_queue, "arn:aws:sqs:eu-west-1:1:others"));
        assert!(allows(r#"{"redrivePermission":"allowAll"}"#, arn));
        assert!(!allows(r#"{"redrivePermission":"denyAll"}"#, arn));
    }

    #[test]
    fn a_right_is_missing_only_where_that_is_said() {
        let text = String::new;
        assert!(denies(Err(QueueError::Denied(text()))).unwrap());
        assert!(!denies(Err(QueueError::Refused(text()))).unwrap());
        assert!(!denies(Ok(Vec::new())).unwrap());
        assert!(denies(Err(QueueError::Unreachable(text()))).is_err());
    }
}
