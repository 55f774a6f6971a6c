//! Options that cannot be: each refusal ends at once with code 2, names the option and says what is expected.

use crate::harness::{Database, Etl, Event, stage};

/// A run that would be good but for what a test adds.
fn good() -> Etl {
    Etl::new("run")
        .env("DATABASE_URL", "postgres://etl@127.0.0.1:1/none")
        .env("ETL_ENDPOINT_URL", "http://127.0.0.1:1")
        .env("ETL_QUEUE_NAME", "login-queue")
        .env("ETL_MASKING", "base64")
}

fn refused(arguments: &[&str], texts: &[&str]) {
    let outcome = good().args(arguments).output();
    outcome.assert_refused(2, texts);
    assert_eq!(outcome.stdout, "");
    assert!(outcome.elapsed.as_secs() < 5, "{outcome:?}");
}

#[test]
fn numbers_out_of_range_are_refused_with_their_range() {
    refused(&["--max-messages", "0"], &["--max-messages", "'0'", "1.."]);
    refused(
        &["--wait-time-seconds", "21"],
        &["--wait-time-seconds", "21", "0..=20"],
    );
    refused(&["--wait-time-seconds", "-1"], &["-1"]);
    refused(
        &["--wait-time-seconds", "two"],
        &["--wait-time-seconds", "two"],
    );
    refused(&["--batch-size", "0"], &["--batch-size", "1..=50000"]);
    refused(&["--pollers", "0"], &["--pollers", "1..=1024"]);
    refused(&["--writers", "0"], &["--writers", "1..=1024"]);
    refused(
        &["--max-in-flight", "1"],
        &["--max-in-flight", "10..=120000"],
    );
    refused(
        &["--visibility-timeout", "43201"],
        &["--visibility-timeout", "43200"],
    );
}

#[test]
fn times_without_a_unit_are_refused_with_examples() {
    refused(&["--batch-age", "200"], &["--batch-age", "200ms"]);
    refused(&["--grace-period", "soon"], &["--grace-period", "25s"]);
    refused(&["--give-up-after", "5"], &["--give-up-after", "5m"]);
}

#[test]
fn words_that_are_no_choice_are_refused_with_the_choices() {
    refused(&["--output", "xml"], &["--output", "text, json"]);
    refused(
        &["--app-version", "minor"],
        &["--app-version", "major", "packed"],
    );
    refused(&["--log-format", "xml"], &["--log-format", "text, json"]);
    refused(
        &["--log-level", "etl=loud"],
        &["--log-level", "error, warn, info, debug or trace"],
    );
    refused(
        &["--masking", "rot13"],
        &["--masking", "rot13", "aes-siv", "no protection"],
    );
}

#[test]
fn without_a_masking_the_choices_are_explained() {
    let outcome = good().without_env("ETL_MASKING").output();
    let explained = [
        "--masking is not given, and has no default",
        "base64       an encoding that anyone reverses: no protection",
        "aes-siv      encrypted; equal values stay equal; recovered with the keyset",
        "hmac-sha256  keyed fingerprint",
        "ipcrypt-pfx  addresses only",
        "truncate     the /24 or /48",
        "redact       a fixed word",
        "hint: aes-siv",
    ];
    outcome.assert_refused(2, &explained);
}

#[test]
fn a_scheme_that_needs_a_key_names_the_option_for_it() {
    refused(&["--masking", "aes-siv"], &["aes-siv", "--keyset"]);
    refused(
        &["--masking", "base64", "--mask-ip", "hmac-sha256"],
        &["hmac-sha256", "ip", "--keyset"],
    );
}

#[test]
fn a_scheme_for_addresses_alone_asks_for_another_for_the_device() {
    refused(
        &["--masking", "ipcrypt-pfx", "--keyset", "none.json"],
        &["addresses only", "hint: ", "--mask-device-id"],
    );
}

#[test]
fn base64_is_said_to_be_no_protection_at_every_start() {
    let (queue, database) = stage();
    let outcome = Etl::run(&queue, &database).output();
    outcome.assert_refused(0, &["base64 is an encoding, not protection"]);
}

#[test]
fn urls_that_are_none_are_refused_by_the_options_name() {
    for url in ["localhost:4566", "ftp://host", "http://", "http://a b/"] {
        refused(
            &["--endpoint-url", url],
            &["--endpoint-url", "http://localhost:4566"],
        );
    }
    let by_url = |url: &str| {
        let outcome = good()
            .without_env("ETL_QUEUE_NAME")
            .args(["--queue-url", url])
            .output();
        outcome.assert_refused(2, &["--queue-url is not a", url]);
    };
    ["login-queue", "http://", "http://host", "http://host/"]
        .iter()
        .copied()
        .for_each(by_url);
}

#[test]
fn a_database_url_that_is_none_is_refused_without_repeating_it() {
    for url in [
        "mysql://u:s3cret@h/d",
        "s3cret",
        "postgres://u:s3cret@h:port/d",
    ] {
        let outcome = good().env("DATABASE_URL", url).output();
        outcome.assert_refused(
            2,
            &["database", "postgres://USER:PASSWORD@HOST:PORT/DATABASE"],
        );
        assert!(!outcome.stderr.contains("s3cret"), "{outcome:?}");
    }
    let outcome = good()
        .env("DATABASE_URL", "postgres://u:s3cret@h/d?sslmode=perhaps")
        .output();
    outcome.assert_refused(2, &["sslmode", "verify-full"]);
}

