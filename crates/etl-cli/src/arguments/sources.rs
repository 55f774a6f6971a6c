//! Where an option's value comes from: the command line, else the environment, else the file of `--config`.
//!
//! What stands nearer wins, also over what it excludes: `--input` on the command line silences ETL_QUEUE_NAME. The
//! file's settings are put behind the words of the command line, so that clap reads and refuses them as if they were
//! typed. Two passes, since the words must be understood before it is known which file and which variables count.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory as _, FromArgMatches as _};

use super::Arguments;
use super::config_file::{ConfigFile, is_switch};
use super::secrets::exposed;
use crate::failure::Failure;

/// Reads the command line, the environment and the file. Ends the process where help is asked for or clap refuses.
pub(crate) fn read() -> Result<Arguments, Failure> {
    let words: Vec<OsString> = std::env::args_os().collect();
    let mut program = Arguments::command().ignore_errors(true);
    program.build();
    // The first pass puts up with everything but a call for help: the second one tells of errors.
    let matches = program.clone().try_get_matches_from(&words);
    let matches = matches.unwrap_or_else(|error| error.exit());
    let call = Call::new(&program, &matches);
    let file = matches.get_one::<PathBuf>("config");
    let file = file
        .map(|path| ConfigFile::read(path, &program))
        .transpose()?;
    let mut arguments = second_pass(&call, words, file.as_ref()).unwrap_or_else(|error| {
        let tips = tips(&error, &call, file.as_ref());
        with_tips(error, tips).exit()
    });
    arguments.exposed = exposed(call.command, call.matches);
    Ok(arguments)
}

fn second_pass(
    call: &Call<'_>,
    mut words: Vec<OsString>,
    file: Option<&ConfigFile>,
) -> Result<Arguments, clap::Error> {
    let silenced = call.silenced();
    let settings = file
        .into_iter()
        .flat_map(|file| call.settings(file, &silenced));
    words.extend(settings.map(OsString::from));
    let mut program = Arguments::command();
    for arg in silenced {
        program = without_variable(program, &call.path, arg.get_id().as_str());
    }
    let mut matches = program.clone().try_get_matches_from(words)?;
    Arguments::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut program))
}

/// One command, such as `rejects list`, as it was called.
struct Call<'a> {
    path: Vec<String>,
    command: &'a Command,
    matches: &'a ArgMatches,
}

impl<'a> Call<'a> {
    fn new(program: &'a Command, matches: &'a ArgMatches) -> Self {
        let mut call = Self {
            path: Vec::new(),
            command: program,
            matches,
        };
        while let Some((name, matches)) = call.matches.subcommand()
            && let Some(command) = call.command.find_subcommand(name)
        {
            call.path.push(name.to_owned());
            (call.command, call.matches) = (command, matches);
        }
        call
    }

    fn source(&self, arg: &Arg) -> Option<ValueSource> {
        self.matches.value_source(arg.get_id().as_str())
    }

    fn from(&self, source: ValueSource) -> impl Iterator<Item = &'a Arg> {
        let options = self.command.get_arguments();
        options.filter(move |arg| self.source(arg) == Some(source))
    }

    /// Options whose variables do not count: they yield to what the command line says, or only say that a switch is
    /// off, which excludes nothing.
    fn silenced(&self) -> Vec<&'a Arg> {
        let is_off = |arg: &Arg| is_switch(arg) && !self.matches.get_flag(arg.get_id().as_str());
        let yields = |arg: &Arg| {
            let mut typed = self.from(ValueSource::CommandLine);
            typed.any(|other| self.exclude_each_other(arg, other))
        };
        let variables = self.from(ValueSource::EnvVariable);
        variables.filter(|arg| is_off(arg) || yields(arg)).collect()
    }

    /// What the file says, where neither the command line nor the environment says that or what excludes it.
    fn settings(&self, file: &ConfigFile, silenced: &[&Arg]) -> Vec<String> {
        let is_silenced = |arg: &&Arg| silenced.iter().any(|other| other.get_id() == arg.get_id());
        let variables = self.from(ValueSource::EnvVariable);
        let variables = variables.filter(|arg| !is_silenced(arg));
        let nearer: Vec<&Arg> = self
            .from(ValueSource::CommandLine)
            .chain(variables)
            .collect();
        let is_open = |arg: &&Arg| {
            let is_said = matches!(
                self.source(arg),
                Some(ValueSource::CommandLine | ValueSource::EnvVariable)
            );
            !is_said
                && !nearer
                    .iter()
                    .any(|other| self.exclude_each_other(arg, other))
        };
        let options = self.command.get_arguments().filter(is_open);
        options.filter_map(|arg| file.word(arg)).collect()
    }

    fn exclude_each_other(&self, one: &Arg, other: &Arg) -> bool {
        let excludes = |one: &Arg, other: &Arg| {
            let excluded = self.command.get_arg_conflicts_with(one);
            excluded.iter().any(|arg| arg.get_id() == other.get_id())
        };
        excludes(one, other) || excludes(other, one)
    }
}

fn without_variable(program: Command, path: &[String], id: &str) -> Command {
    match path.split_first() {
        None => program.mut_arg(id, |arg| arg.env(Resettable::Reset)),
        Some((name, rest)) => {
            program.mut_subcommand(name, |command| without_variable(command, rest, id))
        }
    }
}

/// Where the values stand that clap refuses, unless on the command line.
fn tips(error: &clap::Error, call: &Call<'_>, file: Option<&ConfigFile>) -> Vec<String> {
    let blamed: Vec<&str> = [ContextKind::InvalidArg, ContextKind::PriorArg]
        .iter()
        .filter_map(|kind| match error.get(*kind) {
            Some(ContextValue::String(option)) => Some(std::slice::from_ref(option)),
            Some(ContextValue::Strings(options)) => Some(options.as_slice()),
            _ => None,
        })
        .flatten()
        .filter_map(|option| option.split(' ').next()?.strip_prefix("--"))
        .collect();
    let is_typed = |arg: &Arg| call.source(arg) == Some(ValueSource::CommandLine);
    let options = call.command.get_arguments().filter(|arg| !is_typed(arg));
    options
        .filter(|arg| arg.get_long().is_some_and(|long| blamed.contains(&long)))
        .filter_map(|arg| whence(arg, file))
        .collect()
}

fn whence(arg: &Arg, file: Option<&ConfigFile>) -> Option<String> {
    let long = arg.get_long()?;
    let variable = arg
        .get_env()
        .filter(|name| std::env::var_os(name).is_some());
    if let Some(name) = variable {
        return Some(format!("--{long} is set by {}", name.to_string_lossy()));
    }
    let file = file.filter(|file| file.word(arg).is_some())?;
    Some(format!("--{long} is set in {}", file.path.display()))
}

fn with_tips(mut error: clap::Error, tips: Vec<String>) -> clap::Error {
    if !tips.is_empty() {
        let tips = tips.into_iter().map(Into::into).collect();
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
    }
    error
}
