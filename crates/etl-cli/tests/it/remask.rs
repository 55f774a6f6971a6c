//! `etl remask`: old rows come under the primary key, whoever writes meanwhile and however often it is cut short.

use std::path::Path;

use masking::{FieldMasker, KeyFile, Kind, Scheme};

use crate::harness::{Database, Etl, Event, Running, until};
use crate::keyset::Keys;

/// Rows as the Python original wrote them; row N is that of `Event(N)`. Every seventh lacks its device.
fn fill_with_base64(database: &Database, count: usize) {
    database.execute(&format!(
        "INSERT INTO user_logins (user_id, masked_ip, masked_device_id) \
         SELECT format('user-%s', lpad(n::text, 5, '0')), \
         encode(convert_to(format('10.77.%s.%s', n / 250, n % 250), 'UTF8'), 'base64'), \
         CASE WHEN n % 7 > 0 THEN encode(convert_to('593-47-' || lpad(n::text, greatest(4, length(n::text)), '0'), 'UTF8'), 'base64') END \
         FROM generate_series(0, {count} - 1) AS n"
    ));
}

fn remask(database: &Database, keys: &Keys) -> Etl {
    Etl::bare("remask")
        .env("DATABASE_URL", database.url())
        .env("ETL_MASKING", "aes-siv")
        .env("ETL_KEYSET", &keys.file)
        .env("ETL_OUTPUT", "json")
}

fn from_base64(database: &Database, keys: &Keys) -> Etl {
    remask(database, keys).args(["--from", "base64"])
}

/// Rows changed and values unreadable.
fn counts(etl: Etl) -> (u64, u64) {
    let outcome = etl.output();
    let summary: serde_json::Value = serde_json::from_str(&outcome.stdout)
        .unwrap_or_else(|error| panic!("{error}: {outcome:?}"));
    let get = |name: &str| summary[name].as_u64().unwrap();
    assert_eq!(
        outcome.code,
        i32::from(get("unreadable") > 0),
        "{outcome:?}"
    );
    (get("remasked"), get("unreadable"))
}

fn masker(file: &Path, domain: &str, kind: Kind) -> FieldMasker {
    let keyset = KeyFile::read(file).unwrap().keyset().unwrap();
    let builder = FieldMasker::builder(Scheme::AesSiv)
        .domain(domain)
        .kind(kind);
    builder.keyset(&keyset).build().unwrap()
}

/// Each of the first `count` events stands once, both values under the primary key.
fn assert_all_under_the_primary(database: &Database, keys: &Keys, count: usize) {
    let ip = masker(&keys.file, "ip", Kind::Ip);
    let device_id = masker(&keys.file, "device_id", Kind::Text);
    let rows = database.rows(
        "SELECT user_id, masked_ip, masked_device_id FROM user_logins ORDER BY user_id COLLATE \"C\"",
    );
    assert_eq!(rows.len(), count);
    for (number, row) in rows.into_iter().enumerate() {
        let event = Event(number);
        let masked = |masker: &FieldMasker, value: &str| masker.mask(value).unwrap().into_string();
        assert_eq!(row[0], Some(event.user_id()));
        assert_eq!(row[1], Some(masked(&ip, &event.ip())));
        if let Some(device) = &row[2] {
            assert_eq!(*device, masked(&device_id, &event.device_id()));
        }
    }
}

/// Writes events as `etl run` does.
fn run(database: &Database, keys: &Keys, events: std::ops::Range<usize>) {
    let lines: Vec<String> = events.clone().map(|number| Event(number).body()).collect();
    let summary = Etl::run_lines(lines.join("\n"), database)
        .env("ETL_MASKING", "aes-siv")
        .env("ETL_KEYSET", &keys.file)
        .summary();
    assert_eq!(summary.get("written"), events.len() as u64);
}

#[test]
fn base64_columns_come_under_the_key_and_stay_there() {
    let (database, keys) = (Database::migrated(), Keys::of("aes-siv"));
    fill_with_base64(&database, 1000);
    assert_eq!(
        counts(from_base64(&database, &keys).args(["--dry-run"])),
        (1000, 0)
    );
    assert_eq!(
        database.count("user_logins WHERE masked_ip LIKE 'MTAu%'"),
        1000
    );
    assert_eq!(counts(from_base64(&database, &keys)), (1000, 0));
    assert_all_under_the_primary(&database, &keys, 1000);
    assert_eq!(
        database.count("user_logins WHERE masked_device_id IS NULL"),
        143
    );
    // Again, and without --from: nothing is masked twice.
    assert_eq!(counts(from_base64(&database, &keys)), (0, 0));
    assert_eq!(counts(remask(&database, &keys)), (0, 0));
    assert_all_under_the_primary(&database, &keys, 1000);
}

