//! Bytes to the text of a column and back: written as standard padded base64, read in either alphabet.

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::{
    GeneralPurpose, STANDARD, STANDARD_PAD_INDIFFERENT, URL_SAFE_PAD_INDIFFERENT,
};

use crate::error::{MaskError, UnmaskError};
use crate::pii::Pii;

/// Refuses bytes whose base64 would be longer than `limit`, before any work is spent on them.
pub(crate) fn check_length(byte_count: usize, limit: usize) -> Result<(), MaskError> {
    // Every three bytes begun are four characters.
    if byte_count <= limit / 4 * 3 {
        Ok(())
    } else {
        Err(MaskError::TooLong { limit })
    }
}

/// Appends standard padded base64.
pub(crate) fn encode_into(bytes: &[u8], output: &mut String) {
    push_encoded(&STANDARD, bytes, output);
}

/// Appends base64 by way of a small buffer on the stack: for values as short as ours that halves the time of the
/// library's own writer, which clears a kilobyte first. The pieces are multiples of three, so only the last is padded.
#[inline]
pub(crate) fn push_encoded(engine: &GeneralPurpose, bytes: &[u8], output: &mut String) {
    let mut buffer = [0; 64];
    for piece in bytes.chunks(48) {
        let length = engine
            .encode_slice(piece, &mut buffer)
            .expect("48 bytes are 64 characters of base64");
        output.push_str(str::from_utf8(&buffer[..length]).expect("base64 is ASCII"));
    }
}

/// Reads standard or URL-safe base64, padded or not: BigQuery and Tink's tools differ in what they write.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, UnmaskError> {
    let url_safe = text.bytes().any(|byte| matches!(byte, b'-' | b'_'));
    let engine = if url_safe {
        URL_SAFE_PAD_INDIFFERENT
    } else {
        STANDARD_PAD_INDIFFERENT
    };
    engine.decode(text).map_err(|_| UnmaskError::NotBase64)
}

/// Makes text of recovered bytes without a second copy.
pub(crate) fn into_text(bytes: Vec<u8>) -> Result<Pii<String>, UnmaskError> {
    String::from_utf8(bytes).map(Pii::new).map_err(|error| {
        drop(Pii::new(error.into_bytes()));
        UnmaskError::NotText
    })
}
