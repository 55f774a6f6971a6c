//! How deep arrays and objects stand in each other: bounded, since whatever reads a value later may recurse.

/// The most levels that a body may have, its own outermost included; as in `serde_json`.
const MAX_DEPTH: usize = 128;

/// Whether a member's value takes the object that it stands in past the limit.
///
/// `json` is one syntactically valid value. The scan keeps no stack, so depth costs it nothing.
pub(crate) fn is_too_deep(json: &str) -> bool {
    json.starts_with(['[', '{']) && exceeds(json.as_bytes(), MAX_DEPTH - 1)
}

fn exceeds(json: &[u8], limit: usize) -> bool {
    let mut depth = 0_usize;
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => skip_string(&mut bytes),
            _ => {}
        }
        if depth > limit {
            return true;
        }
    }
    false
}

/// Moves behind the closing quote: brackets inside a text do not nest.
fn skip_string(bytes: &mut std::slice::Iter<'_, u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_too_deep;

    #[test]
    fn the_limit_counts_the_object_round_the_value() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(!is_too_deep(&nested(127)));
        assert!(is_too_deep(&nested(128)));
    }

    #[test]
    fn siblings_and_brackets_in_texts_do_not_add_up() {
        assert!(!is_too_deep(&format!("[{}[]]", "[],".repeat(500))));
        assert!(!is_too_deep(&format!(r#"["\"{}"]"#, "[".repeat(500))));
    }
}
