//! `etl prune`: forgets what no queue can deliver again, and nothing else.

use crate::harness::{Database, Etl};

fn prune(database: &Database) -> Etl {
    Etl::bare("prune").env("DATABASE_URL", database.url())
}

#[test]
fn messages_past_their_age_are_forgotten_and_younger_ones_kept() {
    let database = Database::migrated();
    database.execute(
        "INSERT INTO ingested_messages SELECT now() - make_interval(days => day), gen_random_uuid() \
         FROM generate_series(1, 60) AS day",
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
