//! Each fault as a client of SQS sees it, before the load queue and before the SQS server.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use local_stack::{FaultProxy, LoadQueue, SqsClient, sqs};
use serde_json::{Value, json};

struct Faulty {
    queue: LoadQueue,
    proxy: FaultProxy,
}

impl Faulty {
    fn with(rules: &[&str]) -> Self {
        let queue = LoadQueue::start();
        queue.add_backlog("faulty", 1, 100, 0);
        let rules = rules
            .iter()
            .map(|rule| rule.parse().expect("a rule"))
            .collect();
        let proxy = FaultProxy::start(queue.port(), rules, 7);
        Self { queue, proxy }
    }

    fn call(&self, action: &str, mut input: Value) -> anyhow::Result<Value> {
        input["QueueUrl"] = self.proxy.queue_url("faulty").into();
        SqsClient::new(self.proxy.port()).call(action, &input)
    }

    fn receive(&self, max: u32) -> Vec<Value> {
        let answer = self
            .call("ReceiveMessage", json!({ "MaxNumberOfMessages": max }))
            .expect("an answer");
        answer["Messages"].as_array().cloned().unwrap_or_default()
    }

    fn delete(&self, messages: &[Value]) -> Value {
        let handles = messages
            .iter()
            .map(|message| &message["ReceiptHandle"])
            .enumerate();
        let entries: Vec<Value> = handles
            .map(|(id, handle)| json!({ "Id": id.to_string(), "ReceiptHandle": handle }))
            .collect();
        self.call("DeleteMessageBatch", json!({ "Entries": entries }))
            .expect("an answer")
    }
}

/// What a client reads of a receive, to the end of the connection.
fn raw_receive(faulty: &Faulty) -> (Vec<u8>, Option<ErrorKind>) {
    let body = json!({ "QueueUrl": faulty.proxy.queue_url("faulty") }).to_string();
    let mut stream = TcpStream::connect(("127.0.0.1", faulty.proxy.port())).expect("a connection");
    let head = "POST / HTTP/1.1\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\nConnection: close\r\n";
    write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).expect("it is sent");
    let mut answer = Vec::new();
    let error = stream
        .read_to_end(&mut answer)
        .err()
        .map(|error| error.kind());
    (answer, error)
}

fn requests(faulty: &Faulty) -> u64 {
    faulty.queue.statistics().all_requests()
}

#[test]
fn a_refusal_comes_in_the_form_of_aws_and_nothing_is_done() {
    for (rule, status, error, code) in [
        ("500", "500", "InternalFailure", "InternalFailure;Receiver"),
        (
            "503",
            "503",
            "ServiceUnavailable",
            "ServiceUnavailable;Receiver",
        ),
        (
            "throttle",
            "400",
            "com.amazonaws.sqs#RequestThrottled",
            "RequestThrottled;Sender",
        ),
        (
            "expired-token",
            "403",
            "ExpiredToken",
            "ExpiredToken;Sender",
        ),
    ] {
        let faulty = Faulty::with(&[rule]);
        let (answer, _) = raw_receive(&faulty);
        let answer = String::from_utf8(answer).unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
        assert!(
            answer.contains(&format!("x-amzn-query-error: {code}\r\n")),
            "{answer}"
        );
        assert!(answer.contains(error), "{answer}");
        assert_eq!(requests(&faulty), 0);
    }
}

#[test]
fn a_reset_strikes_before_or_after_the_work() {
    let before = Faulty::with(&["reset-before"]);
    assert_eq!(
        raw_receive(&before),
        (Vec::new(), Some(ErrorKind::ConnectionReset))
    );
    assert_eq!(before.queue.statistics().received, 0);
    let after = Faulty::with(&["reset-after"]);
    assert_eq!(
        raw_receive(&after),
        (Vec::new(), Some(ErrorKind::ConnectionReset))
    );
    assert_eq!(after.queue.statistics().received, 1);
}

#[test]
fn a_truncated_answer_is_shorter_than_it_says() {
    let faulty = Faulty::with(&["truncate@#1"]);
    let (answer, error) = raw_receive(&faulty);
    let text = String::from_utf8(answer).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length:"))
        .unwrap();
    assert!(
        body.len() < length.trim().parse().unwrap() && !body.is_empty(),
        "{text}"
    );
    assert_eq!(error, None);
}

