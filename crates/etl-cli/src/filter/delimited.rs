//! CSV with a header line. The named columns are converted; quoting is written anew, only where it is needed.
//!
//! An empty cell is the absence of a value and stays empty. Rows may be of different lengths.

use std::io::{self, BufRead as _, BufReader, Read, Write};

use csv::{ByteRecord, ReaderBuilder, Terminator, WriterBuilder};

use super::field::Field;
use super::stream::{Interrupted, Streams};
use super::tally::Tally;
use crate::failure::Failure;

/// Records between two looks at the progress line.
const REDRAW: u64 = 4096;

pub(super) fn convert<R: Read, W: Write>(
    mut streams: Streams<R, W>,
    fields: &[Field],
    tally: &mut Tally,
) -> Result<(), Interrupted> {
    let terminator = terminator(&mut streams.input)?;
    let mut reader = ReaderBuilder::new()
        .flexible(true)
        .from_reader(streams.input);
    let mut writer = WriterBuilder::new()
        .flexible(true)
        .terminator(terminator)
        .from_writer(streams.output);
    let header = reader.byte_headers().map_err(input)?.clone();
    if header.is_empty() {
        return Ok(());
    }
    let columns = columns(&header, fields).map_err(Interrupted::Refused)?;
    fields.iter().for_each(|field| tally.saw(field));
    writer.write_byte_record(&header).map_err(output)?;
    let (mut record, mut converted) = (ByteRecord::new(), String::new());
    while reader.read_byte_record(&mut record).map_err(input)? {
        let line = record.position().map_or(0, csv::Position::line);
        tally.count_line();
        let row = convert_record(&record, &columns, line, tally, &mut converted);
        writer.write_byte_record(&row).map_err(output)?;
        if line.is_multiple_of(REDRAW) {
            streams.progress.set_position(line);
        }
    }
    streams.progress.finish_and_clear();
    writer.flush().map_err(Interrupted::Output)
}

fn convert_record(
    record: &ByteRecord,
    columns: &[Option<&Field>],
    line: u64,
    tally: &mut Tally,
    converted: &mut String,
) -> ByteRecord {
    let mut row = ByteRecord::with_capacity(2 * record.as_slice().len(), record.len());
    for (index, cell) in record.iter().enumerate() {
        match columns.get(index).copied().flatten() {
            Some(field) if !cell.is_empty() => {
                tally.convert(field, cell, line, converted);
                row.push_field(converted.as_bytes());
            }
            _ => row.push_field(cell),
        }
    }
    row
}

/// For each column the field that it holds. A field that the header lacks is refused before a row is read: its
/// values would pass through as they are.
fn columns<'f>(
    header: &ByteRecord,
    fields: &'f [Field],
) -> Result<Vec<Option<&'f Field>>, Failure> {
    let is_there = |field: &&Field| header.iter().any(|name| name == field.name.as_bytes());
    if let Some(missing) = fields.iter().find(|field| !is_there(field)) {
        return Err(Failure::usage(format!(
            "the header has no column {}",
            missing.name
        )));
    }
    let field_of = |name: &[u8]| fields.iter().find(|field| field.name.as_bytes() == name);
    Ok(header.iter().map(field_of).collect())
}

/// Lines end as the first line of the input does.
fn terminator(input: &mut BufReader<impl Read>) -> Result<Terminator, Interrupted> {
    let head = input.fill_buf().map_err(Interrupted::Input)?;
    let end = head.iter().position(|byte| *byte == b'\n');
    let is_dos = end.is_some_and(|end| head[..end].ends_with(b"\r"));
    Ok(if is_dos {
        Terminator::CRLF
    } else {
        Terminator::Any(b'\n')
    })
}

fn input(error: csv::Error) -> Interrupted {
    Interrupted::Input(of_csv(error))
}

fn output(error: csv::Error) -> Interrupted {
    Interrupted::Output(of_csv(error))
}

/// Bytes of any kind and rows of any length are taken, so that only the streams themselves fail.
fn of_csv(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        _ => io::Error::other("not CSV"),
    }
}
