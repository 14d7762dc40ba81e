//! Whole releases: equal bytes everywhere, nothing done twice, nothing half done.

mod audit;
mod statements;

use std::process::Child;
use std::time::{Duration, Instant};

use serde_json::Value;
use xtask::artifact::Digest;
use xtask::product::vsix::container;

use super::repository::{Repository, ended, slow};

fn manifest(repository: &Repository) -> Value {
    serde_json::from_slice(&repository.read("dist/manifest.json")).unwrap()
}

/// The path of the artifact of a kind, below the root.
fn artifact(repository: &Repository, kind: &str) -> String {
    let manifest = manifest(repository);
    let all = manifest["artifacts"].as_array().unwrap();
    let found = all
        .iter()
        .find(|artifact| artifact["kind"] == kind)
        .unwrap();
    format!("dist/{}", found["path"].as_str().unwrap())
}

#[test]
fn a_release_is_complete_and_a_second_one_does_nothing() {
    if !slow() {
        return;
    }
    let repository = Repository::sound();
    let planned = repository.succeeds(&["release", "--plan", "--format", "json"]);
    let plan: Value = serde_json::from_str(&planned.stdout).unwrap();
    assert_eq!(plan["plan"]["steps"][0]["action"], "make");
    assert!(repository.dist().is_empty(), "a plan does nothing");

    repository.succeeds(&["release"]);
    let first = repository.dist();
    let sums = ended(
        repository
            .command("sha256sum")
            .args(["--check", "--strict", "SHA256SUMS"])
            .current_dir(repository.root.join("dist")),
    );
    assert_eq!(sums.code, Some(0), "{}", sums.stderr);
    assert_eq!(
        manifest(&repository)["proof"]["checks"][0]["name"],
        "install"
    );
    let notes = String::from_utf8(repository.read("dist/release-notes.md")).unwrap();
    assert!(notes.contains("- The first one."), "{notes}");

    let again = repository.succeeds(&["release"]);
    // The lock files are held against the advisories anew each time.
    let lines: Vec<&str> = again.stdout.lines().collect();
    assert!(
        matches!(lines.as_slice(), [audit, release]
            if audit.starts_with("✓ audit") && release.starts_with("= release")),
        "{}",
        again.stdout
    );
    assert_eq!(repository.dist(), first);
}

#[test]
fn what_is_missing_or_changed_is_made_again_to_the_same_bytes() {
    if !slow() {
        return;
    }
    let repository = Repository::sound();
    repository.succeeds(&["release"]);
    let first = repository.dist();
    for (path, _) in first.clone() {
        repository.write(&path, "something else");
        let ended = repository.succeeds(&["release"]);
        assert!(
            !ended.stdout.contains("\n= release"),
            "{path} was not noticed"
        );
        assert_eq!(repository.dist(), first, "after {path}");
    }
}

#[test]
fn the_verbs_one_by_one_give_what_release_gives() {
    if !slow() {
        return;
    }
    let repository = Repository::sound();
    repository.succeeds(&["build"]);
    let wheel = artifact(&repository, "wheel");
    let built = repository.read(&wheel);
    repository.succeeds(&["release"]);
    assert_eq!(repository.read(&wheel), built);
    let traced = repository.succeeds(&["trace", &wheel, "--format", "json"]);
    let trace: Value = serde_json::from_str(&traced.stdout).unwrap();
    assert_eq!(trace["released"], "yes");
    assert_eq!(
        trace["commit"].as_str().unwrap(),
        repository.git(&["rev-parse", "HEAD"]).trim()
    );
    let by_digest = repository.succeeds(&["trace", trace["sha256"].as_str().unwrap()]);
    assert!(
        by_digest.stdout.contains("released           yes"),
        "{}",
        by_digest.stdout
    );
}

#[test]
fn the_working_tree_can_be_built_and_says_so() {
    if !slow() {
        return;
    }
    let repository = Repository::sound();
    repository.write("server/demo_server/extra.py", "VALUE = 1\n");
    repository.succeeds(&["build"]);
    let clean = repository.read(&artifact(&repository, "wheel"));
    repository.succeeds(&["build", "--dirty"]);
    assert_eq!(manifest(&repository)["source"]["dirty"], true);
    let wheel = artifact(&repository, "wheel");
    assert_ne!(
        repository.read(&wheel),
        clean,
        "the untracked file is in the dirty wheel only"
    );
    let traced = repository.succeeds(&["trace", &wheel]);
    assert!(
        traced.stdout.contains("released           no"),
        "{}",
        traced.stdout
    );
    repository.succeeds(&["build"]);
    assert_eq!(repository.read(&artifact(&repository, "wheel")), clean);
}

