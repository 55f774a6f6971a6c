//! Schemes, key files, and what the columns hold already.

use super::{check, finds};
use crate::harness::{Etl, stage};

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
