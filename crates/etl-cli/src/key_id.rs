//! The key id that stands before each value of `aes-siv`: Tink's prefix, `01` and the id, as it reads in base64.

use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};

/// Characters that hold the prefix: forty bits, and two bits of what follows.
const PREFIX_CHARS: usize = 7;

/// The id in a value's prefix, if it has one. Says nothing of whether such a key exists.
pub(crate) fn of_value(masked: &str) -> Option<u32> {
    let head = masked.get(..PREFIX_CHARS + 1)?;
    let bytes = STANDARD.decode(head).or_else(|_| URL_SAFE.decode(head));
    match bytes.ok()?.as_slice() {
        [1, first, second, third, fourth, _] => {
            Some(u32::from_be_bytes([*first, *second, *third, *fourth]))
        }
        _ => None,
    }
}

/// What every value of a key starts with, in a form that SQL's LIKE takes: all but the last four bits of the prefix.
pub(crate) fn start(key_id: u32) -> String {
    let mut text = encoded(key_id);
    text.truncate(PREFIX_CHARS - 1);
    text
}

/// A regular expression that the values of a key match and no others do.
pub(crate) fn pattern(key_id: u32) -> String {
    let text = encoded(key_id);
    let last = text.chars().last().unwrap_or_default();
    let letters = ALPHABET.as_str();
    // Its two lowest bits belong to the next byte, so that four letters may stand there, one after the other.
    let possible = letters
        .find(last)
        .and_then(|at| letters.get(at..at + 4))
        .unwrap_or_default();
    let fixed: String = start(key_id)
        .chars()
        .flat_map(|letter| ['[', letter, ']'])
        .collect();
    format!("^{fixed}[{possible}]")
}

fn encoded(key_id: u32) -> String {
    let [first, second, third, fourth] = key_id.to_be_bytes();
    STANDARD_NO_PAD.encode([1, first, second, third, fourth])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values made by Tink with the key id 0xdeadbeef, in either alphabet.
    #[test]
    fn the_id_is_read_from_a_value() {
        for value in [
            "Ad6tvu+yTqJICQO/k2D6aGn+0ckeXPvtMIrxhqmMzTnY6hVm",
            "Ad6tvu-yTqJICQO_k2D6aGn-0ckeXPvtMIrxhqmMzTnY6hVm",
        ] {
            assert_eq!(of_value(value), Some(0xdead_beef));
            assert!(value.starts_with(&start(0xdead_beef)));
        }
    }

    #[test]
    fn other_texts_have_no_id() {
        for value in [
            "",
            "MTk5LjE3Mi4xMTEuMTM1",
            "100.115.72.131",
            "TMjQu8M67DD95rWRa9oHTA",
            "redacted",
            "äöüäöü",
        ] {
            assert_eq!(of_value(value), None);
        }
    }

    #[test]
    fn the_pattern_names_the_four_letters_that_may_end_a_prefix() {
        assert_eq!(pattern(0xdead_beef), "^[A][d][6][t][v][u][89+/]");
        assert_eq!(pattern(0), "^[A][Q][A][A][A][A][ABCD]");
    }
}
