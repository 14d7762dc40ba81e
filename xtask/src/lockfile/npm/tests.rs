//! What is read from npm's lock files, and what is refused.

use std::collections::{BTreeMap, BTreeSet};

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
        path: "web/package-lock.json".into(),
        shipping_groups: &[],
        beside: &beside,
    })
}

#[track_caller]
fn check(text: &str, manifest: Option<&str>, packages: &[&str], roots: &str) -> Lock {
    let lock = read_text(text, manifest).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(shown(&lock), packages);
    assert_eq!(arrows(&lock, &lock.roots), roots);
    lock
}

#[track_caller]
fn refused(text: &str, expected: &str) {
    let error = read_text(text, None).expect_err(text);
    assert_eq!(error.message, expected);
    assert!(!error.hints.is_empty(), "{error} has no hint");
}

/// A version 3 lock file of these `packages`.
fn flat(packages: &str) -> String {
    format!("{{\"name\": \"p\", \"lockfileVersion\": 3,\n\"packages\": {{\n{packages}}}}}")
}

/// A version 1 lock file of these `dependencies`.
fn nested(dependencies: &str) -> String {
    format!(
        "{{\"name\": \"p\", \"version\": \"0.1.0\", \"lockfileVersion\": 1,\n\"dependencies\": {{\n{dependencies}}}}}"
    )
}

#[test]
fn version_3_is_read_by_its_paths() {
    let text = flat(
        r#""": {"name": "p", "version": "0.1.0", "license": "MIT",
  "dependencies": {"a": "^1"}, "devDependencies": {"b": "~2"}, "optionalDependencies": {"gone": "1"}},
"node_modules/a": {"version": "1.5.0", "resolved": "https://registry.example/a/-/a-1.5.0.tgz",
  "integrity": "sha512-x sha1-y", "license": "ISC", "dependencies": {"b": "^1"},
  "peerDependencies": {"nobody": "*"}},
"node_modules/a/node_modules/b": {"version": "1.0.0", "license": {"type": "BSD"}},
"node_modules/b": {"version": "2.0.1", "dev": true, "dependencies": {"a": "1 - 2"}},
"node_modules/c": {"version": "3.0.0", "devOptional": true}"#,
    );
    let lock = check(
        &text,
        None,
        &[
            "p@0.1.0 workspace \"\" -> a@1.5.0 by ^1 -> b@2.0.1 by ~2",
            "a@1.5.0 -> b@1.0.0 by ^1",
            "b@1.0.0",
            "b@2.0.1 [dev] -> a@1.5.0 by 1 - 2",
            "c@3.0.0",
        ],
        " -> a@1.5.0 by ^1 (main) -> b@2.0.1 by ~2 (dev)",
    );
    assert_eq!(lock.format, "3");
    let a = &lock.packages[1];
    assert_eq!((a.line, a.license.as_deref()), (5, Some("ISC")));
    assert_eq!(a.digests, ["sha512-x", "sha1-y"]);
    assert_eq!(lock.packages[2].license.as_deref(), Some("BSD"));
    assert!(lock.notes.is_empty());
}

#[test]
fn aliases_links_members_and_other_sources() {
    let text = flat(
        r#""": {"workspaces": ["packages/*"], "dependencies": {"x": "npm:real@^1", "o": "file:../o"}},
"../o": {"version": "9.0.0", "devDependencies": {"not-installed": "1"}},
"node_modules/g": {"version": "1.0.0", "resolved": "git+ssh://git@github.com/u/g.git#0123456789"},
"node_modules/o": {"resolved": "../o", "link": true},
"node_modules/t": {"version": "1.0.0", "resolved": "https://x.example/t.tgz"},
"node_modules/f": {"version": "1.0.0", "resolved": "file:f.tgz"},
"node_modules/w": {"resolved": "packages/w", "link": true},
"node_modules/lost": {"resolved": "elsewhere", "link": true},
"node_modules/x": {"name": "real", "version": "1.2.0", "dependencies": {"w": "*"}},
"packages/w": {"name": "@s/w", "dependencies": {"g": "github:u/g", "t": "1"}, "devDependencies": {"f": "1"}},
"packages/w/node_modules/t": {"version": "2.0.0", "inBundle": true, "dependencies": {"nowhere": "1"}}"#,
    );
    let lock = check(
        &text,
        None,
        &[
            "p@ workspace \"\" -> real@1.2.0 by ^1 -> o@9.0.0 by file:../o",
            "o@9.0.0 path ../o",
            "g@1.0.0 git 0123456789",
            "t@1.0.0 url https://x.example/t.tgz",
            "f@1.0.0 path f.tgz",
            "lost@ path elsewhere",
            "real@1.2.0 as x -> @s/w@ by *",
            "@s/w@ workspace \"packages/w\" -> g@1.0.0 by github:u/g -> t@2.0.0 by 1 -> f@1.0.0 by 1",
            "t@2.0.0",
        ],
        " -> real@1.2.0 by ^1 (main) -> o@9.0.0 by file:../o (main) -> g@1.0.0 by github:u/g (main) \
         -> t@2.0.0 by 1 (main) -> f@1.0.0 by 1 (dev)",
    );
    assert_eq!(lock.notes.len(), 2, "{:?}", lock.notes);
}

