//! Parses the command line, runs the library, maps the error to an exit code.

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    mcp_platform::cli::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    use std::io::Write as _;
    let _ = writeln!(
        std::io::stderr(),
        "error: mcp-platform runs on Linux; elsewhere use it in a container or within WSL"
    );
    std::process::ExitCode::from(5)
}
