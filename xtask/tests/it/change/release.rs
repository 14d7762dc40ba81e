//! `release --bump`: one commit with everything in it, or the repository as it was.

use std::time::{Duration, Instant};

use super::{commit, refused, tree, with_identity};
use crate::publish::places::twine;
use crate::registries::front::Front;
use crate::registries::warehouse::{TOKEN, Warehouse};
use crate::repository::{CONFIGURATION, Repository, slow};

const CHANGELOG: &str = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- By hand.\n\n## [1.0.0] - 2026-01-01\n\n- The first one.\n\n\
                         [Unreleased]: https://example.org/compare/v1.0.0...HEAD\n[1.0.0]: https://example.org/v1.0.0\n";

/// A repository with a release 1.0.0, something that is coming, and nobody's own settings of git.
fn repository(settings: &str) -> Repository {
    let mut repository = Repository::sound();
    repository.write("CHANGELOG.md", CHANGELOG);
    repository.write("release.toml", &format!("{CONFIGURATION}{settings}"));
    repository.write(".gitignore", "/dist/\n/target/\n/home/\n");
    repository.commit();
    repository.git(&["tag", "v1.0.0"]);
    repository.git(&["config", "user.useConfigOnly", "true"]);
    let home = repository.root.join("home").into_string();
    std::fs::create_dir(&home).unwrap();
    repository.environment.push(("HOME".to_owned(), home));
    repository
}

/// A hook of git that does this before a commit.
fn hook(repository: &Repository, script: &str) {
    named_hook(repository, "pre-commit", script);
}

fn named_hook(repository: &Repository, name: &str, script: &str) {
    use std::os::unix::fs::PermissionsExt;
    let path = format!(".git/hooks/{name}");
    repository.write(&path, &format!("#!/bin/sh\n{script}\n"));
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(repository.root.join(path), mode).unwrap();
}

#[test]
fn a_plan_says_everything_and_does_nothing() {
    let repository = repository("");
    with_identity(&repository);
    let said = [
        "server/pyproject.toml  project.version",
        "1.0.0 → 1.1.0",
        "CHANGELOG.md  what is under Unreleased moves under 1.1.0",
        "commit \"Release 1.1.0\"",
        "the tag v1.1.0",
    ];
    refused(
        &repository,
        &["release", "--bump", "minor", "--plan"],
        0,
        &said,
    );
    refused(
        &repository,
        &["release", "--bump", "minor", "--dirty"],
        2,
        &["cannot be used with"],
    );
}

#[test]
fn whatever_keeps_the_commit_from_being_made_leaves_everything_as_it_was() {
    let repository = repository("");
    let bump = ["release", "--bump", "minor"];
    refused(
        &repository,
        &bump,
        5,
        &["git does not know who commits", "git config user.name"],
    );
    with_identity(&repository);
    hook(&repository, "echo the hook says no >&2; exit 1");
    refused(
        &repository,
        &bump,
        1,
        &["the hook says no", "every file was put back"],
    );
    hook(
        &repository,
        "echo >> VERSION-NOTE; echo x >> CHANGELOG.md; rm VERSION-NOTE; exit 1",
    );
    refused(&repository, &bump, 1, &["every file was put back"]);
    refused(
        &repository,
        &["release", "--bump", "1.0.0"],
        2,
        &["is not higher"],
    );
    repository.git(&["tag", "v1.1.0", "HEAD~1"]);
    refused(&repository, &bump, 4, &["1.1.0 is released already"]);
    repository.write("CHANGELOG.md", "# No sections\n");
    refused(
        &repository,
        &bump,
        5,
        &["differ from the commit: CHANGELOG.md"],
    );
    hook(&repository, "exit 0");
    repository.git(&["commit", "--quiet", "--all", "--message=x"]);
    let patch = ["release", "--bump", "patch"];
    refused(
        &repository,
        &patch,
        5,
        &["CHANGELOG.md: there is no section Unreleased"],
    );
}

/// The hook ends the tool, as a power cut would, between the files and the commit.
#[cfg(target_os = "linux")]
#[test]
fn after_a_kill_the_next_run_begins_with_the_files_as_they_were() {
    let repository = repository("");
    with_identity(&repository);
    let before = tree(&repository);
    hook(
        &repository,
        "kill -9 $(awk '/^PPid/ { print $2 }' /proc/$PPID/status)\nexit 1",
    );
    let killed = repository.xtask(&["release", "--bump", "minor"]);
    assert_eq!(killed.code, None, "{}", killed.stderr);
    // git outlives it by a moment.
    let end = Instant::now() + Duration::from_secs(20);
    while repository.root.join(".git/index.lock").exists() && Instant::now() < end {
        std::thread::yield_now();
    }
    let after = tree(&repository);
    let differing = before.iter().zip(&after).filter(|(a, b)| a != b).count();
    assert_eq!(differing, 3, "the whole set was written");
    hook(&repository, "exit 0");
    let next = repository.succeeds(&["version", "--bump", "patch"]);
    assert!(
        next.stderr.contains("3 of them were put back"),
        "{}",
        next.stderr
    );
    assert_eq!(repository.read("CHANGELOG.md"), CHANGELOG.as_bytes());
    let changed = repository.git(&["diff", "--name-only"]);
    assert_eq!(changed.lines().count(), 2, "{changed}");
    assert!(next.stdout.contains("1.0.0 → 1.0.1"), "{}", next.stdout);
}

