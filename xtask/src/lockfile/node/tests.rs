//! Addresses, names and constraints.

use super::*;
use crate::lockfile::Lock;

#[track_caller]
fn check(address: &str, name: &str, version: &str, expected: &str) {
    let source = source_of(address, name, version);
    let shown = match &source {
        Source::Registry { .. } => "registry".to_owned(),
        Source::Git { url, commit } => {
            format!("git {url} {}", commit.as_deref().unwrap_or("-"))
        }
        Source::Path { path } => format!("path {path}"),
        Source::Url { url } => format!("url {url}"),
        other => format!("{other:?}"),
    };
    assert_eq!(shown, expected, "{address}");
}

#[test]
fn a_registry_is_told_by_the_form_of_the_address() {
    let registry = "registry";
    check(
        "https://registry.example/a/-/a-1.0.0.tgz",
        "a",
        "1.0.0",
        registry,
    );
    check(
        "registry.example/a/-/a-1.0.0.tgz#0123",
        "a",
        "1.0.0",
        registry,
    );
    check(
        "https://registry.example/npm/all/@s/a/-/a-1.0.0.tgz?x=y",
        "@s/a",
        "1.0.0",
        registry,
    );
    check(
        "https://registry.example/@s%2fa/-/a-1.0.0.tgz",
        "@s/a",
        "1.0.0",
        registry,
    );
    check(
        "https://registry.example/@s/a/-/@s/a-1.0.0.tgz",
        "@s/a",
        "1.0.0",
        registry,
    );
    check(
        "https://registry.example/a/-/a-1.0.0.tgz",
        "a",
        "1.0.0+build",
        registry,
    );
    check(
        "https://registry.example/download/@s/a/1.0.0/0123",
        "@s/a",
        "1.0.0",
        registry,
    );
    check("s-a-1.0.0.tgz", "@s/a", "1.0.0", registry);
    check("@s-a-1.0.0.tgz", "@s/a", "1.0.0", registry);
    check("a-1.0.0.tgz", "a", "1.0.0", registry);
    let url = "https://registry.example/a/-/a-1.0.0.tgz";
    let shown = format!("url {url}");
    check(url, "b", "1.0.0", &shown);
    check(url, "a", "2.0.0", registry);
    let other = "https://registry.example/a/-/ab-1.0.0.tgz";
    check(other, "a", "1.0.0", &format!("url {other}"));
    check(
        "https://x.example/ba/-/a-1.0.0.tgz",
        "a",
        "1.0.0",
        "url https://x.example/ba/-/a-1.0.0.tgz",
    );
    check(
        "https://x.example/a-1.0.0.tgz",
        "a",
        "1.0.0",
        "url https://x.example/a-1.0.0.tgz",
    );
}

#[test]
fn other_sources_are_told_apart_and_secrets_left_out() {
    let commit = "0123456789012345678901234567890123456789";
    let git = |url: &str, expected: &str| {
        check(
            &format!("{url}#{commit}"),
            "a",
            "1",
            &format!("git {expected} {commit}"),
        );
    };
    git(
        "git+ssh://git@github.com/u/r.git",
        "git+ssh://git@github.com/u/r.git",
    );
    git(
        "git+https://user:secret@x.example/r.git",
        "git+https://x.example/r.git",
    );
    git(
        "git+https://secret@x.example/r.git",
        "git+https://x.example/r.git",
    );
    git("github:u/r", "github:u/r");
    git("https://x.example/r.git", "https://x.example/r.git");
    git("git@github.com:u/r.git", "git@github.com:u/r.git");
    check(
        "git://x.example/r#main",
        "a",
        "1",
        "git git://x.example/r -",
    );
    let archive = format!("https://codeload.github.com/u/r/tar.gz/{commit}");
    check(
        &archive,
        "a",
        "1",
        &format!("git https://github.com/u/r {commit}"),
    );
    let named = format!("https://x.example/r.git#workspace=b&commit={commit}");
    check(
        &named,
        "a",
        "1",
        &format!("git https://x.example/r.git {commit}"),
    );
    check("file:../x", "a", "1", "path ../x");
    check(
        "https://u:p@x.example/a.tgz?token=t",
        "a",
        "1",
        "url https://x.example/a.tgz",
    );
}

