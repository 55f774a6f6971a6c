//! `etl check`: in each broken set-up it names the cause, and only that.

mod database;
mod masking;
mod queue;

use local_stack::{postgres, sqs};
use serde_json::Value;

use crate::harness::{Database, Etl, Event, Outcome, Queue, stage};

fn check(queue: &Queue, database: &Database) -> Etl {
    Etl::new("check")
        .reading(queue)
        .env("DATABASE_URL", database.url())
        .env("ETL_MASKING", "redact")
        .env("ETL_OUTPUT", "json")
}

/// The lines that are not as they should be, as `status check`, with their text.
fn findings(outcome: &Outcome) -> Vec<(String, String)> {
    let report: Value = serde_json::from_str(&outcome.stdout)
        .unwrap_or_else(|error| panic!("{error}: {outcome:?}"));
    let lines = report["checks"].as_array().unwrap();
    assert!(lines.len() >= 16, "{lines:#?}");
    let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
    lines
        .iter()
        .filter(|line| line["status"] == "warn" || line["status"] == "fail")
        .map(|line| {
            let name = format!("{} {}", text(line, "status"), text(line, "check"));
            (
                name,
                format!("{} hint: {}", text(line, "message"), text(line, "hint")),
            )
        })
        .collect()
}

/// Finds this one thing, whose text holds `parts`, with a hint.
fn finds(etl: Etl, finding: &str, parts: &[&str]) {
    let outcome = etl.output();
    let found = findings(&outcome);
    let [(name, text)] = found.as_slice() else {
        panic!("{finding} is not all: {found:#?} {}", outcome.stderr)
    };
    assert_eq!(name, finding, "{text}");
    for part in parts {
        assert!(text.contains(part), "no {part} in {text}");
    }
    assert!(!text.ends_with("hint: "), "{text}");
    assert_eq!(outcome.code, i32::from(finding.starts_with("fail")));
}

#[test]
fn a_good_set_up_passes_and_nothing_is_touched() {
    let (queue, database) = stage();
    queue.send(&[Event(0).body()]);
    let outcome = check(&queue, &database).args(["--output", "text"]).output();
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let told = outcome
        .stdout
        .replace(&queue.url, "URL")
        .replace(database.name(), "DATABASE");
    let told = told.replace(&postgres().port().to_string(), "PORT");
    let told = told.replace(&queue.dead_letter.as_ref().unwrap().url, "DEAD");
    let is_version = |line: &&str| !line.contains("postgres-version");
    let told = told
        .lines()
        .filter(is_version)
        .collect::<Vec<_>>()
        .join("\n");
    insta::assert_snapshot!(told, @r"
    pass  masking              ip redact, device_id redact
    skip  credentials          not AWS: whose they are is not asked
    pass  queue                URL with 1 waiting
    pass  queue-rights         delete, change visibility; receive as far as can be told without raising a message's receive count
    pass  visibility-timeout   30s, extended while a batch takes longer
    pass  max-receive-count    100
    pass  dead-letter-queue    DEAD
    pass  queue-clock          within 60 s of this machine's clock
    pass  database             127.0.0.1:PORT/DATABASE as postgres
    pass  tls                  none, and none needed: the server is on this machine
    pass  prepared-statements  kept from one transaction to the next
    pass  tables               as new as this version needs
    pass  table-rights         all that a run needs
    skip  masked-columns       no rows yet, or none that may be looked at
    pass  synchronous-commit   on
    pass  database-clock       within 60 s of this machine's clock

    a run would work
    ");
    let messages = queue.messages();
    // The look of the test itself is the first.
    assert_eq!(messages[0].system("ApproximateReceiveCount"), "1");
    assert!(queue.dead_letters().is_empty());
    assert_eq!(
        database.count("user_logins, ingested_messages, rejected_messages"),
        0
    );
}

#[test]
fn who_the_credentials_are_is_asked_of_sts() {
    let (queue, database) = stage();
    let sts = || check(&queue, &database).env("AWS_ENDPOINT_URL_STS", sqs().endpoint());
    let outcome = sts().args(["--output", "text"]).output();
    assert!(
        outcome.stdout.contains("arn:aws:sts::000000000000:"),
        "{outcome:?}"
    );
    let silent = check(&queue, &database).env("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1");
    let outcome = silent.output();
    assert_eq!(
        (outcome.code, findings(&outcome)),
        (0, Vec::new()),
        "{outcome:?}"
    );
}

#[test]
fn what_is_not_needed_is_not_looked_at() {
    let (queue, database) = stage();
    let dry = check(&queue, &database).env("DATABASE_URL", "postgres://127.0.0.1:1/none");
    let outcome = dry.args(["--dry-run"]).output();
    assert_eq!(
        (outcome.code, findings(&outcome)),
        (0, Vec::new()),
        "{outcome:?}"
    );
    let lines = check(&queue, &database).env("ETL_ENDPOINT_URL", "http://127.0.0.1:1");
    let outcome = lines.args(["--input", "-"]).output();
    assert_eq!(
        (outcome.code, findings(&outcome)),
        (0, Vec::new()),
        "{outcome:?}"
    );
}
