//! What the load queue has beyond a standard queue's promises: backlogs, statistics, latency, large bodies.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use local_stack::{LoadQueue, SqsClient};
use serde_json::{Value, json};

fn receive(server: &LoadQueue, wait: u32) -> Vec<Value> {
    let client = SqsClient::new(server.port());
    let input = json!({
        "QueueUrl": server.queue_url("deep"), "MaxNumberOfMessages": 10, "WaitTimeSeconds": wait,
        "AttributeNames": ["SentTimestamp"],
    });
    let answer = client
        .call("ReceiveMessage", &input)
        .expect("it is received");
    answer["Messages"].as_array().cloned().unwrap_or_default()
}

fn delete(server: &LoadQueue, messages: &[Value]) {
    let entries = messages
        .iter()
        .map(|message| &message["ReceiptHandle"])
        .enumerate();
    let entries: Vec<Value> = entries
        .map(|(id, handle)| json!({ "Id": id.to_string(), "ReceiptHandle": handle }))
        .collect();
    let input = json!({ "QueueUrl": server.queue_url("deep"), "Entries": entries });
    SqsClient::new(server.port())
        .call("DeleteMessageBatch", &input)
        .expect("they are deleted");
}

#[test]
fn a_backlog_is_received_once_each_and_then_is_empty() {
    let server = LoadQueue::start();
    server.add_backlog("deep", 7, 95, 0);
    let mut ids = HashSet::new();
    loop {
        let messages = receive(&server, 0);
        if messages.is_empty() {
            break;
        }
        delete(&server, &messages);
        ids.extend(
            messages
                .iter()
                .map(|message| message["MessageId"].to_string()),
        );
    }
    assert_eq!(ids.len(), 95);
    let statistics = server.statistics();
    assert_eq!(
        (
            statistics.received,
            statistics.deleted,
            statistics.empty_receives
        ),
        (95, 95, 1)
    );
    assert_eq!(statistics.requests["ReceiveMessage"], 11);
}

#[test]
fn a_message_of_a_backlog_comes_back_the_same() {
    let server = LoadQueue::start();
    server.add_backlog("deep", 7, 1, 0);
    let client = SqsClient::new(server.port());
    let first = receive(&server, 0);
    let input = json!({
        "QueueUrl": server.queue_url("deep"), "ReceiptHandle": first[0]["ReceiptHandle"], "VisibilityTimeout": 0,
    });
    client.call("ChangeMessageVisibility", &input).unwrap();
    let second = receive(&server, 0);
    for member in ["MessageId", "Body", "MD5OfBody", "Attributes"] {
        assert_eq!(first[0][member], second[0][member]);
    }
    let event: Value = serde_json::from_str(first[0]["Body"].as_str().unwrap()).unwrap();
    assert!(event["user_id"].is_string(), "{event}");
}

#[test]
fn one_in_so_many_of_a_backlog_is_malformed() {
    let server = LoadQueue::start();
    server.add_backlog("deep", 7, 10, 5);
    let malformed = receive(&server, 0)
        .iter()
        .filter(|message| message["Body"].to_string().contains("oops"))
        .count();
    assert_eq!(malformed, 2);
}

#[test]
fn a_backlog_that_arrives_wakes_a_long_poll() {
    let server = LoadQueue::start();
    server.add_backlog("deep", 7, 0, 0);
    std::thread::scope(|scope| {
        let poll = scope.spawn(|| receive(&server, 20));
        server.add_backlog("deep", 7, 3, 0);
        assert!(!poll.join().unwrap().is_empty());
    });
}

#[test]
fn latency_is_added_to_each_answer() {
    let server = LoadQueue::try_start(0, Duration::from_millis(50)).unwrap();
    server.add_backlog("deep", 7, 1, 0);
    let begun = Instant::now();
    receive(&server, 0);
    assert!(begun.elapsed() >= Duration::from_millis(50));
}

#[test]
fn a_body_of_one_mebibyte_passes_and_a_longer_one_is_refused() {
    let server = LoadQueue::start();
    server.add_backlog("deep", 7, 0, 0);
    let client = SqsClient::new(server.port());
    let send = |length| {
        let input =
            json!({ "QueueUrl": server.queue_url("deep"), "MessageBody": "x".repeat(length) });
        client.call("SendMessage", &input)
    };
    send(1 << 20).unwrap();
    assert_eq!(
        receive(&server, 0)[0]["Body"].as_str().unwrap().len(),
        1 << 20
    );
    assert!(
        send((1 << 20) + 1)
            .unwrap_err()
            .to_string()
            .contains("InvalidParameterValue")
    );
}
