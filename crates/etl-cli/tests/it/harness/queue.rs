//! A queue of a test's own on the shared SQS server, and what stands on it.

use std::sync::atomic::{AtomicUsize, Ordering};

use local_stack::{SqsClient, sqs};
use serde_json::{Value, json};

/// A queue, mostly with its dead-letter queue.
pub(crate) struct Queue {
    client: SqsClient,
    pub(crate) endpoint: String,
    pub(crate) name: String,
    pub(crate) url: String,
    /// The queue that its RedrivePolicy names.
    pub(crate) dead_letter: Option<Box<Queue>>,
}

impl Queue {
    /// Without a dead-letter queue.
    pub(crate) fn alone() -> Self {
        Self::on(sqs().port(), &json!({}))
    }

    pub(crate) fn with_dead_letter_queue() -> Self {
        Self::with_dead_letter_queue_on(sqs().port())
    }

    /// On another server of this machine.
    pub(crate) fn with_dead_letter_queue_on(port: u16) -> Self {
        let dead = Self::on(port, &json!({}));
        // Higher than any test goes: it is the program that dead-letters here, not the server.
        let policy =
            json!({ "deadLetterTargetArn": SqsClient::arn(&dead.name), "maxReceiveCount": "100" });
        let queue = Self::on(port, &json!({ "RedrivePolicy": policy.to_string() }));
        Self {
            dead_letter: Some(Box::new(dead)),
            ..queue
        }
    }

    /// With attributes, on a server of this machine.
    pub(crate) fn on(port: u16, attributes: &Value) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("queue-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let client = SqsClient::new(port);
        let url = client.ensure_queue(&name, attributes).unwrap();
        Self {
            client,
            endpoint: format!("http://127.0.0.1:{port}"),
            name,
            url,
            dead_letter: None,
        }
    }

    fn call(&self, action: &str, mut input: Value) -> Value {
        input["QueueUrl"] = self.url.clone().into();
        self.client.call(action, &input).unwrap()
    }

    pub(crate) fn send<B: AsRef<str>>(&self, bodies: &[B]) {
        for ten in bodies.chunks(10) {
            let entry = |(id, body): (usize, &B)| json!({ "Id": id.to_string(), "MessageBody": body.as_ref() });
            let entries: Vec<Value> = ten.iter().enumerate().map(entry).collect();
            let answer = self.call("SendMessageBatch", json!({ "Entries": entries }));
            assert_eq!(answer["Successful"].as_array().unwrap().len(), ten.len());
        }
    }

    /// One message with attributes of type String.
    pub(crate) fn send_with(&self, body: &str, attributes: &[(&str, &str)]) {
        let attribute = |(name, value): &(&str, &str)| {
            (
                (*name).to_owned(),
                json!({ "DataType": "String", "StringValue": value }),
            )
        };
        let attributes: serde_json::Map<_, _> = attributes.iter().map(attribute).collect();
        self.call(
            "SendMessage",
            json!({ "MessageBody": body, "MessageAttributes": attributes }),
        );
    }

    /// Messages that wait, and messages that are hidden.
    pub(crate) fn depth(&self) -> (u64, u64) {
        let answer = self.call("GetQueueAttributes", json!({ "AttributeNames": ["All"] }));
        let number = |name: &str| {
            answer["Attributes"][name]
                .as_str()
                .unwrap()
                .parse()
                .unwrap()
        };
        (
            number("ApproximateNumberOfMessages"),
            number("ApproximateNumberOfMessagesNotVisible"),
        )
    }

    /// One receive, of ten messages at most, which are then hidden.
    pub(crate) fn receive(&self) -> Vec<Value> {
        let input = json!({ "MaxNumberOfMessages": 10, "VisibilityTimeout": 60,
            "AttributeNames": ["All"], "MessageAttributeNames": ["All"] });
        let answer = self.call("ReceiveMessage", input);
        answer["Messages"].as_array().cloned().unwrap_or_default()
    }

    /// Takes everything that waits, and gives it back.
    pub(crate) fn messages(&self) -> Vec<Message> {
        let mut messages = Vec::new();
        loop {
            let received = self.receive();
            if received.is_empty() {
                break;
            }
            messages.extend(received.into_iter().map(Message));
        }
        messages.iter().for_each(|message| self.show(&message.0));
        messages
    }

    /// Ends the hiding of a message that was received.
    pub(crate) fn show(&self, message: &Value) {
        let handle = &message["ReceiptHandle"];
        self.call(
            "ChangeMessageVisibility",
            json!({ "ReceiptHandle": handle, "VisibilityTimeout": 0 }),
        );
    }

    pub(crate) fn bodies(&self) -> Vec<String> {
        self.messages().iter().map(Message::body).collect()
    }

    /// What stands on the dead-letter queue.
    pub(crate) fn dead_letters(&self) -> Vec<Message> {
        self.dead_letter.as_ref().unwrap().messages()
    }

    /// Gives the queue these attributes.
    pub(crate) fn set(&self, attributes: &Value) {
        self.client.ensure_queue(&self.name, attributes).unwrap();
    }

    /// Takes the queue away.
    pub(crate) fn delete(&self) {
        self.call("DeleteQueue", json!({}));
    }
}

/// A message as a receive gave it.
pub(crate) struct Message(Value);

impl Message {
    pub(crate) fn body(&self) -> String {
        self.0["Body"].as_str().unwrap().to_owned()
    }

    pub(crate) fn id(&self) -> &str {
        self.0["MessageId"].as_str().unwrap()
    }

    /// A system attribute.
    pub(crate) fn system(&self, name: &str) -> &str {
        self.0["Attributes"][name].as_str().unwrap()
    }

    /// The text of a message attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.0["MessageAttributes"][name]["StringValue"].as_str()
    }
}
