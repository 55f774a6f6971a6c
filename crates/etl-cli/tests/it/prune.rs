//! `etl prune`: forgets what no queue can deliver again, and nothing else.

use crate::harness::{Database, Etl};

fn prune(database: &Database) -> Etl {
    Etl::bare("prune").env("DATABASE_URL", database.url())
}

#[test]
fn messages_past_their_age_are_forgotten_and_younger_ones_kept() {
    let database = Database::migrated();
    database.execute(
        "INSERT INTO ingested_messages SELECT at, gen_random_uuid(), at FROM generate_series(1, 60) AS day, \
         LATERAL (SELECT now() - make_interval(days => day) AS at) AS moment",
    );
    let outcome = prune(&database).output();
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(
        outcome.stdout.contains("31 messages forgotten"),
        "{outcome:?}"
    );
    assert_eq!(database.count("ingested_messages"), 29);
    let shorter = prune(&database).args(["--ledger-age", "10d"]).output();
    assert!(shorter.stderr.contains("written twice"), "{shorter:?}");
    assert_eq!(database.count("ingested_messages"), 9);
}

#[test]
fn a_role_that_may_not_delete_is_told_the_grant() {
    let database = Database::migrated();
    database.execute("CREATE ROLE prune_reader LOGIN PASSWORD 'x'");
    let outcome = Etl::bare("prune")
        .env("DATABASE_URL", database.url_as("prune_reader", "x"))
        .output();
    outcome.assert_refused(2, &["GRANT DELETE ON ingested_messages"]);
}

#[test]
fn partitions_are_made_by_migrate_and_kept_by_prune() {
    let database = Database::migrated();
    let etl = |command: &str, arguments: &[&str]| {
        let etl = Etl::new(command).env("DATABASE_URL", database.url());
        let outcome = etl.args(arguments).output();
        assert_eq!(outcome.code, 0, "{outcome:?}");
        outcome
    };
    let both = [
        "--partition",
        "user_logins",
        "--partition",
        "ingested_messages",
    ];
    let outcome = etl("migrate", &both);
    assert!(
        outcome.stdout.contains("ingested_messages is partitioned"),
        "{outcome:?}"
    );
    database.execute(
        "CREATE TABLE ingested_messages_2020_01_01 PARTITION OF ingested_messages \
         FOR VALUES FROM ('2020-01-01 00:00:00+00') TO ('2020-01-02 00:00:00+00')",
    );
    let days = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'ingested_messages'::regclass";
    assert_eq!(database.texts(days), ["10"]);
    etl("prune", &[]);
    assert_eq!(database.texts(days), ["9"]);
}
