//! Several runs at once, servers that fail under a run, and rows that Postgres refuses: every event once, none lost.

use std::thread::sleep;
use std::time::Duration;

use local_stack::Postgres;

use crate::harness::{Database, Etl, Event, Held, Queue, Running, events, stage, until};

const LOCK: &str = "LOCK TABLE user_logins IN ACCESS EXCLUSIVE MODE";
const REFUSE_SOME: &str = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
     IF NEW.user_id IN ('user-00013', 'user-00058') THEN RAISE EXCEPTION 'not %', NEW.user_id; END IF; \
     RETURN NEW; END $$; \
     CREATE TRIGGER refuse BEFORE INSERT ON user_logins FOR EACH ROW EXECUTE FUNCTION refuse()";

fn user_ids(count: usize) -> Vec<String> {
    (0..count).map(|number| Event(number).user_id()).collect()
}

fn user_ids_without(count: usize, refused: &[usize]) -> Vec<String> {
    let stands = (0..count).filter(|number| !refused.contains(number));
    stands.map(|number| Event(number).user_id()).collect()
}

fn assert_every_event_stands_once(queue: &Queue, database: &Database, count: usize) {
    assert_eq!(database.user_ids(), user_ids(count));
    assert_eq!(database.count("ingested_messages"), count as u64);
    assert_eq!(queue.depth(), (0, 0));
    assert!(queue.dead_letters().is_empty());
}

#[test]
fn four_runs_at_once_on_an_empty_database_write_every_event_once() {
    let (queue, database) = (Queue::with_dead_letter_queue(), Database::empty());
    queue.send(&events(600));
    let start = |_| {
        Etl::run(&queue, &database)
            .args(["--batch-size", "20"])
            .start()
    };
    let runs: Vec<Running> = (0..4).map(start).collect();
    let summaries: Vec<_> = runs.into_iter().map(|run| run.end().summary()).collect();
    let written: u64 = summaries.iter().map(|summary| summary.get("written")).sum();
    assert_eq!(written, 600);
    assert_every_event_stands_once(&queue, &database, 600);
}

#[test]
fn a_message_that_is_delivered_twice_is_written_once() {
    let (queue, database) = stage();
    let source = [
        ("source-message-id", "6b4a8d2e-5a3e-4a53-8a52-0d7cbb3f0a11"),
        ("source-sent-at", "1700000000000"),
    ];
    for _ in 0..3 {
        queue.send_with(&Event(0).body(), &source);
    }
    let summary = Etl::run(&queue, &database).summary();
    assert_eq!(summary.counts(), [3, 1, 2, 0, 0]);
    assert_eq!(database.user_ids(), user_ids(1));
}

fn postgres_fails_in_the_middle_of_a_run(fail: impl FnOnce(&Postgres)) {
    let server = Postgres::start_private();
    let (queue, database) = (
        Queue::with_dead_letter_queue(),
        Database::migrated_on(&server),
    );
    queue.send(&events(300));
    let first = Etl::run(&queue, &database).args(["--max-messages", "100"]);
    assert_eq!(first.summary().get("written"), 100);
    let lock = database.hold(LOCK);
    let running = Etl::run(&queue, &database)
        .args(["--batch-size", "30"])
        .start();
    database.until_a_write_waits();
    fail(&server);
    drop(lock);
    running.until_logged("failed to write to the database");
    server.start();
    let outcome = running.end();
    assert_eq!(outcome.code, 0, "{outcome:?}");
    outcome.summary();
    assert_every_event_stands_once(&queue, &database, 300);
}

#[test]
fn a_restart_of_postgres_in_the_middle_of_a_run_loses_and_doubles_nothing() {
    postgres_fails_in_the_middle_of_a_run(Postgres::stop);
}

#[test]
fn a_crash_of_postgres_in_the_middle_of_a_run_loses_and_doubles_nothing() {
    postgres_fails_in_the_middle_of_a_run(Postgres::crash);
}

#[test]
fn a_drain_gives_up_on_an_outage_that_outlasts_its_patience() {
    let server = Postgres::start_private();
    let (queue, database) = (
        Queue::with_dead_letter_queue(),
        Database::migrated_on(&server),
    );
    queue.send(&events(20));
    let lock = database.hold(LOCK);
    let running = Etl::run(&queue, &database)
        .args(["--give-up-after", "500ms"])
        .start();
    database.until_a_write_waits();
    server.stop();
    drop(lock);
    let outcome = running.end();
    outcome.assert_refused(1, &["gave up", "nothing is lost"]);
    assert_eq!(outcome.summary().counts(), [20, 0, 0, 0, 0]);
    assert_eq!(queue.depth(), (20, 0), "it is released at once");
}