#[test]
fn one_column_is_changed_and_the_other_left() {
    let (database, keys) = (Database::migrated(), Keys::of("aes-siv"));
    fill_with_base64(&database, 20);
    let before = "SELECT md5(string_agg(masked_device_id, '' ORDER BY user_id)) FROM user_logins";
    let devices = database.texts(before);
    assert_eq!(
        counts(from_base64(&database, &keys).args(["--column", "ip"])),
        (20, 0)
    );
    assert_eq!(database.texts(before), devices);
    let column = ["--column", "device_id"];
    assert_eq!(counts(from_base64(&database, &keys).args(column)), (17, 0));
    assert_all_under_the_primary(&database, &keys, 20);
}

#[test]
fn nothing_is_lost_or_doubled_while_others_write() {
    const OLD: usize = 20_000;
    const BATCH: usize = 100;
    let (database, keys) = (Database::migrated(), Keys::of("aes-siv"));
    fill_with_base64(&database, OLD);
    let mut remasking = from_base64(&database, &keys)
        .args(["--batch-size", "50"])
        .start();
    let under_the_key = format!("user_logins WHERE masked_ip LIKE '{}%'", start(&keys));
    until("it has begun", || database.count(&under_the_key) > 0);
    let mut end = OLD;
    while !remasking.is_over() || end == OLD {
        run(&database, &keys, end..end + BATCH);
        end += BATCH;
    }
    let outcome = remasking.end();
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(
        outcome.stdout.contains(&format!("\"remasked\":{OLD},")),
        "{outcome:?}"
    );
    assert_all_under_the_primary(&database, &keys, end);
}

/// What every value of the only key starts with.
fn start(keys: &Keys) -> String {
    let value = masker(&keys.file, "ip", Kind::Ip).mask("").unwrap();
    value.as_str()[..6].to_owned()
}

/// A walk that has changed the first rows and waits for one that is locked.
fn in_the_middle(database: &Database, keys: &Keys, cut: impl FnOnce(&Running)) -> Running {
    let lock = database.hold("SELECT FROM user_logins WHERE user_id = 'user-01500' FOR UPDATE");
    let remasking = from_base64(database, keys)
        .args(["--batch-size", "50"])
        .start();
    database.until_a_write_waits();
    cut(&remasking);
    drop(lock);
    remasking
}

#[test]
fn a_walk_that_is_killed_or_stopped_goes_on_where_it_was() {
    for (signal, code) in [("KILL", -1), ("TERM", 143)] {
        let (database, keys) = (Database::migrated(), Keys::of("aes-siv"));
        fill_with_base64(&database, 3000);
        let remasking = in_the_middle(&database, &keys, |remasking| {
            remasking.signal(signal);
            if signal == "TERM" {
                remasking.until_logged("stopping");
            }
        });
        let outcome = remasking.end();
        assert_eq!(outcome.code, code, "{outcome:?}");
        let done = database.count(&format!(
            "user_logins WHERE masked_ip LIKE '{}%'",
            start(&keys)
        ));
        assert!((1..3000).contains(&done), "{done}");
        let (rest, unreadable) = counts(from_base64(&database, &keys));
        // What the server still did for the one that was killed may not be in the count above.
        assert!(
            rest <= 3000 - done && rest > 0 && unreadable == 0,
            "{done} and {rest}"
        );
        assert_all_under_the_primary(&database, &keys, 3000);
    }
}

#[test]
fn two_at_once_change_every_row_once() {
    let (database, keys) = (Database::migrated(), Keys::of("aes-siv"));
    fill_with_base64(&database, 5000);
    let start = || {
        from_base64(&database, &keys)
            .args(["--batch-size", "100"])
            .start()
    };
    let both = [start(), start()];
    for one in both {
        let outcome = one.end();
        assert_eq!(outcome.code, 0, "{outcome:?}");
    }
    assert_all_under_the_primary(&database, &keys, 5000);
}

#[test]
fn what_cannot_be_read_is_left_counted_and_named() {
    let (database, keys) = (Database::migrated(), Keys::of("aes-siv"));
    fill_with_base64(&database, 10);
    let foreign = masker(&Keys::of("aes-siv").file, "ip", Kind::Ip)
        .mask("1.2.3.4")
        .unwrap();
    database.execute(&format!(
        "INSERT INTO user_logins (user_id, masked_ip) VALUES ('x1', '{foreign}'), ('x2', 'redacted'), ('x3', '9.9.9.9')"
    ));
    let outcome = from_base64(&database, &keys).output();
    outcome.assert_refused(
        1,
        &[
            "3 values cannot be read",
            "not base64 (1)",
            "which is not in the keyset (1)",
        ],
    );
    assert!(!outcome.stderr.contains("9.9.9.9") && !outcome.stderr.contains(foreign.as_str()));
    let left = database
        .texts("SELECT masked_ip FROM user_logins WHERE user_id LIKE 'x%' ORDER BY user_id");
    assert_eq!(left, [foreign.as_str(), "redacted", "9.9.9.9"]);
    database.execute("DELETE FROM user_logins WHERE user_id LIKE 'x%'");
    assert_all_under_the_primary(&database, &keys, 10);
}

