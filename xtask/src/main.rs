//! The program: parse, call the library, map the error to an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = std::env::args_os();
    ExitCode::from(xtask::cli::run(arguments))
}
