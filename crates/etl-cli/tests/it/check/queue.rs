//! Credentials, the queue, its dead-letter queue, rights and settings.

use local_stack::{FaultProxy, sqs};
use serde_json::{Value, json};

use super::{check, findings, finds};
use crate::harness::{Database, Queue, stage};

fn through(rules: &[&str]) -> FaultProxy {
    let rules = rules.iter().map(|rule| rule.parse().unwrap()).collect();
    FaultProxy::start(sqs().port(), rules, 1)
}

#[test]
fn credentials_that_do_not_serve() {
    let (queue, database) = stage();
    for (rule, check_name, part) in [
        ("unknown-key", "fail credentials", "security token"),
        ("expired-token", "fail credentials", "expired"),
        ("old-signature", "fail queue-clock", "NTP"),
    ] {
        let proxy = through(&[rule]);
        let etl = check(&queue, &database).env("ETL_ENDPOINT_URL", proxy.endpoint());
        finds(etl, check_name, &[part]);
    }
    let none = check(&queue, &database)
        .without_env("AWS_ACCESS_KEY_ID")
        .without_env("AWS_SECRET_ACCESS_KEY")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    finds(none, "fail credentials", &["AWS_ACCESS_KEY_ID"]);
}

#[test]
fn a_queue_that_is_not_there() {
    let (queue, database) = stage();
    let unknown = check(&queue, &database).env("ETL_QUEUE_NAME", "no-such-queue");
    finds(unknown, "fail queue", &["no-such-queue", "--queue-name"]);
    let unnamed = check(&queue, &database).without_env("ETL_QUEUE_NAME");
    finds(unnamed, "fail queue", &["no queue is named", "--queue-url"]);
    let nobody = check(&queue, &database).env("ETL_ENDPOINT_URL", "http://127.0.0.1:1");
    finds(
        nobody,
        "fail queue",
        &["cannot be reached", "--endpoint-url"],
    );
}

#[test]
fn rights_on_the_queue_that_are_missing() {
    let (queue, database) = stage();
    for (action, right) in [
        ("GetQueueUrl", "sqs:GetQueueUrl"),
        ("GetQueueAttributes", "sqs:GetQueueAttributes"),
        ("ReceiveMessage", "sqs:ReceiveMessage denied"),
        ("DeleteMessageBatch", "sqs:DeleteMessage denied"),
        (
            "ChangeMessageVisibilityBatch",
            "sqs:ChangeMessageVisibility denied",
        ),
    ] {
        let proxy = through(&[&format!("{action}:denied")]);
        let etl = check(&queue, &database).env("ETL_ENDPOINT_URL", proxy.endpoint());
        finds(etl, "fail queue-rights", &[right]);
    }
}

#[test]
fn settings_of_the_queue_that_do_not_suit() {
    let (queue, database) = stage();
    let set = |attributes: Value| {
        queue.set(&attributes);
        check(&queue, &database)
    };
    let short = set(json!({ "VisibilityTimeout": "1" }));
    finds(
        short,
        "warn visibility-timeout",
        &["1s", "--visibility-timeout"],
    );
    let set_right = check(&queue, &database)
        .args(["--visibility-timeout", "60"])
        .output();
    assert_eq!(findings(&set_right), []);
    let dead = local_stack::SqsClient::arn(&queue.dead_letter.as_ref().unwrap().name);
    let policy = json!({ "deadLetterTargetArn": dead, "maxReceiveCount": "2" });
    let few = set(json!({ "VisibilityTimeout": "30", "RedrivePolicy": policy.to_string() }));
    finds(few, "warn max-receive-count", &["2:", "10 or more"]);
    let proxy = through(&["old-date"]);
    let late = check(&Queue::with_dead_letter_queue(), &database);
    let late = late.env("ETL_ENDPOINT_URL", proxy.endpoint());
    finds(late, "warn queue-clock", &["ahead of", "NTP"]);
}

#[test]
fn dead_letter_queues_that_do_not_serve() {
    let database = Database::migrated();
    finds(
        check(&Queue::alone(), &database),
        "warn dead-letter-queue",
        &["none", "--dead-letter-queue"],
    );
    let queue = Queue::with_dead_letter_queue();
    let asked = |name: &str| check(&queue, &database).args(["--dead-letter-queue", name]);
    finds(
        asked("no-such-queue"),
        "fail dead-letter-queue",
        &["no-such-queue", "--dead-letter-queue"],
    );
    finds(
        asked(&queue.name),
        "fail dead-letter-queue",
        &["the queue that is read"],
    );
    let proxy = through(&["SendMessageBatch:denied"]);
    let denied = check(&queue, &database).env("ETL_ENDPOINT_URL", proxy.endpoint());
    finds(
        denied,
        "warn dead-letter-queue",
        &["sqs:SendMessage denied"],
    );
    let dead = queue.dead_letter.as_ref().unwrap();
    let policy = json!({ "redrivePermission": "denyAll" }).to_string();
    dead.set(&json!({ "RedriveAllowPolicy": policy }));
    finds(
        check(&queue, &database),
        "warn dead-letter-queue",
        &["RedriveAllowPolicy", "sourceQueueArns"],
    );
    dead.delete();
    finds(
        check(&queue, &database),
        "warn dead-letter-queue",
        &["cannot be found"],
    );
}
