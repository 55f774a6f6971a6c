//! What a soak runs on: a Postgres of its own, a queue with its dead-letter queue behind a fault proxy, the messages,
//! and the program.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use local_stack::{FaultProxy, LoadQueue, Postgres, Sqs, SqsClient};
use serde_json::{Value, json};

const QUEUE: &str = "logins";
const DEAD_LETTERS: &str = "logins-dead-letters";
/// One message in so many cannot be read.
const MALFORMED_EVERY: usize = 100;

pub(crate) struct Stage {
    pub(crate) postgres: Postgres,
    pub(crate) queue: LoadQueue,
    pub(crate) proxy: FaultProxy,
    client: SqsClient,
    pub(crate) sent: Sent,
    log: PathBuf,
}

/// What was sent, by what tells it apart.
#[derive(Default)]
pub(crate) struct Sent {
    pub(crate) user_ids: BTreeSet<String>,
    /// Message ids.
    pub(crate) malformed: BTreeSet<String>,
}

impl Sent {
    pub(crate) fn all(&self) -> usize {
        self.user_ids.len() + self.malformed.len()
    }
}

impl Stage {
    pub(crate) fn new(visibility_seconds: u32, rules: &[&str], seed: u64) -> Self {
        let (postgres, queue) = (Postgres::start_private(), LoadQueue::start());
        let client = SqsClient::new(queue.port());
        client
            .ensure_queue(
                DEAD_LETTERS,
                &json!({ "VisibilityTimeout": visibility_seconds.to_string() }),
            )
            .expect("a queue");
        // Higher than any soak goes: it is the program that dead-letters here, not the server.
        let policy =
            json!({ "deadLetterTargetArn": SqsClient::arn(DEAD_LETTERS), "maxReceiveCount": 1000 });
        let attributes = json!({
            "VisibilityTimeout": visibility_seconds.to_string(), "RedrivePolicy": policy.to_string(),
        });
        client.ensure_queue(QUEUE, &attributes).expect("a queue");
        let rules = rules
            .iter()
            .map(|rule| rule.parse().expect("a rule"))
            .collect();
        let stage = Self {
            proxy: FaultProxy::start(queue.port(), rules, seed),
            log: std::env::temp_dir().join(format!("etl-soak-{}.log", std::process::id())),
            sent: Sent::default(),
            postgres,
            queue,
            client,
        };
        let migrated = stage.etl("migrate").status().expect("etl starts");
        assert!(migrated.success(), "failed to migrate");
        stage
    }

    /// The program with this queue and database; it logs into a file of its own.
    pub(crate) fn etl(&self, subcommand: &str) -> Command {
        let log = File::options().create(true).append(true).open(&self.log);
        let mut command = Command::new(env!("CARGO_BIN_EXE_etl"));
        command
            .env_clear()
            .envs(Sqs::environment())
            .env("DATABASE_URL", self.postgres.admin_url())
            .arg(subcommand)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.expect("a log file"));
        if subcommand != "migrate" {
            command
                .env("ETL_ENDPOINT_URL", self.proxy.endpoint())
                .env("ETL_QUEUE_NAME", QUEUE)
                .env("ETL_MASKING", "base64")
                .env("ETL_OUTPUT", "json");
        }
        command
    }

    pub(crate) fn follow(&self) -> Child {
        self.etl("run").arg("--follow").spawn().expect("etl starts")
    }

    /// A drain to its end; its summary.
    pub(crate) fn drain(&self) -> Value {
        let mut command = self.etl("run");
        let output = command.stdout(Stdio::piped()).output().expect("etl starts");
        assert!(
            output.status.success(),
            "the drain failed; see {}",
            self.log.display()
        );
        serde_json::from_slice(&output.stdout).expect("a summary")
    }

    /// Brings back what is in the dead-letter queue.
    pub(crate) fn redrive(&self) -> Command {
        let mut command = self.etl("rejects");
        command.arg("redrive");
        command
    }

    /// Sends this many more messages, each with a user id of its own.
    pub(crate) fn send(&mut self, count: usize) {
        self.send_to(QUEUE, count);
    }

    /// The same, as if they had been rejected before.
    pub(crate) fn send_to_dead_letters(&mut self, count: usize) {
        self.send_to(DEAD_LETTERS, count);
    }

    fn send_to(&mut self, queue: &str, count: usize) {
        let first = self.sent.all();
        let numbers: Vec<usize> = (first..first + count).collect();
        for ten in numbers.chunks(10) {
            let entries = ten
                .iter()
                .map(|&number| json!({ "Id": number.to_string(), "MessageBody": body(number) }));
            let entries: Vec<Value> = entries.collect();
            let input = json!({ "QueueUrl": self.queue.queue_url(queue), "Entries": entries });
            let answer = self
                .client
                .call("SendMessageBatch", &input)
                .expect("it is sent");
            let sent = answer["Successful"].as_array().expect("entries");
            assert_eq!(sent.len(), ten.len());
            sent.iter().for_each(|entry| self.note_sent(entry));
        }
    }

    fn note_sent(&mut self, entry: &Value) {
        let number: usize = entry["Id"]
            .as_str()
            .and_then(|id| id.parse().ok())
            .expect("an id of ours");
        if is_malformed(number) {
            let id = entry["MessageId"].as_str().expect("a message id");
            self.sent.malformed.insert(id.to_owned());
        } else {
            self.sent.user_ids.insert(user_id(number));
        }
    }

    /// The source message ids in the dead-letter queue.
    pub(crate) fn dead_letters(&self) -> Vec<String> {
        let input = json!({ "QueueUrl": self.queue.queue_url(DEAD_LETTERS), "MaxNumberOfMessages": 10,
            "VisibilityTimeout": 3600, "MessageAttributeNames": ["All"] });
        let mut sources = Vec::new();
        loop {
            let answer = self
                .client
                .call("ReceiveMessage", &input)
                .expect("an answer");
            let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
            if messages.is_empty() {
                return sources;
            }
            let source = |message: &Value| {
                message["MessageAttributes"]["source-message-id"]["StringValue"]
                    .as_str()
                    .map(str::to_owned)
            };
            sources.extend(messages.iter().filter_map(source));
        }
    }

    /// Messages that wait or are hidden.
    pub(crate) fn depth(&self) -> u64 {
        let input = json!({ "QueueUrl": self.queue.queue_url(QUEUE), "AttributeNames": ["All"] });
        let answer = self
            .client
            .call("GetQueueAttributes", &input)
            .expect("an answer");
        let number = |name: &str| {
            answer["Attributes"][name]
                .as_str()
                .and_then(|text| text.parse::<u64>().ok())
        };
        let names = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
        ];
        names.iter().filter_map(|name| number(name)).sum()
    }
}

fn is_malformed(number: usize) -> bool {
    number % MALFORMED_EVERY == MALFORMED_EVERY / 2
}

fn user_id(number: usize) -> String {
    format!("user-{number:06}")
}

fn body(number: usize) -> String {
    if is_malformed(number) {
        return json!({ "foo": "oops_wrong_msg_type", "bar": number }).to_string();
    }
    json!({
        "user_id": user_id(number), "app_version": "2.3.0", "device_type": "android", "ip": "199.172.111.135",
        "locale": "RU", "device_id": "593-47-5928",
    })
    .to_string()
}