#[test]
fn a_row_that_a_trigger_refuses_is_dead_lettered_and_the_rest_is_written() {
    let (queue, database) = stage();
    database.execute(REFUSE_SOME);
    queue.send(&events(100));
    let outcome = Etl::run(&queue, &database).output();
    assert_eq!(outcome.summary().counts(), [100, 98, 0, 2, 0]);
    assert_eq!(database.user_ids(), user_ids_without(100, &[13, 58]));
    assert_eq!(database.rejections(), ["refused_by_database"; 2]);
    let mut dead = queue.dead_letter.as_ref().unwrap().bodies();
    dead.sort();
    assert_eq!(dead, [Event(13).body(), Event(58).body()]);
    assert!(!outcome.stderr.contains("user-00013"), "{outcome:?}");
}

#[test]
fn a_row_that_breaks_a_check_is_dead_lettered_with_its_reason() {
    let (queue, database) = stage();
    database.execute(
        "ALTER TABLE user_logins ADD CONSTRAINT known CHECK (device_type IN ('ios', 'android'))",
    );
    queue.send(&events(30));
    queue.send(&[Event(30).with("device_type", "fridge")]);
    let summary = Etl::run(&queue, &database).summary();
    assert_eq!(summary.counts(), [31, 30, 0, 1, 0]);
    let dead = queue.dead_letters().remove(0);
    assert_eq!(dead.attribute("reject-reason"), Some("refused_by_database"));
    assert!(dead.body().contains("fridge"));
}

#[test]
fn where_every_row_is_refused_none_is_dead_lettered() {
    let (queue, database) = stage();
    database.execute("ALTER TABLE user_logins ADD CONSTRAINT never CHECK (user_id = 'nobody')");
    queue.send(&events(30));
    let outcome = Etl::run(&queue, &database)
        .args(["--give-up-after", "1s"])
        .output();
    outcome.assert_refused(1, &["refuses every row", "never"]);
    assert_eq!(queue.depth(), (30, 0));
    assert!(queue.dead_letters().is_empty());
    assert!(database.rejections().is_empty());
}

/// More than eight refused at once stayed undecided, and the drain gave up.
#[test]
fn a_queue_of_nothing_but_bad_rows_is_drained() {
    let (queue, database) = stage();
    database.execute("ALTER TABLE user_logins ADD CHECK (device_type IN ('ios', 'android'))");
    let bad: Vec<_> = (0..40)
        .map(|number| Event(number).with("device_type", "fridge"))
        .collect();
    queue.send(&bad);
    assert_eq!(
        Etl::run(&queue, &database).summary().counts(),
        [40, 0, 0, 40, 0]
    );
    queue.send(&bad[..1]);
    let alone = Etl::run(&queue, &database).summary();
    assert_eq!(alone.counts(), [1, 0, 0, 1, 0]);
    assert_eq!(queue.dead_letters().len(), 41);
}

/// What a server says whose disk is full; the sequence counts, for it is not rolled back.
const NO_ROOM: &str = "CREATE SEQUENCE tries; \
    CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('tries'); \
    RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$; \
    CREATE TRIGGER no_room BEFORE INSERT ON user_logins FOR EACH ROW EXECUTE FUNCTION no_room()";

#[test]
fn a_full_disk_is_told_and_waited_for_without_a_receive() {
    let (queue, database) = stage();
    database.execute(NO_ROOM);
    queue.send(&events(10));
    let running = Etl::run(&queue, &database).start();
    running.until_logged("the database's disk is full");
    running.until_logged("free space on the database server's disk");
    queue.send(&events(30)[10..]);
    let tries = || database.count("generate_series(1, (SELECT last_value FROM tries))");
    let before = tries();
    until("it tries again, and again", || tries() >= before + 4);
    assert_eq!(queue.depth().0, 20, "nothing is received meanwhile");
    database.execute("DROP FUNCTION no_room CASCADE");
    assert_eq!(running.end().summary().counts(), [30, 30, 0, 0, 0]);
    assert!(queue.dead_letters().is_empty() && database.rejections().is_empty());
}

/// A queue that hides what was received for two seconds, and the lock that makes a run on it wait.
fn stage_that_waits() -> (Queue, Database, Held) {
    let attributes = serde_json::json!({ "VisibilityTimeout": "2" });
    let queue = Queue::on(local_stack::sqs().port(), &attributes);
    let database = Database::migrated();
    queue.send(&events(10));
    let lock = database.hold(LOCK);
    (queue, database, lock)
}

#[test]
fn a_write_that_outlasts_the_visibility_timeout_is_not_delivered_again() {
    let (queue, database, lock) = stage_that_waits();
    let (other_queue, other_database, other_lock) = stage_that_waits();
    let running = Etl::run(&queue, &database).start();
    let with_its_own = Etl::run(&other_queue, &other_database)
        .args(["--visibility-timeout", "60"])
        .start();
    database.until_a_write_waits();
    other_database.until_a_write_waits();
    // Twice the timeout: no event tells that nothing comes.
    sleep(Duration::from_secs(4));
    drop((lock, other_lock));
    for (running, queue) in [(running, queue), (with_its_own, other_queue)] {
        assert_eq!(running.end().summary().counts(), [10, 10, 0, 0, 0]);
        assert_eq!(queue.depth(), (0, 0));
    }
}
