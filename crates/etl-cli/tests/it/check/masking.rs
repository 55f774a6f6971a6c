//! Schemes, key files, and what the columns hold already.

use super::{check, findings, finds};
use crate::harness::{Etl, Event, stage};

#[test]
fn masking_that_cannot_be() {
    let (queue, database) = stage();
    let masked = |arguments: &[&str]| check(&queue, &database).args(arguments);
    let folder = tempfile::tempdir().unwrap();
    let keyset = folder.path().join("keys.json");
    let keyset = keyset.to_str().unwrap();
    let made = Etl::bare("keyset")
        .args(["new", "--scheme", "hmac-sha256", "--out", keyset])
        .output();
    assert_eq!(made.code, 0, "{made:?}");
    let none = check(&queue, &database).without_env("ETL_MASKING");
    finds(none, "fail masking", &["--masking is not given", "aes-siv"]);
    finds(
        masked(&["--masking", "aes-siv"]),
        "fail masking",
        &["needs a key", "etl keyset new"],
    );
    let other = ["--masking", "aes-siv", "--keyset", keyset];
    finds(masked(&other), "fail masking", &["aes-siv"]);
    let absent = ["--masking", "aes-siv", "--keyset", "/none/such.json"];
    finds(masked(&absent), "fail masking", &["/none/such.json"]);
    finds(
        masked(&["--masking", "base64"]),
        "warn masking",
        &["base64", "not protection"],
    );
}

#[test]
fn columns_that_hold_masks_of_another_scheme() {
    let (queue, database) = stage();
    let written = Etl::run_lines(Event(0).body(), &database);
    assert_eq!(written.summary().get("written"), 1);
    finds(
        check(&queue, &database),
        "warn masked-columns",
        &[
            "masked_ip",
            "masked_device_id",
            "base64",
            "redact",
            "etl remask",
        ],
    );
    let one_alone = check(&queue, &database).args(["--mask-device-id", "base64"]);
    let outcome = one_alone.output();
    let [_, (name, text)] = &findings(&outcome)[..] else {
        panic!("base64 and the column: {outcome:?}")
    };
    assert_eq!(name, "warn masked-columns");
    assert!(!text.contains("masked_device_id"), "{text}");
}
