//! The audit as whole processes, in turn with its peers: cargo-audit on the same Cargo.lock with
//! the same advisories, and the start of pip-audit.
//!
//! Run it with `cargo bench --profile tool --bench audit`. `XTASK_BENCH_TOOL` names another
//! program to measure, such as the one that `cargo build --release` makes. It needs the real lock files and advisories that `XTASK_SHARED_DATA` names, or that
//! lie beside the workspace. cargo-audit is taken from the path, and left out when it is not
//! there; so is pip-audit, which is otherwise installed once by pip. What cargo-audit finds is
//! compared before anything is timed.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on has failed"
)]

#[path = "audit/peak.rs"]
mod peak;
#[path = "audit/pip_audit.rs"]
mod pip_audit;
#[path = "audit/setting.rs"]
mod setting;

mod measure;
#[path = "../tests/it/audit/rustsec.rs"]
mod rustsec;

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use measure::Series;
use setting::Setting;

/// Each is one run of ours and one of the peer.
const PAIRS: usize = 15;
/// Runs of what has no peer.
const RUNS: usize = 15;
const IMPORTS: usize = 3;

fn main() {
    measure::heading("audit", setting::tool().as_std_path());
    let Some(setting) = Setting::find() else {
        measure::line("  left out: XTASK_SHARED_DATA names no folder with locks and advisories");
        return;
    };
    import(&setting);
    against_cargo_audit(&setting);
    against_pip_audit(&setting);
    all(&setting);
}

/// The time and the size of the indexes; this also makes the database of what follows.
fn import(setting: &Setting) {
    let mut imports = Series::default();
    for _ in 0..IMPORTS {
        imports.run_ending(&mut setting.import(), &[0, 6]);
    }
    measure::times("import of all advisories", &imports);
    for entry in setting.database.read_dir_utf8().unwrap() {
        let entry = entry.unwrap();
        let size = entry.metadata().unwrap().len() / 1000;
        measure::line(&format!("  index     {}: {size} kB", entry.file_name()));
    }
}

fn against_cargo_audit(setting: &Setting) {
    let lock = setting.lock("cargo-nushell-head/Cargo.lock");
    let Some(cargo_audit) = rustsec::on_path("cargo-audit") else {
        alone("cargo-nushell-head", setting, &lock);
        measure::line("  left out: cargo-audit is not on the path");
        return;
    };
    let checkout = setting.checkout();
    let peer = || rustsec::command(&cargo_audit, &checkout, &lock);
    let found = rustsec::found(&setting::json(peer().arg("--json")));
    let mut ours = setting.audit(&[&lock]);
    let found_by_us = rustsec::found_by_us(&setting::json(ours.args(["--format", "json"])));
    assert_eq!(found, found_by_us, "not the same findings");
    let what = format!("cargo-nushell-head, {} findings", found.len());
    pairs(&what, &|| setting.audit(&[&lock]), &peer, "4 times");
}

fn against_pip_audit(setting: &Setting) {
    let lock = setting.lock("poetry-synapse-1.96.1/poetry.lock");
    let program = pip_audit::find();
    let peer = || setting::program(&program, &["--version"]);
    let what = "poetry-synapse-1.96.1, pip-audit --version";
    pairs(what, &|| setting.audit(&[&lock]), &peer, "20 times");
}

/// Runs of ours and of a peer in turn.
fn pairs(what: &str, ours: &dyn Fn() -> Command, peer: &dyn Fn() -> Command, goal: &str) {
    let (mut tool, mut other) = (Series::default(), Series::default());
    for _ in 0..PAIRS {
        tool.run_ending(&mut ours(), &[0, 6]);
        other.run_ending(&mut peer(), &[0, 1]);
    }
    measure::times(&format!("{what}: ours"), &tool);
    measure::times(&format!("{what}: peer"), &other);
    let pairs = tool.0.iter().zip(&other.0);
    let ratio = measure::median(pairs.map(|(one, other)| other.wall / one.wall).collect());
    let ratio = format!("{ratio:.1} times");
    measure::goal("peer / ours, median of the pairs", &ratio, goal);
}

fn alone(what: &str, setting: &Setting, lock: &Utf8Path) {
    let mut series = Series::default();
    for _ in 0..RUNS {
        series.run_ending(&mut setting.audit(&[lock]), &[0, 6]);
    }
    measure::times(what, &series);
}

/// Every lock file in one process: its time, and the most memory it holds.
fn all(setting: &Setting) {
    let locks = setting.locks();
    let locks: Vec<&Utf8Path> = locks.iter().map(Utf8PathBuf::as_path).collect();
    let mut series = Series::default();
    for _ in 0..RUNS {
        series.run_ending(&mut setting.audit(&locks), &[0, 6]);
    }
    let what = format!("{} lock files", locks.len());
    measure::times(&what, &series);
    measure::goal(&what, &measure::seconds(series.wall()), "under 60 ms");
    let Some(peak) = peak::of(&mut || setting.audit(&locks)) else {
        measure::line("  left out: the memory, as there is no /proc");
        return;
    };
    let peak = format!("{:.1} MB", f64::from(peak) * 1.024e-3);
    measure::goal(&format!("{what}, peak memory"), &peak, "under 40 MB");
}