/// The release of this very workspace, twice, under circumstances that must not matter.
#[test]
fn two_clones_of_this_repository_give_equal_bytes() {
    if !slow() {
        return;
    }
    let one = Repository::of_workspace("one");
    let mut other = Repository::of_workspace("ein anderer Ort – größer");
    let circumstances = [
        ("TZ", "Asia/Tokyo"),
        ("LC_ALL", "de_DE.UTF-8"),
        ("PYTHONHASHSEED", "7"),
    ];
    other
        .environment
        .extend(circumstances.map(|(name, value)| (name.into(), value.into())));
    touch(&other);
    one.succeeds(&["release"]);
    let script = "umask 077; exec \"$0\" release";
    let tool = env!("CARGO_BIN_EXE_cargo-xtask");
    let second = ended(other.command("sh").args(["-c", script, tool]));
    assert_eq!(second.code, Some(0), "{}{}", second.stdout, second.stderr);
    let (here, there) = (one.dist(), other.dist());
    let paths = |files: &[(String, Vec<u8>)]| {
        let paths = files.iter().map(|(path, _)| path.clone());
        paths.collect::<Vec<_>>()
    };
    assert_eq!(paths(&here), paths(&there));
    for ((path, bytes), (_, others)) in here.iter().zip(&there) {
        assert!(bytes == others, "{path} differs");
    }
    carries_its_wheel(&one);
    installs_from_its_index(&one);
}

/// Gives every tracked file another time.
fn touch(repository: &Repository) {
    for path in repository
        .git(&["ls-files", "-z"])
        .split('\0')
        .filter(|path| !path.is_empty())
    {
        let file = std::fs::File::options()
            .append(true)
            .open(repository.root.join(path))
            .unwrap();
        file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000))
            .unwrap();
    }
}

fn carries_its_wheel(repository: &Repository) {
    let wheel = Digest::of(&repository.read(&artifact(repository, "wheel")));
    let entries = container::read(&repository.read(&artifact(repository, "vsix"))).unwrap();
    let carried: Vec<Digest> = entries
        .iter()
        .filter(|(name, _)| name.ends_with(".whl"))
        .map(|(_, entry)| Digest::of(&entry.content))
        .collect();
    assert_eq!(carried, [wheel]);
}

fn installs_from_its_index(repository: &Repository) {
    let environment = repository.root.join("target/installed");
    let venv = ended(
        repository
            .command("python3")
            .args(["-m", "venv", environment.as_str()]),
    );
    assert_eq!(venv.code, Some(0), "{}", venv.stderr);
    let index = format!("file://{}/dist/index/", repository.root);
    let pip = ended(
        repository
            .command(environment.join("bin/python").as_str())
            .args(["-m", "pip", "install", "--no-deps", "--index-url", &index])
            .args(["--quiet", "--no-cache-dir", "mcp-server-jupyter"])
            .env_remove("PIP_FIND_LINKS"),
    );
    assert_eq!(pip.code, Some(0), "{}", pip.stderr);
    assert!(environment.join("bin/mcp-server-jupyter").exists());
}

/// Stopped at twenty moments spread over a whole run, by Ctrl-C and by SIGKILL in turn.
#[cfg(unix)]
#[test]
fn a_run_that_was_stopped_leaves_the_same_dist_to_the_next() {
    if !slow() {
        return;
    }
    let repository = Repository::sound();
    let remove_dist = || std::fs::remove_dir_all(repository.root.join("dist")).unwrap();
    // The first run may install tools; the second one is as long as those that are stopped.
    repository.succeeds(&["release"]);
    let expected = repository.dist();
    remove_dist();
    let started = Instant::now();
    repository.succeeds(&["release"]);
    let whole = started.elapsed();
    let mut stopped = 0;
    for moment in 0..20_u32 {
        remove_dist();
        let signal = if moment % 2 == 0 { "-INT" } else { "-KILL" };
        // An odd multiplier visits all twenty parts of a run in a scattered order.
        let part = (moment * 7 + 3) % 20;
        let child = repository.start(&["release"]);
        stopped += u32::from(stop_after(&repository, child, whole * part / 20, signal));
        assert!(
            repository.dist().is_empty() || repository.dist() == expected,
            "half a dist/"
        );
        repository.succeeds(&["release"]);
        assert_eq!(repository.dist(), expected, "after {signal} in part {part}");
    }
    assert!(
        stopped >= 10,
        "only {stopped} of 20 runs were stopped before their end"
    );
    let left: Vec<String> = std::fs::read_dir(repository.root.join("target/xtask"))
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("prove-"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Ends a run after some time of it has passed; whether it had not ended by itself before.
fn stop_after(repository: &Repository, mut child: Child, after: Duration, signal: &str) -> bool {
    let deadline = Instant::now() + after;
    while Instant::now() < deadline && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    // The shell's own `kill`: not every machine has the program.
    let call = ["-c", "kill \"$0\" \"$1\"", signal, &child.id().to_string()];
    ended(repository.command("sh").args(call));
    let output = child.wait_with_output().unwrap();
    let code = output.status.code();
    assert!(matches!(code, None | Some(0 | 130)), "{output:?}");
    code != Some(0)
}
