//! Bodies that cannot be written: each is recorded with its reason and field, forwarded with both, and costs the
//! others nothing.

use local_stack::LoadQueue;

use crate::harness::{Database, Etl, Event, Queue, stage};

const MIBIBYTE: usize = 1 << 20;

/// A body, and how its rejection reads: reason and field.
type Case = (String, &'static str);

fn case(body: impl Into<String>, rejection: &'static str) -> Case {
    (body.into(), rejection)
}

fn of_the_whole_message() -> Vec<Case> {
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    vec![
        case("no JSON", "not_json"),
        case(r#"{"user_id": "cut off"#, "not_json"),
        case("[]", "not_an_object"),
        case("\"text\"", "not_an_object"),
        case("17", "not_an_object"),
        case("null", "not_an_object"),
        case(nested.clone(), "nested_too_deep"),
        case(
            Event(0)
                .body()
                .replacen('{', &format!("{{\"x\": {nested}, "), 1),
            "nested_too_deep",
        ),
    ]
}

fn of_one_field() -> Vec<Case> {
    let event = Event(0);
    let text_of = |count: usize| "ü".repeat(count);
    vec![
        case(
            r#"{"foo": "oops_wrong_msg_type", "bar": "123"}"#,
            "missing_field user_id",
        ),
        case(event.without("ip"), "missing_field ip"),
        case(event.without("locale"), "missing_field locale"),
        case(event.with("user_id", ""), "empty user_id"),
        case(event.with("user_id", None::<String>), "wrong_type user_id"),
        case(event.with("ip", 17), "wrong_type ip"),
        case(event.with("app_version", vec![2]), "wrong_type app_version"),
        case(event.with("user_id", text_of(129)), "too_long user_id"),
        case(
            event.with("device_type", text_of(33)),
            "too_long device_type",
        ),
        case(event.with("locale", text_of(33)), "too_long locale"),
        case(event.with("ip", text_of(200)), "masked_value_too_long ip"),
        case(event.with("device_id", "a\0b"), "nul_character device_id"),
        case(
            event.body().replace("user-00000", r"\ud83d"),
            "unpaired_surrogate user_id",
        ),
        case(
            event.with("app_version", "latest"),
            "app_version_no_major app_version",
        ),
        case(
            event.with("app_version", "2147483648.1"),
            "app_version_out_of_range app_version",
        ),
    ]
}

/// Texts at the limit: characters are counted, not bytes.
fn good_at_the_limit() -> Vec<String> {
    vec![
        Event(1).with("user_id", "ü".repeat(128)),
        Event(2).with("locale", "🦀".repeat(32)),
        Event(3).with("app_version", "2147483647.1"),
        Event(4).with("device_type", None::<String>),
    ]
}

fn assert_rejected(queue: &Queue, database: &Database, cases: &[Case]) {
    let mut expected: Vec<_> = cases.iter().map(|(_, rejection)| *rejection).collect();
    expected.sort_unstable();
    assert_eq!(database.rejections(), expected);
    let dead = queue.dead_letters();
    assert_eq!(dead.len(), cases.len());
    for message in dead {
        let noted = [
            message.attribute("reject-reason"),
            message.attribute("reject-field"),
        ];
        let noted: Vec<&str> = noted.into_iter().flatten().collect();
        let (_, expected) = cases
            .iter()
            .find(|(body, _)| *body == message.body())
            .unwrap();
        assert_eq!(noted.join(" "), *expected);
    }
}

#[test]
fn every_bad_body_is_recorded_and_forwarded_with_its_reason_and_field() {
    let (queue, database) = stage();
    let cases = [of_the_whole_message(), of_one_field()].concat();
    let good = good_at_the_limit();
    cases.iter().for_each(|(body, _)| queue.send(&[body]));
    queue.send(&good);
    let outcome = Etl::run(&queue, &database).output();
    let (bad, good) = (cases.len() as u64, good.len() as u64);
    assert_eq!(outcome.summary().counts(), [bad + good, good, 0, bad, 0]);
    assert_rejected(&queue, &database, &cases);
    assert_eq!(queue.depth(), (0, 0));
}

#[test]
fn a_rejection_is_logged_with_its_message_its_field_and_a_hint() {
    let (queue, database) = stage();
    queue.send(&[Event(0).with("user_id", "")]);
    let outcome = Etl::run(&queue, &database).output();
    let id = database
        .texts("SELECT message_id FROM rejected_messages")
        .remove(0);
    outcome.assert_refused(0, &[&id, "user_id is empty", "hint="]);
}

#[test]
fn bodies_of_one_mebibyte_are_written_or_forwarded_whole() {
    let server = LoadQueue::start();
    let queue = Queue::with_dead_letter_queue_on(server.port());
    let database = Database::migrated();
    let frame = Event(7).with("extra", "").len();
    let good = Event(7).with("extra", "x".repeat(MIBIBYTE - frame));
    let bad = "x".repeat(MIBIBYTE);
    assert_eq!((good.len(), bad.len()), (MIBIBYTE, MIBIBYTE));
    queue.send(&[good]);
    queue.send(&[&bad]);
    let summary = Etl::run(&queue, &database).summary();
    assert_eq!(summary.counts(), [2, 1, 0, 1, 0]);
    assert_eq!(database.user_ids(), [Event(7).user_id()]);
    // The attributes do not fit beside it; they stand in rejected_messages.
    assert_eq!(queue.dead_letters()[0].body(), bad);
    assert_eq!(database.rejections(), ["not_json"]);
}

#[test]
fn a_line_of_one_mebibyte_is_written() {
    let database = Database::migrated();
    let line = Event(7).with("extra", "x".repeat(MIBIBYTE));
    let summary = Etl::run_lines(line, &database).summary();
    assert_eq!(summary.counts(), [1, 1, 0, 0, 0]);
}

#[test]
fn an_event_in_the_envelopes_of_sns_and_eventbridge_is_written() {
    let (queue, database) = stage();
    let sns = r#"{"Type": "Notification", "MessageId": "m", "TopicArn": "arn:aws:sns:r:1:t", "Message": MESSAGE}"#;
    let text = serde_json::to_string(&Event(0).body()).unwrap();
    queue.send(&[sns.replace("MESSAGE", &text)]);
    let summary = Etl::run(&queue, &database).summary();
    assert_eq!(summary.counts(), [1, 1, 0, 0, 0]);
}

/// The first is `{"user_id":"packed",…}` through `gzip -n | base64`.
#[test]
fn compressed_bodies_are_read_where_told_so() {
    let packed = "H4sIAAAAAAACAz2MSwqAMAxE75K1FH8rL1NKk0UwtKG1BRHvbnThbubN54JWqXhG2EBD3AlhgKDqO5XKORme3eJGo0idI/njVDLKuRpjNTm5t7KalRyDWJqayD/4vhHuBwOfLOJrAAAA";
    let (queue, database) = stage();
    queue.send(&[packed.to_owned(), Event(2).body()]);
    let run = Etl::run(&queue, &database).env("ETL_BODY_ENCODING", "gzip");
    assert_eq!(run.summary().counts(), [2, 2, 0, 0, 0]);
    assert_eq!(
        database.user_ids(),
        ["packed".to_owned(), Event(2).user_id()]
    );
}
