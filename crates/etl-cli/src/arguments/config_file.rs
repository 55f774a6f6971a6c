//! The file of `--config`: long names of options as TOML keys. A key that no command knows is refused, and so is a
//! file that shows a password to every user of the machine.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, Command};
use toml::{Table, Value};

use super::secrets::holds_password;
use crate::failure::Failure;

/// As clap's own suggestions: what is less alike than this is another word.
const ALIKE: f64 = 0.7;
const OTHERS_MAY_READ: u32 = 0o004;

/// What one file says.
pub(super) struct ConfigFile {
    pub(super) path: PathBuf,
    settings: Table,
}

impl ConfigFile {
    /// Reads a file whose every key is an option of `program` or of one of its commands.
    pub(super) fn read(path: &Path, program: &Command) -> Result<Self, Failure> {
        let (text, mode) = content(path)
            .map_err(|error| refused(path, format_args!("it cannot be read: {error}")))?;
        let settings = parsed(&text).map_err(|error| refused(path, format_args!("{error}")))?;
        let file = Self {
            path: path.to_owned(),
            settings,
        };
        let known = settable(program);
        for (key, value) in &file.settings {
            let option = known.iter().find(|arg| arg.get_long() == Some(key));
            let option = option.ok_or_else(|| file.unknown(key, program, &known))?;
            file.check(key, value, option, mode)?;
        }
        Ok(file)
    }

    fn check(&self, key: &str, value: &Value, option: &Arg, mode: u32) -> Result<(), Failure> {
        match value {
            Value::Array(_) | Value::Table(_) => {
                return Err(refused(
                    &self.path,
                    format_args!("{key} is not a single value"),
                ));
            }
            Value::Boolean(_) => {}
            _ if is_switch(option) => {
                return Err(refused(
                    &self.path,
                    format_args!("{key} is a switch: true or false"),
                ));
            }
            _ => {}
        }
        let is_secret = option.is_hide_env_values_set() && holds_password(&text_of(value));
        if is_secret && mode & OTHERS_MAY_READ != 0 {
            return Err(refused(
                &self.path,
                format_args!("{key} holds a password, and everyone may read the file"),
            )
            .hint(format!("chmod 600 {}", self.path.display())));
        }
        Ok(())
    }

    /// The word that sets an option on the command line as the file does; none for one that it does not set.
    pub(super) fn word(&self, option: &Arg) -> Option<String> {
        // Elsewhere the same name may be meant for one call: the `batch-size` of a run is not that of `remask`.
        option.get_env()?;
        let long = option.get_long()?;
        let value = self.settings.get(long)?;
        match value {
            Value::Boolean(on) if is_switch(option) => on.then(|| format!("--{long}")),
            value => Some(format!("--{long}={}", text_of(value))),
        }
    }

    fn unknown(&self, key: &str, program: &Command, known: &[&Arg]) -> Failure {
        if all(program).any(|arg| arg.get_long() == Some(key)) {
            return refused(&self.path, format_args!("{key} cannot be set in a file")).hint(
                format!("give --{key} on the command line, where it is meant for one call"),
            );
        }
        let refused = refused(&self.path, format_args!("no option is named {key}"));
        match nearest(key, known) {
            Some(name) => refused.hint(format!("did you mean {name}?")),
            None => refused.hint("keys are long names of options; `etl run --help` lists them"),
        }
    }
}

/// Options that may be set for all calls, in the environment or in a file. What has no variable is meant for one call:
/// a confirmation, say.
fn settable(program: &Command) -> Vec<&Arg> {
    all(program)
        .filter(|arg| arg.get_env().is_some() && arg.get_id() != "config")
        .collect()
}

fn all(command: &Command) -> Box<dyn Iterator<Item = &Arg> + '_> {
    Box::new(
        command
            .get_arguments()
            .chain(command.get_subcommands().flat_map(all)),
    )
}

pub(super) fn is_switch(option: &Arg) -> bool {
    matches!(option.get_action(), ArgAction::SetTrue)
}

fn nearest<'known>(key: &str, known: &[&'known Arg]) -> Option<&'known str> {
    let names = known.iter().filter_map(|arg| arg.get_long());
    let alike = names.map(|name| (strsim::jaro(key, name), name));
    alike
        .filter(|(likeness, _)| *likeness > ALIKE)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, name)| name)
}

/// The text, and who may read it; of one file, whatever happens to its name meanwhile.
fn content(path: &Path) -> std::io::Result<(String, u32)> {
    let mut file = File::open(path)?;
    let mode = file.metadata()?.permissions().mode();
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok((text, mode))
}

/// An error names the line and never shows it, since a password may stand there.
fn parsed(text: &str) -> Result<Table, String> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text
            .bytes()
            .take(start)
            .filter(|&byte| byte == b'\n')
            .count()
            + 1;
        format!("line {line}: {}", error.message().replace('\n', ", "))
    })
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Boolean(on) => on.to_string(),
        Value::Datetime(date) => date.to_string(),
        Value::Array(_) | Value::Table(_) => String::new(),
    }
}

fn refused(path: &Path, why: std::fmt::Arguments<'_>) -> Failure {
    Failure::usage(format!("--config {}: {why}", path.display()))
}
