//! From settings to a connected queue: region, endpoint, credentials, time-outs, and which URL a name has.
//! Everything that an SDK release could change under us is set here by name.

use std::panic::resume_unwind;
use std::time::Duration;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{Builder, Credentials, Region};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use crate::address::{Endpoint, QueueAddress, QueueArn};
use crate::caller::Caller;
use crate::error::QueueError;
use crate::sdk::SdkTransport;
use crate::transport::Transport as _;

/// How long over its wait a receive's answer may take.
const OVER_WAIT: Duration = Duration::from_secs(10);
pub(crate) const CALL: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(3);
const CALL_TRIES: u32 = 3;
/// Where a server that is not AWS is meant to be, if nobody says: it takes any.
const ANY_REGION: Region = Region::from_static("us-east-1");

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
    caller: Option<Caller>,
}

impl Connection {
    /// Loads the configuration and finds the credentials as every AWS tool does; makes no request to SQS.
    pub async fn open(settings: &Settings) -> Result<Self, QueueError> {
        Self::load(settings, aws_config::defaults(behaviour())).await
    }

    /// The same with these credentials, whatever the machine offers.
    pub async fn open_as(
        settings: &Settings,
        credentials: Credentials,
    ) -> Result<Self, QueueError> {
        let loader = aws_config::defaults(behaviour()).credentials_provider(credentials);
        Self::load(settings, loader).await
    }

    /// On a thread of its own: the SDK reads the machine's root certificates in one go, for tens of milliseconds, in
    /// which this one can connect elsewhere.
    async fn load(settings: &Settings, loader: ConfigLoader) -> Result<Self, QueueError> {
        let (settings, runtime) = (settings.clone(), Handle::current());
        let load = move || runtime.block_on(Self::load_in_one_go(&settings, loader));
        let outcome = spawn_blocking(load).await;
        outcome.unwrap_or_else(|panic| resume_unwind(panic.into_panic()))
    }

    async fn load_in_one_go(settings: &Settings, loader: ConfigLoader) -> Result<Self, QueueError> {
        let own_server = settings.queue.own_server()?;
        let mut loader =
            loader.stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        if let Some(region) = region(settings)? {
            loader = loader.region(Region::new(region));
        } else if !is_aws(settings.endpoint.as_ref().or(own_server.as_ref())) {
            // Not from the metadata of a machine: elsewhere than in AWS that waits for seconds, and for nothing.
            loader = loader.region(
                RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
                    .or_else(ProfileFileRegionProvider::new())
                    .or_else(ANY_REGION),
            );
        }
        if let Some(endpoint) = &settings.endpoint {
            loader = loader.endpoint_url(endpoint.as_str());
        }
        let shared = loader.load().await;
        let server = settings.endpoint.as_ref().or(own_server.as_ref());
        let caller = Caller::new(&shared, settings.endpoint.is_some(), is_aws(server));
        let base = base(&shared, own_server)?;
        Ok(Self {
            polls: Client::from_conf(for_polls(base.clone(), settings.longest_wait).build()),
            calls: Client::from_conf(for_calls(base).build()),
            caller,
        })
    }

    /// Asks STS who the credentials are. `None` where the server is not AWS, which need not have an STS.
    pub fn caller(&self) -> Option<Caller> {
        self.caller.clone()
    }

    /// The queue at `address`; asks SQS for its URL where only the name or the ARN is known.
    pub async fn queue(self, address: &QueueAddress) -> Result<SdkTransport, QueueError> {
        let mut transport = SdkTransport::new(self.polls, self.calls);
        transport.queue_url = match address {
            QueueAddress::Url(url) => url.clone(),
            QueueAddress::Name(name) => transport.url_of(name, None).await?,
            QueueAddress::Arn(arn) => {
                let queue = QueueArn::parse(arn).ok_or_else(|| {
                    QueueError::Configuration(format!("not the ARN of a queue: {arn}"))
                })?;
                transport.url_of(queue.name, Some(queue.account)).await?
            }
        };
        Ok(transport)
    }
}

