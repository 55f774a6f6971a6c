//! Rows that Postgres refuses, for every kind of reason: found, named by nothing but their key, their batch written.

use local_stack::postgres;
use login_model::MaskedLogin;
use pg_writer::{Batch, PgStore, StoreError, prepare};

use crate::support::{Migrated, batch, connect, login, migrated, pool_of, push, tokens};

/// 500 rows, of which those with these numbers are spoilt.
fn spoilt(numbers: &[u32], spoil: impl Fn(&mut MaskedLogin<'static>)) -> Batch<u32> {
    let mut batch = Batch::default();
    for number in 0..500 {
        let mut row = login(&format!("user-{number}"));
        if numbers.contains(&number) {
            spoil(&mut row);
        }
        push(&mut batch, number, row);
    }
    batch
}

async fn finds_the_spoilt(migrated: &Migrated, spoil: impl Fn(&mut MaskedLogin<'static>)) {
    let [committed, refused, undecided] =
        tokens(migrated.store.write(spoilt(&[0, 250, 499], spoil)).await);
    assert_eq!((committed.len(), undecided.len()), (497, 0));
    assert_eq!(refused, [0, 250, 499]);
    assert_eq!(migrated.count("user_logins").await, 497);
    assert_eq!(migrated.count("ingested_messages").await, 497);
}

#[tokio::test]
async fn by_a_check() {
    let migrated = migrated().await;
    migrated
        .execute("ALTER TABLE user_logins ADD CHECK (app_version < 100)")
        .await;
    finds_the_spoilt(&migrated, |row| row.app_version = Some(100)).await;
}

/// The refusal comes after the row that says how many were written: those were taken for committed, and lost.
#[tokio::test]
async fn by_a_constraint_that_waits_for_the_commit() {
    let migrated = migrated().await;
    migrated
        .execute(
            "ALTER TABLE user_logins ADD UNIQUE (user_id) DEFERRABLE INITIALLY DEFERRED; \
             INSERT INTO user_logins (user_id) VALUES ('taken')",
        )
        .await;
    let one = |number| spoilt(&[number], |row| row.user_id = "taken".into());
    let [committed, refused, _] = tokens(migrated.store.write(one(77)).await);
    assert_eq!((committed.len(), refused), (499, vec![77]));
}

#[tokio::test]
async fn by_a_trigger_that_raises() {
    let migrated = migrated().await;
    migrated
        .execute(
            "CREATE FUNCTION raise() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF NEW.locale = 'XX' THEN RAISE EXCEPTION 'no % of %', NEW.locale, NEW.user_id; END IF; \
             RETURN NEW; END $$; \
             CREATE TRIGGER raise BEFORE INSERT ON user_logins FOR EACH ROW EXECUTE FUNCTION raise()",
        )
        .await;
    finds_the_spoilt(&migrated, |row| row.locale = Some("XX".into())).await;
}

#[tokio::test]
async fn by_the_width_of_a_column() {
    let migrated = migrated().await;
    finds_the_spoilt(&migrated, |row| row.user_id = "x".repeat(129).into()).await;
}

#[tokio::test]
async fn by_the_type_of_a_column() {
    let migrated = migrated().await;
    migrated
        .execute("ALTER TABLE user_logins ALTER app_version TYPE smallint")
        .await;
    finds_the_spoilt(&migrated, |row| row.app_version = Some(40_000)).await;
}

#[tokio::test]
async fn by_a_character_that_no_text_may_hold() {
    let migrated = migrated().await;
    finds_the_spoilt(&migrated, |row| row.locale = Some("\0".into())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_the_encoding_of_the_database() {
    let admin = connect(&postgres().admin_url()).await;
    admin
        .batch_execute("CREATE DATABASE pg_writer_latin1 TEMPLATE template0 ENCODING 'LATIN1'")
        .await
        .unwrap();
    let url = postgres().url_of("pg_writer_latin1");
    prepare(&pool_of(&url), true).await.unwrap();
    let store = PgStore::new(pool_of(&url));
    let [committed, refused, _] = tokens(
        store
            .write(spoilt(&[3], |row| row.user_id = "日本".into()))
            .await,
    );
    assert_eq!((committed.len(), refused), (499, vec![3]));
}

#[tokio::test]
async fn nothing_of_a_row_is_told() {
    let migrated = migrated().await;
    migrated
        .execute(
            "CREATE FUNCTION raise() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             RAISE EXCEPTION 'not % with %', NEW.user_id, NEW.masked_ip USING DETAIL = NEW::text; END $$; \
             CREATE TRIGGER raise BEFORE INSERT ON user_logins FOR EACH ROW EXECUTE FUNCTION raise()",
        )
        .await;
    let (_, error) = migrated.store.write(batch(0..5)).await.undecided.unwrap();
    for secret in ["user-", "MTk5"] {
        assert!(!format!("{error} {error:?}").contains(secret), "{error:?}");
    }
}

#[tokio::test]
async fn the_rule_that_refuses_every_row_is_named() {
    let migrated = migrated().await;
    migrated
        .execute("ALTER TABLE user_logins ADD CONSTRAINT only_web CHECK (device_type = 'web')")
        .await;
    let (rest, error) = migrated.store.write(batch(0..20)).await.undecided.unwrap();
    assert_eq!(rest.len(), 20);
    assert!(!error.is_transient());
    assert!(error.to_string().contains("only_web"), "{error}");
    migrated
        .execute("ALTER TABLE user_logins DROP CONSTRAINT only_web")
        .await;
    assert_eq!(migrated.store.write(rest).await.committed.written(), 20);
}

/// More than eight rows of one batch that were each refused stayed undecided for good.
#[tokio::test]
async fn a_batch_of_nothing_but_bad_rows_is_decided() {
    let migrated = migrated().await;
    let check = "ALTER TABLE user_logins ADD CHECK (app_version < 100)";
    migrated.execute(check).await;
    let all: Vec<u32> = (0..500).collect();
    let bad = spoilt(&all, |row| row.app_version = Some(100));
    let [committed, refused, undecided] = tokens(migrated.store.write(bad).await);
    assert_eq!((committed, refused, undecided), (vec![], all, vec![]));
    assert_eq!(migrated.count("ingested_messages").await, 0);
    assert!(migrated.store.statements() < 2_000);
}

/// The server says "no partition" as of a broken check: the first rows of a new day were dead-lettered.
#[tokio::test]
async fn rows_of_a_day_without_a_partition_wait_for_it() {
    let migrated = migrated().await;
    migrated
        .execute(
            "ALTER TABLE user_logins RENAME TO template; \
             CREATE TABLE user_logins (LIKE template) PARTITION BY RANGE (create_date); \
             CREATE TABLE first PARTITION OF user_logins FOR VALUES FROM ('2023-11-14') TO ('2023-11-15')",
        )
        .await;
    // Numbers count milliseconds, and the day ends after 6,400 seconds.
    let report = migrated
        .store
        .write(batch((0..50).chain([6_400_000, 6_400_001])))
        .await;
    assert_eq!((report.committed.written(), report.refused.len()), (50, 0));
    let (rest, error) = report.undecided.unwrap();
    assert!(matches!(error, StoreError::EveryRowRefused(_)), "{error}");
    let rest = migrated.store.write(rest).await.undecided.unwrap().0;
    assert_eq!(rest.len(), 2);
    let second = "CREATE TABLE second PARTITION OF user_logins FOR VALUES FROM ('2023-11-15') TO ('2023-11-16')";
    migrated.execute(second).await;
    assert_eq!(migrated.store.write(rest).await.committed.written(), 2);
}

#[tokio::test]
async fn a_statement_that_is_refused_blames_no_row() {
    let migrated = migrated().await;
    migrated
        .execute("ALTER TABLE user_logins RENAME locale TO language")
        .await;
    let (rest, error) = migrated.store.write(batch(0..500)).await.undecided.unwrap();
    assert!(matches!(error, StoreError::Refused(_)), "{error}");
    assert!(error.to_string().contains("locale"), "{error}");
    assert_eq!((rest.len(), migrated.store.statements()), (500, 2));
}

/// A column that is altered under a prepared statement makes the server refuse its old plan.
#[tokio::test]
async fn a_table_that_is_altered_meanwhile_is_no_rows_fault() {
    let migrated = migrated().await;
    assert_eq!(
        migrated.store.write(batch(0..10)).await.committed.written(),
        10
    );
    migrated
        .execute("ALTER TABLE user_logins ALTER user_id TYPE text, ADD COLUMN note text")
        .await;
    assert_eq!(
        migrated
            .store
            .write(batch(10..20))
            .await
            .committed
            .written(),
        10
    );
}
