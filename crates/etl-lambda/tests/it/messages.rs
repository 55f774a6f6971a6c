//! What becomes of messages: one that is bad fails alone, and nothing is done with before it stands somewhere.

use serde_json::json;

use crate::harness::{Answer, Database, Event, Function, Queue, deliver, record};

const BAD: &str = "no JSON, 10.77.0.99";

/// Nine events with a bad one among them, and the users of the nine.
fn nine_and_one_bad() -> (Vec<String>, Vec<String>) {
    let mut bodies: Vec<String> = (0..9).map(|number| Event(number).body()).collect();
    bodies.insert(4, BAD.to_owned());
    (
        bodies,
        (0..9).map(|number| Event(number).user_id()).collect(),
    )
}

#[test]
fn one_bad_message_in_ten_fails_alone() {
    let (queue, database) = (Queue::alone(), Database::migrated());
    let (bodies, users) = nine_and_one_bad();
    queue.send(&bodies);
    let function = Function::on(&database);
    assert_eq!(deliver(&function, &queue), [BAD]);
    assert_eq!(database.user_ids(), users);
    assert_eq!(database.rejections(), ["not_json"]);
    // It comes again, and again alone.
    assert_eq!(deliver(&function, &queue), [BAD]);
    assert_eq!(queue.depth(), (1, 0));
    assert!(function.log().contains("no dead-letter queue is known"));
}

#[test]
fn a_bad_message_goes_to_the_dead_letter_queue_with_reason_and_source() {
    let (queue, database) = (Queue::with_dead_letter_queue(), Database::migrated());
    let (bodies, users) = nine_and_one_bad();
    queue.send(&bodies);
    let waiting = queue.messages();
    let bad = waiting
        .iter()
        .find(|message| message.body() == BAD)
        .unwrap();
    assert!(deliver(&Function::on(&database), &queue).is_empty());
    assert_eq!(queue.depth(), (0, 0));
    assert_eq!(database.user_ids(), users);
    let dead = queue.dead_letters();
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].body(), BAD);
    assert_eq!(dead[0].attribute("reject-reason"), Some("not_json"));
    assert_eq!(dead[0].attribute("source-message-id"), Some(bad.id()));
    let sent_at = bad.system("SentTimestamp");
    assert_eq!(dead[0].attribute("source-sent-at"), Some(sent_at));
}

#[test]
fn the_dead_letter_queue_may_be_named_and_is_never_the_queue_itself() {
    let (queue, other, database) = (Queue::alone(), Queue::alone(), Database::migrated());
    for (number, target) in [&other.name, &other.url].into_iter().enumerate() {
        queue.send(&[BAD]);
        let url = database.url();
        let named = [("DATABASE_URL", &*url), ("ETL_DEAD_LETTER_QUEUE", target)];
        assert!(deliver(&Function::with(&named), &queue).is_empty());
        assert_eq!(other.messages().len(), number + 1);
    }
    queue.send(&[BAD]);
    for itself in [&queue.name, &queue.url] {
        let url = database.url();
        let named = [("DATABASE_URL", &*url), ("ETL_DEAD_LETTER_QUEUE", itself)];
        assert_eq!(deliver(&Function::with(&named), &queue), [BAD]);
    }
}

/// `{"user_id":"packed",…}` through `gzip -n | base64`.
const PACKED: &str = "H4sIAAAAAAACAz2MSwqAMAxE75K1FH8rL1NKk0UwtKG1BRHvbnThbubN54JWqXhG2EBD3AlhgKDqO5XKORme3eJGo0idI/njVDLKuRpjNTm5t7KalRyDWJqayD/4vhHuBwOfLOJrAAAA";

#[test]
fn packed_bodies_are_read_where_they_are_said_to_be() {
    let database = Database::migrated();
    let url = database.url();
    let event = json!({ "Records": [record("q", 1, "", PACKED)] });
    let variables = [("DATABASE_URL", &*url), ("ETL_BODY_ENCODING", "gzip")];
    let answer = Function::with(&variables).invoke(event);
    assert!(matches!(answer, Answer::Response(_)), "{answer:?}");
    assert_eq!(database.user_ids(), ["packed"]);
}

#[test]
fn a_row_that_the_database_refuses_goes_the_same_way_and_the_rest_is_written() {
    let (queue, database) = (Queue::with_dead_letter_queue(), Database::migrated());
    database.execute("ALTER TABLE user_logins ADD CHECK (user_id <> 'user-00003')");
    let bodies: Vec<String> = (0..10).map(|number| Event(number).body()).collect();
    queue.send(&bodies);
    assert!(deliver(&Function::on(&database), &queue).is_empty());
    assert_eq!(database.user_ids().len(), 9);
    assert_eq!(database.rejections(), ["refused_by_database"]);
    let dead = queue.dead_letters();
    assert_eq!(
        dead[0].attribute("reject-reason"),
        Some("refused_by_database")
    );
}

#[test]
fn a_message_that_comes_again_is_one_row_whatever_it_was_sent_as() {
    let (queue, database) = (Queue::alone(), Database::migrated());
    let function = Function::on(&database);
    queue.send(&[Event(0).body()]);
    let first = queue.messages().remove(0);
    assert!(deliver(&function, &queue).is_empty());
    let source = [
        ("source-message-id", first.id()),
        ("source-sent-at", first.system("SentTimestamp")),
    ];
    queue.send_with(&Event(0).body(), &source);
    assert!(deliver(&function, &queue).is_empty());
    assert_eq!(database.user_ids(), [Event(0).user_id()]);
}

#[test]
fn a_group_of_a_fifo_queue_is_not_delivered_past_a_failure() {
    let database = Database::migrated();
    let event = |number: usize| Event(number).body();
    let records = [
        record("gone.fifo", 1, "a", &event(1)),
        record("gone.fifo", 2, "a", BAD),
        record("gone.fifo", 3, "b", &event(3)),
        record("gone.fifo", 4, "a", &event(4)),
    ];
    let answer = Function::on(&database).invoke(json!({ "Records": records }));
    let Answer::Response(response) = answer else {
        panic!("{answer:?}");
    };
    let failed = |number: usize| json!({ "itemIdentifier": records[number]["messageId"] });
    assert_eq!(
        response,
        json!({ "batchItemFailures": [failed(1), failed(3)] })
    );
    assert_eq!(database.user_ids().len(), 3);
}

#[test]
fn no_value_is_logged_at_any_level() {
    let (queue, database) = (Queue::alone(), Database::migrated());
    queue.send(&[Event(0).body(), BAD.to_owned(), Event(1).with("user_id", 5)]);
    let url = database.url();
    let function = Function::with(&[("DATABASE_URL", &*url), ("RUST_LOG", "trace")]);
    deliver(&function, &queue);
    function.invoke(json!({ "Records": Event(2).ip() }));
    let log = function.log();
    assert!(
        log.contains("invocation settled") && log.contains("rejected a message"),
        "{log}"
    );
    let secrets = [
        Event(0).ip(),
        Event(0).user_id(),
        Event(1).device_id(),
        Event(2).ip(),
        BAD.to_owned(),
    ];
    let shown = secrets.iter().find(|secret| log.contains(secret.as_str()));
    assert_eq!(shown, None, "{log}");
}
