//! `etl rejects`: counting what was rejected, and bringing it back without making a second row.

use crate::harness::{Etl, Event, Outcome, Queue, stage};

const BAD: &str = "no JSON";

fn redrive(queue: &Queue, arguments: &[&str]) -> Outcome {
    Etl::new("rejects")
        .args(["redrive"])
        .reading(queue)
        .args(arguments)
        .output()
}

#[test]
fn the_list_counts_by_reason_and_field() {
    let (queue, database) = stage();
    let missing = Event(0).without("ip");
    queue.send(&[BAD, &missing, &missing]);
    Etl::run(&queue, &database).summary();
    let list = |format: &str| {
        Etl::new("rejects")
            .args(["list", "--database-url", database.url(), "--output", format])
            .output()
    };
    let text = list("text").stdout;
    assert!(
        text.contains("2  missing_field                 ip"),
        "{text}"
    );
    assert!(
        text.contains("1  not_json                      –"),
        "{text}"
    );
    let json = list("json").stdout;
    assert!(
        json.contains(r#""reason":"missing_field","field":"ip","messages":2"#),
        "{json}"
    );
}

#[test]
fn a_message_whose_row_stands_makes_no_second_one() {
    let (queue, database) = stage();
    queue.send(&[Event(0).body()]);
    Etl::run(&queue, &database).summary();
    let row = &database.rows("SELECT message_id::text, (extract(epoch FROM sent_at) * 1000)::bigint::text FROM ingested_messages")[0];
    let [Some(id), Some(sent_at)] = row.as_slice() else {
        panic!("{row:?}")
    };
    let source = [
        ("source-message-id", id.as_str()),
        ("source-sent-at", sent_at.as_str()),
    ];
    queue
        .dead_letter
        .as_ref()
        .unwrap()
        .send_with(&Event(0).body(), &source);
    let outcome = redrive(&queue, &[]);
    assert!(
        outcome.stdout.starts_with("1 of 1 messages redriven"),
        "{outcome:?}"
    );
    assert_eq!(
        Etl::run(&queue, &database).summary().counts(),
        [1, 0, 1, 0, 0]
    );
    assert_eq!(database.user_ids().len(), 1);
}

#[test]
fn a_rejected_message_goes_back_once_under_its_first_identity() {
    let (queue, database) = stage();
    queue.send(&[BAD]);
    Etl::run(&queue, &database).summary();
    let source = queue.dead_letters()[0]
        .attribute("source-message-id")
        .unwrap()
        .to_owned();
    redrive(&queue, &[]);
    assert!(queue.dead_letters().is_empty());
    let back = queue.messages();
    assert_eq!(
        back[0].attribute("source-message-id"),
        Some(source.as_str())
    );
    assert_eq!(back[0].attribute("reject-reason"), None);
    Etl::run(&queue, &database).summary();
    assert_eq!(
        database.rejections().len(),
        1,
        "one message, however often it is rejected"
    );
}

#[test]
fn filters_leave_the_others_in_the_dead_letter_queue_and_visible() {
    let (queue, database) = stage();
    queue.send(&[BAD.to_owned(), Event(0).without("ip")]);
    Etl::run(&queue, &database).summary();
    let outcome = redrive(&queue, &["--reason", "missing_field"]);
    assert!(
        outcome.stdout.starts_with("1 of 2 messages redriven"),
        "{outcome:?}"
    );
    assert_eq!(queue.dead_letter.as_ref().unwrap().depth(), (1, 0));
    let unknown = redrive(&queue, &["--reason", "mising_field"]);
    unknown.assert_refused(
        2,
        &[
            "--reason",
            "missing_field",
            "not_json",
            "refused_by_database",
        ],
    );
    let nothing = redrive(&queue, &["--older-than", "1h"]);
    assert!(nothing.stdout.starts_with("0 of 1"), "{nothing:?}");
}

#[test]
fn a_dry_run_moves_nothing_and_shows_bodies_only_when_told() {
    let (queue, database) = stage();
    queue.send(&[BAD]);
    Etl::run(&queue, &database).summary();
    let quiet = redrive(&queue, &["--dry-run"]);
    assert!(
        quiet.stdout.contains("not_json") && !quiet.stdout.contains(BAD),
        "{quiet:?}"
    );
    let loud = redrive(&queue, &["--dry-run", "--show-bodies"]);
    assert!(loud.stdout.contains(BAD), "{loud:?}");
    assert_eq!(queue.dead_letter.as_ref().unwrap().depth(), (1, 0));
}

#[test]
fn a_script_reads_what_a_redrive_did() {
    let (queue, database) = stage();
    queue.send(&[BAD]);
    Etl::run(&queue, &database).summary();
    let dry = redrive(&queue, &["--dry-run", "--show-bodies", "--output", "json"]);
    let lines: Vec<serde_json::Value> = dry
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["reason"], "not_json");
    assert_eq!(lines[0]["body"], BAD);
    assert_eq!(
        (&lines[1]["redriven"], &lines[1]["dry_run"]),
        (&1.into(), &true.into())
    );
    let done = redrive(&queue, &["--output", "json"]);
    let report: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(
        (&report["read"], &report["redriven"]),
        (&1.into(), &1.into())
    );
}
