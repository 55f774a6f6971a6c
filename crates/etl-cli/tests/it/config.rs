//! The file of `--config`: its place behind the command line and the environment, and what it may not say.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use tempfile::NamedTempFile;

use crate::harness::{Etl, Event, stage};

fn file(text: &str) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    file
}

/// A run that names nothing itself.
fn configured(text: &str) -> (Etl, NamedTempFile) {
    let file = file(text);
    (Etl::new("run").env("ETL_CONFIG", file.path()), file)
}

fn refused(text: &str, texts: &[&str]) {
    let (etl, _file) = configured(text);
    let outcome = etl.output();
    outcome.assert_refused(2, texts);
    assert!(!outcome.stderr.contains("s3cret"), "{outcome:?}");
}

#[test]
fn a_run_may_take_everything_from_the_file() {
    let (queue, database) = stage();
    queue.send(&[Event(0).body(), Event(1).body()]);
    let (etl, _file) = configured(&format!(
        "queue-name = '{}'\nendpoint-url = '{}'\ndatabase-url = '{}'\nmasking = 'redact'\noutput = 'json'\n\
         wait-time-seconds = 0\nbatch-age = '1ms'\nno-migrate = true\nfollow = false\nmax-messages = 1\nlog-level = 'warn'",
        queue.name,
        queue.endpoint,
        database.url()
    ));
    let outcome = etl.output();
    assert_eq!(outcome.summary().get("written"), 1);
    assert!(!outcome.stderr.contains("INFO"), "{outcome:?}");
    assert_eq!(
        database.texts("SELECT DISTINCT masked_ip FROM user_logins"),
        ["redacted"]
    );
}

#[test]
fn the_command_line_wins_over_the_environment_and_that_over_the_file() {
    let (queue, database) = stage();
    let config =
        file("max-messages = 1\nmasking = 'redact'\nqueue-url = 'http://127.0.0.1:1/1/none'");
    let run = |bodies: &[String]| {
        queue.send(bodies);
        let etl = Etl::run(&queue, &database)
            .args(["--config"])
            .args([config.path()]);
        etl.without_env("ETL_MASKING")
    };
    let bodies: Vec<String> = (0..6).map(|number| Event(number).body()).collect();
    assert_eq!(run(&bodies).summary().get("received"), 1);
    let environment = run(&[]).env("ETL_MAX_MESSAGES", "2");
    assert_eq!(environment.summary().get("received"), 2);
    let typed = run(&[])
        .env("ETL_MAX_MESSAGES", "2")
        .args(["--max-messages", "3"]);
    assert_eq!(typed.summary().get("received"), 3);
}

/// `input` is an option of `send` too, and `dry-run` one of `remask`: there they are meant for one call.
#[test]
fn what_is_meant_for_one_call_is_not_taken_from_the_file() {
    let (queue, _database) = stage();
    let config = file("input = '/none/such.jsonl'\ndry-run = true\nbatch-size = 7");
    let sent = Etl::new("send")
        .reading(&queue)
        .env("ETL_CONFIG", config.path())
        .args(["--generate", "3"])
        .output();
    assert_eq!((sent.code, queue.depth()), (0, (3, 0)), "{sent:?}");
    refused(
        "yes = true",
        &[
            "yes cannot be set in a file",
            "hint: give --yes on the command line",
        ],
    );
    refused("config = 'other.toml'", &["config cannot be set in a file"]);
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_name() {
    refused(
        "batch_size = 500",
        &[
            "--config",
            "no option is named batch_size",
            "did you mean batch-size?",
        ],
    );
    refused(
        "databse-url = 's3cret'",
        &[
            "no option is named databse-url",
            "did you mean database-url?",
        ],
    );
    refused("zzz = 1", &["no option is named zzz", "`etl run --help`"]);
    refused("[run]\nfollow = true", &["no option is named run"]);
}

#[test]
fn what_cannot_be_a_value_is_refused_with_its_place() {
    refused("follow = 'yes'", &["follow is a switch: true or false"]);
    refused(
        "masking = ['redact', 'base64']",
        &["masking is not a single value"],
    );
    refused(
        "follow = true\ndatabase-url = s3cret",
        &["--config", "line 2"],
    );
    refused(
        "batch-size = 0",
        &["'--batch-size <N>'", "tip: --batch-size is set in /"],
    );
    refused(
        "input = 'a.jsonl'\nfollow = true",
        &["--input is set in /", "--follow is set in /"],
    );
    Etl::new("run")
        .args(["--config", "/none/such.toml"])
        .output()
        .assert_refused(2, &["--config /none/such.toml", "No such file"]);
}

#[test]
fn a_password_in_a_file_that_everyone_may_read_is_refused() {
    let config = file("database-url = 'postgres://etl:s3cret@127.0.0.1:1/logins'");
    let outcome = |mode| {
        fs::set_permissions(config.path(), Permissions::from_mode(mode)).unwrap();
        Etl::new("run").env("ETL_CONFIG", config.path()).output()
    };
    let open = outcome(0o644);
    open.assert_refused(2, &["database-url holds a password", "hint: chmod 600 /"]);
    let closed = outcome(0o640);
    closed.assert_refused(2, &["--masking is not given"]);
    assert!(!(open.stderr + &closed.stderr).contains("s3cret"));
}
