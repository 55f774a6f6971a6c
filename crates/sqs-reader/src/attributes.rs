//! What a queue says of itself: the attributes that decide how to read it.

use std::time::Duration;

use crate::address::QueueArn;
use crate::error::QueueError;
use crate::transport::Transport;

/// The attributes of a queue that matter to a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueFacts {
    /// How long a received message stays hidden.
    pub visibility_timeout: Duration,
    /// `ApproximateNumberOfMessages`: what waits.
    pub waiting: u64,
    /// `ApproximateNumberOfMessagesNotVisible`: what readers hold.
    pub in_flight: u64,
    /// Whether it is a FIFO queue.
    pub fifo: bool,
    /// Where SQS itself moves a message that was received too often.
    pub redrive: Option<RedrivePolicy>,
}

impl QueueFacts {
    /// Of a transport that hands out each message once and hides nothing, as a file does.
    pub fn of_single_pass() -> Self {
        Self {
            visibility_timeout: Duration::from_hours(12),
            waiting: 0,
            in_flight: 0,
            fifo: false,
            redrive: None,
        }
    }

    /// The URL of the queue that the redrive policy names; `None` where there is none, or where it cannot be found for
    /// a reason that stays, which is logged.
    pub async fn dead_letter_url<T: Transport>(
        &self,
        transport: &T,
    ) -> Result<Option<String>, QueueError> {
        let policy = self.redrive.as_ref();
        let Some((account, name)) = policy.and_then(RedrivePolicy::account_and_name) else {
            return Ok(None);
        };
        match transport.url_of(name, Some(account)).await {
            Ok(url) => Ok(Some(url)),
            Err(error) if error.is_transient() => Err(error),
            Err(error) => {
                tracing::warn!(error = %error, "failed to find the dead-letter queue of the queue's RedrivePolicy");
                Ok(None)
            }
        }
    }
}

/// The `RedrivePolicy` attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedrivePolicy {
    /// `arn:aws:sqs:REGION:ACCOUNT:NAME` of the dead-letter queue.
    pub dead_letter_arn: String,
    /// Receives after which SQS moves a message; `None` where the policy cannot be read.
    pub max_receive_count: Option<u32>,
}

impl RedrivePolicy {
    /// Reads the attribute's JSON. AWS writes the count as a number, some servers as a string.
    pub(crate) fn parse(json: &str) -> Option<Self> {
        let policy: serde_json::Value = serde_json::from_str(json).ok()?;
        let count = policy.get("maxReceiveCount");
        let as_number = count
            .and_then(serde_json::Value::as_u64)
            .and_then(|count| u32::try_from(count).ok());
        let as_text = count
            .and_then(serde_json::Value::as_str)
            .and_then(|count| count.parse().ok());
        Some(Self {
            dead_letter_arn: policy.get("deadLetterTargetArn")?.as_str()?.to_owned(),
            max_receive_count: as_number.or(as_text),
        })
    }

    /// Account and name of the dead-letter queue.
    pub fn account_and_name(&self) -> Option<(&str, &str)> {
        let arn = QueueArn::parse(&self.dead_letter_arn)?;
        Some((arn.account, arn.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redrive_policy_is_read_with_the_count_as_number_or_text() {
        for count in ["5", "\"5\""] {
            let json = format!(
                r#"{{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:123:dead","maxReceiveCount":{count}}}"#
            );
            let policy = RedrivePolicy::parse(&json).unwrap();
            assert_eq!(policy.max_receive_count, Some(5));
            assert_eq!(policy.account_and_name(), Some(("123", "dead")));
        }
    }

    #[test]
    fn what_is_no_policy_is_none() {
        assert_eq!(RedrivePolicy::parse(""), None);
        assert_eq!(RedrivePolicy::parse("{}"), None);
    }
}
