//! Servers that are not there, not yet, or say no.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use local_stack::postgres;
use serde_json::json;

use crate::harness::{Database, Etl, Event, Outcome, Queue, Running, Silent, stage, until};

const NOBODY: &str = "http://127.0.0.1:1";

fn assert_gave_up_after_ten_seconds(outcome: &Outcome, texts: &[&str]) {
    outcome.assert_refused(1, texts);
    let seconds = outcome.elapsed.as_secs_f64();
    assert!((9.0..15.0).contains(&seconds), "{outcome:?}");
}

/// They wait together: each takes ten seconds.
#[test]
fn servers_that_do_not_answer_are_given_up_after_ten_seconds() {
    let (queue, database) = stage();
    let (queue_server, database_server) = (Silent::new(), Silent::new());
    let start = |etl: Etl| -> Running { etl.start() };
    let run = || Etl::run(&queue, &database);
    let no_queue = start(run().env("ETL_ENDPOINT_URL", NOBODY));
    let silent_queue = start(run().env("ETL_ENDPOINT_URL", queue_server.endpoint()));
    let no_database = start(run().env("DATABASE_URL", "postgres://etl@127.0.0.1:1/logins"));
    let silent_database = start(run().env("DATABASE_URL", database_server.database_url()));
    let unreachable = ["the queue cannot be reached", "hint: check --endpoint-url"];
    assert_gave_up_after_ten_seconds(
        &no_queue.end(),
        &[unreachable[0], unreachable[1], "refused"],
    );
    assert_gave_up_after_ten_seconds(&silent_queue.end(), &unreachable);
    let unusable = [
        "the database cannot be used",
        "127.0.0.1:1/logins",
        "hint: check --database-url",
    ];
    assert_gave_up_after_ten_seconds(&no_database.end(), &unusable);
    assert_gave_up_after_ten_seconds(&silent_database.end(), &unusable[..1]);
}

#[test]
fn a_database_that_comes_up_within_ten_seconds_is_waited_for() {
    let server = local_stack::Postgres::start_private();
    let (queue, database) = (
        Queue::with_dead_letter_queue(),
        Database::migrated_on(&server),
    );
    queue.send(&[Event(0).body()]);
    server.stop();
    let running = Etl::run(&queue, &database).start();
    running.until_logged("not ready yet");
    server.start();
    let outcome = running.end();
    assert_eq!(outcome.summary().counts(), [1, 1, 0, 0, 0]);
}

#[test]
fn an_unknown_queue_is_refused_with_its_name_and_what_to_check() {
    let (queue, database) = stage();
    let unknown = format!("{}-unknown", queue.url);
    let by_name = Etl::run(&queue, &database).env("ETL_QUEUE_NAME", "no-such-queue");
    let by_url = Etl::run(&queue, &database)
        .without_env("ETL_QUEUE_NAME")
        .args(["--queue-url", &unknown]);
    for (etl, name) in [(by_name, "no-such-queue"), (by_url, unknown.as_str())] {
        let outcome = etl.output();
        outcome.assert_refused(
            2,
            &[
                "the queue does not exist",
                name,
                "hint: check --queue-name, --region",
            ],
        );
        assert!(outcome.elapsed < Duration::from_secs(5));
    }
}

/// Its queue was found, and is gone when the database lets it begin.
fn deleted_before_the_first_receive(queue: &Queue, database: &Database, etl: Etl) -> Running {
    // Held by whoever migrates.
    let lock = database.hold("SELECT pg_advisory_lock(7310873218)");
    let running = etl.start();
    running.until_logged("reading the queue");
    queue.delete();
    drop(lock);
    running
}

#[test]
fn a_follower_waits_for_a_queue_that_is_deleted_under_it_before_its_first_receive_and_after() {
    let (queue, database) = (Queue::alone(), Database::empty());
    let follower = || Etl::run(&queue, &database).args(["--follow"]);
    let stands = |rows| until("the row stands", || database.count("user_logins") == rows);
    let early = deleted_before_the_first_receive(&queue, &database, follower());
    early.until_logged("the queue does not exist");
    queue.set(&json!({}));
    queue.send(&[Event(0).body()]);
    stands(1);
    drop(early);
    let late = follower().start();
    queue.send(&[Event(1).body()]);
    stands(2);
    queue.delete();
    late.until_logged("the queue does not exist");
    queue.set(&json!({}));
    queue.send(&[Event(2).body()]);
    stands(3);
    late.signal("TERM");
    assert_eq!(late.end().code, 0);
}

