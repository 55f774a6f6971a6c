//! One value a line. An empty line is the absence of a value and stays empty. A recovered value that holds a line
//! break fails: it would be two.

use std::io::{Read, Write};

use super::field::Field;
use super::stream::{Interrupted, Streams};
use super::tally::Tally;

pub(super) fn convert<R: Read, W: Write>(
    streams: Streams<R, W>,
    field: &Field,
    tally: &mut Tally,
) -> Result<(), Interrupted> {
    let mut converted = String::new();
    tally.saw(field);
    streams.each_line(tally, |line, number, tally, output| {
        if !line.is_empty() && tally.convert(field, line, number, &mut converted) {
            output.extend_from_slice(converted.as_bytes());
        }
    })
}
