//! `--database-schema`: every command finds the tables where they are, and makes none elsewhere.

use std::fs;

use crate::harness::{Database, Etl, Event, Queue};
use crate::keyset::Keys;

/// The password comes from a file, as it does where there is a schema of one's own.
struct Scene {
    database: Database,
    folder: tempfile::TempDir,
    url: String,
}

impl Scene {
    fn new() -> Self {
        let database = Database::empty();
        database.execute("CREATE SCHEMA logins");
        let (login, place) = database.url().split_once('@').unwrap();
        let (user, password) = login.rsplit_once(':').unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("password"), password).unwrap();
        let url = format!("{user}@{place}");
        Self {
            database,
            folder,
            url,
        }
    }

    fn there(&self, etl: Etl) -> Etl {
        etl.env("DATABASE_URL", &self.url)
            .env("ETL_DATABASE_SCHEMA", "logins")
            .env(
                "ETL_DATABASE_PASSWORD_FILE",
                self.folder.path().join("password"),
            )
    }

    fn succeeds(&self, command: &str, arguments: &[&str]) -> String {
        let outcome = self.there(Etl::bare(command)).args(arguments).output();
        assert_eq!(outcome.code, 0, "{command}: {outcome:?}");
        outcome.stdout
    }
}

#[test]
fn every_command_works_in_the_schema_and_in_no_other() {
    let (scene, queue, keys) = (
        Scene::new(),
        Queue::with_dead_letter_queue(),
        Keys::of("aes-siv"),
    );
    let key_file = keys.file.to_str().unwrap();
    scene.succeeds("migrate", &[]);
    queue.send(&[Event(1).body(), Event(2).body(), "no JSON".to_owned()]);
    let summary = scene.there(Etl::run(&queue, &scene.database)).summary();
    assert_eq!(summary.counts(), [3, 2, 0, 1, 0]);
    let masking = ["--masking", "aes-siv", "--keyset", key_file];
    let remasked = scene.succeeds("remask", &[&masking[..], &["--from", "base64"]].concat());
    assert!(remasked.contains(" 2  rows"), "{remasked}");
    assert!(scene.succeeds("rejects", &["list"]).contains("not_json"));
    assert_eq!(scene.succeeds("prune", &[]), "0 messages forgotten\n");
    let ip = scene.folder.path().join("ip");
    fs::write(&ip, Event(1).ip()).unwrap();
    let input = ["--field", "ip", "--yes", "--input", ip.to_str().unwrap()];
    let erased = scene.succeeds("erase", &[&masking[..], &input].concat());
    assert!(erased.contains(" 1  rows"), "{erased}");
    assert_eq!(scene.database.count("logins.user_logins"), 1);
    let elsewhere = "pg_tables WHERE schemaname = 'public'";
    assert_eq!(scene.database.count(elsewhere), 0);
}

#[test]
fn a_schema_that_is_missing_is_said_to_be() {
    let scene = Scene::new();
    let migrate = scene
        .there(Etl::bare("migrate"))
        .env("ETL_DATABASE_SCHEMA", "other");
    migrate
        .output()
        .assert_refused(2, &["the schema other does not exist", "CREATE SCHEMA"]);
}

#[test]
fn passwords_come_from_one_place_and_that_is_named() {
    let scene = Scene::new();
    let file = scene.folder.path().join("password");
    let password = fs::read_to_string(&file).unwrap();
    let migrate = || Etl::bare("migrate").env("DATABASE_URL", &scene.url);
    migrate()
        .output()
        .assert_refused(2, &["asks for a password"]);
    let both = migrate().env("DATABASE_URL", scene.database.url());
    let both = both.env("ETL_DATABASE_PASSWORD_FILE", &file).output();
    both.assert_refused(2, &["--database-password-file names another"]);
    assert_eq!(migrate().env("PGPASSWORD", &password).output().code, 0);
    fs::write(
        scene.folder.path().join(".pgpass"),
        format!("*:*:*:*:{password}"),
    )
    .unwrap();
    let open = migrate().env("HOME", scene.folder.path()).output();
    open.assert_refused(2, &[".pgpass is open to others", "0600"]);
    let iam = migrate().env("ETL_DATABASE_AUTH", "iam");
    let iam = iam.env("DATABASE_URL", format!("{}?sslmode=require", scene.url));
    iam.output().assert_refused(2, &["sslmode=verify-full"]);
    for outcome in [both, open] {
        assert!(!outcome.stderr.contains(&password), "{outcome:?}");
    }
}
