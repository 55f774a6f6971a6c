//! What is made from the options: completion scripts and manual pages.

use crate::harness::Etl;

#[test]
fn each_shell_has_a_script_that_completes_commands_and_options() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let outcome = Etl::bare("completions").args([shell]).output();
        assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
        for part in ["redrive", "queue-name", "dead-letter-queue"] {
            assert!(outcome.stdout.contains(part), "{shell}: {part}");
        }
    }
    let unknown = Etl::bare("completions").args(["tcsh"]).output();
    unknown.assert_refused(2, &["tcsh", "bash", "zsh"]);
}

#[test]
fn each_command_has_a_manual_page() {
    let page = Etl::bare("man").output();
    assert_eq!((page.code, page.stderr.as_str()), (0, ""));
    assert!(page.stdout.contains(".TH etl 1"), "{page:?}");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("man1");
    let written = Etl::bare("man").args(["--out"]).args([&out]).output();
    assert_eq!(
        (written.code, written.stdout.as_str()),
        (0, ""),
        "{written:?}"
    );
    for name in [
        "etl.1",
        "etl-run.1",
        "etl-keyset-new.1",
        "etl-rejects-redrive.1",
    ] {
        assert!(out.join(name).is_file(), "{name}");
    }
    let run = std::fs::read_to_string(out.join("etl-run.1")).unwrap();
    assert!(
        run.contains("ETL_QUEUE_NAME") && run.contains("DATABASE_URL"),
        "{run}"
    );
}
