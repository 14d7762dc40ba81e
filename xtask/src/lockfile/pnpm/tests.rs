//! What is read from pnpm's lock files, and what is refused.

use super::*;
use crate::lockfile::node::tests::{arrows, shared, shown};

fn read_text(text: &str, manifest: Option<&str>) -> Result<Lock> {
    let beside = |file: &str| {
        manifest
            .filter(|_| file == "package.json")
            .map(str::to_owned)
    };
    (KIND.read)(&Input {
        text,
        path: "pnpm-lock.yaml".into(),
        shipping_groups: &[],
        beside: &beside,
    })
}

#[track_caller]
fn check(text: &str, packages: &[&str], roots: &str) -> Lock {
    let manifest = r#"{"name": "p", "version": "0.1.0"}"#;
    let lock = read_text(text, Some(manifest)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(shown(&lock), packages);
    assert_eq!(arrows(&lock, &lock.roots), roots);
    lock
}

const VERSION_9: &str = "\
lockfileVersion: '9.0'
importers:
  .:
    dependencies:
      x:
        specifier: npm:real@^1
        version: real@1.0.0(peer@2.0.0)
      w:
        specifier: workspace:*
        version: link:packages/w
    devDependencies:
      d:
        specifier: ^3
        version: 3.0.0
      peer:
        specifier: '2'
        version: 2.0.0
  packages/w:
    dependencies:
      '@s/g':
        specifier: github:u/g
        version: https://codeload.github.com/u/g/tar.gz/0123456789
      out:
        specifier: link:../../../out
        version: link:../../../out
    optionalDependencies:
      gone:
        specifier: '1'
        version: 1.0.0
packages:
  '@s/g@https://codeload.github.com/u/g/tar.gz/0123456789':
    resolution: {tarball: https://codeload.github.com/u/g/tar.gz/0123456789}
    version: 4.0.0
  d@3.0.0:
    resolution: {integrity: sha512-d}
  f@file:f.tgz:
    resolution: {integrity: sha512-f, tarball: file:f.tgz}
    version: 5.0.0
  l@file:l:
    resolution: {directory: l, type: directory}
  peer@2.0.0:
    resolution: {integrity: sha512-p, tarball: https://x.example/odd.tgz}
  real@1.0.0:
    resolution: {integrity: sha512-r}
    peerDependencies:
      peer: '2'
  t@https://x.example/t.tgz:
    resolution: {tarball: https://x.example/t.tgz}
    version: 6.0.0
  v@git+https://x.example/v.git#0123456789:
    resolution: {commit: '0123456789', repo: https://x.example/v.git, type: git}
    version: 7.0.0
snapshots:
  '@s/g@https://codeload.github.com/u/g/tar.gz/0123456789': {}
  d@3.0.0:
    dependencies:
      f: file:f.tgz
      l: file:l
      t: https://x.example/t.tgz
      v: git+https://x.example/v.git#0123456789
    optionalDependencies:
      gone: 1.0.0
  f@file:f.tgz: {}
  l@file:l: {}
  peer@2.0.0: {}
  real@1.0.0(peer@2.0.0):
    dependencies:
      peer: 2.0.0
  t@https://x.example/t.tgz: {}
  v@git+https://x.example/v.git#0123456789: {}
";

#[test]
fn version_9_has_snapshots_and_projects() {
    let lock = check(
        VERSION_9,
        &[
            "p@0.1.0 workspace \".\" -> real@1.0.0 by ^1 -> packages/w@ by workspace:* \
             -> d@3.0.0 by ^3 -> peer@2.0.0 by 2",
            "packages/w@ workspace \"packages/w\" -> @s/g@4.0.0 by github:u/g \
             -> out@ by link:../../../out",
            "@s/g@4.0.0 git 0123456789",
            "d@3.0.0 [dev] -> f@5.0.0 by - -> l@file:l by - -> t@6.0.0 by - -> v@7.0.0 by -",
            "f@5.0.0 path f.tgz [dev]",
            "l@file:l path l [dev]",
            "peer@2.0.0",
            "real@1.0.0 as x -> peer@2.0.0 by -",
            "t@6.0.0 url https://x.example/t.tgz [dev]",
            "v@7.0.0 git 0123456789 [dev]",
            "out@ path ../out",
        ],
        " -> real@1.0.0 by ^1 (main) -> packages/w@ by workspace:* (main) -> d@3.0.0 by ^3 (dev) \
         -> peer@2.0.0 by 2 (dev) -> @s/g@4.0.0 by github:u/g (main) \
         -> out@ by link:../../../out (main)",
    );
    assert_eq!((lock.format.as_str(), lock.packages[3].line), ("9.0", 34));
    assert_eq!(lock.packages[3].digests, ["sha512-d"]);
}

#[test]
fn version_5_has_slashes_and_specifiers() {
    let text = "\
lockfileVersion: 5.4
specifiers:
  '@s/a': ^1
  g: github:u/g
  d: '2'
dependencies:
  '@s/a': 1.0.0_react@17.0.0
  g: github.com/u/g/0123456789
optionalDependencies:
  gone: 1.0.0
devDependencies:
  d: /e/2.0.0
packages:
  /@s/a/1.0.0_react@17.0.0:
    resolution: {integrity: sha512-a}
    dependencies:
      c: host.example/c/3.0.0
    dev: false
  /e/2.0.0:
    resolution: {integrity: sha512-e}
    dev: true
  github.com/u/g/0123456789:
    resolution: {tarball: https://codeload.github.com/u/g/tar.gz/0123456789}
    name: g
    version: 4.0.0
  host.example/c/3.0.0:
    resolution: {integrity: sha512-c, registry: https://host.example/}
";
    let lock = check(
        text,
        &[
            "p@0.1.0 workspace \".\" -> @s/a@1.0.0 by ^1 -> g@4.0.0 by github:u/g -> e@2.0.0 by 2",
            "@s/a@1.0.0 -> c@3.0.0 by -",
            "e@2.0.0 as d [dev]",
            "g@4.0.0 git 0123456789",
            "c@3.0.0",
        ],
        " -> @s/a@1.0.0 by ^1 (main) -> g@4.0.0 by github:u/g (main) -> e@2.0.0 by 2 (dev)",
    );
    assert_eq!(lock.format, "5.4");
}

#[test]
fn version_6_has_at_signs_and_parentheses() {
    let text = "\
lockfileVersion: '6.1'
dependencies:
  '@s/a':
    specifier: ^1
    version: 1.0.0(react@17.0.0)
  f:
    specifier: file:../f
    version: file:../f
packages:
  /@s/a@1.0.0(react@17.0.0):
    resolution: {integrity: sha512-a}
    dependencies:
      b: /c@2.0.0
    dev: false
  /c@2.0.0:
    resolution: {integrity: sha512-c}
    dev: false
  file:../f:
    resolution: {directory: ../f, type: directory}
    name: f
    dev: false
";
    check(
        text,
        &[
            "p@0.1.0 workspace \".\" -> @s/a@1.0.0 by ^1 -> f@ by file:../f",
            "@s/a@1.0.0 -> c@2.0.0 by -",
            "c@2.0.0 as b",
            "f@ path ../f",
        ],
        " -> @s/a@1.0.0 by ^1 (main) -> f@ by file:../f (main)",
    );
}

#[test]
fn a_project_without_packages_is_read() {
    check(
        "lockfileVersion: '9.0'\nimporters:\n  .: {}\n",
        &["p@0.1.0 workspace \".\""],
        "",
    );
    let lock = read_text("lockfileVersion: 5.3\nspecifiers: {}\n", None).unwrap();
    assert_eq!(shown(&lock), [".@ workspace \".\""]);
}

#[test]
fn damage_is_refused_with_its_line() {
    let refuse = |text: &str, expected: &str| {
        let error = read_text(text, None).expect_err(text);
        assert_eq!(
            error.message,
            format!("pnpm-lock.yaml:{expected}"),
            "{text}"
        );
        assert!(!error.hints.is_empty(), "{error} has no hint");
    };
    let unknown = "this lockfileVersion is not known; this tool reads 5.x, 6.x and 9.x";
    for version in ["7.0", "10.0", "9.x", "9.", "''", "true"] {
        refuse(
            &format!("a: 1\nlockfileVersion: {version}"),
            &format!("2: {unknown}"),
        );
    }
    refuse("a: 1", "1: there is no lockfileVersion");
    refuse("a: 1\n<<<<<<< HEAD\n", "2: an unresolved merge conflict");
    refuse(
        "a: &x 1",
        "1: there is a YAML anchor, which no lock file has",
    );
    let packages = |text: &str| format!("lockfileVersion: '9.0'\npackages:\n  {text}");
    refuse(&packages("a@1: x"), "3: \"a@1\": not a mapping");
    refuse(&packages("a@1: {}"), "3: \"a@1\": there is no `resolution`");
    let resolution = "{resolution: {integrity: x}}";
    refuse(
        &packages(&format!("a: {resolution}")),
        "3: \"a\": there is no version in it",
    );
    refuse(
        &packages(&format!("'@1': {resolution}")),
        "3: \"@1\": there is no version in it",
    );
    refuse(
        &packages(&format!("a@1: {resolution}")),
        "3: a@1 has no snapshot; the lock file is incomplete",
    );
    refuse(
        "lockfileVersion: '9.0'\nsnapshots:\n  a@1(b@2): {}",
        "3: the snapshot a@1 has no package; the file is incomplete",
    );
    let lacks = "which the lock file does not have; it is incomplete";
    refuse(
        &packages(&format!(
            "a@1: {resolution}\nsnapshots:\n  a@1:\n    dependencies:\n      b: '2'"
        )),
        &format!("7: a@1 asks for b@2, {lacks}"),
    );
    refuse(
        "lockfileVersion: '6.0'\ndependencies:\n  a: {specifier: ^1, version: 1.0.0}",
        &format!("3: . asks for a@1.0.0, {lacks}"),
    );
}

/// The counts are those of the keys in the file's `packages` and `importers`.
#[test]
fn a_real_lock_file_is_read_whole() {
    let Some(text) = shared().and_then(|folder| {
        std::fs::read_to_string(folder.join("locks/pnpm-etherpad-head/pnpm-lock.yaml")).ok()
    }) else {
        return;
    };
    let lock = read_text(&text, None).unwrap_or_else(|error| panic!("{error}"));
    // Between `packages:` and `snapshots:` each key is a line indented by two.
    let keys = |from: &str, to: &str| {
        let text = text.split(&format!("\n{from}:\n")).nth(1).unwrap();
        let text = text.split(&format!("\n{to}:\n")).next().unwrap();
        let is_key = |line: &&str| line.starts_with("  ") && !line.starts_with("   ");
        text.lines().filter(is_key).count()
    };
    let expected = keys("importers", "packages") + keys("packages", "snapshots");
    assert_eq!(lock.packages.len(), expected);
    let development = lock
        .packages
        .iter()
        .filter(|one| one.scope == Scope::Development);
    let development = development.count();
    assert!(
        (1..expected).contains(&development),
        "{development} of {expected}"
    );
    let reached = crate::lockfile::graph::reachable(
        &lock.packages,
        lock.roots.iter().map(|root| root.package),
    );
    let lost: Vec<&str> = lock
        .packages
        .iter()
        .zip(reached)
        .filter(|(one, reached)| !reached && !matches!(one.source, Source::Workspace { .. }))
        .map(|(one, _)| one.name.as_str())
        .collect();
    assert!(lost.is_empty(), "{lost:?} are reached from nowhere");
    assert!(
        lock.packages
            .iter()
            .any(|one| one.alias.as_deref() == Some("vite"))
    );
}
