//! The options of the commands that describe the options, and the table of them all.

use std::path::PathBuf;

use clap::{Arg, ArgAction, Command};
use clap_complete::Shell;

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArguments {
    /// Which shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}

/// Print the manual page of `etl`, or write those of all commands
#[derive(Debug, clap::Args)]
pub(crate) struct ManArguments {
    /// Write the pages of all commands into this folder instead, etl-run.1 and so on
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
}

const HEAD: &str = "\
# Options

All options of `etl`, from the code: `just options` writes this file anew. A value on the command line wins over the
variable, and that over the file of `--config`, whose keys are the names below without the dashes; what has no variable is
meant for one call and cannot stand in the file. A switch in the environment is `true` or `false`, `1` or `0`.

| option | environment | default | commands | meaning |
|---|---|---|---|---|
";

/// One option as it means the same in some commands.
struct Row {
    option: String,
    variable: String,
    default: String,
    meaning: String,
    commands: Vec<String>,
}

impl Row {
    fn of(arg: &Arg) -> Option<Self> {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let (meaning, told) = match help.split_once(" [default: ") {
            Some((before, rest)) => {
                let (default, after) = rest.split_once(']')?;
                (format!("{before}{after}"), default.to_owned())
            }
            None => (help, String::new()),
        };
        let values = arg.get_default_values().iter();
        let values: Vec<_> = values
            .map(|value| format!("`{}`", value.to_string_lossy()))
            .collect();
        let variable = arg
            .get_env()
            .map(|name| format!("`{}`", name.to_string_lossy()));
        Some(Self {
            option: format!("`--{}{}`", arg.get_long()?, value_name(arg)),
            variable: variable.unwrap_or_default(),
            default: if values.is_empty() {
                told
            } else {
                values.join(", ")
            },
            meaning,
            commands: Vec::new(),
        })
    }

    fn is_same(&self, other: &Self) -> bool {
        (&self.option, &self.variable, &self.default, &self.meaning)
            == (
                &other.option,
                &other.variable,
                &other.default,
                &other.meaning,
            )
    }

    fn line(&self) -> String {
        let cells = [
            &self.option,
            &self.variable,
            &self.default,
            &self.commands.join(", "),
            &self.meaning,
        ];
        let cells = cells.map(|cell| cell.replace('|', "\\|").replace('\n', " "));
        format!("| {} |\n", cells.join(" | "))
    }
}

fn value_name(arg: &Arg) -> String {
    match (arg.get_action(), arg.get_value_names()) {
        (ArgAction::Set | ArgAction::Append, Some([name, ..])) => format!(" {name}"),
        _ => String::new(),
    }
}

/// All options in Markdown, in the order of the commands.
pub(crate) fn option_table(program: &Command) -> String {
    let mut rows = Vec::new();
    add_rows(program, "all", &mut rows);
    for command in program.get_subcommands() {
        add_command(command, command.get_name(), &mut rows);
    }
    rows.iter()
        .fold(HEAD.to_owned(), |table, row| table + &row.line())
}

fn add_command(command: &Command, name: &str, rows: &mut Vec<Row>) {
    add_rows(command, &format!("`{name}`"), rows);
    for inner in command.get_subcommands() {
        add_command(inner, &format!("{name} {}", inner.get_name()), rows);
    }
}

fn add_rows(command: &Command, name: &str, rows: &mut Vec<Row>) {
    for mut row in command.get_arguments().filter_map(Row::of) {
        if let Some(known) = rows.iter_mut().find(|other| other.is_same(&row)) {
            known.commands.push(name.to_owned());
        } else {
            row.commands.push(name.to_owned());
            rows.push(row);
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::arguments::Arguments;

    #[test]
    fn the_document_of_options_is_as_the_code_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/OPTIONS.md");
        let document = std::fs::read_to_string(path).unwrap();
        let table = option_table(&Arguments::command());
        let is_absent = |line: &&str| !document.lines().any(|other| other == *line);
        let absent: Vec<&str> = table.lines().filter(is_absent).collect();
        assert!(
            document == table,
            "stale, run `just options`; absent: {absent:#?}"
        );
    }
}
