//! Rewriting columns in place: the rows of some blocks, by either way of finding them, and only as they were read.

use masking::{FieldMasker, Masked, Scheme};
use pg_writer::{Change, Finished, OldLogin, Pool, Remasking, StoreError};

use crate::support::{Migrated, migrated};

/// Rows of which the even ones need work; about fifty fill a block.
async fn with_rows(count: u32) -> (Migrated, Pool) {
    let migrated = migrated().await;
    let insert = format!(
        "INSERT INTO user_logins (user_id, masked_ip, masked_device_id) \
         SELECT n::text, CASE WHEN n % 2 = 0 THEN 'old' ELSE 'new' END || repeat('x', 100), nullif('device', '') \
         FROM generate_series(1, {count}) AS n"
    );
    migrated.execute(&insert).await;
    let pool = migrated.pool();
    (migrated, pool)
}

async fn open(pool: &Pool) -> Remasking<'_> {
    let finished = Finished {
        // What the masker makes, and what the table begins with.
        ip: Some("^(new|MS4y)".to_owned()),
        device_id: None,
    };
    Remasking::open(pool, finished).await.unwrap()
}

fn masked() -> Masked {
    let masker = FieldMasker::builder(Scheme::Base64).build().unwrap();
    masker.mask("1.2.3.4").unwrap()
}

fn change(old: OldLogin) -> Change {
    let (ip, device_id) = (Some(masked()), None);
    Change { old, ip, device_id }
}

/// Both ways see the same rows and change them.
async fn changes_every_row_once(migrated: &Migrated, table: Remasking<'_>) {
    let blocks = table.blocks().await.unwrap();
    assert!(blocks > 4, "{blocks}");
    let mut done = 0;
    for block in 0..blocks {
        let old = table.read(block..block + 1).await.unwrap();
        assert!(old.len() < 100, "{}", old.len());
        let changes: Vec<Change> = old.into_iter().map(change).collect();
        done += table.write(block..block + 1, &changes).await.unwrap();
    }
    assert_eq!(done, 500);
    let masked = masked();
    let sound = format!(
        "user_logins WHERE masked_device_id = 'device' AND \
         CASE WHEN user_id::integer % 2 = 0 THEN masked_ip = '{masked}' ELSE masked_ip LIKE 'new%' END"
    );
    assert_eq!(migrated.count(&sound).await, 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn by_ranges_of_places() {
    let (migrated, pool) = with_rows(1000).await;
    changes_every_row_once(&migrated, open(&pool).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_lists_of_places_as_before_postgres_14() {
    let (migrated, pool) = with_rows(1000).await;
    changes_every_row_once(&migrated, open(&pool).await.without_range_scans()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_changed_meanwhile_is_left() {
    let (migrated, pool) = with_rows(10).await;
    let table = open(&pool).await;
    let read = async || -> Vec<Change> {
        let old = table.read(0..1).await.unwrap();
        old.into_iter().map(change).collect()
    };
    let changes = read().await;
    assert_eq!(changes.len(), 5);
    migrated
        .execute(
            "DELETE FROM user_logins WHERE user_id = '2'; \
             UPDATE user_logins SET masked_ip = 'old by another' WHERE user_id = '4'; \
             UPDATE user_logins SET masked_device_id = NULL WHERE user_id = '6'",
        )
        .await;
    assert_eq!(table.write(0..1, &changes).await.unwrap(), 2);
    assert_eq!(table.write(0..1, &changes).await.unwrap(), 0);
    assert_eq!(
        migrated
            .count("user_logins WHERE masked_ip = 'old by another'")
            .await,
        1
    );
    // They are met again where they stand now.
    let left = read().await;
    assert_eq!(left.len(), 2);
    assert_eq!(table.write(0..1, &left).await.unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_repeats_no_value() {
    let (migrated, pool) = with_rows(2).await;
    migrated
        .execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
             'BEGIN RAISE EXCEPTION ''not %'', NEW.masked_ip; END'; \
             CREATE TRIGGER refuse BEFORE UPDATE ON user_logins FOR EACH ROW EXECUTE FUNCTION refuse()",
        )
        .await;
    let table = open(&pool).await;
    let old = table.read(0..1).await.unwrap();
    let changes: Vec<Change> = old.into_iter().map(change).collect();
    let error = table.write(0..1, &changes).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)), "{error}");
    assert!(!error.to_string().contains(masked().as_str()), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_blocks_is_refused() {
    let migrated = migrated().await;
    migrated
        .execute(
            "ALTER TABLE user_logins RENAME TO kept; CREATE VIEW user_logins AS SELECT * FROM kept",
        )
        .await;
    let pool = migrated.pool();
    let opened = Remasking::open(&pool, Finished::default()).await;
    let error = opened.err().map(|error| error.to_string());
    assert!(error.is_some_and(|error| error.contains("no plain table")));
}

/// As under Citus, where the table that is named holds no row itself.
#[tokio::test(flavor = "multi_thread")]
async fn rows_that_stand_in_other_tables_are_not_taken_for_none() {
    let (migrated, pool) = with_rows(0).await;
    assert_eq!(open(&pool).await.blocks().await.unwrap(), 0);
    for statement in [
        "CREATE TABLE elsewhere () INHERITS (user_logins)",
        "INSERT INTO elsewhere (user_id, masked_ip) VALUES ('a', 'old')",
    ] {
        migrated.execute(statement).await;
    }
    let refused = Remasking::open(&pool, Finished::default()).await;
    let Err(StoreError::Schema(message)) = refused else {
        panic!("a table without blocks of its own was opened");
    };
    assert!(message.contains("stand in other tables"), "{message}");
}
