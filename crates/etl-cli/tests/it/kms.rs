//! Key files that a key at AWS KMS encrypts: every command opens them, every change leaves them encrypted, and what
//! KMS refuses is told as what it is.

use local_stack::{KmsClient, sqs};
use serde_json::{Value, json};

use crate::harness::{Database, Etl, Outcome, stage};
use crate::keyset::Keys;

/// A key at KMS.
pub(crate) struct Kek {
    client: KmsClient,
    arn: String,
}

impl Kek {
    pub(crate) fn made() -> Self {
        let client = KmsClient::new(sqs().port());
        let arn = client.create_key().unwrap();
        Self { client, arn }
    }

    fn uri(&self) -> String {
        format!("aws-kms://{}", self.arn)
    }

    fn call(&self, action: &str) {
        let input = json!({ "KeyId": self.arn });
        self.client.call(action, &input).unwrap();
    }

    /// The command with this key, and a region other than the key's.
    pub(crate) fn named(&self, etl: Etl) -> Etl {
        at_kms(etl).env("ETL_KEYSET_KEK", self.uri())
    }

    fn etl(&self, command: &str, keys: &Keys, arguments: &[&str]) -> Etl {
        let etl = self.named(Etl::new(command)).env("ETL_KEYSET", &keys.file);
        etl.args(arguments)
    }

    fn keyset(&self, keys: &Keys, arguments: &[&str]) -> Outcome {
        self.etl("keyset", keys, arguments).output()
    }

    /// A new key file under this key.
    pub(crate) fn keys(&self, scheme: &str) -> Keys {
        let keys = Keys::none();
        let out = keys.file.to_str().unwrap();
        let made = self.keyset(&keys, &["new", "--scheme", scheme, "--out", out]);
        assert_eq!(made.code, 0, "{made:?}");
        keys
    }
}

fn at_kms(etl: Etl) -> Etl {
    etl.env("AWS_ENDPOINT_URL_KMS", sqs().endpoint())
        .env("AWS_REGION", "eu-north-1")
}

fn document(keys: &Keys) -> Value {
    serde_json::from_str(&keys.text()).unwrap()
}

/// Ids and states, as Tink tells them beside the ciphertext.
fn told(keys: &Keys) -> Vec<(u64, String)> {
    let document = document(keys);
    assert_eq!(document["key"], Value::Null, "key material in the clear");
    assert!(document["encryptedKeyset"].is_string());
    let lines = document["keysetInfo"]["keyInfo"].as_array().unwrap();
    let line = |line: &Value| {
        let status = line["status"].as_str().unwrap().to_owned();
        (line["keyId"].as_u64().unwrap(), status)
    };
    lines.iter().map(line).collect()
}

fn passed(etl: Etl, input: &str) -> String {
    let outcome = etl.stdin(input).output();
    assert_eq!(outcome.code, 0, "{outcome:?}");
    outcome.stdout
}

#[test]
fn values_masked_under_an_encrypted_key_file_come_back() {
    let kek = Kek::made();
    let keys = kek.keys("aes-siv");
    let filter = |command| kek.etl(command, &keys, &["--masking", "aes-siv", "--domain", "ip"]);
    let masked = passed(filter("mask"), "199.172.111.135\n");
    assert!(masked.len() > 40, "{masked}");
    assert_eq!(passed(filter("unmask"), &masked), "199.172.111.135\n");
}

#[test]
fn a_change_leaves_the_file_encrypted_and_tells_of_its_keys_what_tink_tells() {
    let kek = Kek::made();
    let keys = kek.keys("hmac-sha256");
    let [(first, _)] = told(&keys)[..] else {
        panic!("{:?}", told(&keys))
    };
    let first_text = first.to_string();
    for arguments in [
        &["add"][..],
        &["promote"],
        &["disable", "--key-id", &first_text],
        &["destroy", "--yes", "--key-id", &first_text],
    ] {
        let outcome = kek.keyset(&keys, arguments);
        assert_eq!(outcome.code, 0, "{outcome:?}");
    }
    let told = told(&keys);
    assert_eq!(told[0], (first, "DESTROYED".to_owned()));
    assert_eq!(told[1].1, "ENABLED");
    assert_eq!(document(&keys)["keysetInfo"]["primaryKeyId"], told[1].0);
    let shown = kek.keyset(&keys, &["show"]).stdout;
    assert!(
        shown.contains("DESTROYED") && shown.contains("primary"),
        "{shown}"
    );
}

#[test]
fn run_and_remask_open_encrypted_key_files() {
    let (kek, (queue, database)) = (Kek::made(), stage());
    let keys = kek.keys("aes-siv");
    queue.send(&[crate::harness::Event(1).body()]);
    let run = kek.named(Etl::run(&queue, &database));
    let summary = run
        .env("AWS_REGION", local_stack::REGION)
        .env("ETL_MASKING", "aes-siv")
        .env("ETL_KEYSET", &keys.file)
        .summary();
    assert_eq!(summary.get("written"), 1);
    for change in ["add", "promote"] {
        assert_eq!(kek.keyset(&keys, &[change]).code, 0);
    }
    let remask = kek.etl(
        "remask",
        &keys,
        &["--masking", "aes-siv", "--output", "json"],
    );
    let outcome = remask.env("DATABASE_URL", database.url()).output();
    assert!(outcome.stdout.contains("\"remasked\":1,"), "{outcome:?}");
}

