//! One JSON object a line. The named members of the object itself are replaced; every other byte stays as it is.
//!
//! A line that is no object becomes an empty line: where its values stand cannot be told, so none may pass.

use std::borrow::Cow;
use std::fmt;
use std::io::{Read, Write};

use serde::Deserializer;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use super::field::{Fault, Field};
use super::stream::{Interrupted, Streams};
use super::tally::Tally;

pub(super) fn convert<R: Read, W: Write>(
    streams: Streams<R, W>,
    fields: &[Field],
    tally: &mut Tally,
) -> Result<(), Interrupted> {
    let mut converted = String::new();
    streams.each_line(tally, |line, number, tally, output| {
        if line.trim_ascii().is_empty() {
            output.extend_from_slice(line);
            return;
        }
        let replaced = Object::read(line).map(|object| {
            object.replace(fields, output, |field, value, output| {
                tally.saw(field);
                member(field, value, number, tally, &mut converted, output);
            });
        });
        if let Err(fault) = replaced {
            tally.fail(number, None, &fault);
        }
    })
}

/// Writes what stands in the place of one member's value.
fn member(
    field: &Field,
    value: &str,
    number: u64,
    tally: &mut Tally,
    converted: &mut String,
    output: &mut Vec<u8>,
) {
    if value == "null" {
        return output.extend_from_slice(b"null");
    }
    let Ok(text) = serde_json::from_str::<String>(value) else {
        tally.fail(number, Some(&field.name), &Fault::NotAString);
        return output.extend_from_slice(b"null");
    };
    if tally.convert(field, text.as_bytes(), number, converted) {
        // A text always serialises, and a Vec takes every byte.
        let _ = serde_json::to_writer(output, converted);
    } else {
        output.extend_from_slice(b"null");
    }
}

/// A line and the members of its object, as they are written there. A name may occur twice: both are members.
struct Object<'line> {
    line: &'line str,
    members: Vec<(Cow<'line, str>, &'line RawValue)>,
}

impl<'line> Object<'line> {
    fn read(line: &'line [u8]) -> Result<Self, Fault> {
        let line = str::from_utf8(line).map_err(|_| Fault::NotUtf8)?;
        let mut reader = serde_json::Deserializer::from_str(line);
        let members = reader.deserialize_map(Members);
        // serde_json's own words may quote the line.
        let members = members.map_err(|_| Fault::NotAnObject)?;
        reader.end().map_err(|_| Fault::NotAnObject)?;
        Ok(Self { line, members })
    }

    fn replace(
        &self,
        fields: &[Field],
        output: &mut Vec<u8>,
        mut write: impl FnMut(&Field, &str, &mut Vec<u8>),
    ) {
        let mut copied = 0;
        for (name, value) in &self.members {
            let Some(field) = fields.iter().find(|field| field.name == **name) else {
                continue;
            };
            let value = value.get();
            // The value borrows from the line, so the distance of the two is its place.
            let start = value.as_ptr().addr() - self.line.as_ptr().addr();
            output.extend_from_slice(&self.line.as_bytes()[copied..start]);
            write(field, value, output);
            copied = start + value.len();
        }
        output.extend_from_slice(&self.line.as_bytes()[copied..]);
    }
}

struct Members;

impl<'line> Visitor<'line> for Members {
    type Value = Vec<(Cow<'line, str>, &'line RawValue)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'line>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}
