//! Turns a JSON string, as written in the body, into text that Postgres can hold.

use std::borrow::Cow;

use crate::{Field, Reason, Rejection};

/// The text of a JSON string; borrowed from the body unless a character in it is escaped.
///
/// `json` is a syntactically valid JSON string with its quotes: its control characters and escapes have
/// been checked, so all that can still be wrong with it is half a surrogate pair.
pub(crate) fn decode(json: &str) -> Result<Cow<'_, str>, Reason> {
    let inside = json
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .ok_or(Reason::WrongType)?;
    if !inside.contains('\\') {
        return Ok(Cow::Borrowed(inside));
    }
    let text: String = serde_json::from_str(json).map_err(|_| Reason::UnpairedSurrogate)?;
    if text.contains('\0') {
        return Err(Reason::NulCharacter);
    }
    Ok(Cow::Owned(text))
}

/// A field that is text or null, within its limit.
pub(crate) fn nullable(field: Field, json: &str) -> Result<Option<Cow<'_, str>>, Rejection> {
    if json == "null" {
        return Ok(None);
    }
    required(field, json).map(Some)
}

/// A field that is text and never null, within its limit.
pub(crate) fn required(field: Field, json: &str) -> Result<Cow<'_, str>, Rejection> {
    let reject = |reason| Rejection::of_field(field, reason);
    let text = decode(json).map_err(reject)?;
    match field.max_chars() {
        // The bytes are at least as many as the characters, and need no counting.
        Some(limit) if text.len() > limit && text.chars().count() > limit => {
            Err(reject(Reason::TooLong))
        }
        _ => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_borrowed_and_escaped_text_decoded() {
        assert!(matches!(decode(r#""näive""#), Ok(Cow::Borrowed("näive"))));
        assert!(
            matches!(decode(r#""\u00e4\n\ud83d\ude00""#), Ok(Cow::Owned(text)) if text == "ä\n😀")
        );
    }

    #[test]
    fn half_a_pair_and_nul_are_told_apart() {
        assert_eq!(decode(r#""\ud800""#), Err(Reason::UnpairedSurrogate));
        assert_eq!(decode(r#""\udc00""#), Err(Reason::UnpairedSurrogate));
        assert_eq!(decode(r#""\ud800\u0041""#), Err(Reason::UnpairedSurrogate));
        assert_eq!(decode(r#""a\u0000""#), Err(Reason::NulCharacter));
    }

    #[test]
    fn limits_count_characters_not_bytes() {
        let locale = |count: usize| format!("\"{}\"", "語".repeat(count));
        assert!(nullable(Field::Locale, &locale(32)).is_ok());
        assert_eq!(
            nullable(Field::Locale, &locale(33)),
            Err(Rejection::of_field(Field::Locale, Reason::TooLong))
        );
    }
}
