//! The dead-letter queue, looked for when the first message is to go there: most execution environments never need it,
//! and start sooner without.

use std::time::Duration;

use sqs_reader::{
    Connection, EntryFailures, OutgoingMessage, QueueAddress, QueueError, SdkTransport, Settings,
    Transport as _,
};
use tokio::sync::OnceCell;

use crate::configuration::QueueConfiguration;

/// Where unreadable messages go.
pub(crate) struct DeadLetters {
    configuration: QueueConfiguration,
    target: OnceCell<Target>,
}

/// A client, and the queue that it sends to.
struct Target {
    transport: SdkTransport,
    url: String,
}

impl DeadLetters {
    pub(crate) fn new(configuration: QueueConfiguration) -> Self {
        Self {
            configuration,
            target: OnceCell::new(),
        }
    }

    /// The URL of the dead-letter queue for messages of the queue of this ARN; none where none is known, which is said.
    pub(crate) async fn url(&self, source_arn: &str) -> Option<&str> {
        let target = self
            .target
            .get_or_try_init(|| self.find(source_arn))
            .await
            .inspect_err(|error| {
                tracing::warn!(error = %error, hint = error.hint(), "no dead-letter queue is known: what is unreadable is left");
            });
        target.ok().map(|target| target.url.as_str())
    }

    async fn find(&self, source_arn: &str) -> Result<Target, QueueError> {
        match &self.configuration.dead_letter_queue {
            None => self.of_policy(source_arn).await,
            Some(asked) => {
                let address = QueueAddress::of(asked);
                if address.is_queue_of(source_arn) {
                    return Err(QueueError::Configuration(
                        "ETL_DEAD_LETTER_QUEUE is the queue that is read".to_owned(),
                    ));
                }
                let transport = self.connect(source_arn, &address).await?;
                let url = transport.queue_url().to_owned();
                Ok(Target { transport, url })
            }
        }
    }

    /// The queue that the source's RedrivePolicy names.
    async fn of_policy(&self, source_arn: &str) -> Result<Target, QueueError> {
        let source = QueueAddress::Arn(source_arn.to_owned());
        let transport = self.connect(source_arn, &source).await?;
        let facts = transport.facts().await?;
        let found = facts.dead_letter_url(&transport).await?;
        let url = found.ok_or_else(|| {
            QueueError::Configuration(
                "the queue has no RedrivePolicy, and ETL_DEAD_LETTER_QUEUE is not set".to_owned(),
            )
        })?;
        Ok(Target { transport, url })
    }

    async fn connect(
        &self,
        source_arn: &str,
        address: &QueueAddress,
    ) -> Result<SdkTransport, QueueError> {
        let queue = match address {
            // Only the source tells its region.
            QueueAddress::Name(_) => QueueAddress::Arn(source_arn.to_owned()),
            known => known.clone(),
        };
        let settings = Settings {
            queue,
            endpoint: self.configuration.endpoint.clone(),
            region: None,
            longest_wait: Duration::ZERO,
        };
        Connection::open(&settings).await?.queue(address).await
    }

    /// Sends to the queue that [`url`](Self::url) has named before.
    pub(crate) async fn send(
        &self,
        url: &str,
        messages: &[OutgoingMessage],
    ) -> Result<EntryFailures, QueueError> {
        match self.target.get() {
            Some(target) => target.transport.send(url, messages).await,
            None => Err(QueueError::NoSuchQueue(url.to_owned())),
        }
    }
}
