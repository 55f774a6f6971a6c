//! Reads the wanted members of a JSON object as slices of the body, copying nothing.
//!
//! Values stay as written: what a text or a version means is decided once the whole object is known to
//! be valid, so the first problem reported does not hang on the order in which a sender writes its keys.

use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::depth::is_too_deep;
use crate::{Reason, Rejection, plain};

/// The values of the wanted members, in the order asked for, as JSON text.
pub(crate) type Members<'a, const N: usize> = [Option<&'a str>; N];

/// Finds the members called `names`; others are skipped, and of duplicates the last one counts.
///
/// `object` is a text that starts with a brace, behind optional white space.
pub(crate) fn read<'a, const N: usize>(
    object: &'a str,
    names: &[&str; N],
) -> Result<Members<'a, N>, Rejection> {
    plain::read(object, names).map_or_else(|| read_any(object, names), Ok)
}

/// Reads an object with whatever in it, and is the judge of what is none.
pub(crate) fn read_any<'a, const N: usize>(
    object: &'a str,
    names: &[&str; N],
) -> Result<Members<'a, N>, Rejection> {
    let mut deserializer = serde_json::Deserializer::from_str(object);
    let found = deserializer.deserialize_map(Wanted { names });
    // No visitor here raises an error of its own, so each one is a fault of the syntax.
    match found.and_then(|found| deserializer.end().map(|()| found)) {
        Ok(Found { too_deep: true, .. }) => Err(Rejection::of_message(Reason::NestedTooDeep)),
        Ok(found) => Ok(found.members),
        Err(_) => Err(Rejection::of_message(Reason::NotJson)),
    }
}

struct Wanted<'n, const N: usize> {
    names: &'n [&'n str; N],
}

struct Found<'a, const N: usize> {
    members: Members<'a, N>,
    too_deep: bool,
}

impl<'a, const N: usize> Visitor<'a> for Wanted<'_, N> {
    type Value = Found<'a, N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = Found {
            members: [None; N],
            too_deep: false,
        };
        let mut expected = 0;
        while let Some(key) = map.next_key::<&RawValue>()? {
            let value = map.next_value::<&RawValue>()?.get();
            found.too_deep |= is_too_deep(value);
            if let Some(index) = self.position(key.get(), expected) {
                found.members[index] = Some(value);
                expected = index + 1;
            }
        }
        Ok(found)
    }
}

impl<const N: usize> Wanted<'_, N> {
    fn position(&self, key: &str, expected: usize) -> Option<usize> {
        if !key.contains('\\') {
            return position(self.names, key, expected);
        }
        // Half a surrogate pair decodes to no name, hence to none of ours.
        let name: String = serde_json::from_str(key).ok()?;
        self.names.iter().position(|wanted| *wanted == name)
    }
}

/// Which of the names a key is, that stands in quotes and has no escapes.
///
/// The one at `expected` is tried first, as senders keep an order.
pub(crate) fn position(names: &[&str], key: &str, expected: usize) -> Option<usize> {
    let name = key.strip_prefix('"')?.strip_suffix('"')?;
    if names.get(expected) == Some(&name) {
        return Some(expected);
    }
    names.iter().position(|wanted| *wanted == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 2] = ["a", "b"];

    #[test]
    fn values_are_found_in_any_order_as_written() {
        assert_eq!(
            read(r#"{"b": 2.10, "x": {}, "a" :"t"}"#, &NAMES),
            Ok([Some(r#""t""#), Some("2.10")])
        );
    }

    #[test]
    fn the_last_of_two_equal_keys_counts() {
        assert_eq!(read(r#"{"a": 1, "a": 2}"#, &NAMES), Ok([Some("2"), None]));
    }

    #[test]
    fn an_escaped_key_is_the_key_that_it_spells() {
        assert_eq!(
            read(r#"{"\u0061": 1, "\ud800": 2}"#, &NAMES),
            Ok([Some("1"), None])
        );
    }

    #[test]
    fn text_behind_the_object_is_a_fault() {
        let not_json = Err(Rejection::of_message(Reason::NotJson));
        assert_eq!(read("{} {}", &NAMES), not_json);
        assert_eq!(read("{", &NAMES), not_json);
    }

    #[test]
    fn depth_is_bounded_in_members_that_nobody_wants() {
        let deep = format!(r#"{{"x": {}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(
            read(&deep, &NAMES),
            Err(Rejection::of_message(Reason::NestedTooDeep))
        );
    }
}
