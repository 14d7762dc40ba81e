//! How long `check` takes for a large package, as a ratio to `unzip -t` of the same file.
//!
//! Run it with the profile of the alias: `cargo bench --profile tool --bench check`. Both
//! programs are started in turn, and the best of several runs of each counts: the rest is
//! noise of the machine. The package is made up, but like real ones: minified scripts, JSON,
//! images and WebAssembly, many small files and a few large ones.

#[path = "check/large_package.rs"]
mod large_package;
mod measure;

use std::path::Path;
use std::process::Command;

use measure::Series;

const RUNS: usize = 5;
const TOOL: &str = env!("CARGO_BIN_EXE_cargo-xtask");

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let folder = folder.path();
    let made = large_package::write(folder, 2000, 40 << 20);
    measure::heading("check", TOOL.as_ref());
    measure::line(&format!(
        "  package   {} files, {:.1} MB packed, {:.1} MB unpacked",
        made.files,
        made.packed as f64 / 1e6,
        made.unpacked as f64 / 1e6,
    ));
    let (mut check, mut unzip) = (Series::default(), Series::default());
    for _ in 0..RUNS {
        check.run(program(TOOL, folder).args(["check", "--quiet", "dist/large.vsix"]));
        unzip.run(program("unzip", folder).args(["-tqq", "dist/large.vsix"]));
    }
    measure::times("check", &check);
    measure::times("unzip -t", &unzip);
    let ratio = check.best() / unzip.best();
    measure::goal(
        "check / unzip -t, best of each",
        &format!("{ratio:.2}"),
        "at most 1",
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark starts programs the way a user does"
)]
fn program(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    command
}
