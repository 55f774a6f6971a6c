//! A keyed fingerprint: `HMAC(HKDF-Expand(K, "masking/v1/hmac-sha256/" ‖ domain, 32), value)`, its first 16 bytes as
//! base64url without padding. The sub-key of the domain keeps two fields under one key from linking.

use alloc::string::String;
use alloc::vec::Vec;

use ::hmac::{Hmac, KeyInit, Mac};
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use sha2::Sha256;

use crate::keyset::{Key, Keyset};
use crate::pii::Wipe;
use crate::text;

const INFO: &[u8] = b"masking/v1/hmac-sha256/";
/// 128 bits: two of 2^40 different values share a fingerprint with a probability of 2^-49.
const FINGERPRINT_LENGTH: usize = 16;
const TEXT_LENGTH: usize = 22;

/// One prepared HMAC for each enabled key, the primary's first.
pub(crate) struct HmacFingerprint {
    prepared: Vec<Hmac<Sha256>>,
}

impl HmacFingerprint {
    pub(super) fn new(domain: &str, keyset: &Keyset) -> Self {
        let prepared = keyset
            .enabled_primary_first()
            .map(|key| prepare(domain, key))
            .collect();
        Self { prepared }
    }

    pub(super) fn mask_into(&self, value: &str, output: &mut String) {
        // A keyset has a primary, and it stands first.
        if let Some(primary) = self.prepared.first() {
            push_fingerprint(primary, value, output);
        }
    }

    pub(super) fn mask_all_keys(&self, value: &str) -> Vec<String> {
        let mask = |prepared| {
            let mut output = String::with_capacity(TEXT_LENGTH);
            push_fingerprint(prepared, value, &mut output);
            output
        };
        self.prepared.iter().map(mask).collect()
    }
}

fn prepare(domain: &str, key: &Key) -> Hmac<Sha256> {
    let mut subkey = [0; 32];
    Hkdf::<Sha256>::from_prk(key.material())
        .expect("a keyset takes HMAC keys of 32 bytes or more only")
        .expand_multi_info(&[INFO, domain.as_bytes()], &mut subkey)
        .expect("32 bytes are within HKDF's limit");
    let prepared = Hmac::new_from_slice(&subkey).expect("HMAC takes keys of any length");
    subkey.wipe();
    prepared
}

fn push_fingerprint(prepared: &Hmac<Sha256>, value: &str, output: &mut String) {
    let mut hmac = prepared.clone();
    hmac.update(value.as_bytes());
    let code = hmac.finalize().into_bytes();
    text::push_encoded(&URL_SAFE_NO_PAD, &code[..FINGERPRINT_LENGTH], output);
}
