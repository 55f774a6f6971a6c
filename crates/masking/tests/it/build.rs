//! What a builder refuses, what a masker refuses, and that no error, `Debug` or `show` tells a secret.

use masking::{
    BuildError, FieldMasker, Key, KeyType, Keyset, Kind, MaskError, Scheme, UnmaskError,
};

use crate::keys::{KEY_ID, counting, ipcrypt_key, masker, prf_keyset, siv_keyset};

#[test]
fn a_masker_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<FieldMasker>();
}

#[test]
fn a_keyed_scheme_is_refused_without_what_it_needs() {
    let error = |builder: masking::FieldMaskerBuilder| builder.build().unwrap_err();
    let keyed = [Scheme::AesSiv, Scheme::HmacSha256];
    for scheme in keyed {
        assert!(scheme.needs_keyset());
        let bare = FieldMasker::builder(scheme);
        assert_eq!(error(bare.clone()), BuildError::MissingDomain(scheme));
        assert_eq!(error(bare.domain("ip")), BuildError::MissingKeyset(scheme));
    }
    assert_eq!(
        error(
            FieldMasker::builder(Scheme::AesSiv)
                .domain("ip")
                .keyset(&prf_keyset())
        ),
        BuildError::WrongKeyType {
            scheme: Scheme::AesSiv,
            found: KeyType::HmacPrf
        }
    );
    assert_eq!(
        error(
            FieldMasker::builder(Scheme::HmacSha256)
                .domain("ip")
                .keyset(&siv_keyset())
        ),
        BuildError::WrongKeyType {
            scheme: Scheme::HmacSha256,
            found: KeyType::AesSiv
        }
    );
    let ipcrypt = FieldMasker::builder(Scheme::IpcryptPfx);
    assert_eq!(
        error(ipcrypt.clone().ipcrypt_key(&ipcrypt_key())),
        BuildError::AddressesOnly
    );
    assert_eq!(error(ipcrypt.kind(Kind::Ip)), BuildError::MissingIpcryptKey);
}

#[test]
fn a_value_that_does_not_fit_its_column_is_refused_and_leaves_the_output_alone() {
    for (scheme, longest) in [(Scheme::Base64, 192), (Scheme::AesSiv, 171)] {
        let masker = masker(scheme, "device_id", Kind::Text);
        let fits = masker.mask(&"x".repeat(longest)).unwrap();
        assert_eq!(fits.as_str().len(), 256);
        let mut output = String::from("before");
        let refused = masker.mask_into(&"x".repeat(longest + 1), &mut output);
        assert_eq!(refused, Err(MaskError::TooLong { limit: 256 }));
        assert_eq!(output, "before");
    }
}

#[test]
fn every_scheme_keeps_to_the_limit() {
    for scheme in Scheme::ALL {
        let narrow = FieldMasker::builder(*scheme)
            .domain("ip")
            .kind(Kind::Ip)
            .ipcrypt_key(&ipcrypt_key())
            .max_chars(3);
        let narrow = match scheme {
            Scheme::HmacSha256 => narrow.keyset(&prf_keyset()),
            _ => narrow.keyset(&siv_keyset()),
        };
        let narrow = narrow.build().unwrap();
        assert_eq!(
            narrow.mask("199.172.111.135"),
            Err(MaskError::TooLong { limit: 3 }),
            "{scheme}"
        );
        assert_eq!(
            narrow.mask_all_keys("199.172.111.135"),
            Err(MaskError::TooLong { limit: 3 })
        );
    }
}

#[test]
fn ipcrypt_pfx_refuses_what_is_no_address() {
    let masker = masker(Scheme::IpcryptPfx, "ip", Kind::Ip);
    for other in [
        " 1.2.3.4",
        "01.2.3.4",
        "1.2.3.4:80",
        "fe80::1%eth0",
        "not-an-ip",
        "",
    ] {
        assert_eq!(masker.mask(other), Err(MaskError::NotAnAddress));
        assert_eq!(masker.unmask(other).unwrap_err(), UnmaskError::NotAnAddress);
    }
}

#[test]
fn one_way_schemes_say_so() {
    for scheme in [Scheme::HmacSha256, Scheme::Truncate, Scheme::Redact] {
        assert!(!scheme.is_reversible());
        let masker = masker(scheme, "ip", Kind::Ip);
        let masked = masker.mask("199.172.111.135").unwrap();
        assert_eq!(
            masker.unmask(masked.as_str()).unwrap_err(),
            UnmaskError::NotReversible(scheme)
        );
    }
}

