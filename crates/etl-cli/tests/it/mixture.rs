//! A column that mixes schemes is said to, at the start of a run, and only where that may be known.

use crate::harness::{Database, Etl, Event};
use crate::keyset::Keys;

const MIXED: &str = "holds masks of another scheme";

/// One event, under a scheme.
fn run(database: &Database, number: usize, masking: &str) -> String {
    let outcome = Etl::run_lines(Event(number).body(), database)
        .env("ETL_MASKING", masking)
        .output();
    assert_eq!(outcome.code, 0, "{outcome:?}");
    outcome.stderr
}

#[test]
fn a_change_of_scheme_is_said_for_each_column_with_the_schemes_that_stand_there() {
    let database = Database::migrated();
    assert!(!run(&database, 0, "base64").contains(MIXED));
    assert!(!run(&database, 1, "base64").contains(MIXED));
    let said = run(&database, 2, "redact");
    let lines: Vec<&str> = said.lines().filter(|line| line.contains(MIXED)).collect();
    assert_eq!(lines.len(), 2, "{said}");
    for (line, column) in lines.iter().zip(["masked_ip", "masked_device_id"]) {
        assert!(line.contains(column), "{line}");
        assert!(line.contains("base64") && line.contains("redact"), "{line}");
    }
}

#[test]
fn a_rotation_of_keys_is_no_change_of_scheme() {
    let (database, keys) = (Database::migrated(), Keys::of("aes-siv"));
    for number in 0..2 {
        let outcome = Etl::run_lines(Event(number).body(), &database)
            .env("ETL_MASKING", "aes-siv")
            .env("ETL_KEYSET", &keys.file)
            .output();
        assert_eq!(outcome.code, 0, "{outcome:?}");
        assert!(!outcome.stderr.contains(MIXED), "{outcome:?}");
        keys.rotate();
    }
}

/// Partitioned, the table has no blocks of its own; as a view it has none at all.
#[test]
fn where_the_last_rows_cannot_be_read_nothing_is_said() {
    let database = Database::migrated();
    run(&database, 0, "base64");
    database.execute(
        "ALTER TABLE user_logins RENAME TO old; CREATE VIEW user_logins AS SELECT * FROM old",
    );
    assert!(!run(&database, 1, "redact").contains(MIXED));
    assert_eq!(database.count("user_logins"), 2);
}
