//! Standard base64 of the exact bytes, for columns that were written so before. It protects nothing.

use alloc::string::String;

use crate::error::{MaskError, UnmaskError};
use crate::pii::Pii;
use crate::text;

pub(super) fn mask_into(value: &str, limit: usize, output: &mut String) -> Result<(), MaskError> {
    text::check_length(value.len(), limit)?;
    text::encode_into(value.as_bytes(), output);
    Ok(())
}

pub(super) fn unmask(masked: &str) -> Result<Pii<String>, UnmaskError> {
    text::into_text(text::decode(masked)?)
}
