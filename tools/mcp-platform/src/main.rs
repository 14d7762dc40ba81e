//! Parses the command line, runs the library, maps the error to an exit code.

fn main() -> std::process::ExitCode {
    mcp_platform::cli::main()
}
