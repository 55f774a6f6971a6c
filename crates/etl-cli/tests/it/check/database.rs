//! The way to the database, its tables, rights and settings.

use local_stack::postgres;

use super::{check, findings, finds};
use crate::harness::{Database, Etl, Queue, stage};
use crate::roles::{FEWEST, PASSWORD, role};

#[test]
fn a_database_that_cannot_be_used() {
    let (queue, database) = stage();
    let at = |url: &str| check(&queue, &database).env("DATABASE_URL", url);
    finds(
        at(""),
        "fail database",
        &["no database is named", "DATABASE_URL"],
    );
    finds(
        at("postgres://etl@127.0.0.1:1/logins"),
        "fail database",
        &["127.0.0.1:1/logins"],
    );
    finds(
        at(&database.url_as("postgres", "s3cret")),
        "fail database",
        &["password authentication"],
    );
    finds(
        at(&postgres().url_of("no_such_database")),
        "fail database",
        &["no_such_database"],
    );
    let encrypted = format!("{}?sslmode=require", database.url());
    finds(at(&encrypted), "fail database", &["TLS"]);
    database.execute(&format!(
        "ALTER DATABASE {} SET default_transaction_read_only = on",
        database.name()
    ));
    finds(
        at(database.url()),
        "fail database",
        &["read-only", "primary"],
    );
}

#[test]
fn tables_that_are_not_as_they_must_be() {
    let queue = Queue::with_dead_letter_queue();
    let empty = Database::empty();
    let outcome = check(&queue, &empty).output();
    assert_eq!(
        (outcome.code, findings(&outcome)),
        (0, Vec::new()),
        "{outcome:?}"
    );
    let forbidden = check(&queue, &empty).args(["--no-migrate"]);
    finds(
        forbidden,
        "fail tables",
        &["migrations pending", "etl migrate"],
    );
    let plain = role(&empty, &[]);
    let plain = check(&queue, &empty).env("DATABASE_URL", empty.url_as(&plain, PASSWORD));
    finds(
        plain,
        "fail tables",
        &["may not create tables", "etl migrate"],
    );
    for (damage, part) in [
        ("user_logins DROP COLUMN locale", "user_logins.locale"),
        (
            "ingested_messages DROP CONSTRAINT ingested_messages_pkey",
            "primary key",
        ),
    ] {
        let database = Database::migrated();
        database.execute(&format!("ALTER TABLE {damage}"));
        finds(check(&queue, &database), "fail tables", &[part]);
    }
}

#[test]
fn rights_to_the_tables_that_are_missing() {
    let (queue, database) = stage();
    let reader = role(&database, &["SELECT ON ALL TABLES IN SCHEMA public"]);
    let as_reader = |etl: Etl| etl.env("DATABASE_URL", database.url_as(&reader, PASSWORD));
    let missing = [
        "INSERT on user_logins",
        "UPDATE on rejected_messages",
        "GRANT",
    ];
    finds(
        as_reader(check(&queue, &database)),
        "fail table-rights",
        &missing,
    );
    for right in FEWEST {
        database.execute(&format!("GRANT {right} TO {reader}"));
    }
    assert_eq!(findings(&as_reader(check(&queue, &database)).output()), []);
    let follower = as_reader(check(&queue, &database)).args(["--follow"]);
    finds(
        follower,
        "warn table-rights",
        &["DELETE on ingested_messages", "etl prune"],
    );
}

#[test]
fn settings_of_the_database_that_do_not_suit() {
    let queue = Queue::with_dead_letter_queue();
    let set = |setting: &str| {
        let database = Database::migrated();
        database.execute(&format!("ALTER DATABASE {} SET {setting}", database.name()));
        database
    };
    let careless = set("synchronous_commit = off");
    finds(
        check(&queue, &careless),
        "warn synchronous-commit",
        &["off", "ALTER ROLE"],
    );
    let hurried = set("search_path = hurried, pg_catalog, public");
    hurried.execute(
        "CREATE SCHEMA hurried; CREATE FUNCTION hurried.clock_timestamp() RETURNS timestamptz LANGUAGE sql \
         AS $$ SELECT pg_catalog.clock_timestamp() + interval '10 minutes' $$",
    );
    finds(
        check(&queue, &hurried),
        "warn database-clock",
        &["600 s behind", "NTP"],
    );
}
