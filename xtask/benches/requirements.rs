//! The requirements export against Poetry's own export plug-in, on the same lock files.
//!
//! Run it with `cargo bench --profile tool --bench requirements`. Poetry and the plug-in are
//! installed once, from a requirements file with hashes. Both programs are started as a user
//! starts them, in turn; the contents are compared before anything is timed. `XTASK_BENCH_LOCKS`
//! names a folder of further projects (`NAME/pyproject.toml` and `NAME/poetry.lock`).

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on has failed"
)]

mod measure;
#[expect(
    dead_code,
    reason = "it is shared with the tests, which need more of it"
)]
#[path = "../tests/it/requirements/poetry.rs"]
mod poetry;

use std::path::Path;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use measure::Series;

/// Poetry takes long, so that our own runs, which are many to a round, cost nothing.
const ROUNDS: usize = 5;
const OURS_PER_ROUND: usize = 5;
const TOOL: &str = env!("CARGO_BIN_EXE_cargo-xtask");

fn main() {
    let poetry = poetry::install().with_file_name("poetry");
    measure::heading("requirements", TOOL.as_ref());
    for project in projects() {
        let name = project.file_name().unwrap();
        let size = project.join("poetry.lock").metadata().unwrap().len() / 1000;
        let (ours, theirs) = (
            output(&mut ours(&project)),
            output(&mut plugin(&poetry, &project)),
        );
        let (Some(ours_text), Some(theirs_text)) = (ours, theirs) else {
            measure::line(&format!(
                "  {name}: not compared, one of the two refuses it"
            ));
            continue;
        };
        assert_eq!(ours_text, theirs_text, "{name}: not the same content");
        compare(&format!("{name} ({size} kB)"), &project, &poetry);
    }
}

fn compare(name: &str, project: &Utf8Path, poetry: &Utf8Path) {
    let (mut tool, mut plug_in) = (Series::default(), Series::default());
    for _ in 0..ROUNDS {
        for _ in 0..OURS_PER_ROUND {
            tool.run(&mut ours(project));
        }
        plug_in.run(&mut plugin(poetry, project));
    }
    measure::times(&format!("{name}, cargo-xtask requirements"), &tool);
    measure::times(&format!("{name}, poetry export"), &plug_in);
    let ratio = format!("{:.0} times", plug_in.wall() / tool.wall());
    measure::goal(
        &format!("{name}, Poetry / ours, same content"),
        &ratio,
        "100 times",
    );
}

/// This workspace's server, and whatever else there is, the largest lock files first.
fn projects() -> Vec<Utf8PathBuf> {
    let workspace = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    #[expect(clippy::disallowed_methods, reason = "a benchmark has no World")]
    let named = std::env::var("XTASK_BENCH_LOCKS").ok();
    let further = named.map_or_else(|| workspace.join("../shared/data/locks"), Utf8PathBuf::from);
    let mut found: Vec<(u64, Utf8PathBuf)> = Vec::new();
    for entry in further.read_dir_utf8().into_iter().flatten().flatten() {
        let lock = entry.path().join("poetry.lock").metadata();
        if let Ok(lock) = lock
            && entry.path().join("pyproject.toml").is_file()
        {
            found.push((lock.len(), entry.into_path()));
        }
    }
    found.sort_by(|one, other| other.cmp(one));
    let server = workspace.join("tools/mcp-server-jupyter");
    std::iter::once(server)
        .chain(found.into_iter().map(|(_, path)| path))
        .collect()
}

fn ours(project: &Utf8Path) -> Command {
    let mut command = program(TOOL, env!("CARGO_MANIFEST_DIR").as_ref());
    command.args(["requirements", "--project", project.as_str()]);
    command
}

fn plugin(poetry: &Utf8Path, project: &Utf8Path) -> Command {
    let mut command = program(poetry.as_str(), project.as_std_path());
    command
        .args(["export", "--format", "requirements.txt"])
        .env("POETRY_VIRTUALENVS_CREATE", "false");
    command
}

/// What a program prints, or nothing when it refuses.
fn output(command: &mut Command) -> Option<String> {
    let output = command.output().unwrap();
    output
        .status
        .success()
        .then(|| String::from_utf8(output.stdout).unwrap())
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
