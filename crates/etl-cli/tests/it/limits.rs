//! Runs that take less than everything: a number of deliveries, or a look without a trace.

use crate::harness::{Database, Etl, Event, Queue, events, stage};

#[test]
fn max_messages_takes_exactly_so_many_deliveries() {
    let (queue, database) = stage();
    queue.send(&events(40));
    for (taken, stands) in [(7, 7), (10, 17), (13, 30)] {
        let summary = Etl::run(&queue, &database)
            .args(["--max-messages", &taken.to_string()])
            .summary();
        assert_eq!(summary.counts(), [taken, taken, 0, 0, 0]);
        assert_eq!(database.count("user_logins"), stands);
    }
    assert_eq!(queue.depth(), (10, 0));
}

#[test]
fn max_messages_counts_duplicates_and_rejected_messages_too() {
    let (queue, database) = stage();
    let first_sent = [("source-sent-at", "1700000000000")];
    for id in ["00000000-0000-0000-0000-000000000001"; 4] {
        queue.send_with(
            &Event(0).body(),
            &[("source-message-id", id), first_sent[0]],
        );
    }
    queue.send(&["no JSON"]);
    queue.send(&events(5));
    let [received, written, duplicates, rejected, left] = Etl::run(&queue, &database)
        .args(["--max-messages", "8"])
        .summary()
        .counts();
    assert_eq!((received, left), (8, 0));
    assert_eq!(written + duplicates + rejected, 8);
    let rest = Etl::run(&queue, &database).summary().counts();
    assert_eq!(
        [written + rest[1], duplicates + rest[2], rejected + rest[3]],
        [6, 3, 1]
    );
}

#[test]
fn max_messages_larger_than_the_queue_ends_with_the_queue() {
    let (queue, database) = stage();
    queue.send(&events(5));
    let summary = Etl::run(&queue, &database)
        .args(["--max-messages", "18446744073709551615"])
        .summary();
    assert_eq!(summary.counts(), [5, 5, 0, 0, 0]);
}

#[test]
fn a_dry_run_prints_masked_rows_and_changes_nothing() {
    let (queue, database) = stage();
    queue.send(&[Event(0).body()]);
    let outcome = Etl::run(&queue, &database).args(["--dry-run"]).output();
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let today = database.texts("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD')");
    let expected = r#"{"user_id":"user-00000","device_type":"android","masked_ip":"MTAuNzcuMC4w","masked_device_id":"NTkzLTQ3LTAwMDA=","locale":"RU","app_version":2,"create_date":"TODAY"}"#;
    assert_eq!(outcome.stdout.trim(), expected.replace("TODAY", &today[0]));
    assert_eq!(database.count("user_logins"), 0);
    assert_eq!(queue.depth(), (1, 0));
}

#[test]
fn a_dry_run_says_what_would_be_rejected_and_rejects_nothing() {
    let (queue, database) = stage();
    queue.send(&["no JSON"]);
    let outcome = Etl::run(&queue, &database).args(["--dry-run"]).output();
    outcome.assert_refused(0, &["would be rejected", "is not valid JSON"]);
    assert_eq!(outcome.stdout, "");
    assert_eq!(queue.depth(), (1, 0));
    assert!(queue.dead_letters().is_empty());
    assert!(database.rejections().is_empty());
}

#[test]
fn a_dry_run_takes_a_hundred_deliveries_unless_told_otherwise_and_needs_no_database() {
    let queue = Queue::alone();
    queue.send(&events(120));
    let lines = |arguments: &[&str]| {
        let outcome = Etl::new("run")
            .reading(&queue)
            .args([
                "--dry-run",
                "--masking",
                "redact",
                "--wait-time-seconds",
                "0",
            ])
            .args(arguments)
            .output();
        assert_eq!(outcome.code, 0, "{outcome:?}");
        outcome.stdout.lines().count()
    };
    assert_eq!(lines(&[]), 100);
    assert_eq!(lines(&["--max-messages", "3"]), 3);
    assert_eq!(lines(&["--max-messages", "200"]), 120);
    assert_eq!(queue.depth(), (120, 0));
}

#[test]
fn a_dry_run_that_is_cut_short_releases_what_it_holds() {
    let (queue, database) = (Queue::alone(), Database::migrated());
    queue.send(&events(5));
    let running = Etl::run(&queue, &database)
        .args(["--dry-run", "--wait-time-seconds", "20"])
        .start();
    running.until_printed("user-00004");
    running.signal("INT");
    let outcome = running.end();
    assert_eq!(outcome.code, 130, "{outcome:?}");
    assert_eq!(queue.depth(), (5, 0));
}
