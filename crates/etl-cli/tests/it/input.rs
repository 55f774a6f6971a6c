//! A file or stdin in place of a queue.

use std::fs;

use crate::harness::{Database, Etl, Event, Queue, events};

fn file_run(path: &str, database: &Database) -> Etl {
    Etl::new("run").env("DATABASE_URL", database.url()).args([
        "--masking",
        "base64",
        "--output",
        "json",
        "--input",
        path,
    ])
}

#[test]
fn a_file_read_twice_is_written_once() {
    let (folder, database) = (tempfile::tempdir().unwrap(), Database::migrated());
    let path = folder.path().join("events.jsonl");
    fs::write(&path, events(30).join("\n")).unwrap();
    let run = || {
        file_run(path.to_str().unwrap(), &database)
            .summary()
            .counts()
    };
    assert_eq!(run(), [30, 30, 0, 0, 0]);
    assert_eq!(run(), [30, 0, 30, 0, 0]);
    fs::write(&path, events(30).join("\n")).unwrap();
    assert_eq!(
        run(),
        [30, 0, 30, 0, 0],
        "written anew with the same content"
    );
}

#[test]
fn stdin_read_twice_is_written_once() {
    let database = Database::migrated();
    let run = || {
        Etl::run_lines(events(3).join("\n"), &database)
            .summary()
            .counts()
    };
    assert_eq!(run(), [3, 3, 0, 0, 0]);
    assert_eq!(run(), [3, 0, 3, 0, 0]);
}

#[test]
fn equal_lines_are_logins_of_their_own() {
    let database = Database::migrated();
    let twice = [Event(0).body(), Event(0).body()].join("\n");
    let summary = Etl::run_lines(twice, &database).summary();
    assert_eq!(summary.counts(), [2, 2, 0, 0, 0]);
}

#[test]
fn the_date_is_the_one_given_else_the_files() {
    let (folder, database) = (tempfile::tempdir().unwrap(), Database::migrated());
    let path = folder.path().join("events.jsonl");
    fs::write(&path, Event(0).body()).unwrap();
    let new_year = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_767_225_599);
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(new_year).unwrap();
    file_run(path.to_str().unwrap(), &database).summary();
    file_run(path.to_str().unwrap(), &database)
        .args(["--date", "2024-02-29"])
        .summary();
    let dates = "SELECT create_date FROM user_logins ORDER BY 1";
    assert_eq!(database.texts(dates), ["2024-02-29", "2025-12-31"]);
}

#[test]
fn line_ends_of_windows_empty_lines_and_a_missing_last_line_end_are_read_past() {
    let database = Database::migrated();
    let [first, second, third] = [0, 1, 2].map(|number| Event(number).body());
    let lines = format!("\u{feff}{first}\r\n\r\n   \n\n{second}\n{third}");
    let summary = Etl::run_lines(lines, &database).summary();
    assert_eq!(summary.counts(), [3, 3, 0, 0, 0]);
    assert_eq!(
        database.user_ids(),
        [0, 1, 2].map(|number| Event(number).user_id())
    );
}

#[test]
fn a_line_that_is_no_utf8_is_rejected_and_left_in_the_file() {
    let database = Database::migrated();
    let mut lines = Event(0).body().into_bytes();
    lines.extend(b"\n{\"user_id\": \"\xff\"}\n");
    lines.extend(Event(1).body().into_bytes());
    let outcome = Etl::run_lines(lines, &database).output();
    assert_eq!(outcome.summary().counts(), [3, 2, 0, 0, 1]);
    assert_eq!(database.rejections(), ["not_utf8"]);
}

#[test]
fn the_text_summary_of_a_file_speaks_of_the_input() {
    let database = Database::migrated();
    let outcome = Etl::run_lines("no JSON\n", &database)
        .args(["--output", "text"])
        .output();
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(outcome.stdout.contains("in the input"), "{outcome:?}");
    assert!(!outcome.stdout.contains("queue"), "{outcome:?}");
}

#[test]
fn an_empty_input_is_no_error() {
    let database = Database::migrated();
    let summary = Etl::run_lines("", &database).summary();
    assert_eq!(summary.counts(), [0; 5]);
}

#[test]
fn a_dry_run_of_a_file_prints_its_rows() {
    let (folder, database) = (tempfile::tempdir().unwrap(), Database::empty());
    let path = folder.path().join("events.jsonl");
    fs::write(&path, events(3).join("\n")).unwrap();
    let outcome = file_run(path.to_str().unwrap(), &database)
        .args(["--dry-run", "--date", "2026-01-31"])
        .output();
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert_eq!(
        outcome
            .stdout
            .matches("\"create_date\":\"2026-01-31\"")
            .count(),
        3
    );
    assert_eq!(database.count("pg_tables WHERE schemaname = 'public'"), 0);
}

#[test]
fn send_names_the_line_that_it_cannot_read() {
    let queue = Queue::alone();
    let mut lines = events(5).join("\n").into_bytes();
    lines.extend(b"\n\n\xff\n");
    let sent = Etl::new("send")
        .reading(&queue)
        .args(["--input", "-"])
        .stdin(lines)
        .output();
    sent.assert_refused(1, &["--input: line 7", "UTF-8"]);
}
