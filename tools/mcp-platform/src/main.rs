//! Parses the command line, runs the library, maps the error to an exit code.

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    mcp_platform::cli::main()
}

#[cfg(not(unix))]
fn main() -> std::process::ExitCode {
    use std::io::Write as _;
    let _ = writeln!(
        std::io::stderr(),
        "error: mcp-platform runs on Linux and macOS; on Windows use it within WSL"
    );
    std::process::ExitCode::from(5)
}
