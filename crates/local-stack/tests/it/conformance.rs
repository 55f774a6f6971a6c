//! What a standard queue promises, asked of the load queue and of the SQS server alike, so that neither can lie.

use std::time::{Duration, Instant};

use local_stack::{LoadQueue, SqsClient, sqs};
use serde_json::{Value, json};

struct Queue {
    client: SqsClient,
    url: String,
}

impl Queue {
    fn make(client: &SqsClient, name: &str, attributes: &Value) -> Self {
        let url = client.ensure_queue(name, attributes).expect("a queue");
        Self {
            client: client.clone(),
            url,
        }
    }

    fn call(&self, action: &str, mut input: Value) -> anyhow::Result<Value> {
        input["QueueUrl"] = self.url.clone().into();
        self.client.call(action, &input)
    }

    fn send(&self, body: &str) -> Value {
        self.call("SendMessage", json!({ "MessageBody": body }))
            .expect("it is sent")
    }

    fn receive(&self, visibility: u32) -> Vec<Value> {
        let input = json!({
            "MaxNumberOfMessages": 10, "VisibilityTimeout": visibility,
            "MessageSystemAttributeNames": ["All"], "MessageAttributeNames": ["All"],
        });
        let answer = self.call("ReceiveMessage", input).expect("it is received");
        answer["Messages"].as_array().cloned().unwrap_or_default()
    }

    fn delete(&self, handle: &Value) -> anyhow::Result<Value> {
        self.call("DeleteMessage", json!({ "ReceiptHandle": handle }))
    }

    fn count(&self, which: &str) -> String {
        let answer = self
            .call("GetQueueAttributes", json!({ "AttributeNames": ["All"] }))
            .expect("attributes");
        answer["Attributes"][which]
            .as_str()
            .expect("a count")
            .to_owned()
    }
}

/// Runs a law against both servers.
fn on_both(name: &str, law: impl Fn(&SqsClient, &str)) {
    law(&SqsClient::new(sqs().port()), name);
    let load_queue = LoadQueue::start();
    law(&SqsClient::new(load_queue.port()), name);
}

#[test]
fn a_message_arrives_as_it_was_sent_with_its_digests() {
    on_both("arrives", |client, name| {
        let queue = Queue::make(client, name, &json!({}));
        let body = "quotes \" and \\, tabs \t, ünïcode 🦀";
        let attributes = json!({
            "text": { "DataType": "String", "StringValue": "ä \"b\"" },
            "number": { "DataType": "Number", "StringValue": "17" },
            "bytes": { "DataType": "Binary", "BinaryValue": "AQI=" },
        });
        let sent = queue.call(
            "SendMessage",
            json!({ "MessageBody": body, "MessageAttributes": attributes }),
        );
        let (sent, received) = (sent.unwrap(), queue.receive(30));
        assert_eq!(received.len(), 1);
        assert_eq!(received[0]["Body"], body);
        assert_eq!(received[0]["MessageAttributes"], attributes);
        assert_eq!(received[0]["MessageId"], sent["MessageId"]);
        assert_eq!(received[0]["MD5OfBody"], sent["MD5OfMessageBody"]);
        assert_eq!(
            received[0]["MD5OfMessageAttributes"],
            sent["MD5OfMessageAttributes"]
        );
        // Worked out once by hand from the guide, for both servers.
        assert_eq!(
            sent["MD5OfMessageAttributes"],
            "47bd23d732ec62d6547c9d92a28dcbbc"
        );
        assert_eq!(received[0]["Attributes"]["ApproximateReceiveCount"], "1");
    });
}

#[test]
fn a_received_message_is_hidden_and_comes_back_with_its_id_and_a_new_handle() {
    on_both("hidden", |client, name| {
        let queue = Queue::make(client, name, &json!({}));
        queue.send("one");
        let first = queue.receive(30);
        assert!(queue.receive(30).is_empty());
        assert_eq!(queue.count("ApproximateNumberOfMessagesNotVisible"), "1");
        let input = json!({ "ReceiptHandle": first[0]["ReceiptHandle"], "VisibilityTimeout": 0 });
        queue.call("ChangeMessageVisibility", input).unwrap();
        let second = queue.receive(30);
        assert_eq!(second[0]["MessageId"], first[0]["MessageId"]);
        assert_ne!(second[0]["ReceiptHandle"], first[0]["ReceiptHandle"]);
        assert_eq!(second[0]["Attributes"]["ApproximateReceiveCount"], "2");
        assert_eq!(
            second[0]["Attributes"]["SentTimestamp"],
            first[0]["Attributes"]["SentTimestamp"]
        );
        queue.delete(&second[0]["ReceiptHandle"]).unwrap();
        assert_eq!(queue.count("ApproximateNumberOfMessagesNotVisible"), "0");
    });
}

#[test]
fn a_visibility_timeout_that_runs_out_ends_a_long_poll() {
    on_both("timeout", |client, name| {
        let queue = Queue::make(client, name, &json!({}));
        queue.send("one");
        assert_eq!(queue.receive(1).len(), 1);
        let begun = Instant::now();
        let again = queue
            .call("ReceiveMessage", json!({ "WaitTimeSeconds": 10 }))
            .unwrap();
        assert_eq!(again["Messages"].as_array().unwrap().len(), 1);
        assert!(
            begun.elapsed() > Duration::from_millis(500),
            "{:?}",
            begun.elapsed()
        );
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "{:?}",
            begun.elapsed()
        );
    });
}

