//! From settings to a connected queue: region, endpoint, credentials, time-outs, and which URL a name has.
//! Everything that an SDK release could change under us is set here by name.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::Region;

use crate::error::QueueError;
use crate::sdk::SdkTransport;

/// How long over its wait a receive's answer may take.
const OVER_WAIT: Duration = Duration::from_secs(10);
const CALL: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(3);
const CALL_TRIES: u32 = 3;
/// Where a server that is not AWS is meant to be, if nobody says: it takes any.
const ANY_REGION: &str = "us-east-1";

/// Which queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueueAddress {
    /// By name, in the account of the credentials.
    Name(String),
    /// By URL.
    Url(String),
}

/// Which server, where it is not AWS's own for the region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(String);

impl Endpoint {
    /// Reads an endpoint URL. A path after the host, as in `http://localhost:4566/000000000000/`, is dropped: the
    /// account belongs to a queue's URL and not to the server.
    pub fn parse(url: &str) -> Result<Self, QueueError> {
        let bad = || {
            QueueError::Configuration(format!(
                "--endpoint-url is not a URL such as http://localhost:4566: {url}"
            ))
        };
        let (scheme, rest) = url.split_once("://").ok_or_else(bad)?;
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if !matches!(scheme, "http" | "https")
            || host.is_empty()
            || host.contains(char::is_whitespace)
        {
            return Err(bad());
        }
        Ok(Self(format!("{scheme}://{host}")))
    }

    /// Scheme, host and port.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is needed to reach a queue.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The queue.
    pub queue: QueueAddress,
    /// A server other than AWS's for the region; always wins over the host in a queue URL.
    pub endpoint: Option<Endpoint>,
    /// Else from the queue URL, the environment or the profile.
    pub region: Option<String>,
    /// The longest wait that will be asked for.
    pub longest_wait: Duration,
}

/// Clients for one account, region and server.
pub struct Connection {
    polls: Client,
    calls: Client,
}

impl Connection {
    /// Loads the configuration as every AWS tool does; makes no request to SQS.
    pub async fn open(settings: &Settings) -> Result<Self, QueueError> {
        let region = region(settings)?;
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        if let Some(region) = region {
            loader = loader.region(Region::new(region));
        }
        if let Some(endpoint) = &settings.endpoint {
            loader = loader.endpoint_url(endpoint.as_str());
        }
        let shared = loader.load().await;
        if shared.region().is_none() {
            return Err(QueueError::Configuration(
                "no AWS region is set: give --region or AWS_REGION".to_owned(),
            ));
        }
        let base = aws_sdk_sqs::config::Builder::from(&shared);
        let polls = base
            .clone()
            .timeout_config(time_outs(settings.longest_wait.saturating_add(OVER_WAIT)))
            // The polling loop tries again itself, and backs off.
            .retry_config(RetryConfig::disabled());
        let calls = base
            .timeout_config(time_outs(CALL))
            .retry_config(RetryConfig::standard().with_max_attempts(CALL_TRIES));
        Ok(Self {
            polls: Client::from_conf(polls.build()),
            calls: Client::from_conf(calls.build()),
        })
    }

    /// The queue at `address`; asks SQS for its URL where only the name is known.
    pub async fn queue(self, address: &QueueAddress) -> Result<SdkTransport, QueueError> {
        let mut transport = SdkTransport::new(self.polls, self.calls);
        transport.queue_url = match address {
            QueueAddress::Url(url) => url.clone(),
            QueueAddress::Name(name) => {
                crate::transport::Transport::url_of(&transport, name, None).await?
            }
        };
        Ok(transport)
    }
}

fn time_outs(attempt: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(attempt)
        .build()
}

/// The region to set; `None` leaves it to the environment and the profile.
fn region(settings: &Settings) -> Result<Option<String>, QueueError> {
    let in_url = match &settings.queue {
        QueueAddress::Url(url) => region_of(url),
        QueueAddress::Name(_) => None,
    };
    match (&settings.region, in_url, &settings.endpoint) {
        (Some(region), Some(in_url), None) if *region != in_url => {
            Err(QueueError::Configuration(format!(
                "--queue-url is in region {in_url}, --region says {region}: give one of them, or the right one"
            )))
        }
        (Some(region), ..) => Ok(Some(region.clone())),
        (None, Some(in_url), _) => Ok(Some(in_url.to_owned())),
        (None, None, Some(endpoint))
            if !endpoint.0.contains("amazonaws.") && !region_in_environment() =>
        {
            Ok(Some(ANY_REGION.to_owned()))
        }
        (None, None, _) => Ok(None),
    }
}

fn region_in_environment() -> bool {
    ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"]
        .iter()
        .any(|name| std::env::var_os(name).is_some())
}

/// The region in an AWS queue URL such as `https://sqs.eu-west-1.amazonaws.com/123/q`.
fn region_of(url: &str) -> Option<&str> {
    let host = url.split_once("://")?.1.split('/').next()?;
    let rest = host.strip_prefix("sqs.")?;
    rest.split_once(".amazonaws.").map(|(region, _)| region)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(queue: QueueAddress, region: Option<&str>, endpoint: Option<&str>) -> Settings {
        Settings {
            queue,
            endpoint: endpoint.map(|url| Endpoint::parse(url).unwrap()),
            region: region.map(str::to_owned),
            longest_wait: Duration::from_secs(20),
        }
    }

    #[test]
    fn a_path_after_the_host_is_accepted() {
        for url in [
            "http://localhost:4566/000000000000/",
            "http://localhost:4566",
            "http://localhost:4566/",
        ] {
            assert_eq!(
                Endpoint::parse(url).unwrap().as_str(),
                "http://localhost:4566"
            );
        }
    }

    #[test]
    fn what_is_no_url_is_refused_by_the_options_name() {
        for url in ["localhost:4566", "ftp://host", "http://", "http://a b"] {
            assert!(
                Endpoint::parse(url)
                    .unwrap_err()
                    .to_string()
                    .starts_with("--endpoint-url")
            );
        }
    }

    #[test]
    fn a_queue_url_names_its_region() {
        let url = || QueueAddress::Url("https://sqs.eu-west-1.amazonaws.com/1/q".to_owned());
        assert_eq!(
            region(&settings(url(), None, None)).unwrap().as_deref(),
            Some("eu-west-1")
        );
        assert!(region(&settings(url(), Some("us-east-1"), None)).is_err());
        let through_proxy = settings(url(), Some("us-east-1"), Some("http://proxy:1"));
        assert_eq!(
            region(&through_proxy).unwrap().as_deref(),
            Some("us-east-1")
        );
    }
}