/// Pinned: another version may have other defaults.
fn behaviour() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// The polling loop tries again itself, and backs off.
fn for_polls(base: Builder, longest_wait: Duration) -> Builder {
    base.timeout_config(time_outs(longest_wait.saturating_add(OVER_WAIT)))
        .retry_config(RetryConfig::disabled())
}

fn for_calls(base: Builder) -> Builder {
    base.timeout_config(time_outs(CALL))
        .retry_config(RetryConfig::standard().with_max_attempts(CALL_TRIES))
}

pub(crate) fn time_outs(attempt: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(attempt)
        .build()
}

/// A server in the queue's URL counts only where nobody named one, in the options or for all AWS tools.
fn base(shared: &SdkConfig, own_server: Option<Endpoint>) -> Result<Builder, QueueError> {
    if shared.region().is_none() {
        return Err(QueueError::Configuration(
            "no AWS region is set: give --region or AWS_REGION".to_owned(),
        ));
    }
    let mut base = Builder::from(shared);
    let named =
        shared.endpoint_url().is_some() || std::env::var_os("AWS_ENDPOINT_URL_SQS").is_some();
    if let Some(server) = own_server.filter(|_| !named) {
        base.set_endpoint_url(Some(server.as_str().to_owned()));
    }
    Ok(base)
}

fn is_aws(endpoint: Option<&Endpoint>) -> bool {
    endpoint.is_none_or(Endpoint::is_aws)
}

/// The region that the settings name; `None` leaves it to the environment and the profile.
fn region(settings: &Settings) -> Result<Option<String>, QueueError> {
    match (
        &settings.region,
        settings.queue.region(),
        &settings.endpoint,
    ) {
        (Some(region), Some(in_url), None) if *region != in_url => {
            Err(QueueError::Configuration(format!(
                "--queue-url is in region {in_url}, --region says {region}: give one of them, or the right one"
            )))
        }
        (Some(region), ..) => Ok(Some(region.clone())),
        (None, in_url, _) => Ok(in_url.map(str::to_owned)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str, region: Option<&str>, endpoint: Option<&str>) -> Settings {
        Settings {
            queue: QueueAddress::Url(url.to_owned()),
            endpoint: endpoint.map(|url| Endpoint::parse(url).unwrap()),
            region: region.map(str::to_owned),
            longest_wait: Duration::from_secs(20),
        }
    }

    fn credentials() -> Credentials {
        Credentials::new("id", "key", None, None, "test")
    }

    #[test]
    fn two_regions_are_a_mistake_unless_an_endpoint_decides() {
        let url = "https://sqs.eu-west-1.amazonaws.com/1/q";
        let of = |asked, endpoint| region(&settings(url, asked, endpoint));
        assert_eq!(of(None, None).unwrap().as_deref(), Some("eu-west-1"));
        let refused = of(Some("us-east-1"), None).unwrap_err();
        assert!(
            matches!(&refused, QueueError::Configuration(text) if text.contains("eu-west-1") && text.contains("us-east-1"))
        );
        let through_proxy = of(Some("us-east-1"), Some("http://proxy:1"));
        assert_eq!(through_proxy.unwrap().as_deref(), Some("us-east-1"));
    }

    /// What a release of the SDK could change under us.
    #[tokio::test]
    async fn the_clients_are_set_by_name() {
        let settings = settings("http://localhost:1/000000000000/q", Some("eu-west-3"), None);
        let connection = Connection::open_as(&settings, credentials()).await.unwrap();
        for (client, attempt, tries) in [(&connection.polls, 30, 1), (&connection.calls, 10, 3)] {
            let config = client.config();
            let time_outs = config.timeout_config().unwrap();
            assert_eq!(
                time_outs.operation_attempt_timeout(),
                Some(Duration::from_secs(attempt))
            );
            assert_eq!(time_outs.connect_timeout(), Some(CONNECT));
            assert_eq!(time_outs.operation_timeout(), None);
            assert_eq!(config.retry_config().unwrap().max_attempts(), tries);
            assert!(!config.stalled_stream_protection().unwrap().is_enabled());
            assert_eq!(config.region().unwrap().as_ref(), "eu-west-3");
        }
    }
}
