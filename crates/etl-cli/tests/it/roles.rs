//! The tables and the rights to them: a role with as few as possible, one with too few, and who may migrate.

use crate::harness::{Database, Etl, Event, Queue, stage};

pub(crate) const PASSWORD: &str = "only-for-a-test";

/// A role that may log in, with these rights; roles belong to the whole server.
pub(crate) fn role(database: &Database, rights: &[&str]) -> String {
    let role = format!("role_of_{}", database.name());
    database.execute(&format!("CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'"));
    for right in rights {
        database.execute(&format!("GRANT {right} TO {role}"));
    }
    role
}

fn run_as(role: &str, queue: &Queue, database: &Database) -> Etl {
    Etl::run(queue, database).env("DATABASE_URL", database.url_as(role, PASSWORD))
}

pub(crate) const FEWEST: [&str; 3] = [
    "SELECT, INSERT ON user_logins, ingested_messages",
    "SELECT, INSERT, UPDATE ON rejected_messages",
    "SELECT ON __diesel_schema_migrations",
];

#[test]
fn select_and_insert_and_update_of_rejections_are_enough() {
    let (queue, database) = stage();
    let role = role(&database, &FEWEST);
    queue.send(&[&Event(0).body(), "no JSON"]);
    let summary = run_as(&role, &queue, &database).summary();
    assert_eq!(summary.counts(), [2, 1, 0, 1, 0]);
    let (dead, body) = (queue.dead_letters(), "no JSON");
    let source = |name| dead[0].attribute(name).unwrap().to_owned();
    let (id, sent_at) = (source("source-message-id"), source("source-sent-at"));
    queue.send_with(
        body,
        &[("source-message-id", &id), ("source-sent-at", &sent_at)],
    );
    // The same message again: its record is updated.
    assert_eq!(
        run_as(&role, &queue, &database).summary().get("rejected"),
        1
    );
    assert_eq!(database.count("rejected_messages"), 1);
}

#[test]
fn the_versions_of_the_schema_need_not_be_readable() {
    let (queue, database) = stage();
    let role = role(&database, &FEWEST[..2]);
    queue.send(&[Event(0).body()]);
    let summary = run_as(&role, &queue, &database).summary();
    assert_eq!(summary.get("written"), 1);
}

#[test]
fn missing_rights_are_named_before_anything_is_received() {
    let (queue, database) = stage();
    let role = role(
        &database,
        &["SELECT ON user_logins, ingested_messages, rejected_messages"],
    );
    queue.send(&[Event(0).body()]);
    let missing = [
        "INSERT on user_logins",
        "INSERT on ingested_messages",
        "UPDATE on rejected_messages",
        "GRANT INSERT ON user_logins",
    ];
    run_as(&role, &queue, &database)
        .output()
        .assert_refused(2, &missing);
    assert_eq!(queue.depth(), (1, 0));
}

#[test]
fn a_role_that_may_not_make_tables_is_told_who_may() {
    let (queue, database) = (Queue::with_dead_letter_queue(), Database::empty());
    let role = role(&database, &[]);
    run_as(&role, &queue, &database)
        .output()
        .assert_refused(2, &["etl migrate", "may create tables"]);
}

#[test]
fn no_migrate_refuses_an_empty_database_with_the_remedy() {
    let (queue, database) = (Queue::with_dead_letter_queue(), Database::empty());
    queue.send(&[Event(0).body()]);
    let run = || Etl::run(&queue, &database).args(["--no-migrate"]);
    run()
        .output()
        .assert_refused(2, &["older than this version", "run `etl migrate`"]);
    assert_eq!(database.count("pg_tables WHERE schemaname = 'public'"), 0);
    assert_eq!(queue.depth(), (1, 0));
    let migrated = Etl::new("migrate")
        .env("DATABASE_URL", database.url())
        .output();
    assert_eq!(migrated.code, 0, "{migrated:?}");
    assert_eq!(run().summary().get("written"), 1);
}

#[test]
fn a_run_makes_the_tables_on_an_empty_database() {
    let (queue, database) = (Queue::with_dead_letter_queue(), Database::empty());
    queue.send(&[Event(0).body()]);
    assert_eq!(Etl::run(&queue, &database).summary().get("written"), 1);
}

#[test]
fn a_table_of_another_owner_with_rows_in_it_is_taken_as_it_is() {
    let (queue, database) = (Queue::with_dead_letter_queue(), Database::empty());
    database.execute(
        "CREATE TABLE user_logins (user_id varchar(128), device_type varchar(32), masked_ip varchar(256), \
         masked_device_id varchar(256), locale varchar(32), app_version integer, create_date date); \
         INSERT INTO user_logins (user_id) VALUES ('was there before')",
    );
    let role = role(
        &database,
        &["CREATE ON SCHEMA public", "INSERT ON user_logins"],
    );
    queue.send(&[Event(0).body()]);
    assert_eq!(run_as(&role, &queue, &database).summary().get("written"), 1);
    assert_eq!(database.user_ids(), ["user-00000", "was there before"]);
}
