//! What a newcomer reads: the help texts and the summary.

use crate::harness::{Database, Etl, Event, Queue, stage};

fn help(arguments: &[&str]) -> String {
    let outcome = Etl::bare(arguments[0]).args(&arguments[1..]).output();
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
    outcome.stdout
}

fn assert_holds(text: &str, parts: &[&str]) {
    let absent = parts.iter().find(|part| !text.contains(**part));
    assert_eq!(absent, None, "in {text}");
}

/// The paragraphs of the options, each with its name, its text and its environment variable.
fn options(help: &str) -> Vec<&str> {
    let is_option =
        |paragraph: &&str| paragraph.contains("\n          ") || paragraph.contains("--");
    let (_, options) = help.split_once("Options:").unwrap();
    let (options, _) = options.split_once("\nExamples").unwrap();
    options
        .split("\n      --")
        .skip(1)
        .filter(is_option)
        .collect()
}

#[test]
fn help_names_the_commands_the_first_steps_and_the_exit_codes() {
    let text = help(&["--help"]);
    let commands = ["  run  ", "  send  ", "  migrate  ", "  help  "];
    assert_holds(&text, &commands);
    let first_steps = [
        "etl send --queue-name QUEUE",
        "etl run --queue-name QUEUE",
        "DATABASE_URL",
    ];
    assert_holds(&text, &first_steps);
    assert_holds(&text, &["Exit codes: 0 done", "130 or 143"]);
}

#[test]
fn every_option_of_run_is_explained_and_may_stand_in_the_environment() {
    let text = help(&["run", "--help"]);
    let options = options(&text);
    assert!(options.len() > 25, "{options:?}");
    for option in options {
        let (name, rest) = option.split_once('\n').unwrap_or((option, ""));
        assert!(rest.contains("[env: "), "{name}: {rest}");
        assert!(
            rest.trim()
                .chars()
                .next()
                .is_some_and(char::is_alphanumeric),
            "{name}: {rest}"
        );
    }
}

#[test]
fn the_help_of_run_has_headings_examples_and_the_meaning_of_each_scheme() {
    let text = help(&["run", "--help"]);
    let headings = [
        "Queue:\n",
        "Reading:\n",
        "Masking:\n",
        "Writing:\n",
        "Ending:\n",
        "Logging:\n",
    ];
    assert_holds(&text, &headings);
    assert_holds(
        &text,
        &[
            "Examples",
            "etl run --input logins.jsonl",
            "Exit codes: 0 done",
        ],
    );
    assert_holds(
        &text,
        &[
            "base64       an encoding that anyone reverses",
            "aes-siv      encrypted",
        ],
    );
    assert!(
        !text.contains("queue_name"),
        "one spelling is enough to learn"
    );
}

#[test]
fn help_fits_a_terminal_of_a_hundred_columns_and_shows_no_secret() {
    for arguments in [
        &["--help"][..],
        &["run", "-h"],
        &["run", "--help"],
        &["send", "--help"],
    ] {
        let text = Etl::bare(arguments[0])
            .args(&arguments[1..])
            .env("DATABASE_URL", "postgres://etl:s3cret@db/logins")
            .output()
            .stdout;
        let longest = text.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(112), "{longest:?} in {text}");
        assert!(!text.contains("s3cret"));
    }
}

#[test]
fn an_unknown_option_suggests_the_one_that_was_meant() {
    let outcome = Etl::new("run").args(["--queue-nam", "q"]).output();
    outcome.assert_refused(2, &["--queue-nam", "--queue-name"]);
}

#[test]
fn no_command_is_answered_with_the_help() {
    let outcome = Etl::bare("").output();
    outcome.assert_refused(2, &["etl"]);
}

fn without_figures(summary: &str) -> String {
    let is_time = |word: &str| word.contains('.') && word.parse::<f64>().is_ok();
    let words = summary
        .split(' ')
        .map(|word| if is_time(word) { "0.00" } else { word });
    let text = words.collect::<Vec<_>>().join(" ");
    let (before, requests) = text.split_once("queue (").unwrap();
    let (_, after) = requests.split_once(' ').unwrap();
    format!("{before}queue (N {after}")
}

#[test]
fn the_text_summary_says_what_became_of_every_delivery() {
    let (queue, database) = stage();
    queue.send(&[&Event(0).body(), "no JSON"]);
    let outcome = Etl::run(&queue, &database)
        .args(["--output", "text"])
        .output();
    insta::assert_snapshot!(without_figures(&outcome.stdout), @r"
    received            2  deliveries in 0.00 s
    written             1  new rows in user_logins
    duplicates          0  stood there already
    rejected            1  unreadable, now in the dead-letter queue
                           why: etl rejects list; once that is mended: etl rejects redrive
    deleted             2  from the queue (N requests to SQS)
    ");
}

#[test]
fn what_was_left_has_a_line_of_its_own() {
    let (queue, database) = (Queue::alone(), Database::migrated());
    queue.send(&["no JSON"]);
    let outcome = Etl::run(&queue, &database)
        .args(["--output", "text"])
        .output();
    insta::assert_snapshot!(without_figures(&outcome.stdout), @r"
    received            1  deliveries in 0.00 s
    written             0  new rows in user_logins
    duplicates          0  stood there already
    rejected            0  unreadable, now in the dead-letter queue
    left                1  unreadable, on the queue: no dead-letter queue took them
                           why: etl rejects list; they come again in an hour, for --dead-letter-queue or a RedrivePolicy to take
    deleted             0  from the queue (N requests to SQS)
    ");
}