/// Ctrl-C while git still runs a hook behind the commit: the commit stands, so the files do, too.
#[cfg(target_os = "linux")]
#[test]
fn a_commit_that_is_made_is_not_half_taken_back() {
    let repository = repository("");
    with_identity(&repository);
    named_hook(
        &repository,
        "post-commit",
        "kill -INT $(awk '/^PPid/ { print $2 }' /proc/$PPID/status)\nexec sleep 600",
    );
    let stopped = repository.xtask(&["release", "--bump", "minor"]);
    assert_eq!(stopped.code, Some(130), "{}", stopped.stderr);
    let said = "the commit \"Release 1.1.0\" is made: go on without --bump";
    assert!(stopped.stderr.contains(said), "{}", stopped.stderr);
    assert_eq!(
        repository.git(&["log", "-1", "--format=%s"]),
        "Release 1.1.0\n"
    );
    assert_eq!(repository.git(&["status", "--porcelain"]), "");
    named_hook(&repository, "post-commit", "exit 0");
    let next = repository.succeeds(&["version", "--bump", "patch"]);
    assert!(!next.stderr.contains("put back"), "{}", next.stderr);
    assert!(next.stdout.contains("1.1.0 → 1.1.1"), "{}", next.stdout);
}

#[test]
fn text_that_was_not_moved_is_not_published() {
    let repository = repository("[profile.site]\ntargets = [\"local\"]\n");
    repository.write(
        "CHANGELOG.md",
        "# Changelog\n\n## [Unreleased]\n\n- By hand.\n",
    );
    repository.git(&[
        "commit",
        "--quiet",
        "--all",
        "--message=x",
        "--author=T <t@example.invalid>",
        "--no-verify",
    ]);
    let words = ["release", "--to", "site", "--execute", "--without-audit"];
    let said = [
        "Unreleased has not been moved under 1.0.0",
        "release --bump",
        "changelog --move",
    ];
    refused(&repository, &words, 5, &said);
}

#[test]
fn from_commits_to_notes_and_a_tag() {
    if !slow() {
        return;
    }
    let front = Front::start(Warehouse::default());
    let mut repository = repository(&format!(
        "[publish]\nwait = \"20s\"\npause = \"10ms\"\n[target.it]\nkind = \"pypi\"\nurl = \"{}/legacy/\"\n\
         [profile.it]\ntargets = [\"it\"]\n",
        front.url()
    ));
    for (name, value) in twine("__token__", TOKEN) {
        repository.environment.push((name.to_owned(), value));
    }
    with_identity(&repository);
    commit(&repository, "feat: turn widgets");
    commit(&repository, "fix(server): mend the rest");
    repository.succeeds(&["changelog", "--write"]);
    repository.git(&[
        "commit",
        "--quiet",
        "--all",
        "--message=docs: say what is new",
    ]);
    repository.succeeds(&["changelog", "--check", "--strict"]);
    let ended = repository.succeeds(&["release", "--bump", "minor", "--to", "it", "--execute"]);
    for said in [
        "✓ version      1.0.0 → 1.1.0",
        "✓ commit",
        "✓ it ",
        "✓ tag          v1.1.0 names",
    ] {
        assert!(ended.stdout.contains(said), "{said}: {}", ended.stdout);
    }
    assert_eq!(
        repository.git(&["log", "-1", "--format=%s"]),
        "Release 1.1.0\n"
    );
    assert_eq!(repository.git(&["status", "--porcelain"]), "");
    let changelog = String::from_utf8(repository.read("CHANGELOG.md")).unwrap();
    assert!(
        changelog.contains("## [Unreleased]\n\n## [1.1.0] - 20"),
        "{changelog}"
    );
    assert!(changelog.contains("[Unreleased]: https://example.org/compare/v1.1.0...HEAD\n[1.1.0]: https://example.org/compare/v1.0.0...v1.1.0\n"), "{changelog}");
    let notes = String::from_utf8(repository.read("dist/release-notes.md")).unwrap();
    assert!(notes.starts_with("# demo-server 1.1.0 - 20"), "{notes}");
    for line in [
        "- By hand.",
        "- Turn widgets (",
        "- **server:** Mend the rest (",
    ] {
        assert!(notes.contains(line), "{line}: {notes}");
    }
    let tag = repository.git(&["cat-file", "tag", "v1.1.0"]);
    assert!(tag.ends_with(&notes), "{tag}");
    let tagged = repository.git(&["rev-parse", "v1.1.0^{commit}"]);
    assert_eq!(tagged, repository.git(&["rev-parse", "HEAD"]));
    repository.succeeds(&["version", "--check"]);
    let again = repository.succeeds(&["changelog", "--check"]);
    assert!(again.stdout.contains("since v1.1.0"), "{}", again.stdout);
    refused(
        &repository,
        &["release", "--bump", "1.1.0"],
        2,
        &["is not higher"],
    );
}
