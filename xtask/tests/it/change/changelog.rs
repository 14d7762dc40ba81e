//! `changelog`: what commits tell, merged into what people wrote, through the real git-cliff.

use super::{commit, refused, tree, with_identity};
use crate::repository::{CONFIGURATION, Repository, slow};

/// A repository with a release 1.0.0 and a changelog.
fn repository(changelog: &str) -> Repository {
    let repository = Repository::sound();
    repository.write("CHANGELOG.md", changelog);
    repository.commit();
    repository.git(&["tag", "v1.0.0"]);
    with_identity(&repository);
    repository
}

fn text(repository: &Repository) -> String {
    String::from_utf8(repository.read("CHANGELOG.md")).unwrap()
}

#[test]
fn what_it_needs_is_said_before_anything_is_installed() {
    let repository = Repository::sound();
    let without = CONFIGURATION.replace("changelog = \"CHANGELOG.md\"\n", "");
    repository.write("release.toml", &without);
    refused(
        &repository,
        &["changelog"],
        2,
        &["release.toml names no changelog"],
    );
    let other = CONFIGURATION.replace("CHANGELOG.md", "HISTORY.md");
    repository.write("release.toml", &other);
    refused(
        &repository,
        &["changelog"],
        5,
        &["names HISTORY.md, which does not exist", "printf"],
    );
    for both in [
        ["--write", "--check"],
        ["--write", "--move"],
        ["--check", "--move"],
    ] {
        let words = ["changelog", both[0], both[1]];
        refused(&repository, &words, 2, &["cannot be used with"]);
    }
}

#[test]
fn text_is_moved_under_the_version_that_the_files_state() {
    let repository = Repository::sound();
    repository.write("CHANGELOG.md", "# C\n\n## [Unreleased]\n\n- By hand.\n");
    repository.commit();
    repository.succeeds(&["changelog", "--move"]);
    let moved = text(&repository);
    let (before, rest) = moved.split_once("## [1.0.0] - 20").unwrap();
    assert_eq!(before, "# C\n\n## [Unreleased]\n\n");
    assert_eq!(&rest[8..], "\n\n- By hand.\n");
    let again = repository.succeeds(&["changelog", "--move"]);
    assert!(again.stdout.contains("= changelog"), "{}", again.stdout);
    assert_eq!(text(&repository), moved);
    repository.write(
        "CHANGELOG.md",
        &moved.replace("## [Unreleased]\n", "## [Unreleased]\n\n- More.\n"),
    );
    refused(
        &repository,
        &["changelog", "--move"],
        4,
        &["a section 1.0.0 already"],
    );
    repository.write("CHANGELOG.md", "# C\n");
    refused(
        &repository,
        &["changelog", "--move"],
        5,
        &["no section Unreleased"],
    );
}

/// A tag that only begins as the tags of releases do is not the last release.
#[test]
fn the_release_before_is_found_by_its_number() {
    let repository = Repository::sound();
    repository.git(&["tag", "v0.9.0"]);
    repository.git(&["remote", "add", "origin", "https://github.com/o/n"]);
    repository.write("CHANGELOG.md", "# C\n\n## [Unreleased]\n\n- By hand.\n");
    repository.commit();
    repository.git(&["tag", "vscode-beta"]);
    repository.succeeds(&["changelog", "--move"]);
    let moved = text(&repository);
    assert!(moved.contains("/compare/v0.9.0...v1.0.0\n"), "{moved}");
}

#[test]
fn commits_become_lines_once() {
    if !slow() {
        return;
    }
    let before = "# Changelog\r\n\r\n## [Unreleased]\r\n\r\n### Fixed\r\n\r\n*  By *hand*,\r\n   on two lines\r\n- Mend widgets.\r\n\r\n\
                  ## [1.0.0]\r\n\r\n- The first one.\r\n";
    let repository = repository(before);
    repository.git(&[
        "remote",
        "add",
        "origin",
        "https://me:hunter22@github.com/example/demo.git",
    ]);
    commit(&repository, "fix: mend widgets");
    commit(
        &repository,
        "feat(server)!: turn them (#12)\n\nBREAKING CHANGE: the old way is gone\nCloses: #7",
    );
    commit(&repository, "chore: tidy");
    commit(&repository, "Did things");
    let planned = repository.succeeds(&["changelog"]);
    assert!(
        planned.stdout.contains("nothing was written"),
        "{}",
        planned.stdout
    );
    assert_eq!(text(&repository), before);
    refused(
        &repository,
        &["changelog", "--check"],
        6,
        &["1 commit(s) that users see have no line", "turn them"],
    );
    refused(
        &repository,
        &["changelog", "--write", "--strict"],
        6,
        &["1 commit(s) follow no convention", "Did things"],
    );

    let written = repository.succeeds(&["changelog", "--write"]);
    assert!(
        written.stderr.contains("1 commit(s) follow no convention"),
        "{}",
        written.stderr
    );
    assert!(!format!("{written:?}").contains("hunter22"));
    let after = text(&repository);
    let id = repository.git(&["rev-parse", "HEAD~2"]);
    let id = id.trim();
    let line = format!(
        "### Added\r\n\r\n*  **Breaking** **server:** Turn them: the old way is gone \
         ([#12](https://github.com/example/demo/pull/12), [#7](https://github.com/example/demo/issues/7), \
         [{}](https://github.com/example/demo/commit/{id}))\r\n",
        &id[..7]
    );
    assert!(after.contains(&line.replace("*  ", "* ")), "{after}");
    assert!(
        after.contains("### Contributors\r\n\r\n* Test\r\n"),
        "{after}"
    );
    assert!(!after.contains("hunter22"));
    let mut lines = after.lines();
    assert!(
        before.lines().all(|line| lines.any(|it| it == line)),
        "{after}"
    );
    repository.succeeds(&["changelog", "--check"]);
    repository.succeeds(&["changelog", "--write"]);
    assert_eq!(text(&repository), after);
}

#[test]
fn commits_that_follow_no_convention_are_an_error_when_there_are_no_others() {
    if !slow() {
        return;
    }
    let repository = repository("# C\n\n## [Unreleased]\n");
    let said = [
        "none of the 2 commits since v1.0.0 follows Conventional Commits",
        "Did things",
        "Unreleased",
    ];
    commit(&repository, "Did things");
    commit(&repository, "Did \u{1b}[31mmore");
    for words in [
        &["changelog"][..],
        &["changelog", "--write"],
        &["changelog", "--check"],
    ] {
        refused(&repository, words, 6, &said);
    }
    // The commit of a release is no change, and nothing is nothing.
    repository.git(&["tag", "v1.1.0"]);
    commit(&repository, "Release 1.2.0");
    let same = repository.succeeds(&["changelog", "--write", "--strict"]);
    assert!(
        same.stdout.contains("says everything since v1.1.0"),
        "{}",
        same.stdout
    );
    let whole = tree(&repository);
    let cloned = Repository::folder("shallow");
    let url = format!("file://{}", repository.root);
    cloned.git(&["clone", "--quiet", "--depth=1", &url, "."]);
    refused(
        &cloned,
        &["changelog", "--write"],
        5,
        &["shallow clone", "--unshallow"],
    );
    assert_eq!(tree(&cloned), whole);
}