#[test]
fn names_and_constraints_are_cut_at_the_right_sign() {
    assert_eq!(name_and_range("@s/a@^1"), ("@s/a", Some("^1")));
    assert_eq!(
        name_and_range("a@git+ssh://git@x"),
        ("a", Some("git+ssh://git@x"))
    );
    assert_eq!(name_and_range("a"), ("a", None));
    assert_eq!(name_and_range("@"), ("@", None));
    assert_eq!(name_and_range(""), ("", None));
    assert_eq!(alias("npm:@s/a@^1"), Some(("@s/a", Some("^1"))));
    assert_eq!(alias("npm:a"), Some(("a", None)));
    assert_eq!(alias("npm:^1"), None);
    assert_eq!(alias("^1"), None);
    assert_eq!(arrow_constraint("npm:a@2"), Some("2".to_owned()));
    assert_eq!(arrow_constraint("npm:a"), None);
    assert_eq!(arrow_constraint("^1"), Some("^1".to_owned()));
    assert_eq!(arrow_constraint(""), None);
}

#[test]
fn what_moves_the_cursor_is_neither_name_nor_version() {
    assert!(is_name("@s/a") && is_version("1.0.0"));
    assert!(!is_name("") && !is_name("a\u{1b}[2J") && !is_name(&"a".repeat(513)));
    assert!(!is_version("") && !is_version("1\0") && !is_version(&"1".repeat(10_000)));
}

#[test]
fn a_manifest_outside_of_the_folder_is_not_read() {
    let beside = |_: &str| Some("{\"name\": \"p\"}".to_owned());
    let input = Input {
        text: "",
        path: "a/yarn.lock".into(),
        shipping_groups: &[],
        beside: &beside,
    };
    let read = |folder: &str| {
        let path = with_manifest(&input, folder, |_, path| Ok(path.to_owned()));
        path.expect("it is JSON")
    };
    assert_eq!(read("").as_deref(), Some("a/package.json"));
    assert_eq!(read("w").as_deref(), Some("a/w/package.json"));
    for folder in ["..", "../w", "/w", "w/../..", "w\\..\\..", "c:w", "w\0"] {
        assert_eq!(read(folder), None, "{folder:?}");
    }
}

#[test]
fn folders_are_joined_without_what_leads_back() {
    assert_eq!(join("", "."), "");
    assert_eq!(join("a/b", "../c"), "a/c");
    assert_eq!(join("a", "../../c"), "../c");
    assert_eq!(join("..", "../c"), "../../c");
}

#[test]
fn an_error_shows_no_secrets() {
    let shown = lacking(
        "a@https://u:p@x.example/a",
        "b",
        "git+https://t@x.example/b?t=1",
    );
    let expected = "a@https://x.example/a asks for b@git+https://x.example/b, which the lock file \
                    does not have; it is incomplete";
    assert_eq!(shown, expected);
    let constraint = arrow_constraint("git+https://t@x.example/b");
    assert_eq!(constraint.as_deref(), Some("git+https://x.example/b"));
}

/// The folder of shared data, if it is there.
pub fn shared() -> Option<std::path::PathBuf> {
    let beside = || {
        let workspace = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
        Some(workspace.parent()?.join("shared/data"))
    };
    let named = option_env!("XTASK_SHARED_DATA").map(std::path::PathBuf::from);
    named.or_else(beside).filter(|folder| folder.is_dir())
}

/// A package in one line, for comparisons: `name@version <alias> source scope -> names of what it depends on`.
pub fn shown(lock: &Lock) -> Vec<String> {
    let one = |package: &Package| {
        let alias = package.alias.as_deref().map(|alias| format!(" as {alias}"));
        let source = match &package.source {
            Source::Registry { .. } => String::new(),
            Source::Git { commit, .. } => format!(" git {}", commit.as_deref().unwrap_or("-")),
            Source::Path { path } => format!(" path {path}"),
            Source::Url { url } => format!(" url {url}"),
            Source::Workspace { path } => format!(" workspace {path:?}"),
            Source::Bundled { by } => format!(" bundled by {by}"),
        };
        let scope = match package.scope {
            Scope::Ships => "",
            Scope::Development => " [dev]",
        };
        format!(
            "{}@{}{}{source}{scope}{}",
            package.name,
            package.version,
            alias.unwrap_or_default(),
            arrows(lock, &package.dependencies)
        )
    };
    lock.packages.iter().map(one).collect()
}

/// Arrows in one line.
pub fn arrows(lock: &Lock, arrows: &[Dependency]) -> String {
    let one = |arrow: &Dependency| {
        let package = &lock.packages[arrow.package];
        let constraint = arrow.constraint.as_deref().unwrap_or("-");
        let group = arrow.group.as_deref().map(|group| format!(" ({group})"));
        let group = group.unwrap_or_default();
        format!(
            " -> {}@{} by {constraint}{group}",
            package.name, package.version
        )
    };
    arrows.iter().map(one).collect()
}
