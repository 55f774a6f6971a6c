//! The main job on whole samples: a hundred messages from the queue to the table, masked.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::harness::{Database, Etl, Queue, stage};

/// The messages that came with the task, where they lie beside the checkout.
fn given_messages() -> Option<PathBuf> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/login-events.jsonl");
    path.exists().then_some(path)
}

fn send(queue: &Queue, arguments: &[&str]) {
    let sent = Etl::new("send").reading(queue).args(arguments).output();
    assert_eq!(sent.code, 0, "{sent:?}");
    assert_eq!(sent.stdout, format!("sent 100 messages to {}\n", queue.url));
}

/// The row that a body is to become; none where it is malformed.
fn expected_row(body: &str) -> Option<Vec<Option<String>>> {
    let event: Value = serde_json::from_str(body).unwrap();
    let text = |field: &str| event[field].as_str().map(str::to_owned);
    let masked = |field: &str| text(field).map(|value| STANDARD.encode(value));
    let major = text("app_version").map(|version| version.split('.').next().unwrap().to_owned());
    Some(vec![
        Some(text("user_id")?),
        text("device_type"),
        masked("ip"),
        masked("device_id"),
        text("locale"),
        major,
    ])
}

fn assert_rows_are(database: &Database, bodies: &[String]) {
    let mut expected: Vec<_> = bodies
        .iter()
        .filter_map(|body| expected_row(body))
        .collect();
    let mut rows = database.rows(
        "SELECT user_id, device_type, masked_ip, masked_device_id, locale, app_version FROM user_logins",
    );
    expected.sort();
    rows.sort();
    assert_eq!(rows, expected);
    let dates = "SELECT DISTINCT (create_date - (now() AT TIME ZONE 'UTC')::date) IN (-1, 0) FROM user_logins";
    assert_eq!(database.texts(dates), ["t"]);
}

fn assert_one_was_rejected(queue: &Queue, database: &Database) {
    let [dead] = &queue.dead_letters()[..] else {
        panic!("not one dead letter")
    };
    assert!(dead.body().contains("oops_wrong_msg_type"));
    assert_eq!(dead.attribute("reject-reason"), Some("missing_field"));
    assert_eq!(dead.attribute("reject-field"), Some("user_id"));
    let recorded = database.rows(
        "SELECT message_id, (extract(epoch FROM sent_at) * 1000)::bigint, reason, field, receive_count \
         FROM rejected_messages",
    );
    let source = |name| dead.attribute(name).map(str::to_owned);
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        recorded,
        [[
            source("source-message-id"),
            source("source-sent-at"),
            text("missing_field"),
            text("user_id"),
            // This test looked at the queue before the run did.
            text("2")
        ]]
    );
}

fn a_hundred_become_99_rows(queue: &Queue, database: &Database) {
    let bodies = queue.bodies();
    assert_eq!(bodies.len(), 100);
    let outcome = Etl::run(queue, database).output();
    let start = r#"{"received":100,"written":99,"duplicates":0,"rejected":1,"left":0,"deleted":100,"undeleted":0,"#;
    assert!(outcome.stdout.starts_with(start), "{outcome:?}");
    assert_eq!(outcome.stdout.matches('\n').count(), 1);
    assert_rows_are(database, &bodies);
    assert_eq!(database.count("user_logins WHERE locale IS NULL"), 29);
    assert_eq!(queue.depth(), (0, 0));
    assert_one_was_rejected(queue, database);
    let again = Etl::run(queue, database).summary();
    assert_eq!(again.counts(), [0; 5]);
    assert_eq!(database.count("user_logins"), 99);
}

#[test]
fn the_given_hundred_messages_become_99_masked_rows() {
    let Some(path) = given_messages() else {
        println!(
            "shared/data/login-events.jsonl does not lie beside the checkout: nothing to test"
        );
        return;
    };
    let (queue, database) = stage();
    send(&queue, &["--input", path.to_str().unwrap()]);
    a_hundred_become_99_rows(&queue, &database);
}

#[test]
fn a_hundred_generated_messages_become_99_masked_rows() {
    let (queue, database) = stage();
    send(&queue, &["--generate", "100", "--seed", "11"]);
    a_hundred_become_99_rows(&queue, &database);
}

#[test]
fn the_same_seed_sends_the_same_messages() {
    let (one, other) = (Queue::alone(), Queue::alone());
    for queue in [&one, &other] {
        send(queue, &["--generate", "100", "--seed", "3"]);
    }
    let sorted = |queue: &Queue| {
        let mut bodies = queue.bodies();
        bodies.sort();
        bodies
    };
    assert_eq!(sorted(&one), sorted(&other));
}

#[test]
fn the_spelling_of_the_python_original_is_understood() {
    let (queue, database) = stage();
    send(&queue, &["--generate", "100"]);
    let endpoint = format!("{}/000000000000/", queue.endpoint);
    let outcome = Etl::new("run")
        .env("DATABASE_URL", database.url())
        .args(["--queue_name", &queue.name, "--endpoint_url", &endpoint])
        .args(["--wait_time_seconds", "20", "--max_num_messages", "30"])
        .args(["--masking", "base64", "--output", "json"])
        .output();
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert_eq!(outcome.summary().get("received"), 30);
}
