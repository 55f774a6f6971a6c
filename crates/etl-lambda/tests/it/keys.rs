//! Keysets: in the clear, encrypted by a key at KMS, and what is refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use local_stack::{KmsClient, sqs};
use masking::{EncryptedKeyset, FieldMasker, KeyFile, KeyType, Keyset};
use serde_json::json;

use crate::harness::{Answer, Database, Event, Function, record};

/// Sealed as `etl keyset new --keyset-kek` does it.
fn sealed(keyset: &Keyset, client: &KmsClient, arn: &str) -> EncryptedKeyset {
    EncryptedKeyset::seal(keyset, |plain| {
        let input = json!({ "KeyId": arn, "Plaintext": STANDARD.encode(plain) });
        let answer = client.call("Encrypt", &input)?;
        let ciphertext = answer["CiphertextBlob"].as_str().unwrap();
        anyhow::Ok(STANDARD.decode(ciphertext)?)
    })
    .unwrap()
}

#[test]
fn a_keyset_that_kms_encrypted_masks_and_one_in_the_clear_is_refused_beside_it() {
    let database = Database::migrated();
    let folder = tempfile::tempdir().unwrap();
    let client = KmsClient::new(sqs().port());
    let arn = client.create_key().unwrap();
    let keyset = Keyset::generate(KeyType::AesSiv).unwrap();
    let (hidden, clear) = (folder.path().join("hidden"), folder.path().join("clear"));
    KeyFile::create(&hidden, &sealed(&keyset, &client, &arn).to_json()).unwrap();
    KeyFile::create(&clear, keyset.to_json().expose()).unwrap();
    let start = |file: &std::path::Path| {
        Function::with(&[
            ("DATABASE_URL", &database.url()),
            ("ETL_MASKING", "aes-siv"),
            ("ETL_KEYSET", file.to_str().unwrap()),
            ("ETL_KEYSET_KEK", &format!("aws-kms://{arn}")),
            ("AWS_ENDPOINT_URL_KMS", &sqs().endpoint()),
        ])
    };
    let answer =
        start(&hidden).invoke(json!({ "Records": [record("q", 1, "", &Event(0).body())] }));
    assert!(matches!(answer, Answer::Response(_)), "{answer:?}");
    let masker = FieldMasker::builder(masking::Scheme::AesSiv)
        .domain("device_id")
        .keyset(&keyset)
        .build()
        .unwrap();
    let stored = database.texts("SELECT masked_device_id FROM user_logins");
    assert_eq!(
        stored,
        [masker.mask(&Event(0).device_id()).unwrap().as_str()]
    );
    let (is_good, log) = start(&clear).end();
    assert!(!is_good && log.contains("not encrypted"), "{log}");
}
