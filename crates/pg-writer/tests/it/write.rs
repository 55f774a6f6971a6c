//! The write path on Postgres: what it costs, and what it leaves.

use crate::support::{batch, migrated, tokens};

/// A trigger looks from inside the writer's own session.
const WATCH: &str = "CREATE TABLE seen (prepared bigint, executed bigint); \
    CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
    INSERT INTO seen SELECT count(*), sum(generic_plans + custom_plans) FROM pg_prepared_statements \
    WHERE statement LIKE '%ingested_messages%'; RETURN NULL; END $$; \
    CREATE TRIGGER watch AFTER INSERT ON user_logins FOR EACH STATEMENT EXECUTE FUNCTION watch()";

#[tokio::test]
async fn a_batch_is_one_statement_that_is_prepared_once() {
    let migrated = migrated().await;
    migrated.execute(WATCH).await;
    for round in 0..10 {
        let report = migrated
            .store
            .write(batch(round * 500..(round + 1) * 500))
            .await;
        assert_eq!(report.committed.written(), 500);
    }
    assert_eq!(migrated.store.statements(), 10);
    let seen = migrated
        .texts("SELECT max(prepared) || ' prepared, ' || max(executed) || ' executed' FROM seen")
        .await;
    assert_eq!(seen, ["1 prepared, 10 executed"]);
}

#[tokio::test]
async fn the_row_stands_as_the_event_said() {
    let migrated = migrated().await;
    let report = migrated.store.write(batch([1])).await;
    assert_eq!(report.committed.written(), 1);
    let row = migrated
        .texts("SELECT user_logins::text FROM user_logins")
        .await;
    let expected = "(user-1,android,MTk5LjE3Mi4xMTEuMTM1,NTkzLTQ3LTU5Mjg=,RU,2,2023-11-14)";
    assert_eq!(row, [expected]);
    let key =
        "SELECT (sent_at AT TIME ZONE 'UTC')::text || ' ' || message_id FROM ingested_messages";
    let expected = "2023-11-14 22:13:20.001 00000000-0000-0000-0000-000000000001";
    assert_eq!(migrated.texts(key).await, [expected]);
}

#[tokio::test]
async fn the_largest_batch_passes() {
    let migrated = migrated().await;
    let [committed, ..] = tokens(migrated.store.write(batch(0..10_000)).await);
    assert_eq!(committed.len(), 10_000);
}

/// The column widths are an owner's to change, and the statement must not mind.
#[tokio::test]
async fn more_columns_than_are_written_are_no_trouble() {
    let migrated = migrated().await;
    migrated
        .execute("ALTER TABLE user_logins ADD COLUMN noted_at timestamptz NOT NULL DEFAULT now()")
        .await;
    let report = migrated.store.write(batch([1])).await;
    assert_eq!(report.committed.written(), 1);
}
