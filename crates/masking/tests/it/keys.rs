//! The keys of the published vectors.

use masking::{FieldMasker, IpcryptKey, Key, Keyset, Kind, Scheme};

pub(crate) const KEY_ID: u32 = 0xdead_beef;

/// Bytes that count up from zero.
pub(crate) fn counting<const N: usize>() -> [u8; N] {
    core::array::from_fn(|index| u8::try_from(index).unwrap())
}

pub(crate) fn siv_keyset() -> Keyset {
    Keyset::new(
        vec![Key::aes_siv(KEY_ID, &counting::<64>()).unwrap()],
        KEY_ID,
    )
    .unwrap()
}

pub(crate) fn prf_keyset() -> Keyset {
    Keyset::new(
        vec![Key::hmac_prf(KEY_ID, &counting::<32>()).unwrap()],
        KEY_ID,
    )
    .unwrap()
}

pub(crate) fn ipcrypt_key() -> IpcryptKey {
    ipcrypt_key_of("0123456789abcdeffedcba98765432101032547698badcfeefcdab8967452301")
}

pub(crate) fn ipcrypt_key_of(hex: &str) -> IpcryptKey {
    let bytes = from_hex(hex);
    IpcryptKey::from_bytes(&bytes.try_into().unwrap()).unwrap()
}

pub(crate) fn from_hex(text: &str) -> Vec<u8> {
    let byte = |start| u8::from_str_radix(&text[start..start + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

/// A masker of any scheme with the keys above, as wide as a column of `user_logins`.
pub(crate) fn masker(scheme: Scheme, domain: &str, kind: Kind) -> FieldMasker {
    let builder = FieldMasker::builder(scheme)
        .domain(domain)
        .kind(kind)
        .max_chars(256);
    let builder = match scheme {
        Scheme::AesSiv => builder.keyset(&siv_keyset()),
        Scheme::HmacSha256 => builder.keyset(&prf_keyset()),
        Scheme::IpcryptPfx => builder.ipcrypt_key(&ipcrypt_key()),
        _ => builder,
    };
    builder.build().unwrap()
}
