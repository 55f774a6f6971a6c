//! The binary `local-stack`; the library holds what it does.

use std::process::ExitCode;

fn main() -> ExitCode {
    local_stack::run()
}