#[test]
fn a_bad_masked_value_is_told_by_what_is_wrong_with_it() {
    let masker = masker(Scheme::AesSiv, "ip", Kind::Ip);
    let error = |text: &str| masker.unmask(text).unwrap_err();
    let good = masker.mask("199.172.111.135").unwrap().into_string();
    assert_eq!(error("nö"), UnmaskError::NotBase64);
    assert_eq!(error("a b"), UnmaskError::NotBase64);
    assert_eq!(error(""), UnmaskError::Truncated);
    assert_eq!(error(&good[..24]), UnmaskError::Truncated);
    assert_eq!(error(&good[..40]), UnmaskError::NotAuthentic);
    let altered = |index: usize| {
        let replacement = if &good[index..=index] == "A" {
            "B"
        } else {
            "A"
        };
        format!("{}{replacement}{}", &good[..index], &good[index + 1..])
    };
    assert_eq!(error(&altered(20)), UnmaskError::NotAuthentic);
    assert_eq!(
        error(&altered(4)),
        UnmaskError::UnknownKey {
            key_id: 0xdead_02ef
        }
    );
    let base64 = self::masker(Scheme::Base64, "ip", Kind::Ip);
    assert_eq!(base64.unmask("/w==").unwrap_err(), UnmaskError::NotText);
}

#[test]
fn a_value_of_another_domain_does_not_open() {
    let device = masker(Scheme::AesSiv, "device_id", Kind::Text);
    let masked = masker(Scheme::AesSiv, "ip", Kind::Text)
        .mask("593-47-5928")
        .unwrap();
    assert_eq!(
        device.unmask(masked.as_str()).unwrap_err(),
        UnmaskError::NotAuthentic
    );
}

#[test]
fn nothing_that_is_printed_holds_key_bytes_or_plaintext() {
    let secret = [0x5a; 64];
    let key = Key::aes_siv(KEY_ID, &secret).unwrap();
    let keyset = Keyset::new(vec![key.clone()], KEY_ID).unwrap();
    let builder = FieldMasker::builder(Scheme::AesSiv)
        .domain("ip")
        .keyset(&keyset);
    let masker = builder.clone().build().unwrap();
    let recovered = masker
        .unmask(masker.mask("a secret").unwrap().as_str())
        .unwrap();
    let ipcrypt = ipcrypt_key();
    let shown = format!(
        "{key:?} {keyset:?} {builder:?} {masker:?} {recovered:?} {ipcrypt:?} {:?} {:?} {:?}",
        keyset.show(),
        Key::aes_siv(1, &[0x5a; 63]),
        masker.mask(&"a secret".repeat(1000)).map(|_| ()),
    );
    for leak in [
        "5a",
        "90, 90",
        "WlpaWl",
        "ZZZZ",
        "a secret",
        "0123456789abcdef",
        "1, 35, 69",
    ] {
        assert!(!shown.contains(leak), "{leak} in {shown}");
    }
}

#[test]
fn a_keyset_has_one_type_one_enabled_primary_and_differing_ids() {
    use masking::KeysetError;
    let key = |id| Key::aes_siv(id, &counting::<64>()).unwrap();
    let refused = |keys, primary| Keyset::new(keys, primary).unwrap_err();
    assert_eq!(refused(vec![], 1), KeysetError::Empty);
    assert_eq!(
        refused(vec![key(1), key(1)], 1),
        KeysetError::DuplicateKeyId { key_id: 1 }
    );
    assert_eq!(
        refused(vec![key(1)], 2),
        KeysetError::PrimaryMissing { key_id: 2 }
    );
    let other = Key::hmac_prf(2, &counting::<32>()).unwrap();
    assert_eq!(refused(vec![key(1), other], 1), KeysetError::MixedTypes);
    assert_eq!(
        Key::aes_siv(7, &[0; 32]).unwrap_err(),
        KeysetError::BadKeyMaterial { key_id: 7 }
    );
    assert_eq!(
        Key::hmac_prf(7, &[0; 31]).unwrap_err(),
        KeysetError::BadKeyMaterial { key_id: 7 }
    );
}
