//! The command line of the binary `local-stack`. Results go to stdout, all else to stderr.

mod fault_proxy;
mod load_queue;
mod queue;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use self::fault_proxy::FaultProxyArguments;
use self::load_queue::LoadQueueArguments;
use self::queue::QueueArguments;
use crate::hint::report;
use crate::stack::{Stack, show};

/// Postgres and SQS on this machine, without Docker.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start Postgres and SQS, unless they run; they stay after this command
    Up {
        /// Port of Postgres on 127.0.0.1 [default: the one it had before, or a free one]
        #[arg(long, value_name = "PORT")]
        port_postgres: Option<u16>,
        /// Port of SQS on 127.0.0.1 [default: a free one]
        #[arg(long, value_name = "PORT")]
        port_sqs: Option<u16>,
    },
    /// Print the environment of the running stack, for `eval "$(local-stack env)"`
    Env,
    /// Make a queue with its dead-letter queue, unless they are there; prints its URL
    Queue(QueueArguments),
    /// Print the first rows of user_logins, and the masked values that occur more than once
    Show {
        /// Rows of each table at most
        #[arg(long, default_value_t = 10)]
        rows: u32,
    },
    /// Open psql on the stack's database
    Psql {
        /// Arguments for psql
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Say what runs where; fails unless both run
    Status,
    /// Stop what `up` started, and remove its data
    Down {
        /// Keep the data of Postgres; queues are in memory and go in any case
        #[arg(long)]
        keep: bool,
    },
    /// Serve a queue of any depth, from memory, for measurements; prints its endpoint
    LoadQueue(LoadQueueArguments),
    /// Stand before an SQS server on this machine and fail by a plan; prints its endpoint
    FaultProxy(FaultProxyArguments),
}

/// Runs the binary.
pub fn run() -> ExitCode {
    match execute(Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", report(&error));
            ExitCode::FAILURE
        }
    }
}

fn execute(command: Command) -> Result<ExitCode> {
    match command {
        // Servers of their own, which have nothing to do with the stack and its lock.
        Command::LoadQueue(arguments) => load_queue::run(&arguments)?,
        Command::FaultProxy(arguments) => fault_proxy::run(arguments)?,
        command => return on_stack(command, Stack::open()?),
    }
    Ok(ExitCode::SUCCESS)
}

fn on_stack(command: Command, mut stack: Stack) -> Result<ExitCode> {
    match command {
        Command::Up {
            port_postgres,
            port_sqs,
        } => stack.up(port_postgres, port_sqs)?,
        Command::Env => print!("{}", stack.environment()?),
        Command::Queue(arguments) => println!("{}", queue::create(&stack.client()?, &arguments)?),
        Command::Show { rows } => print!("{}", show(&stack, rows)?),
        Command::Psql { arguments } => stack.running_postgres()?.become_psql(&arguments)?,
        Command::Status => return Ok(print_status(&stack)),
        Command::Down { keep } => stack.down(keep)?,
        Command::LoadQueue(_) | Command::FaultProxy(_) => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn print_status(stack: &Stack) -> ExitCode {
    let (text, up) = stack.status();
    println!("{text}");
    if up {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
}
