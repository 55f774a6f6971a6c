//! When a run ends and what it says then: a drained queue, a limit, a signal, a second signal.

use std::time::{Duration, Instant};

use local_stack::LoadQueue;

use crate::harness::{Database, Etl, Event, Queue, Running, events, stage, until};

const LOCK: &str = "LOCK TABLE user_logins IN ACCESS EXCLUSIVE MODE";

/// With the wait that it has by default.
fn with_long_polls(queue: &Queue, database: &Database) -> Etl {
    Etl::run(queue, database).without_env("ETL_WAIT_TIME_SECONDS")
}

/// A server that counts polls when they begin, and a queue on it.
fn countable() -> (LoadQueue, Queue, Database) {
    let server = LoadQueue::start();
    let queue = Queue::with_dead_letter_queue_on(server.port());
    (server, queue, Database::migrated())
}

/// A run that is in its first long poll on an empty queue.
fn idle(server: &LoadQueue, etl: Etl) -> Running {
    let running = etl.start();
    let polls = || server.statistics().requests.get("ReceiveMessage").copied();
    until("it polls", || polls() > Some(0));
    running
}

fn seconds_of(act: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    act();
    begun.elapsed().as_secs_f64()
}

#[test]
fn a_drain_with_long_polls_ends_soon_after_the_last_message() {
    let (queue, database) = stage();
    queue.send(&events(100));
    let running = with_long_polls(&queue, &database).start();
    until("all stand", || database.count("user_logins") == 100);
    let mut outcome = None;
    let after_last = seconds_of(|| outcome = Some(running.end()));
    assert!(after_last < 3.0, "{after_last}");
    assert_eq!(outcome.unwrap().summary().counts(), [100, 100, 0, 0, 0]);
}

#[test]
fn a_follower_in_an_idle_long_poll_ends_cleanly_on_a_signal() {
    for signal in ["TERM", "INT"] {
        let (server, queue, database) = countable();
        let running = idle(
            &server,
            with_long_polls(&queue, &database).args(["--follow"]),
        );
        running.signal(signal);
        let mut outcome = None;
        let until_end = seconds_of(|| outcome = Some(running.end()));
        let outcome = outcome.unwrap();
        assert!(until_end < 2.0, "{until_end}");
        assert_eq!(outcome.code, 0, "{outcome:?}");
        assert_eq!(outcome.summary().counts(), [0; 5]);
    }
}

#[test]
fn a_drain_in_an_idle_long_poll_says_that_it_was_cut_short() {
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let (server, queue, database) = countable();
        let running = idle(&server, with_long_polls(&queue, &database));
        running.signal(signal);
        let mut outcome = None;
        let until_end = seconds_of(|| outcome = Some(running.end()));
        let outcome = outcome.unwrap();
        assert!(until_end < 2.0, "{until_end}");
        assert_eq!(outcome.code, code, "{outcome:?}");
        assert_eq!(outcome.summary().counts(), [0; 5]);
    }
}

#[test]
fn a_drain_cut_short_writes_what_it_holds_and_leaves_the_rest() {
    let (queue, database) = stage();
    queue.send(&events(100));
    let lock = database.hold(LOCK);
    let running = Etl::run(&queue, &database)
        .args(["--max-in-flight", "20", "--batch-size", "5"])
        .start();
    database.until_a_write_waits();
    running.signal("TERM");
    running.until_logged("stopping");
    drop(lock);
    let outcome = running.end();
    assert_eq!(outcome.code, 143, "{outcome:?}");
    let [received, written, ..] = outcome.summary().counts();
    assert_eq!(received, written);
    assert_eq!(database.count("user_logins"), written);
    assert_eq!(queue.depth().0, 100 - written);
}

#[test]
fn what_cannot_be_written_in_the_grace_period_is_released() {
    let (queue, database) = stage();
    queue.send(&events(10));
    let lock = database.hold(LOCK);
    let running = Etl::run(&queue, &database)
        .args(["--grace-period", "300ms"])
        .start();
    database.until_a_write_waits();
    let signalled = Instant::now();
    running.signal("TERM");
    let outcome = running.end();
    assert!(signalled.elapsed() < Duration::from_secs(6));
    assert_eq!(outcome.code, 143, "{outcome:?}");
    assert_eq!(outcome.summary().get("written"), 0);
    drop(lock);
}

#[test]
fn a_second_signal_ends_the_run_at_once() {
    let (queue, database) = stage();
    queue.send(&events(10));
    let _lock = database.hold(LOCK);
    let running = Etl::run(&queue, &database).start();
    database.until_a_write_waits();
    running.signal("TERM");
    running.until_logged("stopping");
    running.signal("INT");
    let mut outcome = None;
    let until_end = seconds_of(|| outcome = Some(running.end()));
    assert!(until_end < 1.0, "{until_end}");
    assert_eq!(outcome.unwrap().code, 130);
}

#[test]
fn a_follower_writes_messages_that_are_sent_later_within_a_second() {
    let (server, queue, database) = countable();
    let running = idle(
        &server,
        with_long_polls(&queue, &database).args(["--follow"]),
    );
    for number in 0..3 {
        queue.send(&[Event(number).body()]);
        let until_visible = seconds_of(|| {
            until("the row stands", || {
                database.count("user_logins") == number as u64 + 1
            });
        });
        assert!(until_visible < 1.0, "{until_visible}");
    }
    until("they are deleted", || queue.depth() == (0, 0));
    running.signal("TERM");
    let outcome = running.end();
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert_eq!(outcome.summary().counts(), [3, 3, 0, 0, 0]);
}

#[test]
fn a_signal_before_the_first_receive_ends_the_run() {
    let (queue, database) = stage();
    for (arguments, code) in [(None, 143), (Some("--follow"), 0)] {
        let running = Etl::run(&queue, &database)
            .args(arguments)
            .env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none")
            .start();
        running.until_logged("not ready yet");
        running.signal("TERM");
        let outcome = running.end();
        assert_eq!(outcome.code, code, "{outcome:?}");
        assert_eq!(outcome.summary().counts(), [0; 5]);
    }
}