#[test]
fn a_hang_lasts_until_the_client_gives_up() {
    let faulty = Faulty::with(&["hang@#1"]);
    let mut stream = TcpStream::connect(("127.0.0.1", faulty.proxy.port())).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    stream
        .write_all(b"POST / HTTP/1.1\r\nX-Amz-Target: AmazonSQS.ListQueues\r\n\r\n")
        .unwrap();
    assert_eq!(
        stream.read(&mut [0]).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
    drop(stream);
    assert_eq!(requests(&faulty), 0);
    assert_eq!(faulty.receive(1).len(), 1);
}

#[test]
fn latency_is_added() {
    let faulty = Faulty::with(&["latency=60ms@#1"]);
    let begun = Instant::now();
    faulty.receive(1);
    assert!(begun.elapsed() >= Duration::from_millis(60));
    assert_eq!(faulty.proxy.struck(), [("latency", 1)].into());
}

#[test]
fn every_seventh_delivery_is_doubled_under_a_handle_that_works() {
    let faulty = Faulty::with(&["duplicate@1/7"]);
    let mut seen: HashMap<String, Vec<Value>> = HashMap::new();
    loop {
        let messages = faulty.receive(10);
        assert!(messages.len() <= 10);
        if messages.is_empty() {
            break;
        }
        for message in messages {
            seen.entry(message["MessageId"].to_string())
                .or_default()
                .push(message["ReceiptHandle"].clone());
        }
    }
    assert_eq!(seen.len(), 100);
    let doubled: Vec<_> = seen.values().filter(|handles| handles.len() == 2).collect();
    assert_eq!(doubled.len(), 14);
    assert_ne!(doubled[0][0], doubled[0][1]);
    let input = json!({ "ReceiptHandle": doubled[0][1] });
    faulty.call("DeleteMessage", input).unwrap();
    assert_eq!(faulty.queue.statistics().deleted, 1);
}

#[test]
fn a_client_of_single_messages_gets_duplicates_too() {
    let faulty = Faulty::with(&["duplicate@#1"]);
    let ids = [0, 1].map(|_| faulty.receive(1)[0]["MessageId"].to_string());
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn failing_entries_stand_in_failed_and_are_not_deleted() {
    let faulty = Faulty::with(&["fail-delete@1/4"]);
    let messages = faulty.receive(10);
    let answer = faulty.delete(&messages);
    assert_eq!(answer["Successful"].as_array().unwrap().len(), 8);
    let failed = answer["Failed"].as_array().unwrap();
    assert_eq!(
        failed.iter().map(|entry| &entry["Id"]).collect::<Vec<_>>(),
        ["3", "7"]
    );
    assert_eq!(failed[0]["SenderFault"], false);
    assert_eq!(faulty.queue.statistics().deleted, 8);
}

#[test]
fn a_batch_of_which_all_fails_does_not_reach_the_queue() {
    let faulty = Faulty::with(&["fail-delete"]);
    let messages = faulty.receive(2);
    let answer = faulty.delete(&messages);
    assert_eq!(answer["Failed"].as_array().unwrap().len(), 2);
    assert!(
        !faulty
            .queue
            .statistics()
            .requests
            .contains_key("DeleteMessageBatch")
    );
}

#[test]
fn rules_can_be_replaced_while_it_runs() {
    let faulty = Faulty::with(&["500"]);
    assert!(faulty.call("ReceiveMessage", json!({})).is_err());
    faulty.proxy.set_rules(Vec::new());
    assert_eq!(faulty.receive(1).len(), 1);
    assert_eq!(faulty.proxy.struck(), [("500", 1)].into());
}

#[test]
fn the_sqs_server_can_stand_behind_it() {
    let proxy = FaultProxy::start(sqs().port(), vec!["duplicate@#1".parse().unwrap()], 1);
    let client = SqsClient::new(proxy.port());
    client.ensure_queue("behind-a-proxy", &json!({})).unwrap();
    let url = proxy.queue_url("behind-a-proxy");
    client
        .call(
            "SendMessage",
            &json!({ "QueueUrl": url, "MessageBody": "x" }),
        )
        .unwrap();
    let answer = client
        .call(
            "ReceiveMessage",
            &json!({ "QueueUrl": url, "MaxNumberOfMessages": 10 }),
        )
        .unwrap();
    let messages = answer["Messages"].as_array().unwrap();
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[0]["MessageId"], messages[1]["MessageId"]);
    let input = json!({ "QueueUrl": url, "ReceiptHandle": messages[1]["ReceiptHandle"] });
    client.call("DeleteMessage", &input).unwrap();
}