#[test]
fn a_rotation_from_end_to_end_loses_nothing() {
    let (database, keys) = (Database::migrated(), Keys::of("aes-siv"));
    run(&database, &keys, 0..50);
    let old = keys.rotate();
    run(&database, &keys, 50..100);
    assert_eq!(counts(remask(&database, &keys)), (50, 0));
    assert_all_under_the_primary(&database, &keys, 100);
    keys.changed(&["disable", "--key-id", &old]);
    keys.changed(&["destroy", "--key-id", &old, "--yes"]);
    let masked = database.texts(
        "SELECT masked_ip || ',' || masked_device_id FROM user_logins ORDER BY user_id COLLATE \"C\"",
    );
    let unmasked = Etl::bare("unmask")
        .env("ETL_KEYSET", &keys.file)
        .args([
            "--masking",
            "aes-siv",
            "--csv",
            "--field",
            "ip",
            "--field",
            "device_id",
        ])
        .stdin(format!("ip,device_id\n{}\n", masked.join("\n")))
        .output();
    assert_eq!(unmasked.code, 0, "{unmasked:?}");
    let expected =
        (0..100).map(|number| format!("{},{}", Event(number).ip(), Event(number).device_id()));
    let recovered: Vec<&str> = unmasked.stdout.lines().skip(1).collect();
    assert!(recovered.into_iter().eq(expected));
}

#[test]
fn an_ipcrypt_key_is_changed_by_way_of_aes_siv() {
    let (database, keys) = (Database::migrated(), Keys::of("aes-siv"));
    let (old, new) = (Keys::of("ipcrypt-pfx"), Keys::of("ipcrypt-pfx"));
    let ipcrypt = |keys: &Keys| remask(&database, keys).env("ETL_MASKING", "ipcrypt-pfx");
    fill_with_base64(&database, 50);
    assert_eq!(counts(ipcrypt(&old).args(["--from", "base64"])), (50, 0));
    let directly = [
        "--from",
        "ipcrypt-pfx",
        "--from-keyset",
        old.file.to_str().unwrap(),
    ];
    ipcrypt(&new)
        .args(directly)
        .output()
        .assert_refused(2, &["by way of aes-siv"]);
    let away = remask(&database, &keys)
        .args(["--column", "ip"])
        .args(directly);
    assert_eq!(counts(away), (50, 0));
    let back = [
        "--from",
        "aes-siv",
        "--from-keyset",
        keys.file.to_str().unwrap(),
    ];
    assert_eq!(counts(ipcrypt(&new).args(back)), (50, 0));
    let key = KeyFile::read(&new.file).unwrap().ipcrypt_key().unwrap();
    let builder = FieldMasker::builder(Scheme::IpcryptPfx).kind(Kind::Ip);
    let masker = builder.ipcrypt_key(&key).build().unwrap();
    for (number, row) in database
        .texts("SELECT masked_ip FROM user_logins ORDER BY user_id")
        .iter()
        .enumerate()
    {
        assert_eq!(masker.unmask(row).unwrap().expose(), &Event(number).ip());
    }
}

#[test]
fn what_cannot_be_done_is_refused_before_the_database_is_asked() {
    let keys = Keys::of("aes-siv");
    let refused = |arguments: &[&str], texts: &[&str]| {
        let outcome = Etl::bare("remask")
            .env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none")
            .env("ETL_KEYSET", &keys.file)
            .args(arguments)
            .output();
        outcome.assert_refused(2, texts);
    };
    for scheme in ["hmac-sha256", "truncate", "redact"] {
        refused(
            &["--masking", "aes-siv", "--from", scheme],
            &[scheme, "one-way"],
        );
    }
    refused(&["--masking", "base64"], &["no key to bring rows under"]);
    refused(&["--masking", "hmac-sha256"], &["one-way"]);
    refused(&["--masking", "ipcrypt-pfx"], &["--from"]);
    refused(
        &["--masking", "aes-siv", "--from", "ipcrypt-pfx"],
        &["--from-keyset"],
    );
}

#[test]
fn a_missing_right_or_table_is_named() {
    let keys = Keys::of("aes-siv");
    remask(&Database::empty(), &keys)
        .output()
        .assert_refused(2, &["user_logins", "etl migrate"]);
    let database = Database::migrated();
    database.execute(
        "CREATE ROLE only_reads LOGIN PASSWORD 'reads'; GRANT SELECT ON user_logins TO only_reads",
    );
    remask(&database, &keys)
        .env("DATABASE_URL", database.url_as("only_reads", "reads"))
        .output()
        .assert_refused(2, &["UPDATE on user_logins", "GRANT"]);
}
