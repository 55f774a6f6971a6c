//! Bytes to the text of a column and back: written as standard padded base64, read in either alphabet.

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::{
    STANDARD, STANDARD_PAD_INDIFFERENT, URL_SAFE_PAD_INDIFFERENT,
};

use crate::error::{MaskError, UnmaskError};
use crate::pii::Pii;

/// Refuses bytes whose base64 would be longer than `limit`, before any work is spent on them.
pub(crate) fn check_length(byte_count: usize, limit: usize) -> Result<(), MaskError> {
    match base64::encoded_len(byte_count, true) {
        Some(length) if length <= limit => Ok(()),
        _ => Err(MaskError::TooLong { limit }),
    }
}

/// Appends standard padded base64.
pub(crate) fn encode_into(bytes: &[u8], output: &mut String) {
    STANDARD.encode_string(bytes, output);
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
