//! What is made from the options as they stand in the code: completion scripts, manual pages, the table of options.

use std::io::{self, ErrorKind, Write as _};
use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory as _;

use crate::arguments::{Arguments, CompletionsArguments, ManArguments, option_table};
use crate::failure::Failure;

pub(crate) fn completions(arguments: &CompletionsArguments) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Arguments::command(),
        "etl",
        &mut script,
    );
    print(&script)
}

pub(crate) fn man(arguments: &ManArguments) -> Result<ExitCode, Failure> {
    let Some(folder) = &arguments.out else {
        let mut page = Vec::new();
        let rendered = clap_mangen::Man::new(Arguments::command()).render(&mut page);
        rendered.map_err(anyhow::Error::from)?;
        return print(&page);
    };
    write_pages(folder)
        .map_err(|error| Failure::usage(format!("--out {}: {error}", folder.display())))?;
    Ok(ExitCode::SUCCESS)
}

fn write_pages(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Arguments::command(), folder)
}

pub(crate) fn options() -> Result<ExitCode, Failure> {
    print(option_table(&Arguments::command()).as_bytes())
}

/// A reader that has seen enough, such as `head`, is no failure.
fn print(text: &[u8]) -> Result<ExitCode, Failure> {
    match io::stdout().write_all(text) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::gave_up(format!("stdout: {error}")))
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}
