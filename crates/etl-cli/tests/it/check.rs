//! `etl check`: in each broken set-up it names the cause, and only that.

use local_stack::{FaultProxy, postgres, sqs};
use serde_json::{Value, json};

use crate::harness::{Database, Etl, Event, Outcome, Queue, stage};
use crate::roles::{FEWEST, PASSWORD, role};

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

fn through(rules: &[&str]) -> FaultProxy {
    let rules = rules.iter().map(|rule| rule.parse().unwrap()).collect();
    FaultProxy::start(sqs().port(), rules, 1)
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

#[test]
fn masking_that_cannot_be() {
    let (queue, database) = stage();
    let masked = |arguments: &[&str]| check(&queue, &database).args(arguments);
    let folder = tempfile::tempdir().unwrap();
    let keyset = folder.path().join("keys.json");
    let keyset = keyset.to_str().unwrap();
    let made = Etl::bare("keyset")
        .args(["new", "--scheme", "hmac-sha256", "--out", keyset])
        .output();
    assert_eq!(made.code, 0, "{made:?}");
    let none = check(&queue, &database).without_env("ETL_MASKING");
    finds(none, "fail masking", &["--masking is not given", "aes-siv"]);
    finds(
        masked(&["--masking", "aes-siv"]),
        "fail masking",
        &["needs a key", "etl keyset new"],
    );
    let other = ["--masking", "aes-siv", "--keyset", keyset];
    finds(masked(&other), "fail masking", &["aes-siv"]);
    let absent = ["--masking", "aes-siv", "--keyset", "/none/such.json"];
    finds(masked(&absent), "fail masking", &["/none/such.json"]);
    finds(
        masked(&["--masking", "base64"]),
        "warn masking",
        &["base64", "not protection"],
    );
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

#[test]
fn a_database_that_cannot_be_used() {
    let (queue, database) = stage();
    let at = |url: &str| check(&queue, &database).env("DATABASE_URL", url);
    finds(
        at(""),
        "fail database",
        &["no database is named", "DATABASE_URL"],
    );
    finds(
        at("postgres://etl@127.0.0.1:1/logins"),
        "fail database",
        &["127.0.0.1:1/logins"],
    );
    finds(
        at(&database.url_as("postgres", "s3cret")),
        "fail database",
        &["password authentication"],
    );
    finds(
        at(&postgres().url_of("no_such_database")),
        "fail database",
        &["no_such_database"],
    );
    let encrypted = format!("{}?sslmode=require", database.url());
    finds(at(&encrypted), "fail database", &["TLS"]);
    database.execute(&format!(
        "ALTER DATABASE {} SET default_transaction_read_only = on",
        database.name()
    ));
    finds(
        at(database.url()),
        "fail database",
        &["read-only", "primary"],
    );
}

#[test]
fn tables_that_are_not_as_they_must_be() {
    let queue = Queue::with_dead_letter_queue();
    let empty = Database::empty();
    let outcome = check(&queue, &empty).output();
    assert_eq!(
        (outcome.code, findings(&outcome)),
        (0, Vec::new()),
        "{outcome:?}"
    );
    let forbidden = check(&queue, &empty).args(["--no-migrate"]);
    finds(
        forbidden,
        "fail tables",
        &["migrations pending", "etl migrate"],
    );
    let plain = role(&empty, &[]);
    let plain = check(&queue, &empty).env("DATABASE_URL", empty.url_as(&plain, PASSWORD));
    finds(
        plain,
        "fail tables",
        &["may not create tables", "etl migrate"],
    );
    for (damage, part) in [
        ("user_logins DROP COLUMN locale", "user_logins.locale"),
        (
            "ingested_messages DROP CONSTRAINT ingested_messages_pkey",
            "primary key",
        ),
    ] {
        let database = Database::migrated();
        database.execute(&format!("ALTER TABLE {damage}"));
        finds(check(&queue, &database), "fail tables", &[part]);
    }
}

#[test]
fn rights_to_the_tables_that_are_missing() {
    let (queue, database) = stage();
    let reader = role(&database, &["SELECT ON ALL TABLES IN SCHEMA public"]);
    let as_reader = |etl: Etl| etl.env("DATABASE_URL", database.url_as(&reader, PASSWORD));
    let missing = [
        "INSERT on user_logins",
        "UPDATE on rejected_messages",
        "GRANT",
    ];
    finds(
        as_reader(check(&queue, &database)),
        "fail table-rights",
        &missing,
    );
    for right in FEWEST {
        database.execute(&format!("GRANT {right} TO {reader}"));
    }
    assert_eq!(findings(&as_reader(check(&queue, &database)).output()), []);
    let follower = as_reader(check(&queue, &database)).args(["--follow"]);
    finds(
        follower,
        "warn table-rights",
        &["DELETE on ingested_messages", "etl prune"],
    );
}

#[test]
fn settings_of_the_database_that_do_not_suit() {
    let queue = Queue::with_dead_letter_queue();
    let set = |setting: &str| {
        let database = Database::migrated();
        database.execute(&format!("ALTER DATABASE {} SET {setting}", database.name()));
        database
    };
    let careless = set("synchronous_commit = off");
    finds(
        check(&queue, &careless),
        "warn synchronous-commit",
        &["off", "ALTER ROLE"],
    );
    let hurried = set("search_path = hurried, pg_catalog, public");
    hurried.execute(
        "CREATE SCHEMA hurried; CREATE FUNCTION hurried.clock_timestamp() RETURNS timestamptz LANGUAGE sql \
         AS $$ SELECT pg_catalog.clock_timestamp() + interval '10 minutes' $$",
    );
    finds(
        check(&queue, &hurried),
        "warn database-clock",
        &["600 s behind", "NTP"],
    );
}