#[test]
fn a_long_poll_ends_when_a_message_is_sent() {
    on_both("poll", |client, name| {
        let queue = Queue::make(client, name, &json!({}));
        let begun = Instant::now();
        std::thread::scope(|scope| {
            let poll = scope.spawn(|| {
                queue
                    .call("ReceiveMessage", json!({ "WaitTimeSeconds": 20 }))
                    .unwrap()
            });
            queue.send("one");
            assert_eq!(
                poll.join().unwrap()["Messages"].as_array().unwrap().len(),
                1
            );
        });
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "{:?}",
            begun.elapsed()
        );
    });
}

#[test]
fn a_short_poll_and_a_short_wait_of_an_empty_queue_end() {
    on_both("empty", |client, name| {
        let queue = Queue::make(client, name, &json!({}));
        assert!(queue.receive(30).is_empty());
        let begun = Instant::now();
        let answer = queue
            .call("ReceiveMessage", json!({ "WaitTimeSeconds": 1 }))
            .unwrap();
        assert!(answer["Messages"].as_array().is_none_or(Vec::is_empty));
        assert!(
            begun.elapsed() >= Duration::from_millis(950),
            "{:?}",
            begun.elapsed()
        );
    });
}

#[test]
fn what_is_received_too_often_goes_to_the_dead_letter_queue() {
    on_both("redrive", |client, name| {
        let dead_letters = Queue::make(client, &format!("{name}-dlq"), &json!({}));
        let policy = json!({ "deadLetterTargetArn": SqsClient::arn(&format!("{name}-dlq")), "maxReceiveCount": 2 });
        let queue = Queue::make(
            client,
            name,
            &json!({ "RedrivePolicy": policy.to_string() }),
        );
        let sent = queue.send("one");
        assert_eq!(queue.receive(0).len() + queue.receive(0).len(), 2);
        assert!(queue.receive(0).is_empty());
        let dead = dead_letters.receive(30);
        assert_eq!(dead[0]["MessageId"], sent["MessageId"]);
    });
}

#[test]
fn a_batch_answers_for_each_entry() {
    on_both("batch", |client, name| {
        let queue = Queue::make(client, name, &json!({}));
        let entries: Vec<Value> = (0..10)
            .map(|id| json!({ "Id": id.to_string(), "MessageBody": "x" }))
            .collect();
        let sent = queue
            .call("SendMessageBatch", json!({ "Entries": entries }))
            .unwrap();
        assert_eq!(sent["Successful"].as_array().unwrap().len(), 10);
        let received = queue.receive(30);
        assert_eq!(received.len(), 10);
        let handles = received
            .iter()
            .map(|message| &message["ReceiptHandle"])
            .enumerate();
        let mut entries: Vec<Value> = handles
            .map(|(id, handle)| json!({ "Id": id.to_string(), "ReceiptHandle": handle }))
            .collect();
        entries[3]["ReceiptHandle"] = "junk".into();
        let deleted = queue
            .call("DeleteMessageBatch", json!({ "Entries": entries }))
            .unwrap();
        assert_eq!(deleted["Successful"].as_array().unwrap().len(), 9);
        assert_eq!(deleted["Failed"][0]["Id"], "3");
        assert_eq!(deleted["Failed"][0]["Code"], "ReceiptHandleIsInvalid");
        assert_eq!(queue.count("ApproximateNumberOfMessagesNotVisible"), "1");
    });
}

#[test]
fn whole_batches_that_sqs_refuses_are_refused() {
    on_both("refused", |client, name| {
        let queue = Queue::make(client, name, &json!({}));
        let entry = json!({ "Id": "same", "MessageBody": "x" });
        for (entries, error) in [
            (json!([]), "EmptyBatchRequest"),
            (json!([entry, entry]), "BatchEntryIdsNotDistinct"),
            (json!(vec![entry; 11]), "TooManyEntriesInBatchRequest"),
        ] {
            let refused = queue
                .call("SendMessageBatch", json!({ "Entries": entries }))
                .unwrap_err();
            assert!(refused.to_string().contains(error), "{refused}");
        }
        assert_eq!(queue.count("ApproximateNumberOfMessages"), "0");
    });
}

#[test]
fn a_delayed_message_is_not_there_yet() {
    on_both("delay", |client, name| {
        let queue = Queue::make(client, name, &json!({}));
        queue
            .call(
                "SendMessage",
                json!({ "MessageBody": "x", "DelaySeconds": 1 }),
            )
            .unwrap();
        assert!(queue.receive(30).is_empty());
        assert_eq!(queue.count("ApproximateNumberOfMessagesDelayed"), "1");
        let answer = queue
            .call("ReceiveMessage", json!({ "WaitTimeSeconds": 10 }))
            .unwrap();
        assert_eq!(answer["Messages"].as_array().unwrap().len(), 1);
    });
}

#[test]
fn queues_and_values_that_are_not_there_are_refused() {
    on_both("missing", |client, name| {
        let queue = Queue::make(client, name, &json!({}));
        let other = Queue {
            url: queue.url.clone() + "-not",
            ..queue
        };
        let refused = other
            .call("ReceiveMessage", json!({}))
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains("QueueDoesNotExist") || refused.contains("NonExistentQueue"),
            "{refused}"
        );
        let queue = Queue::make(client, name, &json!({}));
        for input in [
            json!({ "MaxNumberOfMessages": 11 }),
            json!({ "WaitTimeSeconds": 21 }),
        ] {
            let refused = queue.call("ReceiveMessage", input).unwrap_err().to_string();
            assert!(refused.contains("InvalidParameterValue"), "{refused}");
        }
    });
}
