//! Keysets: Tink's documents, the changes of a rotation, and what is refused.

use masking::{
    EncryptedKeyset, FieldMasker, IpcryptKey, Key, KeyPrefix, KeyStatus, KeyType, Keyset,
    KeysetError, Kind, OpenError, Scheme, UnmaskError,
};
use proptest::prelude::*;

use crate::keys::{KEY_ID, counting, ipcrypt_key, prf_keyset, siv_keyset};

/// The keyset of the published vectors, as Tink for Python writes it.
const TINK_JSON: &str = r#"{
  "primaryKeyId": 3735928559,
  "key": [
    {
      "keyData": {
        "typeUrl": "type.googleapis.com/google.crypto.tink.AesSivKey",
        "value": "EkAAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/",
        "keyMaterialType": "SYMMETRIC"
      },
      "status": "ENABLED",
      "keyId": 3735928559,
      "outputPrefixType": "TINK"
    }
  ]
}
"#;

fn masker(keyset: &Keyset) -> FieldMasker {
    FieldMasker::builder(Scheme::AesSiv)
        .domain("ip")
        .kind(Kind::Ip)
        .keyset(keyset)
        .build()
        .unwrap()
}

fn changed(from: &str, to: &str) -> Result<Keyset, KeysetError> {
    assert!(TINK_JSON.contains(from));
    Keyset::from_json(&TINK_JSON.replace(from, to))
}

