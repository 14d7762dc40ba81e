//! How long `check` takes for a large package, as a ratio to `unzip -t` of the same file.
//!
//! Run it with the profile of the alias: `cargo bench --profile tool --bench check`. Both
//! programs are started in turn, and the best of several runs of each counts: the rest is
//! noise of the machine. The package is made up, but like real ones: minified scripts, JSON,
//! images and WebAssembly, many small files and a few large ones.

#[path = "check/large_package.rs"]
mod large_package;

use std::path::Path;
use std::time::{Duration, Instant};

const RUNS: usize = 5;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let made = large_package::write(folder.path(), 2000, 40 << 20);
    let check = [
        env!("CARGO_BIN_EXE_cargo-xtask"),
        "check",
        "--quiet",
        "dist/large.vsix",
    ];
    let unzip = ["unzip", "-tqq", "dist/large.vsix"];
    let mut best = [Duration::MAX; 2];
    for _ in 0..RUNS {
        for (best, command) in best.iter_mut().zip([&check[..], &unzip]) {
            *best = (*best).min(time(folder.path(), command));
        }
    }
    let [ours, theirs] = best.map(|duration| duration.as_secs_f64());
    report(&format!(
        "check against unzip -t: {:.2} ({:.0} ms against {:.0} ms, best of {RUNS}; {} files, {:.1} MB packed, {:.1} MB unpacked)",
        ours / theirs,
        ours * 1e3,
        theirs * 1e3,
        made.files,
        made.packed as f64 / 1e6,
        made.unpacked as f64 / 1e6,
    ));
}

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark starts programs the way a user does"
)]
fn time(folder: &Path, command: &[&str]) -> Duration {
    let started = Instant::now();
    let status = std::process::Command::new(command[0])
        .args(&command[1..])
        .current_dir(folder)
        .status()
        .expect("the program is installed");
    assert!(status.success(), "{command:?} accepts the package");
    started.elapsed()
}

#[expect(
    clippy::disallowed_macros,
    reason = "a benchmark's output is its result"
)]
fn report(line: &str) {
    println!("{line}");
}
