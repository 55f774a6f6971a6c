//! Input and output of a filter, line by line, and the two ways in which they break.

use std::io::{self, BufRead as _, BufReader, BufWriter, Read, Write};

use indicatif::ProgressBar;

use super::tally::Tally;
use crate::failure::Failure;

const BUFFER: usize = 1 << 16;
/// Lines between two looks at the progress line.
const REDRAW: u64 = 4096;

/// The stream ended before its time.
#[derive(Debug)]
pub(super) enum Interrupted {
    Input(io::Error),
    Output(io::Error),
    /// The input lacks what was asked for.
    Refused(Failure),
}

impl From<Interrupted> for Failure {
    fn from(interrupted: Interrupted) -> Self {
        match interrupted {
            Interrupted::Input(error) => Self::gave_up(format!("failed to read stdin: {error}")),
            Interrupted::Output(error) => Self::gave_up(format!("failed to write stdout: {error}")),
            Interrupted::Refused(failure) => failure,
        }
    }
}

/// Stdin and stdout, or what stands for them in a test.
pub(super) struct Streams<R: Read, W: Write> {
    pub(super) input: BufReader<R>,
    pub(super) output: BufWriter<W>,
    pub(super) progress: ProgressBar,
}

impl<R: Read, W: Write> Streams<R, W> {
    pub(super) fn new(input: R, output: W, progress: ProgressBar) -> Self {
        Self {
            input: BufReader::with_capacity(BUFFER, input),
            output: BufWriter::with_capacity(BUFFER, output),
            progress,
        }
    }

    /// Gives every line without its ending to `convert`, which appends what is to stand in its place.
    pub(super) fn each_line(
        mut self,
        tally: &mut Tally,
        mut convert: impl FnMut(&[u8], u64, &mut Tally, &mut Vec<u8>),
    ) -> Result<(), Interrupted> {
        let (mut line, mut converted, mut number) = (Vec::new(), Vec::new(), 0);
        while self.read_line(&mut line)? {
            number += 1;
            tally.count_line();
            let (text, ending) = split_ending(&line);
            converted.clear();
            convert(text, number, tally, &mut converted);
            converted.extend_from_slice(ending);
            self.write(&converted, number)?;
        }
        self.progress.finish_and_clear();
        self.output.flush().map_err(Interrupted::Output)
    }

    fn read_line(&mut self, line: &mut Vec<u8>) -> Result<bool, Interrupted> {
        line.clear();
        let length = self.input.read_until(b'\n', line);
        Ok(length.map_err(Interrupted::Input)? > 0)
    }

    fn write(&mut self, converted: &[u8], number: u64) -> Result<(), Interrupted> {
        let written = self.output.write_all(converted);
        written.map_err(Interrupted::Output)?;
        if number.is_multiple_of(REDRAW) {
            self.progress.set_position(number);
        }
        // The next read may wait for somebody who waits for this line.
        if self.input.buffer().is_empty() {
            self.output.flush().map_err(Interrupted::Output)?;
        }
        Ok(())
    }
}

/// The ending is `\n`, `\r\n`, or nothing at the end of the input; it stays what it is.
fn split_ending(line: &[u8]) -> (&[u8], &[u8]) {
    let text = line.strip_suffix(b"\n").unwrap_or(line);
    let text = match text.strip_suffix(b"\r") {
        Some(shorter) if text.len() < line.len() => shorter,
        _ => text,
    };
    line.split_at(text.len())
}

#[cfg(test)]
mod tests {
    use super::split_ending;

    #[test]
    fn a_line_ending_is_kept_apart() {
        let halves = |line: &'static str| split_ending(line.as_bytes());
        assert_eq!(halves("a\n"), (&b"a"[..], &b"\n"[..]));
        assert_eq!(halves("a\r\n"), (&b"a"[..], &b"\r\n"[..]));
        assert_eq!(halves("a"), (&b"a"[..], &b""[..]));
        assert_eq!(halves("a\r"), (&b"a\r"[..], &b""[..]));
        assert_eq!(halves("\n"), (&b""[..], &b"\n"[..]));
    }
}
