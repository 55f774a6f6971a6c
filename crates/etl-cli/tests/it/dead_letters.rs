//! Where unreadable messages go, and that nothing is deleted that stands nowhere else.

use crate::harness::{Database, Etl, Event, Queue, stage};

const BAD: &str = "no JSON";

#[test]
fn without_a_dead_letter_queue_the_message_is_left_hidden_and_the_drain_ends() {
    let (queue, database) = (Queue::alone(), Database::migrated());
    queue.send(&[BAD, &Event(0).body()]);
    let outcome = Etl::run(&queue, &database).output();
    outcome.assert_refused(0, &["no dead-letter queue is known", "--dead-letter-queue"]);
    assert_eq!(outcome.summary().counts(), [2, 1, 0, 0, 1]);
    assert_eq!(database.rejections(), ["not_json"]);
    assert_eq!(queue.depth(), (0, 1));
    assert_eq!(Etl::run(&queue, &database).summary().counts(), [0; 5]);
}

#[test]
fn the_text_summary_says_where_a_message_was_left() {
    let (queue, database) = (Queue::alone(), Database::migrated());
    queue.send(&[BAD]);
    let outcome = Etl::run(&queue, &database)
        .args(["--output", "text"])
        .output();
    assert!(
        outcome.stdout.contains("1  unreadable, on the queue"),
        "{outcome:?}"
    );
}

#[test]
fn the_dead_letter_queue_may_be_named_or_given_as_a_url() {
    let (queue, other, database) = (
        Queue::with_dead_letter_queue(),
        Queue::alone(),
        Database::migrated(),
    );
    for (number, target) in [&other.name, &other.url].into_iter().enumerate() {
        queue.send(&[BAD]);
        let summary = Etl::run(&queue, &database)
            .args(["--dead-letter-queue", target])
            .summary();
        assert_eq!(summary.counts(), [1, 0, 0, 1, 0]);
        assert_eq!(other.messages().len(), number + 1);
    }
    assert!(
        queue.dead_letters().is_empty(),
        "the option wins over the policy"
    );
}

#[test]
fn a_queue_is_refused_as_its_own_dead_letter_queue_however_it_is_written() {
    let (queue, database) = stage();
    let by_another_host = queue.url.replace("127.0.0.1", "localhost");
    for target in [&queue.name, &queue.url, &by_another_host] {
        Etl::run(&queue, &database)
            .args(["--dead-letter-queue", target])
            .output()
            .assert_refused(
                2,
                &["--dead-letter-queue is the queue that is read", "hint: "],
            );
    }
}

#[test]
fn an_unknown_dead_letter_queue_is_refused_by_the_options_name() {
    let (queue, database) = stage();
    Etl::run(&queue, &database)
        .args(["--dead-letter-queue", "no-such-queue"])
        .output()
        .assert_refused(
            2,
            &["--dead-letter-queue", "no-such-queue", "does not exist"],
        );
}

#[test]
fn a_message_that_the_dead_letter_queue_does_not_take_is_left() {
    let (queue, database) = (Queue::alone(), Database::migrated());
    queue.send(&[BAD, &Event(0).body()]);
    let outcome = Etl::run(&queue, &database)
        .args(["--dead-letter-queue", &format!("{}-gone", queue.url)])
        .output();
    outcome.assert_refused(0, &["failed to send", "does not exist", "-gone"]);
    assert_eq!(outcome.summary().counts(), [2, 1, 0, 0, 1]);
    assert_eq!(queue.depth(), (0, 1));
}

#[test]
fn a_policy_that_names_a_queue_that_is_gone_leaves_the_message() {
    let (queue, database) = stage();
    queue.dead_letter.as_ref().unwrap().delete();
    queue.send(&[BAD]);
    let outcome = Etl::run(&queue, &database).output();
    outcome.assert_refused(0, &["RedrivePolicy", "no dead-letter queue is known"]);
    assert_eq!(outcome.summary().counts(), [1, 0, 0, 0, 1]);
    assert_eq!(queue.depth(), (0, 1));
}

#[test]
fn a_forwarded_message_keeps_the_attributes_and_the_identity_of_its_source() {
    let (queue, database) = stage();
    queue.send_with(BAD, &[("trace", "t-1")]);
    let id = queue.messages()[0].id().to_owned();
    let sent_at = queue.messages()[0].system("SentTimestamp").to_owned();
    Etl::run(&queue, &database).summary();
    let dead = queue.dead_letters().remove(0);
    assert_eq!(dead.attribute("trace"), Some("t-1"));
    assert_eq!(dead.attribute("source-message-id"), Some(&*id));
    assert_eq!(dead.attribute("source-sent-at"), Some(&*sent_at));
}

#[test]
fn a_message_sent_again_with_its_source_is_a_duplicate_of_the_first() {
    let (queue, database) = stage();
    queue.send(&[Event(0).body()]);
    let id = queue.messages()[0].id().to_owned();
    let sent_at = queue.messages()[0].system("SentTimestamp").to_owned();
    Etl::run(&queue, &database).summary();
    queue.send_with(
        &Event(0).body(),
        &[("source-message-id", &id), ("source-sent-at", &sent_at)],
    );
    let summary = Etl::run(&queue, &database).summary();
    assert_eq!(summary.counts(), [1, 0, 1, 0, 0]);
    assert_eq!(database.count("user_logins"), 1);
}
