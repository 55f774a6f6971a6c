//! The fast lane: an object of nothing but unescaped texts and nulls, which is how events are written.
//!
//! It knows a small part of JSON on purpose, and gives up on anything else without a verdict: what is
//! valid and what is wrong with a body is decided in one place, `members`. Wherever it does find an
//! answer it is the one found there (a test holds the two against each other), at half the cost.

use crate::members::{Members, position};

/// The members called `names`, as [`members::read`](crate::members::read) gives them; or `None`.
pub(crate) fn read<'a, const N: usize>(
    object: &'a str,
    names: &[&str; N],
) -> Option<Members<'a, N>> {
    let mut cursor = Cursor {
        text: object,
        at: 0,
    };
    let mut members = [None; N];
    let mut expected = 0;
    cursor.expect(b'{')?;
    loop {
        let key = cursor.string()?;
        cursor.expect(b':')?;
        let value = cursor.value()?;
        if let Some(index) = position(names, key, expected) {
            members[index] = Some(value);
            expected = index + 1;
        }
        match cursor.token()? {
            b',' => {}
            b'}' => break,
            _ => return None,
        }
    }
    // Nothing but white space may follow.
    cursor.token().is_none().then_some(members)
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// The next byte that is no white space, which is then behind the cursor.
    fn token(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            self.at += 1;
            if !matches!(byte, b' ' | b'\n' | b'\t' | b'\r') {
                return Some(byte);
            }
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.token()? == byte).then_some(())
    }

    /// A string with its quotes.
    fn string(&mut self) -> Option<&'a str> {
        self.expect(b'"')?;
        self.string_behind_its_quote()
    }

    /// A string with its quotes, or `null`.
    fn value(&mut self) -> Option<&'a str> {
        match self.token()? {
            b'"' => self.string_behind_its_quote(),
            b'n' => self.null_behind_its_first_letter(),
            _ => None,
        }
    }

    fn string_behind_its_quote(&mut self) -> Option<&'a str> {
        let start = self.at - 1;
        let rest = &self.text.as_bytes()[self.at..];
        let length = unescaped_length(rest)?;
        self.at += length + 1;
        (rest[length] == b'"').then(|| &self.text[start..self.at])
    }

    fn null_behind_its_first_letter(&mut self) -> Option<&'a str> {
        let start = self.at - 1;
        self.at += 3;
        self.text.get(start..self.at).filter(|word| *word == "null")
    }
}

/// How many bytes stand before the first that does not stand for itself in a JSON string.
fn unescaped_length(bytes: &[u8]) -> Option<usize> {
    let (words, tail) = bytes.as_chunks();
    for (index, word) in words.iter().enumerate() {
        let ends = ends_of_text(u64::from_le_bytes(*word));
        if ends != 0 {
            return Some(index * 8 + ends.trailing_zeros() as usize / 8);
        }
    }
    let in_tail = tail
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\' | ..0x20))?;
    Some(words.len() * 8 + in_tail)
}

/// The high bit of each byte that is a quote, a backslash or a control character; eight bytes at once.
///
/// Right up to the first such byte, whose borrow can mark bytes above it in error: the lowest bit is
/// what counts. Mycroft's way of finding a zero byte, see "Bit Twiddling Hacks" by S. E. Anderson.
const fn ends_of_text(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let zero_in_quote = quote.wrapping_sub(ONES) & !quote;
    let zero_in_backslash = backslash.wrapping_sub(ONES) & !backslash;
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (zero_in_quote | zero_in_backslash | control) & (ONES << 7)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{read, unescaped_length};
    use crate::members::read_any;

    const NAMES: [&str; 2] = ["a", "b"];

    #[test]
    fn the_plain_shape_is_read() {
        let members = Some([Some(r#""té""#), Some("null")]);
        assert_eq!(read(r#"{"a": "té", "b": null}"#, &NAMES), members);
        assert_eq!(
            read("\t{ \"b\" :null ,\"x\":\"\", \"a\":\"té\"\r\n} ", &NAMES),
            members
        );
        assert_eq!(read(r#"{"a": "1", "b": null, "a": "té"}"#, &NAMES), members);
    }

    #[test]
    fn anything_else_is_left_to_others() {
        for object in [
            "",
            "{",
            "{}",
            "[]",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1}"#,
            r#"{"a":nul}"#,
            r#"{"a":nulé}"#,
            r#"{"a":n"#,
            r#"{"a":"\n"}"#,
            "{\"a\":\"\n\"}",
            r#"{"a":"x",}"#,
            r#"{"a":"x"}}"#,
            r#"{"a":"x"} 1"#,
            r#"{"a":"x" "b":"y"}"#,
            r#"{"a":"x"#,
        ] {
            assert_eq!(read(object, &NAMES), None, "{object}");
        }
    }

    /// Objects with small faults, and sound ones.
    fn near_miss() -> impl Strategy<Value = String> {
        let token = proptest::sample::select(vec![
            "\"a\":",
            "\"b\" : ",
            "\"x\":",
            "\"a\"",
            "null",
            "\"plain text\"",
            ",",
            ",",
            ",",
            "{",
            "}",
            ":",
            " \t\r\n",
            "\"é\u{1}\"",
            "\"\\u0061\":",
            "1",
            "[]",
            "\u{a0}",
            "true",
            "\"b",
        ]);
        proptest::collection::vec(token, 0..12)
            .prop_map(|tokens| format!("{{{}}}", tokens.concat()))
    }

    #[test]
    fn every_byte_is_found_to_end_a_text_or_not_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            for at in 0..20 {
                let mut bytes = [b'x'; 20];
                bytes[at] = byte;
                let ends = byte < 0x20 || byte == b'"' || byte == b'\\';
                assert_eq!(
                    unescaped_length(&bytes),
                    ends.then_some(at),
                    "{byte} at {at}"
                );
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn an_answer_is_the_one_of_the_whole_parser(object in near_miss()) {
            if let Some(members) = read(&object, &NAMES) {
                prop_assert_eq!(read_any(&object, &NAMES), Ok(members));
            }
        }
    }
}
