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

use etl_access::keys::{Choice, Keys};
use indicatif::ProgressBar;
use masking::Scheme;

use self::audit::{FINISHED, Outcome, STARTED, Subject};
use self::field::{Direction, Field};
use self::stream::{Interrupted, Streams};
use self::tally::Tally;
use crate::arguments::{
    FieldKind, FieldSpecification, FilterArguments, MaskArguments, UnmaskArguments,
};
use crate::audit::AuditLog;
use crate::failure::Failure;
use crate::terminal;

pub(crate) async fn mask(arguments: &MaskArguments) -> Result<ExitCode, Failure> {
    let filter = &arguments.filter;
    let mut keys = Keys::new(filter.kek.keyset_kek.as_ref());
    let fields = fields(filter, Direction::Mask, &mut keys).await?;
    let mut tally = Tally::new(&fields);
    let streamed = stream(filter, &fields, &mut tally);
    conclude(streamed, &tally)
}

pub(crate) async fn unmask(arguments: &UnmaskArguments) -> Result<ExitCode, Failure> {
    let filter = &arguments.filter;
    if !filter.masking.is_reversible() {
        return Err(
            Failure::usage(format!("{} cannot be reversed", filter.masking))
                .hint("it is one-way on purpose: nobody can recover what it masked"),
        );
    }
    let mut keys = Keys::new(filter.kek.keyset_kek.as_ref());
    let fields = fields(filter, Direction::Unmask, &mut keys).await?;
    let known_keys = match &filter.keyset {
        Some(path) if filter.masking.needs_keyset() => keys.ids(path).await?,
        _ => Vec::new(),
    };
    let mut log = AuditLog::open(arguments.audit_log.as_deref(), "nothing was recovered")?;
    let subject = Subject::new(filter, &fields);
    log.append(STARTED, &subject, None::<&Outcome>)?;
    let mut tally = Tally::new(&fields);
    let streamed = stream(filter, &fields, &mut tally);
    // Whatever ended the stream: what was recovered until then is on record.
    let outcome = Outcome::new(&tally, &known_keys);
    log.append(FINISHED, &subject, Some(&outcome))?;
    conclude(streamed, &tally)
}

async fn fields(
    arguments: &FilterArguments,
    direction: Direction,
    keys: &mut Keys<'_>,
) -> Result<Vec<Field>, Failure> {
    refuse_repeated(arguments)?;
    let (scheme, key_file) = (arguments.masking, arguments.keyset.as_deref());
    let mut fields = Vec::new();
    for FieldSpecification { name, domain, kind } in arguments.fields()? {
        if scheme.needs_ipcrypt_key() && kind == FieldKind::Text {
            return Err(addresses_only(scheme, &domain));
        }
        let choice = Choice { scheme, key_file };
        let masker = keys.masker(choice, &domain, kind.into()).await?;
        fields.push(Field::new(&name, &domain, masker, direction));
    }
    Ok(fields)
}

fn addresses_only(scheme: Scheme, domain: &str) -> Failure {
    Failure::usage(format!(
        "{scheme} masks addresses only, and {domain} is a field of any text"
    ))
    .hint("if it holds addresses, say so: --kind ip, or --field NAME=DOMAIN:ip")
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
