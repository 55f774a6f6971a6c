//! Whatever stands in a key file: no panic, and a keyset that is read is written and read the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use masking::{EncryptedKeyset, IpcryptKey, Keyset};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(keyset) = Keyset::from_binary(bytes) {
        assert_eq!(Keyset::from_binary(keyset.to_binary().expose()), Ok(keyset));
    }
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(keyset) = Keyset::from_json(text) {
        assert_eq!(Keyset::from_json(keyset.to_json().expose()), Ok(keyset));
    }
    let _ = EncryptedKeyset::from_json(text);
    let _ = IpcryptKey::from_json(text);
});