#[test]
fn json_is_tinks_own() {
    assert_eq!(Keyset::from_json(TINK_JSON).unwrap(), siv_keyset());
    assert_eq!(siv_keyset().to_json().expose(), TINK_JSON);
    let prf = prf_keyset();
    assert!(
        prf.to_json()
            .expose()
            .contains("EgIIAxogAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    );
    assert_eq!(Keyset::from_json(prf.to_json().expose()).unwrap(), prf);
}

#[test]
fn ids_are_read_signed_and_in_quotes_too() {
    assert_eq!(changed("3735928559", "-559038737").unwrap(), siv_keyset());
    assert_eq!(
        changed("3735928559", "\"3735928559\"").unwrap(),
        siv_keyset()
    );
}

#[test]
fn each_fault_of_a_document_is_told_apart() {
    let key_id = KEY_ID;
    let error = |from, to| changed(from, to).unwrap_err();
    assert_eq!(
        error("ENABLED", "DISABLED"),
        KeysetError::PrimaryNotEnabled { key_id }
    );
    assert_eq!(
        error("ENABLED", "DESTROYED"),
        KeysetError::PrimaryNotEnabled { key_id }
    );
    assert_eq!(
        error("ENABLED", "UNKNOWN_STATUS"),
        KeysetError::UnsupportedStatus { key_id }
    );
    assert_eq!(
        error("\"TINK\"", "\"CRUNCHY\""),
        KeysetError::UnsupportedPrefix { key_id }
    );
    assert_eq!(error("EkAA", "EkA"), KeysetError::BadKeyMaterial { key_id });
    assert_eq!(
        error("EkAA", "CAESQAA"),
        KeysetError::BadKeyMaterial { key_id }
    );
    assert_eq!(
        error("\"primaryKeyId\": 3735928559", "\"primaryKeyId\": 7"),
        KeysetError::PrimaryMissing { key_id: 7 }
    );
    assert_eq!(error("\"key\"", "\"no_key\""), KeysetError::Empty);
    assert_eq!(error("{", "x"), KeysetError::NotJson { line: 1, column: 1 });
    let other = "type.googleapis.com/google.crypto.tink.AesGcmKey";
    let type_url = other.to_owned();
    assert_eq!(
        error("type.googleapis.com/google.crypto.tink.AesSivKey", other),
        KeysetError::UnsupportedType { type_url }
    );
    let twice = TINK_JSON
        .split_once("\"key\": [")
        .unwrap()
        .1
        .split_once("  ]")
        .unwrap()
        .0
        .trim_end()
        .to_owned();
    assert_eq!(
        error("    {", &format!("{twice},    {{")),
        KeysetError::DuplicateKeyId { key_id }
    );
    assert_eq!(
        Keyset::from_json(r#"{"encryptedKeyset": "AAAA"}"#).unwrap_err(),
        KeysetError::Encrypted
    );
    assert_eq!(
        EncryptedKeyset::from_json(TINK_JSON).unwrap_err(),
        KeysetError::NotEncrypted
    );
}

#[test]
fn no_fault_repeats_the_document() {
    for cut in 0..TINK_JSON.trim_end().len() {
        let error = Keyset::from_json(&TINK_JSON[..cut])
            .map(|_| ())
            .map_err(|error| format!("{error} {error:?}"));
        assert!(!error.unwrap_err().contains("EkAA"), "cut at {cut}");
    }
    for from in [
        "3735928559",
        "\"ENABLED\"",
        "{\n        \"typeUrl\"",
        "\"typeUrl\": \"type.googleapis",
    ] {
        let misplaced = changed(from, "\"EkAAAQIDBAUGBwgJCgsMDQ4P\"").unwrap_err();
        assert!(!format!("{misplaced} {misplaced:?}").contains("EkAA"));
    }
}

#[test]
fn rotation_keeps_old_values_readable_and_writes_new_ones() {
    let mut keyset = siv_keyset();
    let old = masker(&keyset).mask("199.172.111.135").unwrap();
    let added = keyset.add_generated().unwrap();
    assert_eq!(
        masker(&keyset).mask("199.172.111.135").unwrap(),
        old,
        "adding does not mask with the new key yet"
    );
    assert_eq!(keyset.promote(None), Ok(added));
    let rotated = masker(&keyset);
    let new = rotated.mask("199.172.111.135").unwrap();
    assert_ne!(new, old);
    assert_eq!(
        rotated.mask_all_keys("199.172.111.135").unwrap(),
        [new.clone(), old.clone()]
    );
    for masked in [&old, &new] {
        assert_eq!(
            rotated.unmask(masked.as_str()).unwrap().expose(),
            "199.172.111.135"
        );
    }
    keyset.disable(KEY_ID).unwrap();
    let refused = masker(&keyset).unmask(old.as_str()).unwrap_err();
    assert_eq!(refused, UnmaskError::KeyNotEnabled { key_id: KEY_ID });
    assert_eq!(
        masker(&keyset).mask_all_keys("199.172.111.135").unwrap(),
        [new]
    );
    keyset.enable(KEY_ID).unwrap();
    assert!(masker(&keyset).unmask(old.as_str()).is_ok());
}

#[test]
fn a_destroyed_key_is_gone_from_every_form() {
    let mut keyset = siv_keyset();
    let old = masker(&keyset).mask("199.172.111.135").unwrap();
    keyset.add_generated().unwrap();
    keyset.promote(None).unwrap();
    keyset.destroy(KEY_ID).unwrap();
    assert!(!keyset.to_json().expose().contains("EkAAAQID"));
    for reread in [
        Keyset::from_json(keyset.to_json().expose()).unwrap(),
        Keyset::from_binary(keyset.to_binary().expose()).unwrap(),
    ] {
        assert_eq!(reread, keyset);
        let refused = masker(&reread).unmask(old.as_str()).unwrap_err();
        assert_eq!(refused, UnmaskError::KeyNotEnabled { key_id: KEY_ID });
    }
    assert_eq!(
        keyset.enable(KEY_ID),
        Err(KeysetError::Destroyed { key_id: KEY_ID })
    );
    assert_eq!(
        keyset.promote(Some(KEY_ID)),
        Err(KeysetError::PrimaryNotEnabled { key_id: KEY_ID })
    );
}

#[test]
fn a_change_that_would_break_the_keyset_is_refused() {
    let mut keyset = siv_keyset();
    let before = keyset.clone();
    assert_eq!(
        keyset.disable(KEY_ID),
        Err(KeysetError::IsPrimary { key_id: KEY_ID })
    );
    assert_eq!(
        keyset.destroy(KEY_ID),
        Err(KeysetError::IsPrimary { key_id: KEY_ID })
    );
    assert_eq!(
        keyset.promote(Some(7)),
        Err(KeysetError::UnknownKey { key_id: 7 })
    );
    assert_eq!(
        keyset.destroy(7),
        Err(KeysetError::UnknownKey { key_id: 7 })
    );
    let twin = Key::aes_siv(KEY_ID, &counting::<64>()).unwrap();
    assert_eq!(
        keyset.add(twin),
        Err(KeysetError::DuplicateKeyId { key_id: KEY_ID })
    );
    assert_eq!(
        keyset.add(Key::hmac_prf(7, &[1; 32]).unwrap()),
        Err(KeysetError::MixedTypes)
    );
    assert_eq!(keyset, before);
}

#[test]
fn a_key_without_a_prefix_opens_after_those_with_one() {
    let raw = Key::aes_siv(7, &counting::<64>())
        .unwrap()
        .with_prefix(KeyPrefix::Raw);
    let mut keyset = Keyset::new(vec![raw], 7).unwrap();
    let bare = masker(&keyset).mask("199.172.111.135").unwrap();
    assert_eq!(
        bare.as_str().len(),
        44,
        "no prefix: 16 bytes of tag and 15 of text"
    );
    keyset.add(Key::aes_siv(KEY_ID, &[9; 64]).unwrap()).unwrap();
    keyset.promote(Some(KEY_ID)).unwrap();
    let rotated = masker(&keyset);
    let framed = rotated.mask("199.172.111.135").unwrap();
    for masked in [bare, framed] {
        assert_eq!(
            rotated.unmask(masked.as_str()).unwrap().expose(),
            "199.172.111.135"
        );
    }
}

#[test]
fn show_tells_everything_but_the_material() {
    let mut keyset = siv_keyset();
    keyset.add_generated().unwrap();
    let lines = keyset.show();
    assert_eq!(
        (
            lines.len(),
            lines[0].key_id,
            lines[0].primary,
            lines[1].primary
        ),
        (2, KEY_ID, true, false)
    );
    assert_eq!(
        (lines[0].status, lines[0].prefix),
        (KeyStatus::Enabled, KeyPrefix::Tink)
    );
    assert_eq!(
        lines[0].key_type.type_url(),
        "type.googleapis.com/google.crypto.tink.AesSivKey"
    );
}

#[test]
fn generated_keysets_differ_and_mask() {
    let (one, other) = (
        Keyset::generate(KeyType::AesSiv).unwrap(),
        Keyset::generate(KeyType::AesSiv).unwrap(),
    );
    assert_ne!(
        masker(&one).mask("").unwrap(),
        masker(&other).mask("").unwrap()
    );
    let prf = Keyset::generate(KeyType::HmacPrf).unwrap();
    assert_eq!(prf.show()[0].prefix, KeyPrefix::Raw);
}

#[test]
fn an_encrypted_keyset_opens_through_the_callers_callback() {
    // Stands for a key service: what counts here is what goes in and comes out.
    let service = |bytes: &[u8]| {
        Ok::<_, KeysetError>(bytes.iter().map(|byte| byte ^ 0x5a).collect::<Vec<u8>>())
    };
    let sealed = EncryptedKeyset::seal(&siv_keyset(), service).unwrap();
    let json = sealed.to_json();
    assert!(json.contains("\"keysetInfo\"") && json.contains("3735928559"));
    let reread = EncryptedKeyset::from_json(&json).unwrap();
    assert_eq!(reread, sealed);
    assert_eq!(reread.open(service).unwrap(), siv_keyset());
    let garbage = reread
        .open(|bytes| Ok::<_, KeysetError>(bytes.to_vec()))
        .unwrap_err();
    assert!(matches!(garbage, OpenError::Keyset(_)));
    let denied = reread.open(|_| Err(KeysetError::Empty)).unwrap_err();
    assert_eq!(denied, OpenError::Decrypt(KeysetError::Empty));
}

#[test]
fn an_ipcrypt_key_has_a_file_of_its_own() {
    let key = ipcrypt_key();
    assert_eq!(IpcryptKey::from_json(key.to_json().expose()).unwrap(), key);
    assert_eq!(
        Keyset::from_json(key.to_json().expose()).unwrap_err(),
        KeysetError::IsIpcryptKey
    );
    assert_eq!(
        IpcryptKey::from_json(TINK_JSON).unwrap_err(),
        KeysetError::NotIpcryptKey
    );
    assert_ne!(
        IpcryptKey::generate().unwrap(),
        IpcryptKey::generate().unwrap()
    );
    for bad in [
        "00".repeat(32),
        "0g".repeat(32),
        "01".repeat(31),
        format!("{}é", "0".repeat(62)),
    ] {
        let text = format!(r#"{{"scheme": "ipcrypt-pfx", "key": "{bad}"}}"#);
        assert_eq!(
            IpcryptKey::from_json(&text).unwrap_err(),
            KeysetError::BadIpcryptKey
        );
    }
}

#[test]
fn errors_read_after_failed_to() {
    let told = [
        (
            KeysetError::IsPrimary { key_id: 7 },
            "key 7 is the primary, promote another first",
        ),
        (
            KeysetError::NotJson { line: 2, column: 3 },
            "not a keyset in JSON, from line 2 column 3 on",
        ),
        (
            KeysetError::UnsupportedType {
                type_url: "AesGcmKey".into(),
            },
            "the keyset holds keys of a type that masks nothing here: AesGcmKey (AesSivKey is for aes-siv, HmacPrfKey for hmac-sha256)",
        ),
        (KeysetError::Encrypted, "the keyset is encrypted"),
    ];
    for (error, words) in told {
        assert_eq!(error.to_string(), words);
    }
}

proptest! {
    #[test]
    fn arbitrary_documents_are_refused_without_a_panic(text in any::<String>(), bytes in any::<Vec<u8>>()) {
        prop_assert!(Keyset::from_json(&text).is_err());
        prop_assert!(Keyset::from_binary(&bytes).is_err());
        prop_assert!(IpcryptKey::from_json(&text).is_err());
    }

    #[test]
    fn a_damaged_binary_keyset_never_panics(position in any::<usize>(), value in any::<u8>(), cut in any::<usize>()) {
        let mut bytes = siv_keyset().to_binary().expose().clone();
        let length = bytes.len();
        bytes[position % length] = value;
        let _ = Keyset::from_binary(&bytes);
        prop_assert!(Keyset::from_binary(&bytes[..cut % length]).is_err());
    }
}
