//! Who the credentials are, as STS tells anybody who asks: `GetCallerIdentity` needs no right.
//! Source: <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>.

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_sts::Client;
use aws_sdk_sts::config::Builder;

use crate::connect::{CALL, time_outs};
use crate::error::{QueueError, classify};

/// Asks STS with the credentials of a connection.
#[derive(Clone)]
pub struct Caller(Client);

impl Caller {
    /// An endpoint that is named for the queue alone is not STS's.
    pub(crate) fn new(shared: &SdkConfig, is_queues_own: bool, is_aws: bool) -> Option<Self> {
        let for_all = shared.endpoint_url().filter(|_| !is_queues_own);
        let endpoint = std::env::var("AWS_ENDPOINT_URL_STS").ok();
        let endpoint = endpoint.or_else(|| for_all.map(str::to_owned));
        if endpoint.is_none() && !is_aws {
            return None;
        }
        let mut config = Builder::from(shared)
            .timeout_config(time_outs(CALL))
            .retry_config(RetryConfig::disabled());
        config.set_endpoint_url(endpoint);
        Some(Self(Client::from_conf(config.build())))
    }

    /// The ARN of the user or the assumed role.
    pub async fn arn(&self) -> Result<String, QueueError> {
        let answer = self.0.get_caller_identity().send().await;
        let answer = answer.map_err(|error| classify("ask STS who we are", &error))?;
        let unknown = || QueueError::Server("STS named no identity".to_owned());
        answer.arn.ok_or_else(unknown)
    }
}