/// The way of who has rows already: the same keys, encrypted from now on.
#[test]
fn an_encrypted_copy_of_a_key_file_opens_what_the_file_masked() {
    let kek = Kek::made();
    let (clear, sealed) = (Keys::of("aes-siv"), Keys::none());
    let arguments = ["--masking", "aes-siv", "--domain", "device_id"];
    let mask = Etl::bare("mask").env("ETL_KEYSET", &clear.file);
    let masked = passed(mask.args(arguments), "593-47-5928\n");
    let out = sealed.file.to_str().unwrap();
    let made = kek.keyset(&clear, &["encrypt", "--out", out]);
    assert_eq!(made.code, 0, "{made:?}");
    assert_eq!(
        passed(kek.etl("unmask", &sealed, &arguments), &masked),
        "593-47-5928\n"
    );
    let again = kek.keyset(&clear, &["encrypt", "--out", out]);
    again.assert_refused(2, &["exists already"]);
}

#[test]
fn remask_takes_old_rows_from_a_file_that_is_still_in_the_clear() {
    let (kek, database) = (Kek::made(), Database::migrated());
    let (clear, sealed) = (Keys::of("aes-siv"), kek.keys("aes-siv"));
    let mask = Etl::bare("mask").env("ETL_KEYSET", &clear.file);
    let masked = passed(
        mask.args(["--masking", "aes-siv", "--domain", "ip"]),
        "1.2.3.4\n",
    );
    let value = masked.trim();
    database.execute(&format!(
        "INSERT INTO user_logins (user_id, masked_ip) VALUES ('a', '{value}')"
    ));
    let arguments = [
        "--masking",
        "aes-siv",
        "--from",
        "aes-siv",
        "--output",
        "json",
    ];
    let remask = kek.etl("remask", &sealed, &arguments);
    let outcome = remask
        .args(["--from-keyset".as_ref(), clear.file.as_os_str()])
        .env("DATABASE_URL", database.url())
        .output();
    assert!(outcome.stdout.contains("\"remasked\":1,"), "{outcome:?}");
}

#[test]
fn clear_and_encrypted_are_not_mistaken_for_each_other() {
    let kek = Kek::made();
    let encrypted = kek.keys("aes-siv");
    for command in ["show", "add"] {
        let outcome = encrypted.change(&[command]);
        outcome.assert_refused(2, &["is encrypted", "hint: --keyset-kek"]);
    }
    let clear = Keys::of("aes-siv");
    let before = clear.text();
    for command in ["show", "add"] {
        let outcome = kek.keyset(&clear, &[command]);
        outcome.assert_refused(2, &["is not encrypted", "hint: `etl keyset encrypt"]);
    }
    assert_eq!(clear.text(), before);
}

#[test]
fn what_kms_refuses_is_told_as_what_it_is_and_changes_nothing() {
    let kek = Kek::made();
    let keys = kek.keys("aes-siv");
    let before = keys.text();
    Kek::made()
        .keyset(&keys, &["add"])
        .assert_refused(2, &["another key", "hint: "]);
    let missing = Kek {
        client: kek.client.clone(),
        arn: format!("{}0000", kek.arn),
    };
    missing
        .keyset(&keys, &["show"])
        .assert_refused(2, &["does not exist", &missing.arn]);
    kek.call("DisableKey");
    kek.keyset(&keys, &["add"])
        .assert_refused(2, &["disabled", "enable it in KMS"]);
    assert_eq!(keys.text(), before);
    assert!(!keys.path("keys.json.new").exists());
    kek.call("EnableKey");
    assert_eq!(kek.keyset(&keys, &["add"]).code, 0);
}

#[test]
fn a_file_that_was_altered_does_not_open() {
    let kek = Kek::made();
    let keys = kek.keys("aes-siv");
    let mut document = document(&keys);
    document["encryptedKeyset"] = "AAAA".into();
    std::fs::write(&keys.file, document.to_string()).unwrap();
    kek.keyset(&keys, &["show"])
        .assert_refused(2, &["was altered"]);
}

#[test]
fn kms_out_of_reach_and_missing_credentials_are_told_apart() {
    let kek = Kek::made();
    let keys = kek.keys("aes-siv");
    let nowhere = kek.etl("keyset", &keys, &["show"]);
    let nowhere = nowhere.env("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:1");
    nowhere
        .output()
        .assert_refused(1, &["KMS cannot be reached", "AWS_ENDPOINT_URL_KMS"]);
    let nobody = kek.etl("keyset", &keys, &["show"]);
    // A helper that fails: the SDK would say so at length by itself.
    let profile = keys.path("config");
    std::fs::write(&profile, "[default]\ncredential_process = /bin/false\n").unwrap();
    let nobody = nobody
        .without_env("AWS_ACCESS_KEY_ID")
        .env("AWS_CONFIG_FILE", &profile);
    let outcome = nobody.output();
    outcome.assert_refused(2, &["AWS credentials", "AWS_PROFILE"]);
    assert_eq!(outcome.stderr.lines().count(), 2, "{outcome:?}");
}

#[test]
fn a_key_that_has_no_encrypted_form_and_a_name_that_is_no_key_are_refused() {
    let (kek, keys) = (Kek::made(), Keys::none());
    let out = keys.file.to_str().unwrap();
    let ipcrypt = kek.keyset(&keys, &["new", "--scheme", "ipcrypt-pfx", "--out", out]);
    ipcrypt.assert_refused(2, &["no encrypted form"]);
    let named = keys.change(&["new", "--out", out, "--keyset-kek", &kek.arn]);
    named.assert_refused(
        2,
        &[
            "--keyset-kek",
            "aws-kms://arn:aws:kms:REGION:ACCOUNT:key/ID",
        ],
    );
    assert!(!keys.file.exists());
}