#[test]
fn a_drain_gives_up_on_a_queue_that_is_deleted_under_it() {
    let (queue, database) = (Queue::alone(), Database::empty());
    let drain = Etl::run(&queue, &database).args(["--give-up-after", "1s"]);
    let outcome = deleted_before_the_first_receive(&queue, &database, drain).end();
    outcome.assert_refused(
        1,
        &["failed to receive", "gave up: the queue does not exist"],
    );
}

#[test]
fn a_queue_given_by_its_url_is_read_with_and_without_an_endpoint() {
    let (queue, database) = stage();
    let by_url = || {
        Etl::run(&queue, &database)
            .without_env("ETL_QUEUE_NAME")
            .args(["--queue-url", &queue.url])
    };
    queue.send(&[Event(0).body()]);
    assert_eq!(by_url().summary().get("written"), 1);
    queue.send(&[Event(1).body()]);
    let without_endpoint = by_url()
        .without_env("ETL_ENDPOINT_URL")
        .without_env("AWS_REGION");
    assert_eq!(without_endpoint.summary().get("written"), 1);
}

#[test]
fn without_credentials_the_ways_to_give_them_are_said_soon() {
    let (queue, database) = stage();
    let outcome = Etl::run(&queue, &database)
        .without_env("AWS_ACCESS_KEY_ID")
        .without_env("AWS_SECRET_ACCESS_KEY")
        .output();
    outcome.assert_refused(2, &["AWS credentials", "\nhint: set AWS_ACCESS_KEY_ID"]);
    let error: Vec<&str> = outcome.stderr.lines().rev().take(2).collect();
    assert!(error[1].starts_with("error: "), "{outcome:?}");
    assert!(outcome.elapsed < Duration::from_secs(8), "{outcome:?}");
}

/// The metadata service of a container, which fails so many times at first.
fn metadata(failures: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/credentials", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            answer(&stream.unwrap(), number < failures);
        }
    });
    url
}

fn answer(mut stream: &TcpStream, fails: bool) {
    let mut lines = BufReader::new(stream).lines();
    while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
    let (status, body) = if fails {
        ("503 Service Unavailable", "")
    } else {
        let body = r#"{"AccessKeyId": "id", "SecretAccessKey": "key", "Token": "token", "Expiration": "2099-01-01T00:00:00Z"}"#;
        ("200 OK", body)
    };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream
        .write_all(format!("{head}{body}").as_bytes())
        .unwrap();
}

#[test]
fn a_metadata_service_that_fails_for_a_moment_is_waited_for() {
    let (queue, database) = stage();
    queue.send(&[Event(0).body()]);
    // The SDK asks three times by itself.
    let outcome = Etl::run(&queue, &database)
        .without_env("AWS_ACCESS_KEY_ID")
        .without_env("AWS_SECRET_ACCESS_KEY")
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", metadata(4))
        .output();
    outcome.assert_refused(0, &["the AWS credentials cannot be had just now"]);
    assert_eq!(outcome.summary().counts(), [1, 1, 0, 0, 0]);
}

#[test]
fn a_wrong_password_is_refused_without_repeating_it() {
    let (queue, database) = stage();
    let outcome = Etl::run(&queue, &database)
        .env("DATABASE_URL", database.url_as("postgres", "s3cret"))
        .output();
    assert_ne!(outcome.code, 0);
    assert!(
        outcome.stderr.contains("password authentication failed"),
        "{outcome:?}"
    );
    assert!(!outcome.stderr.contains("s3cret"), "{outcome:?}");
}

#[test]
fn a_database_that_does_not_exist_is_named() {
    let queue = Queue::with_dead_letter_queue();
    let database = Database::migrated();
    let outcome = Etl::run(&queue, &database)
        .env("DATABASE_URL", postgres().url_of("no_such_database"))
        .output();
    assert_ne!(outcome.code, 0);
    assert!(outcome.stderr.contains("no_such_database"), "{outcome:?}");
}
