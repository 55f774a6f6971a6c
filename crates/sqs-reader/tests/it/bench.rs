//! Places to make queues: in memory, on the local SQS server, on the load queue. The laws are asked of each.

use std::sync::OnceLock;
use std::time::Duration;

use local_stack::{ACCESS_KEY_ID, LoadQueue, REGION, SECRET_ACCESS_KEY, SqsClient, sqs};
use serde_json::{Value, json};
use sqs_reader::memory::{MemoryQueue, MemoryServer, QueueSettings, Redrive};
use sqs_reader::{
    Connection, Credentials, Endpoint, QueueAddress, SdkTransport, Settings, Transport,
};

/// How a queue is made. Names are the caller's, and unique.
#[derive(Default)]
pub(crate) struct Plan<'a> {
    /// The queue's visibility timeout in seconds; 30 where it is none.
    pub(crate) visibility: Option<u64>,
    pub(crate) redrive: Option<(&'a str, u32)>,
    pub(crate) fifo: bool,
}

/// A place to make queues.
pub(crate) trait Bench {
    type Queue: Transport;

    async fn queue(&self, name: &str, plan: &Plan<'_>) -> Self::Queue;

    fn url(&self, name: &str) -> String;

    /// The longest message that it takes; the local server is behind the times.
    const MOST_BYTES: usize;
}

/// [`MemoryServer`].
pub(crate) struct Memory(MemoryServer);

impl Memory {
    pub(crate) fn new() -> Self {
        Self(MemoryServer::new())
    }
}

impl Bench for Memory {
    type Queue = MemoryQueue;

    async fn queue(&self, name: &str, plan: &Plan<'_>) -> MemoryQueue {
        let redrive = plan.redrive.map(|(to, max_receive_count)| Redrive {
            to: to.to_owned(),
            max_receive_count,
        });
        let settings = QueueSettings {
            visibility_timeout: Duration::from_secs(plan.visibility.unwrap_or(30)),
            fifo: plan.fifo,
            redrive,
            ..QueueSettings::default()
        };
        self.0.queue(name, settings)
    }

    fn url(&self, name: &str) -> String {
        format!("memory://000000000000/{name}")
    }

    const MOST_BYTES: usize = 1 << 20;
}

/// The SQS server of the local stack.
pub(crate) struct Real;

impl Bench for Real {
    type Queue = SdkTransport;

    async fn queue(&self, name: &str, plan: &Plan<'_>) -> SdkTransport {
        make_queue(sqs().port(), name, plan);
        connect(&sqs().endpoint(), &self.url(name)).await
    }

    fn url(&self, name: &str) -> String {
        sqs().queue_url(name)
    }

    const MOST_BYTES: usize = 1 << 18;
}

/// The load queue of the local stack, which knows no FIFO queues.
pub(crate) struct Load;

fn load_queue() -> &'static LoadQueue {
    static SHARED: OnceLock<LoadQueue> = OnceLock::new();
    SHARED.get_or_init(LoadQueue::start)
}

impl Bench for Load {
    type Queue = SdkTransport;

    async fn queue(&self, name: &str, plan: &Plan<'_>) -> SdkTransport {
        make_queue(load_queue().port(), name, plan);
        connect(&load_queue().endpoint(), &self.url(name)).await
    }

    fn url(&self, name: &str) -> String {
        load_queue().queue_url(name)
    }

    const MOST_BYTES: usize = 1 << 20;
}

fn make_queue(port: u16, name: &str, plan: &Plan<'_>) {
    let mut attributes = json!({ "VisibilityTimeout": plan.visibility.unwrap_or(30).to_string() });
    if let Some((to, max)) = plan.redrive {
        let policy = json!({ "deadLetterTargetArn": SqsClient::arn(to), "maxReceiveCount": max });
        attributes["RedrivePolicy"] = Value::String(policy.to_string());
    }
    if plan.fifo {
        attributes["FifoQueue"] = "true".into();
    }
    let made = SqsClient::new(port).ensure_queue(name, &attributes);
    made.expect("a queue");
}

/// Through the SDK, to a server that may be another than the one that the URL names.
pub(crate) async fn connect(endpoint: &str, queue_url: &str) -> SdkTransport {
    let settings = Settings {
        queue: QueueAddress::Url(queue_url.to_owned()),
        endpoint: Some(Endpoint::parse(endpoint).expect("an endpoint")),
        region: Some(REGION.to_owned()),
        longest_wait: Duration::from_secs(20),
    };
    let connection = Connection::open_as(&settings, credentials()).await;
    let queue = connection.expect("settings").queue(&settings.queue).await;
    queue.expect("a queue")
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, None, "test")
}