#[test]
fn what_is_not_named_is_asked_for() {
    good()
        .without_env("ETL_QUEUE_NAME")
        .output()
        .assert_refused(2, &["no queue is named", "--queue-name NAME"]);
    for nothing in [
        good().without_env("DATABASE_URL"),
        good().env("DATABASE_URL", ""),
    ] {
        nothing
            .output()
            .assert_refused(2, &["no database is named", "DATABASE_URL"]);
    }
}

#[test]
fn a_region_that_contradicts_the_queues_url_is_refused() {
    let url = "https://sqs.eu-west-1.amazonaws.com/123456789012/login-queue";
    let outcome = good()
        .without_env("ETL_QUEUE_NAME")
        .without_env("ETL_ENDPOINT_URL")
        .args(["--queue-url", url, "--region", "us-east-1"])
        .output();
    outcome.assert_refused(2, &["--queue-url", "eu-west-1", "--region", "us-east-1"]);
}

#[test]
fn a_region_is_asked_for_where_none_is_known() {
    let outcome = good()
        .without_env("ETL_ENDPOINT_URL")
        .without_env("AWS_REGION")
        .output();
    outcome.assert_refused(2, &["--region", "AWS_REGION"]);
}

#[test]
fn an_input_that_is_not_there_and_a_date_that_is_none_are_refused() {
    let input = |arguments: &[&str], texts: &[&str]| {
        let outcome = good()
            .without_env("ETL_QUEUE_NAME")
            .args(arguments)
            .output();
        outcome.assert_refused(2, texts);
    };
    input(
        &["--input", "/none/such.jsonl"],
        &["--input", "/none/such.jsonl", "No such file"],
    );
    input(&["--input", "/"], &["--input", "directory"]);
    for date in [
        "2026-02-30",
        "31.01.2026",
        "2026-1-31",
        "yesterday",
        "1969-12-31",
    ] {
        input(
            &["--input", "-", "--date", date],
            &["--date", date, "2026-01-31"],
        );
    }
    input(&["--date", "2026-01-31"], &["--input"]);
}

#[test]
fn options_that_exclude_each_other_are_refused() {
    refused(
        &["--queue-url", "http://h/1/q", "--queue-name", "q"],
        &["--queue-url", "--queue-name"],
    );
    refused(
        &["--input", "-", "--queue-name", "q"],
        &["--input", "--queue-name"],
    );
    let both = good().env("ETL_QUEUE_URL", "http://h/1/q").output();
    let told = [
        "--queue-name is set by ETL_QUEUE_NAME",
        "--queue-url is set by ETL_QUEUE_URL",
    ];
    both.assert_refused(2, &told);
}

#[test]
fn an_option_wins_over_the_variables_that_it_excludes() {
    let (queue, database) = stage();
    queue.send(&[Event(0).body()]);
    let url = ["--queue-url", &queue.url];
    let by_url = Etl::run(&queue, &database).env("ETL_QUEUE_NAME", "no-such-queue");
    assert_eq!(by_url.args(url).summary().get("written"), 1);
    let lines = |etl: Etl| etl.args(["--input", "-"]).stdin(Event(1).body()).summary();
    let input = Etl::run(&queue, &database).env("ETL_FOLLOW", "true");
    assert_eq!(lines(input).get("written"), 1);
    let off = Etl::run(&queue, &database)
        .env("ETL_INPUT", "/none/such")
        .env("ETL_FOLLOW", "0");
    let name = ["--queue-name", &queue.name];
    assert_eq!(off.args(name).summary().get("received"), 0);
}

#[test]
fn a_password_on_the_command_line_is_warned_of() {
    let (queue, database) = stage();
    let shown = Etl::run(&queue, &database)
        .args(["--database-url", database.url()])
        .output();
    shown.assert_refused(
        0,
        &["--database-url shows its password", "`ps`", "DATABASE_URL"],
    );
    let hidden = Etl::run(&queue, &database).output();
    assert!(!hidden.stderr.contains("`ps`"), "{hidden:?}");
}

#[test]
fn switches_in_the_environment_are_read_as_people_write_them() {
    let (queue, database) = stage();
    for (value, prints) in [("1", false), ("true", false), ("0", true), ("false", true)] {
        let outcome = Etl::run(&queue, &database)
            .env("ETL_DRY_RUN", value)
            .output();
        assert_eq!(outcome.code, 0, "{outcome:?}");
        assert_eq!(outcome.stdout.contains("received"), prints, "{outcome:?}");
    }
}

#[test]
fn send_refuses_what_it_cannot_send() {
    let send = |arguments: &[&str]| {
        Etl::new("send")
            .env("ETL_QUEUE_NAME", "q")
            .args(arguments)
            .output()
    };
    send(&["--input", "/none/such.jsonl"]).assert_refused(2, &["--input", "/none/such.jsonl"]);
    send(&["--generate", "0"]).assert_refused(2, &["--generate"]);
    send(&[]).assert_refused(2, &["--input", "--generate"]);
}

#[test]
fn migrate_asks_for_a_database() {
    Etl::new("migrate")
        .output()
        .assert_refused(2, &["no database is named", "DATABASE_URL"]);
    let database = Database::empty();
    let migrate = || {
        Etl::new("migrate")
            .env("DATABASE_URL", database.url())
            .output()
    };
    assert_eq!((migrate().code, migrate().code), (0, 0));
}
