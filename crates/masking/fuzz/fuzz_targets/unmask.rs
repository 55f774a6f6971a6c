//! Whatever stands in a column: no panic, and what opens is what would be masked again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use masking::{FieldMasker, IpcryptKey, Key, KeyPrefix, Keyset, Kind, Scheme};

fuzz_target!(|text: &str| {
    for masker in maskers() {
        if let Ok(recovered) = masker.unmask(text) {
            let again = masker.mask(recovered.expose()).expect("it was masked before");
            let twice = masker.unmask(again.as_str()).expect("it was just masked");
            assert_eq!(twice.expose(), recovered.expose());
        }
        if let Ok(masked) = masker.mask(text) {
            assert!(masker.unmask(masked.as_str()).is_ok());
        }
    }
});

fn maskers() -> [FieldMasker; 3] {
    let framed = Key::aes_siv(1, &[1; 64]).expect("64 bytes");
    let raw = Key::aes_siv(2, &[2; 64]).expect("64 bytes").with_prefix(KeyPrefix::Raw);
    let keyset = Keyset::new(vec![framed, raw], 1).expect("one enabled primary");
    let bytes = std::array::from_fn(|index| index as u8);
    let ipcrypt_key = IpcryptKey::from_bytes(&bytes).expect("halves that differ");
    [Scheme::Base64, Scheme::AesSiv, Scheme::IpcryptPfx].map(|scheme| {
        let builder = FieldMasker::builder(scheme).domain("ip").kind(Kind::Ip);
        let builder = builder.keyset(&keyset).ipcrypt_key(&ipcrypt_key);
        builder.build().expect("everything was given")
    })
}
