//! Key files: made, rotated, shown; never with their material.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Etl, Outcome};

/// A folder with a key file in it, or one to be made.
pub(crate) struct Keys {
    folder: TempDir,
    pub(crate) file: PathBuf,
}

impl Keys {
    /// No file yet.
    pub(crate) fn none() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys.json");
        Self { folder, file }
    }

    pub(crate) fn of(scheme: &str) -> Self {
        let keys = Self::none();
        let out = keys.file.to_str().unwrap();
        let outcome = Etl::bare("keyset")
            .args(["new", "--scheme", scheme, "--out", out])
            .output();
        assert_eq!(outcome.code, 0, "{outcome:?}");
        keys
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn text(&self) -> String {
        std::fs::read_to_string(&self.file).unwrap()
    }

    /// Runs `etl keyset` on the file.
    pub(crate) fn change(&self, arguments: &[&str]) -> Outcome {
        Etl::bare("keyset")
            .args(arguments)
            .env("ETL_KEYSET", &self.file)
            .output()
    }

    /// The same, which is to succeed.
    pub(crate) fn changed(&self, arguments: &[&str]) -> Outcome {
        let outcome = self.change(arguments);
        assert_eq!(outcome.code, 0, "{outcome:?}");
        outcome
    }

    /// Ids in the order of making, and the primary.
    pub(crate) fn ids(&self) -> (Vec<String>, String) {
        let document: Value = serde_json::from_str(&self.text()).unwrap();
        let keys = document["key"].as_array().unwrap();
        let ids = keys.iter().map(|key| key["keyId"].to_string());
        (ids.collect(), document["primaryKeyId"].to_string())
    }

    /// Adds a key and lets it mask; gives the id of the one before.
    pub(crate) fn rotate(&self) -> String {
        let (_, before) = self.ids();
        self.changed(&["add"]);
        self.changed(&["promote"]);
        before
    }

    /// What must be on no stream.
    fn materials(&self) -> Vec<String> {
        let document: Value = serde_json::from_str(&self.text()).unwrap();
        let keys = document["key"].as_array().unwrap().clone();
        let material = |key: Value| {
            key["keyData"]["value"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        let materials = keys.into_iter().map(material);
        materials.filter(|text| !text.is_empty()).collect()
    }
}

#[test]
fn a_new_key_file_is_its_owners_alone_and_never_written_over() {
    let keys = Keys::of("aes-siv");
    let mode = std::fs::metadata(&keys.file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = keys.text();
    let out = keys.file.to_str().unwrap();
    let again = keys.change(&["new", "--out", out]);
    again.assert_refused(2, &["exists already", "hint: "]);
    assert_eq!(keys.text(), before);
}

#[test]
fn every_step_of_a_rotation_names_the_next_and_prints_no_material() {
    let keys = Keys::of("aes-siv");
    let (_, first) = keys.ids();
    let added = keys.changed(&["add"]);
    let (ids, primary) = keys.ids();
    assert_eq!((ids.len(), &primary), (2, &first));
    assert!(added.stderr.contains("every worker"), "{added:?}");
    let promoted = keys.changed(&["promote"]);
    assert_eq!(keys.ids().1, ids[1]);
    assert!(promoted.stderr.contains("etl remask"), "{promoted:?}");
    let steps = [
        added,
        promoted,
        keys.changed(&["disable", "--key-id", &first]),
        keys.changed(&["show"]),
        keys.changed(&["enable", "--key-id", &first]),
    ];
    for step in steps {
        for material in keys.materials() {
            assert!(!format!("{step:?}").contains(&material));
        }
    }
}

#[test]
fn show_lists_ids_types_states_and_what_values_start_with() {
    let keys = Keys::of("aes-siv");
    let first = keys.rotate();
    keys.changed(&["disable", "--key-id", &first]);
    let shown = keys.changed(&["show"]).stdout;
    let lines: Vec<Vec<&str>> = shown
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let [_, old, new] = &lines[..] else {
        panic!("{shown}")
    };
    assert_eq!(old[..4], [&first, "AesSivKey", "DISABLED", "-"]);
    assert_eq!(new[1..4], ["AesSivKey", "ENABLED", "primary"]);
    let masked = Etl::bare("mask")
        .args(["--masking", "aes-siv", "--domain", "ip", "--keyset"])
        .args([&keys.file])
        .stdin("1.2.3.4\n")
        .output();
    assert!(masked.stdout.starts_with(new[4]), "{shown}{masked:?}");
}

#[test]
fn a_key_is_destroyed_only_when_it_is_said_twice() {
    let keys = Keys::of("hmac-sha256");
    let first = keys.rotate();
    let before = keys.text();
    keys.change(&["destroy", "--key-id", &first])
        .assert_refused(2, &["--yes"]);
    assert_eq!(keys.text(), before);
    let material = keys.materials().remove(0);
    keys.changed(&["destroy", "--key-id", &first, "--yes"]);
    assert!(!keys.text().contains(&material));
    assert!(keys.changed(&["show"]).stdout.contains("DESTROYED"));
}

#[test]
fn what_would_lose_the_primary_or_names_no_key_is_refused() {
    let keys = Keys::of("aes-siv");
    let (_, primary) = keys.ids();
    let before = keys.text();
    for arguments in [
        &["disable", "--key-id", &primary][..],
        &["destroy", "--key-id", &primary, "--yes"],
    ] {
        keys.change(arguments)
            .assert_refused(2, &["promote another first"]);
    }
    keys.change(&["promote", "--key-id", "17"])
        .assert_refused(2, &["key 17 is not in the keyset", "keyset show"]);
    assert_eq!(keys.text(), before);
    let promoted = keys.changed(&["promote"]);
    assert!(promoted.stdout.contains("primary"), "{promoted:?}");
    assert_eq!(keys.text(), before);
}

#[test]
fn an_ipcrypt_key_is_made_and_shown_and_not_rotated() {
    let keys = Keys::of("ipcrypt-pfx");
    assert!(keys.changed(&["show"]).stdout.contains("ipcrypt-pfx"));
    keys.change(&["add"])
        .assert_refused(2, &["ipcrypt-pfx", "etl remask"]);
}

#[test]
fn a_file_that_others_may_write_is_refused() {
    let keys = Keys::of("aes-siv");
    std::fs::set_permissions(&keys.file, std::fs::Permissions::from_mode(0o666)).unwrap();
    for command in ["show", "add"] {
        keys.change(&[command])
            .assert_refused(2, &["written by others", "666"]);
    }
}

#[test]
fn a_scheme_without_a_key_is_told_so() {
    let keys = Keys::none();
    let out = keys.file.to_str().unwrap();
    keys.change(&["new", "--scheme", "truncate", "--out", out])
        .assert_refused(2, &["truncate needs no key"]);
    assert!(!keys.file.exists());
}