#[test]
fn version_1_is_read_by_its_nesting() {
    let text = nested(
        r#""a": {"version": "1.0.0", "requires": {"b": "^1", "x": "npm:real@2"},
  "dependencies": {"b": {"version": "1.1.0", "bundled": true, "requires": {"a": "1"}}}},
"b": {"version": "2.0.0", "dev": true},
"g": {"version": "git+https://github.com/u/g.git#0123456789", "from": "g"},
"t": {"version": "https://x.example/t.tgz"},
"u": {"version": "github:u/r#0123456789"},
"l": {"version": "file:../l", "optional": true},
"x": {"version": "npm:real@2.0.0", "requires": false}"#,
    );
    let packages = |project: &str| {
        let rest = [
            "a@1.0.0 -> b@1.1.0 by ^1 -> real@2.0.0 by 2",
            "b@1.1.0 -> a@1.0.0 by 1",
            "b@2.0.0 [dev]",
            "g@git+https://github.com/u/g.git#0123456789 git 0123456789",
            "t@https://x.example/t.tgz url https://x.example/t.tgz",
            "u@github:u/r#0123456789 git 0123456789",
            "l@file:../l path ../l",
            "real@2.0.0 as x",
        ];
        let mut all = vec![format!("p@0.1.0 workspace \"\"{project}")];
        all.extend(rest.map(str::to_owned));
        all
    };
    let manifest = r#"{"dependencies": {"a": "^1.0", "l": "file:../l"}, "devDependencies": {"b": "2"},
        "optionalDependencies": {"l": "file:../l", "gone": "1"}, "peerDependencies": {"gone": "1"}}"#;
    let expected = packages(" -> a@1.0.0 by ^1.0 -> l@file:../l by file:../l -> b@2.0.0 by 2");
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    check(
        &text,
        Some(manifest),
        &expected,
        " -> a@1.0.0 by ^1.0 (main) -> l@file:../l by file:../l (optional) -> b@2.0.0 by 2 (dev)",
    );
    let lock = read_text(&text, None).unwrap();
    assert!(
        lock.notes
            .iter()
            .any(|note| note.starts_with("package.json is not beside"))
    );
    let roots = " -> b@2.0.0 by - (dev) -> g@git+https://github.com/u/g.git#0123456789 by - (main) \
                 -> t@https://x.example/t.tgz by - (main) -> u@github:u/r#0123456789 by - (main) \
                 -> l@file:../l by - (optional)";
    assert_eq!(
        arrows(&lock, &lock.roots),
        roots,
        "a and its b ask for each other"
    );
    let stale = read_text(&text, Some("{\n\"dependencies\": {\"n\": \"1\"}}")).unwrap_err();
    let expected = "web/package.json:2: the project asks for n@1, which the lock file does not \
                    have; it is incomplete";
    assert_eq!(stale.message, expected);
}

#[test]
fn a_project_without_packages_is_read() {
    check(
        r#"{"lockfileVersion": 1}"#,
        None,
        &[".@ workspace \"\""],
        "",
    );
    check(&flat(""), None, &["p@ workspace \"\""], "");
    let one_line = r#"{"lockfileVersion": 2, "packages": {"": {"name": "q"}}, "dependencies": {}}"#;
    check(one_line, None, &["q@ workspace \"\""], "");
}

