//! `etl reconcile`: says so where ledger and rows agree, and names the day where they do not.

use std::fs;

use serde_json::Value;

use crate::harness::{Database, Etl, Event, Outcome, Pages, events, stage};

fn reconcile(database: &Database, arguments: &[&str]) -> Outcome {
    Etl::bare("reconcile")
        .env("DATABASE_URL", database.url())
        .env("ETL_OUTPUT", "json")
        .args(arguments)
        .output()
}

/// messages, written, rejected, rows, erased and the difference of the only day.
fn only_day(outcome: &Outcome) -> [i64; 6] {
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let days = report["days"].as_array().unwrap();
    assert_eq!(days.len(), 1, "{report}");
    let names = [
        "messages",
        "written",
        "rejected",
        "rows",
        "erased",
        "difference",
    ];
    names.map(|name| days[0][name].as_i64().unwrap())
}

fn write(database: &Database, bodies: &[String]) {
    Etl::run_lines(bodies.join("\n"), database).summary();
}

#[test]
fn a_day_whose_messages_all_stand_adds_up() {
    let (queue, database) = stage();
    queue.send(&[Event(1).body(), Event(2).body(), "no JSON".to_owned()]);
    Etl::run(&queue, &database).summary();
    let outcome = reconcile(&database, &[]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert_eq!(only_day(&outcome), [3, 2, 1, 2, 0, 0]);
}

#[test]
fn an_empty_ledger_has_nothing_to_judge() {
    let database = Database::migrated();
    database.execute("INSERT INTO user_logins (user_id, create_date) VALUES ('old', current_date)");
    let outcome = reconcile(&database, &["--output", "text"]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(outcome.stdout.contains("no day that can be judged"));
}

#[test]
fn rows_that_are_missing_or_too_many_are_named_with_their_day() {
    let database = Database::migrated();
    write(&database, &events(5));
    database.execute("DELETE FROM user_logins WHERE user_id IN ('user-00001', 'user-00002')");
    let today = database
        .texts("SELECT (now() AT TIME ZONE 'UTC')::date::text")
        .remove(0);
    let outcome = reconcile(&database, &[]);
    outcome.assert_refused(
        1,
        &[
            &format!("{today}: 2 rows fewer than messages written"),
            "hint:",
        ],
    );
    assert_eq!(only_day(&outcome), [5, 5, 0, 3, 0, -2]);
    database.execute(
        "INSERT INTO user_logins (user_id, create_date) \
         SELECT 'other', (now() AT TIME ZONE 'UTC')::date FROM generate_series(1, 3)",
    );
    let outcome = reconcile(&database, &[]);
    outcome.assert_refused(1, &[&format!("{today}: 1 rows more than messages written")]);
}

#[test]
fn what_was_erased_on_record_is_not_missing() {
    let (database, folder) = (Database::migrated(), tempfile::tempdir().unwrap());
    write(&database, &events(5));
    let (values, log) = (folder.path().join("values"), folder.path().join("log"));
    fs::write(&values, Event(1).user_id()).unwrap();
    let erase = Etl::bare("erase").env("DATABASE_URL", database.url());
    let erase = erase
        .args(["--field", "user_id", "--yes", "--input"])
        .args([&values]);
    assert_eq!(erase.args(["--audit-log"]).args([&log]).output().code, 0);
    assert_eq!(reconcile(&database, &[]).code, 1);
    let outcome = reconcile(&database, &["--audit-log", log.to_str().unwrap()]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert_eq!(only_day(&outcome), [5, 5, 0, 4, 1, 0]);
}

#[test]
fn days_that_were_pruned_or_of_another_writer_are_not_judged() {
    let database = Database::migrated();
    write(&database, &events(5));
    // As of the Python original, and as of a ledger that was pruned in the middle of a day.
    database.execute(
        "INSERT INTO user_logins (user_id, create_date) \
         SELECT 'old', (now() AT TIME ZONE 'UTC')::date - days FROM generate_series(1, 40) AS days; \
         INSERT INTO ingested_messages SELECT now() - interval '35 days', gen_random_uuid(); \
         INSERT INTO ingested_messages SELECT now() - interval '1 day', gen_random_uuid()",
    );
    let young = reconcile(&database, &["--ledger-age", "1d"]);
    assert_eq!(young.code, 0, "{young:?}");
    assert_eq!(only_day(&young), [5, 5, 0, 5, 0, 0]);
    // The days between have rows and no ledger: somebody pruned them sooner than that.
    reconcile(&database, &[]).assert_refused(1, &["1 rows more", "pruned sooner"]);
    database.execute("DELETE FROM ingested_messages WHERE sent_at < now() - interval '2 days'");
    let oldest_day_is_partial = reconcile(&database, &[]);
    assert_eq!(oldest_day_is_partial.code, 0, "{oldest_day_is_partial:?}");
}

#[test]
fn a_role_that_may_not_read_a_table_is_told_which() {
    let database = Database::migrated();
    let role = format!("{}_reader", database.name());
    database.execute(&format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'reader'; GRANT SELECT ON ingested_messages, rejected_messages TO {role}"
    ));
    let url = database.url_as(&role, "reader");
    reconcile(&database, &["--database-url", &url])
        .assert_refused(2, &["lacks SELECT on user_logins", "GRANT"]);
}

#[test]
fn what_a_running_worker_counts_adds_up_too() {
    let (queue, database) = stage();
    queue.send(&[Event(1).body(), Event(2).body(), "no JSON".to_owned()]);
    let follow = ["--follow", "--metrics-addr", "127.0.0.1:0"];
    let worker = Etl::run(&queue, &database).args(follow).start();
    let pages = Pages::of(&worker);
    pages.until("etl_messages_dead_lettered_total", 1.0);
    pages.until("etl_rows_written_total", 2.0);
    let url = format!("http://{}/metrics", pages.address);
    let outcome = reconcile(&database, &["--metrics", &url]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let worker = &report["workers"][0];
    let counts = ["received", "written", "rejected", "in_flight", "difference"];
    assert_eq!(
        counts.map(|name| worker[name].as_i64().unwrap()),
        [3, 2, 1, 0, 0]
    );
    let other = format!("http://{}/healthz", pages.address);
    reconcile(&database, &["--metrics", &other]).assert_refused(1, &["no metrics of etl"]);
}

#[test]
fn a_worker_that_cannot_be_asked_is_named() {
    let database = Database::migrated();
    let outcome = reconcile(&database, &["--metrics", "http://127.0.0.1:1/metrics"]);
    outcome.assert_refused(1, &["http://127.0.0.1:1/metrics", "--metrics-addr"]);
}
