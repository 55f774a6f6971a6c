//! What must never be seen: no value of a message, no password and no key in any output or on any page, at the most
//! talkative level, while messages are rejected, rows refused and writes tried again.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::harness::{Database, Etl, Event, Outcome, Pages, Queue, Running, events, stage};

const SECRET_KEY: &str = "zz-the-secret-access-key";
const LOCK: &str = "LOCK TABLE user_logins IN ACCESS EXCLUSIVE MODE";

/// Refuses some rows with their values in its message, and one as if it might pass.
const TALKATIVE: &str = "CREATE SEQUENCE tries; \
     CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
     IF NEW.user_id = 'user-00013' THEN RAISE EXCEPTION 'not % of %', NEW.user_id, NEW.masked_ip; END IF; \
     IF NEW.user_id = 'user-00021' AND nextval('tries') < 3 THEN \
     RAISE EXCEPTION 'not yet %', NEW.user_id USING ERRCODE = '40001'; END IF; \
     RETURN NEW; END $$; \
     CREATE TRIGGER refuse BEFORE INSERT ON user_logins FOR EACH ROW EXECUTE FUNCTION refuse(); \
     ALTER TABLE user_logins ADD CONSTRAINT not_long CHECK (length(locale) < 5)";

fn bodies() -> Vec<String> {
    let bad = [
        Event(90).with("user_id", ""),
        Event(91).without("locale"),
        Event(92).with("app_version", "latest"),
        Event(93).with("locale", "refused-by-check"),
        format!("{} is no JSON", Event(94).ip()),
        Event(95).body().replace('}', ""),
    ];
    [events(60), bad.to_vec()].concat()
}

/// Every ip, device_id and user_id in the bodies.
fn values(bodies: &[String]) -> BTreeSet<String> {
    let of = |body: &String| {
        let event: Value = serde_json::from_str(body).unwrap_or_default();
        ["ip", "device_id", "user_id"]
            .map(|field| event[field].as_str().unwrap_or_default().to_owned())
    };
    let mut values: BTreeSet<String> = bodies.iter().flat_map(of).collect();
    values.extend([Event(94).ip(), Event(95).ip(), Event(95).device_id()]);
    values.remove("");
    values
}

fn secrets(database: &Database) -> [String; 2] {
    let (_, rest) = database.url().split_once("postgres:").unwrap();
    let (_, rest) = rest.split_once(':').unwrap_or(("", rest));
    let (password, _) = rest.split_once('@').unwrap();
    [password.to_owned(), SECRET_KEY.to_owned()]
}

fn assert_shows_none<'a>(outcome: &Outcome, hidden: impl IntoIterator<Item = &'a String>) {
    for text in hidden {
        assert_absent(text, &outcome.stdout);
        assert_absent(text, &outcome.stderr);
    }
}

fn assert_absent(hidden: &str, text: &str) {
    assert!(!text.contains(hidden), "{hidden} in {text}");
}

/// A follower that can be looked at, until it has deleted so many; all that it served, and its end.
fn looked_at(etl: Etl, meanwhile: impl FnOnce(), deleted: u32) -> (String, Outcome) {
    let serving = ["--follow", "--metrics-addr", "127.0.0.1:0"];
    let running: Running = etl.args(serving).start();
    let pages = Pages::of(&running);
    meanwhile();
    pages.until("etl_messages_deleted_total", f64::from(deleted));
    pages.until_status("/readyz", 200);
    let paths = ["/metrics", "/healthz", "/readyz", "/"];
    let served = paths.map(|path| {
        let page = pages.get(path);
        page.head + &page.body
    });
    running.signal("TERM");
    (served.concat(), running.end())
}

fn talkative(etl: Etl, log: &[(&str, &str)]) -> Etl {
    let etl = etl.env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
    log.iter()
        .fold(etl, |etl, (name, value)| etl.env(name, value))
}

fn an_eventful_run(queue: &Queue, database: &Database, log: &[(&str, &str)]) -> (String, Outcome) {
    database.execute(TALKATIVE);
    let lock = database.hold(LOCK);
    let events = || {
        database.until_a_write_waits();
        database.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'etl' AND datname = current_database()");
        drop(lock);
    };
    looked_at(talkative(Etl::run(queue, database), log), events, 66)
}

fn nothing_is_shown(log: &[(&str, &str)]) {
    let (queue, database) = stage();
    let bodies = bodies();
    let lines = bodies.join("\n");
    let sent = talkative(Etl::new("send").reading(&queue), log)
        .args(["--input", "-"])
        .stdin(lines)
        .output();
    assert_eq!(sent.code, 0, "{sent:?}");
    let dry_run = talkative(Etl::run(&queue, &database), log)
        .args(["--dry-run"])
        .output();
    let (served, outcome) = an_eventful_run(&queue, &database, log);
    assert_eq!(outcome.summary().counts(), [66, 59, 0, 7, 0], "{outcome:?}");
    for happened in [
        "failed to write to the database",
        "refused_by_database",
        "app_version_no_major",
    ] {
        assert!(
            outcome.stderr.contains(happened),
            "no {happened} in {}",
            outcome.stderr
        );
    }
    let (values, secrets) = (values(&bodies), secrets(&database));
    assert_shows_none(&outcome, values.iter().chain(&secrets));
    for hidden in values.iter().chain(&secrets) {
        assert_absent(hidden, &served);
    }
    assert_shows_none(&sent, values.iter().chain(&secrets));
    // A dry run prints rows, and a row holds its user_id.
    let masked = values.iter().filter(|value| !value.starts_with("user-"));
    assert_shows_none(&dry_run, masked.chain(&secrets));
}

#[test]
fn nothing_is_shown_at_the_level_trace() {
    nothing_is_shown(&[("ETL_LOG_LEVEL", "trace")]);
}

#[test]
fn nothing_is_shown_in_json_where_the_environment_asks_for_everything() {
    nothing_is_shown(&[("RUST_LOG", "trace"), ("ETL_LOG_FORMAT", "json")]);
}

#[test]
fn nothing_is_shown_where_every_crate_is_asked_by_name() {
    let every = "trace,tokio_postgres=trace,aws_smithy_runtime=trace,aws_sdk_sqs=trace,hyper=trace,diesel=trace";
    nothing_is_shown(&[("RUST_LOG", every)]);
}

#[test]
fn keys_are_not_shown() {
    let (folder, (queue, database)) = (tempfile::tempdir().unwrap(), stage());
    let path = folder.path().join("keys.json");
    let path = path.to_str().unwrap();
    let log = [("RUST_LOG", "trace")];
    let made = talkative(Etl::new("keyset"), &log)
        .args(["new", "--out", path])
        .output();
    assert_eq!(made.code, 0, "{made:?}");
    let keys: Value =
        serde_json::from_str(&std::fs::read_to_string(Path::new(path)).unwrap()).unwrap();
    let key = keys["key"][0]["keyData"]["value"]
        .as_str()
        .unwrap()
        .to_owned();
    queue.send(&events(3));
    let run = talkative(Etl::run(&queue, &database), &log).args([
        "--masking",
        "aes-siv",
        "--keyset",
        path,
    ]);
    let (served, outcome) = looked_at(run, || (), 3);
    assert_eq!(outcome.summary().get("written"), 3);
    // The first bytes of a key's protobuf are the same in all of them.
    let (_, material) = key.split_at(8);
    assert_absent(material, &served);
    assert_shows_none(&made, [&material.to_owned()]);
    assert_shows_none(&outcome, [&material.to_owned()]);
}
