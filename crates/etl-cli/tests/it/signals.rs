//! Signals that come while a command still waits for somebody: it ends at once, by an exit code of its own. A process that
//! the system had to end, as process 1 of a container cannot be, has none.

use crate::harness::{Database, Etl, Event, Queue, Silent, stage, until};
use crate::kms::Kek;

/// The exit code after a signal that comes once `silent` was called.
fn code_after(signal: &str, silent: &Silent, etl: Etl) -> i32 {
    let running = etl.start();
    let _caller = silent.until_called();
    running.signal(signal);
    let outcome = running.end();
    assert_eq!(outcome.stdout, "", "{outcome:?}");
    outcome.code
}

#[test]
fn a_run_that_waits_for_kms_ends_as_one_before_its_first_receive() {
    let (kek, (queue, database)) = (Kek::made(), stage());
    let keys = kek.keys("aes-siv");
    for (arguments, code) in [(None, 143), (Some("--follow"), 0)] {
        let silent = Silent::new();
        let running = kek
            .named(Etl::run(&queue, &database))
            .env("AWS_ENDPOINT_URL_KMS", silent.endpoint())
            .env("ETL_MASKING", "aes-siv")
            .env("ETL_KEYSET", &keys.file)
            .args(arguments)
            .start();
        let _caller = silent.until_called();
        running.signal("TERM");
        let outcome = running.end();
        assert_eq!(outcome.code, code, "{outcome:?}");
        assert_eq!(outcome.summary().counts(), [0; 5]);
    }
}

#[test]
fn other_commands_that_wait_for_kms_end_too() {
    let (kek, database) = (Kek::made(), Database::migrated());
    let keys = kek.keys("aes-siv");
    for arguments in [
        &["remask"][..],
        &["unmask", "--domain", "ip"],
        &["keyset", "show"],
    ] {
        let silent = Silent::new();
        let etl = kek
            .named(Etl::new(arguments[0]))
            .env("AWS_ENDPOINT_URL_KMS", silent.endpoint())
            .env("DATABASE_URL", database.url())
            .env("ETL_KEYSET", &keys.file)
            .args(&arguments[1..]);
        let etl = match arguments[0] {
            "keyset" => etl,
            _ => etl.env("ETL_MASKING", "aes-siv"),
        };
        assert_eq!(code_after("TERM", &silent, etl), 143, "{arguments:?}");
    }
}

#[test]
fn commands_that_wait_for_the_database_end() {
    let folder = tempfile::tempdir().unwrap();
    let values = folder.path().join("values");
    std::fs::write(&values, "user\n").unwrap();
    let values = values.to_str().unwrap();
    for (arguments, signal, code) in [
        (&["prune"][..], "TERM", 143),
        (&["migrate"], "INT", 130),
        (&["reconcile"], "TERM", 143),
        (&["rejects", "list"], "INT", 130),
        (
            &["erase", "--field", "user_id", "--yes", "--input", values],
            "TERM",
            143,
        ),
    ] {
        let silent = Silent::new();
        let etl = Etl::bare(arguments[0])
            .env("DATABASE_URL", silent.database_url())
            .args(&arguments[1..]);
        assert_eq!(code_after(signal, &silent, etl), code, "{arguments:?}");
    }
}

#[test]
fn commands_that_wait_for_the_queue_end() {
    for arguments in [&["send", "--generate", "1"][..], &["rejects", "redrive"]] {
        let silent = Silent::new();
        let etl = Etl::new(arguments[0])
            .env("ETL_ENDPOINT_URL", silent.endpoint())
            .env("ETL_QUEUE_NAME", "login-queue")
            .args(&arguments[1..]);
        assert_eq!(code_after("TERM", &silent, etl), 143, "{arguments:?}");
    }
}

#[test]
fn a_run_that_waits_for_its_standard_input_ends() {
    let database = Database::migrated();
    let mut running = Etl::run_lines("", &database)
        .open_stdin(Event(0).body())
        .args(["--metrics-addr", "127.0.0.1:0"])
        .start();
    running.until_logged("serving /metrics");
    running.signal("TERM");
    until("it ends", || running.is_over());
    let outcome = running.end();
    assert_eq!(outcome.code, 143, "{outcome:?}");
    assert_eq!(outcome.summary().counts(), [0; 5]);
}

/// Two equal bodies are two logins: whoever sends the rest has to know where it begins.
#[test]
fn a_sender_that_waits_for_its_standard_input_ends_and_says_how_many_it_sent() {
    let queue = Queue::alone();
    let lines: String = (0..3).map(|number| Event(number).body() + "\n").collect();
    let mut sender = Etl::new("send")
        .reading(&queue)
        .args(["--input", "-"])
        .open_stdin(lines)
        .start();
    until("all lines are sent", || queue.depth().0 == 3);
    sender.signal("INT");
    until("it ends", || sender.is_over());
    let outcome = sender.end();
    assert_eq!(outcome.code, 130, "{outcome:?}");
    assert!(outcome.stdout.starts_with("sent 3 messages"), "{outcome:?}");
}
