//! `etl mask` and `etl unmask`: filters from stdin to stdout, over lines, fields of JSON lines, or fields of CSV.
//!
//! Every line of the input has its line in the output. A value that cannot be converted leaves its place empty (null
//! in JSON), is named on stderr by its line, and makes the exit code 1; the rest goes on.
//!
//! Invariant: no value, masked or not, goes anywhere but stdout.

mod audit;
mod delimited;
mod field;
mod json_lines;
mod lines;
mod stream;
mod tally;

use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::process::ExitCode;

use indicatif::ProgressBar;

use self::audit::AuditLog;
use self::field::{Direction, Field};
use self::stream::{Interrupted, Streams};
use self::tally::Tally;
use crate::arguments::{FieldKind, FilterArguments, MaskArguments, UnmaskArguments};
use crate::failure::Failure;
use crate::{keys, terminal};

pub(crate) fn mask(arguments: &MaskArguments) -> Result<ExitCode, Failure> {
    let filter = &arguments.filter;
    let fields = fields(filter, Direction::Mask)?;
    let mut tally = Tally::new(&fields);
    let streamed = stream(filter, &fields, &mut tally);
    conclude(streamed, &tally)
}

pub(crate) fn unmask(arguments: &UnmaskArguments) -> Result<ExitCode, Failure> {
    let filter = &arguments.filter;
    if !filter.masking.is_reversible() {
        return Err(
            Failure::usage(format!("{} cannot be reversed", filter.masking))
                .hint("it is one-way on purpose: nobody can recover what it masked"),
        );
    }
    let fields = fields(filter, Direction::Unmask)?;
    let known_keys = match &filter.keyset {
        Some(path) if filter.masking.needs_keyset() => keys::ids(path)?,
        _ => Vec::new(),
    };
    let mut log = AuditLog::open(arguments.audit_log.as_deref())?;
    let record = audit::Record::new(filter, &fields);
    log.append(&record.started())?;
    let mut tally = Tally::new(&fields);
    let streamed = stream(filter, &fields, &mut tally);
    // Whatever ended the stream: what was recovered until then is on record.
    log.append(&record.finished(&tally, &known_keys))?;
    conclude(streamed, &tally)
}

fn fields(arguments: &FilterArguments, direction: Direction) -> Result<Vec<Field>, Failure> {
    let key_file = arguments.keyset.as_deref();
    let prepare = |name: &str, domain: &str, kind: FieldKind| {
        let masker = keys::masker(arguments.masking, domain, kind.into(), key_file)?;
        Ok(Field::new(name, domain, masker, direction))
    };
    if let Some(domain) = &arguments.domain {
        let kind = arguments
            .kind
            .unwrap_or_else(|| FieldKind::of_domain(domain));
        return Ok(vec![prepare("", domain, kind)?]);
    }
    refuse_repeated(arguments)?;
    let wanted = arguments.field.iter();
    wanted
        .map(|field| prepare(&field.name, &field.domain, field.kind))
        .collect()
}

/// A field that is masked twice is lost to who unmasks it once.
fn refuse_repeated(arguments: &FilterArguments) -> Result<(), Failure> {
    let names: Vec<&str> = arguments
        .field
        .iter()
        .map(|field| field.name.as_str())
        .collect();
    let repeated = (1..names.len()).find(|&index| names[..index].contains(&names[index]));
    match repeated {
        Some(index) => Err(Failure::usage(format!(
            "--field {} is given twice",
            names[index]
        ))),
        None => Ok(()),
    }
}

fn stream(
    arguments: &FilterArguments,
    fields: &[Field],
    tally: &mut Tally,
) -> Result<(), Interrupted> {
    let streams = Streams::new(io::stdin().lock(), io::stdout().lock(), progress());
    if arguments.jsonl {
        json_lines::convert(streams, fields, tally)
    } else if arguments.csv {
        delimited::convert(streams, fields, tally)
    } else {
        lines::convert(streams, &fields[0], tally)
    }
}

/// Where stdout is the terminal, the values themselves are progress enough.
fn progress() -> ProgressBar {
    let is_shown = !io::stdout().is_terminal() && !io::stdin().is_terminal();
    if is_shown && terminal::is_watched() {
        terminal::progress(None, "{spinner} {human_pos} lines ({per_sec})")
    } else {
        ProgressBar::hidden()
    }
}

fn conclude(streamed: Result<(), Interrupted>, tally: &Tally) -> Result<ExitCode, Failure> {
    match streamed {
        // Who reads our output has seen enough, as with `| head`.
        Err(Interrupted::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {}
        other => other?,
    }
    tally.verdict().map(|()| ExitCode::SUCCESS)
}

/// The key file's path in full, which says more than one that hangs on the folder.
fn absolute(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.display().to_string()
}
