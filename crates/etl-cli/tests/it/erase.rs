//! `etl erase`: every row of a person goes, whatever key masked it, and nobody else's; what cannot be found is refused.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::harness::{Database, Etl, Event, Outcome};
use crate::keyset::Keys;

/// A table with rows under a keyset, a file of values, and an audit log.
struct Scene {
    database: Database,
    keys: Keys,
    folder: tempfile::TempDir,
}

impl Scene {
    fn new(scheme: &str) -> Self {
        Self {
            database: Database::migrated(),
            keys: Keys::of(scheme),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Events under the keyset as it is now.
    fn write(&self, scheme: &str, bodies: &[String]) {
        let summary = Etl::run_lines(bodies.join("\n"), &self.database)
            .env("ETL_MASKING", scheme)
            .env("ETL_KEYSET", &self.keys.file)
            .summary();
        assert_eq!(summary.get("written"), bodies.len() as u64);
    }

    fn erase(&self, field: &str, values: &[String], arguments: &[&str]) -> Outcome {
        self.erasure(field, values, arguments).output()
    }

    fn erasure(&self, field: &str, values: &[String], arguments: &[&str]) -> Etl {
        fs::write(self.path("values"), values.join("\n")).unwrap();
        Etl::bare("erase")
            .env("DATABASE_URL", self.database.url())
            .env("ETL_KEYSET", &self.keys.file)
            .env("ETL_AUDIT_LOG", self.path("audit"))
            .env("ETL_OUTPUT", "json")
            .args(["--field", field, "--input"])
            .args([self.path("values")])
            .args(arguments)
    }

    fn record(&self) -> String {
        fs::read_to_string(self.path("audit")).unwrap()
    }
}

/// found, erased, remaining.
fn counts(outcome: &Outcome) -> [u64; 3] {
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let summary: Value = serde_json::from_str(&outcome.stdout).unwrap();
    ["found", "erased", "remaining"].map(|name| summary[name].as_u64().unwrap())
}

fn rotate(keys: &Keys) {
    keys.changed(&["add"]);
    keys.changed(&["promote"]);
}

fn bodies(numbers: &[usize]) -> Vec<String> {
    numbers.iter().map(|number| Event(*number).body()).collect()
}

#[test]
fn an_address_goes_under_every_key_and_in_every_spelling() {
    let scene = Scene::new("aes-siv");
    let spelled = |ip: &str| Event(1).with("ip", ip);
    scene.write("aes-siv", &[spelled("2001:db8::1"), Event(2).body()]);
    rotate(&scene.keys);
    scene.write("aes-siv", &[spelled("2001:0DB8:0::0:1"), Event(3).body()]);
    let ip = ["2001:DB8::1".to_owned()];
    let masking = ["--masking", "aes-siv"];
    let dry = scene.erase("ip", &ip, &[&masking[..], &["--dry-run"]].concat());
    assert_eq!(counts(&dry), [2, 0, 2]);
    assert_eq!(scene.database.count("user_logins"), 4);
    let done = scene.erase("ip", &ip, &[&masking[..], &["--yes"]].concat());
    assert_eq!(counts(&done), [2, 2, 0]);
    assert_eq!(
        scene.database.user_ids(),
        [Event(2).user_id(), Event(3).user_id()]
    );
    let again = scene.erase("ip", &ip, &[&masking[..], &["--yes"]].concat());
    assert_eq!(counts(&again), [0, 0, 0]);
}

#[test]
fn users_and_devices_go_and_the_record_names_nobody() {
    let scene = Scene::new("hmac-sha256");
    scene.write("hmac-sha256", &bodies(&[1, 2, 3, 4]));
    let users = [Event(1).user_id(), Event(2).user_id()];
    assert_eq!(
        counts(&scene.erase("user_id", &users, &["--yes"])),
        [2, 2, 0]
    );
    let device = [Event(3).device_id()];
    let done = scene.erase("device_id", &device, &["--yes", "--masking", "hmac-sha256"]);
    assert_eq!(counts(&done), [1, 1, 0]);
    assert_eq!(scene.database.user_ids(), [Event(4).user_id()]);
    let record = scene.record();
    let events: Vec<Value> = record
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(events.len(), 4, "{record}");
    assert_eq!(events[1]["event"], "erase_finished");
    assert_eq!(events[1]["erased"], 2);
    assert_eq!(events[1]["run"], events[0]["run"]);
    assert_eq!(events[3]["scheme"], "hmac-sha256");
    let days = events[3]["erased_by_day"].as_object().unwrap();
    assert_eq!(days.values().filter_map(Value::as_u64).sum::<u64>(), 1);
    for value in [&users[0], &device[0]] {
        assert!(!record.contains(value.as_str()), "{record}");
        assert!(!done.stdout.contains(value.as_str()) && !done.stderr.contains(value.as_str()));
    }
}

#[test]
fn what_cannot_be_found_or_was_not_confirmed_is_refused() {
    let scene = Scene::new("aes-siv");
    scene.write("aes-siv", &bodies(&[1]));
    let ip = [Event(1).ip()];
    let refused = |arguments: &[&str], texts: &[&str]| {
        scene.erase("ip", &ip, arguments).assert_refused(2, texts);
    };
    refused(
        &["--yes", "--masking", "truncate"],
        &["many people share", "--field user_id"],
    );
    refused(
        &["--yes", "--masking", "redact"],
        &["the same word", "hint:"],
    );
    refused(&["--yes"], &["--masking is not given"]);
    refused(
        &["--masking", "aes-siv"],
        &["1 rows were found", "--yes", "nothing was erased"],
    );
    scene
        .erase("ip", &[], &["--yes", "--masking", "aes-siv"])
        .assert_refused(2, &["holds no value"]);
    rotate(&scene.keys);
    let old = scene.keys.ids().0[0].clone();
    scene.keys.changed(&["disable", "--key-id", &old]);
    refused(
        &["--yes", "--masking", "aes-siv"],
        &["is disabled", "etl keyset enable"],
    );
    assert_eq!(scene.database.count("user_logins"), 1);
}

#[test]
fn a_role_that_may_not_delete_is_told_so_and_a_refusal_repeats_no_value() {
    let scene = Scene::new("aes-siv");
    scene.write("aes-siv", &bodies(&[1]));
    let role = format!("{}_reader", scene.database.name());
    scene.database.execute(&format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'reader'; GRANT SELECT ON user_logins TO {role}"
    ));
    let user = [Event(1).user_id()];
    let url = scene.database.url_as(&role, "reader");
    scene
        .erase("user_id", &user, &["--yes", "--database-url", &url])
        .assert_refused(2, &["GRANT SELECT, DELETE"]);
    scene.database.execute(
        "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS \
         'BEGIN RAISE EXCEPTION ''keep %'', OLD.user_id; END'; \
         CREATE TRIGGER keep BEFORE DELETE ON user_logins FOR EACH ROW EXECUTE FUNCTION keep()",
    );
    let outcome = scene.erase("user_id", &user, &["--yes"]);
    outcome.assert_refused(1, &["a deletion from user_logins"]);
    assert!(!outcome.stderr.contains(&user[0]), "{outcome:?}");
    assert!(scene.record().contains("erase_finished"));
}

/// Every tenth row is of one person. Whatever is erased on the way, the others all stand, and the books agree.
#[test]
fn a_person_is_erased_while_a_run_writes() {
    let (scene, count) = (Scene::new("aes-siv"), 3000);
    let body = |number: usize| match number % 10 {
        0 => Event(number).with("user_id", "the-person"),
        _ => Event(number).body(),
    };
    let lines: Vec<String> = (0..count).map(body).collect();
    let mut writing = Etl::run_lines(lines.join("\n"), &scene.database)
        .args(["--batch-size", "20", "--writers", "1"])
        .start();
    let person = ["the-person".to_owned()];
    while !writing.is_over() {
        // Ends with 1 where more came while it looked.
        let outcome = scene.erase("user_id", &person, &["--yes"]);
        assert!([0, 1].contains(&outcome.code), "{outcome:?}");
    }
    assert_eq!(writing.end().summary().get("written"), count as u64);
    counts(&scene.erase("user_id", &person, &["--yes"]));
    assert_eq!(scene.database.count("user_logins"), count as u64 * 9 / 10);
    let reconcile = Etl::bare("reconcile")
        .env("DATABASE_URL", scene.database.url())
        .env("ETL_AUDIT_LOG", scene.path("audit"))
        .output();
    assert_eq!(reconcile.code, 0, "{reconcile:?}");
}

/// The server goes on with it in any case.
#[test]
fn a_deletion_that_a_signal_meets_ends_first_and_stands_on_record() {
    let scene = Scene::new("aes-siv");
    scene.write("aes-siv", &bodies(&[1, 2]));
    let lock = scene
        .database
        .hold("SELECT FROM user_logins FOR NO KEY UPDATE");
    let erasing = scene
        .erasure("user_id", &[Event(1).user_id()], &["--yes"])
        .start();
    scene.database.until_a_write_waits();
    erasing.signal("TERM");
    erasing.until_logged("stopping");
    drop(lock);
    let outcome = erasing.end();
    assert_eq!(outcome.code, 143, "{outcome:?}");
    let told: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!((&told["erased"], &told["found"]), (&1.into(), &1.into()));
    let record = scene.record();
    let last: Value = serde_json::from_str(record.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&last["event"], &last["erased"]),
        (&"erase_finished".into(), &1.into())
    );
    assert_eq!(scene.database.user_ids(), [Event(2).user_id()]);
}

#[test]
fn a_search_that_a_signal_ends_stands_on_record_too() {
    let scene = Scene::new("aes-siv");
    scene.write("aes-siv", &bodies(&[1]));
    let _lock = scene.database.hold("LOCK TABLE user_logins");
    let erasing = scene
        .erasure("user_id", &[Event(1).user_id()], &["--yes"])
        .start();
    scene.database.until_a_write_waits();
    erasing.signal("TERM");
    let outcome = erasing.end();
    assert_eq!((outcome.code, outcome.stdout.as_str()), (143, ""));
    let record = scene.record();
    let last: Value = serde_json::from_str(record.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&last["event"], &last["erased"]),
        (&"erase_finished".into(), &0.into())
    );
}
