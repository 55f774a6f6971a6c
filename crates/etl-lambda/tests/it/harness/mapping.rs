//! Lambda's part of an event source mapping with `ReportBatchItemFailures`: it receives a batch, invokes, and deletes
//! what the answer does not name.

use local_stack::{REGION, SqsClient, sqs};
use serde_json::{Value, json};

use super::function::Function;
use super::queue::Queue;
use super::runtime_api::Answer;

/// Delivers what waits, ten messages at most; answers the bodies of those that stay.
pub(crate) fn deliver(function: &Function, queue: &Queue) -> Vec<String> {
    let received = queue.receive();
    let records: Vec<Value> = received.iter().map(|message| of(message, queue)).collect();
    let answer = function.invoke(json!({ "Records": records }));
    let stays = |message: &&Value| match &answer {
        Answer::Error(_) => true,
        Answer::Response(response) => {
            let failures = response["batchItemFailures"].as_array().unwrap();
            failures.contains(&json!({ "itemIdentifier": message["MessageId"] }))
        }
    };
    let (stay, done): (Vec<&Value>, Vec<&Value>) = received.iter().partition(stays);
    done.iter().for_each(|message| delete(message, queue));
    stay.iter().for_each(|message| queue.show(message));
    let body = |message: &&Value| message["Body"].as_str().unwrap().to_owned();
    stay.iter().map(body).collect()
}

fn delete(message: &Value, queue: &Queue) {
    let input = json!({ "QueueUrl": queue.url, "ReceiptHandle": message["ReceiptHandle"] });
    let client = SqsClient::new(sqs().port());
    client.call("DeleteMessage", &input).unwrap();
}

/// A message as a receive gave it, in the form of an event.
fn of(message: &Value, queue: &Queue) -> Value {
    let attributes = message["MessageAttributes"].as_object();
    let attribute = |(name, value): (&String, &Value)| {
        let value = json!({ "stringValue": value["StringValue"], "dataType": value["DataType"],
            "stringListValues": [], "binaryListValues": [] });
        (name.clone(), value)
    };
    let attributes: serde_json::Map<_, _> =
        attributes.into_iter().flatten().map(attribute).collect();
    json!({
        "messageId": message["MessageId"], "receiptHandle": message["ReceiptHandle"], "body": message["Body"],
        "attributes": message["Attributes"], "messageAttributes": attributes,
        "eventSource": "aws:sqs", "awsRegion": REGION,
        "eventSourceARN": SqsClient::arn(&queue.name),
    })
}

/// A record that came from no server.
pub(crate) fn record(queue: &str, number: u32, group: &str, body: &str) -> Value {
    json!({
        "messageId": format!("00000000-0000-4000-8000-{number:012}"), "receiptHandle": "h", "body": body,
        "attributes": { "SentTimestamp": "1700000000000", "ApproximateReceiveCount": "1", "MessageGroupId": group },
        "messageAttributes": {}, "eventSource": "aws:sqs",
        "eventSourceARN": SqsClient::arn(queue),
    })
}