#[test]
fn version_3_without_the_project_takes_its_manifest() {
    let text = flat(r#""node_modules/a": {"version": "1.0.0"}"#);
    let expected = ["p@ workspace \"\" -> a@1.0.0 by ^1", "a@1.0.0"];
    let manifest = r#"{"dependencies": {"a": "^1"}}"#;
    check(&text, Some(manifest), &expected, " -> a@1.0.0 by ^1 (main)");
}

#[test]
fn damage_is_refused_with_its_line() {
    let file = "web/package-lock.json";
    let refuse = |text: &str, line: usize, problem: &str| {
        refused(text, &format!("{file}:{line}: {problem}"));
    };
    let unknown = "this lockfileVersion is not known; this tool reads 1, 2 and 3";
    refuse("{\n\"lockfileVersion\": 4}", 2, unknown);
    refuse("{\n\"lockfileVersion\": 1.5}", 2, unknown);
    refuse("{\n\"lockfileVersion\": \"3\"}", 2, unknown);
    let none = "there is no lockfileVersion, so it is no lock file or one of an npm before 5";
    refuse("{}", 1, none);
    refuse(r#"{"lockfileVersion": 3}"#, 1, "there is no `packages`");
    refuse(
        "{\"lockfileVersion\": 1,\n\"dependencies\": []}",
        2,
        "`dependencies` is no object",
    );
    refuse("{\n<<<<<<< HEAD\n", 2, "an unresolved merge conflict");
    let lacks = "node_modules/a: there is no `version`";
    refuse(&flat(r#""node_modules/a": {"dev": true}"#), 3, lacks);
    refuse(&nested(r#""a": {"requires": {}}"#), 3, lacks);
    refuse(
        &flat(r#""node_modules/a": 1"#),
        3,
        "\"node_modules/a\": not an object",
    );
    refuse(
        &nested(r#""a": "1.0.0""#),
        3,
        "\"node_modules/a\": not an object",
    );
    refuse(
        &flat(r#""node_modules/": {"version": "1"}"#),
        3,
        "node_modules/: this is no name of a package",
    );
    let long = flat(&format!(
        r#""node_modules/a": {{"version": "{}"}}"#,
        "1".repeat(10_000)
    ));
    refuse(&long, 3, "node_modules/a: this is no version");
    refuse(
        &flat(r#""node_modules/a": {"version": "1\u0000"}"#),
        3,
        "node_modules/a: this is no version",
    );
    refuse(
        &flat(r#""node_modules/a\u001b": {"version": "1"}"#),
        2,
        "\"node_modules/a\\u{1b}\": there is a control character in the path",
    );
    let deep = flat(&format!("\"{}\": {{\"version\": \"1\"}}", "a/".repeat(300)));
    let message = read_text(&deep, None).unwrap_err().message;
    assert!(
        message.ends_with("the path is too long or too deep"),
        "{message}"
    );
    let missing = "which the lock file does not have; it is incomplete";
    refuse(
        &flat("\"\": {\n\"dependencies\": {\"a\": \"1\"}}"),
        4,
        &format!("the project itself asks for a@1, {missing}"),
    );
    refuse(
        &nested("\"a\": {\"version\": \"1.0.0\",\n\"requires\": {\"b\": \"^1\"}}"),
        4,
        &format!("node_modules/a asks for b@^1, {missing}"),
    );
    let twice = flat(
        "\"node_modules/a\": {\"version\": \"1\"},
\"node_modules/a\": {}",
    );
    let message = read_text(&twice, None).unwrap_err().message;
    let expected =
        "web/package-lock.json:4:16: not JSON: the key \"node_modules/a\" is there twice";
    assert_eq!(message, expected);
}

#[test]
fn hostile_files_take_no_time() {
    let many: String = (0..4_000)
        .map(|index| {
            format!(
                "\"{}node_modules/a{index}\": {{\"version\": \"1\"}},\n",
                "a/".repeat(100)
            )
        })
        .collect();
    let started = std::time::Instant::now();
    let lock = read_text(
        &flat(&format!("{many}\"node_modules/z\": {{\"version\": \"1\"}}")),
        None,
    );
    assert_eq!(lock.unwrap().packages.len(), 4_002);
    let bomb = format!(
        "{{\"lockfileVersion\": 1, {}",
        "\"dependencies\":{\"a\":{".repeat(100_000)
    );
    let message = read_text(&bomb, None).unwrap_err().message;
    assert!(message.contains("recursion limit"), "{message}");
    assert!(started.elapsed().as_secs() < 30);
}

/// The number of packages that an independent reading of the file counts, and every finding
/// that is expected of it.
#[test]
fn real_lock_files_are_read_whole() {
    let counts = [
        ("npm-etherpad-2019", 953),
        ("npm-goof-2018", 699),
        ("npm-goof-2018-derived-v2", 699),
        ("npm-nodegoat-2019", 1350),
        ("npm-saleor-head", 229),
    ];
    for (name, count) in counts {
        let file = |path: &str| std::fs::read_to_string(shared()?.join(path)).ok();
        let Some(text) = file(&format!("locks/{name}/package-lock.json")) else {
            return;
        };
        let manifest = file(&format!("locks/{name}/package.json"));
        let lock = read_text(&text, manifest.as_deref()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(lock.packages.len(), count, "{name}");
        let reached = crate::lockfile::graph::reachable(
            &lock.packages,
            lock.roots.iter().map(|root| root.package).chain([0]),
        );
        let unreached = reached.iter().filter(|reached| !**reached).count();
        assert!(
            unreached * 10 <= count,
            "{name}: {unreached} are reached from nowhere"
        );
        let mut checked: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for package in &lock.packages {
            if matches!(package.source, Source::Registry { .. }) {
                let versions = checked.entry(&package.name).or_default();
                versions.insert(&package.version);
            }
        }
        let expected = file(&format!("expected/{name}.json")).expect("each lock has findings");
        let expected: Vec<serde_json::Value> = serde_json::from_str(&expected).unwrap();
        for finding in &expected {
            let text = |key: &str| finding[key].as_str().unwrap();
            let (package, version) = (text("package"), text("version"));
            let versions = checked.get(package);
            assert!(
                versions.is_some_and(|versions| versions.contains(version)),
                "{name}: {package}@{version}"
            );
        }
    }
}
