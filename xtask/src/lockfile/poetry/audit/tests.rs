//! What an audit reads from a `poetry.lock` of each generation.

use super::super::super::samples::{all, check_real, problem, read, roots};
use super::*;

const PROJECT: &str = "[project]\nname = \"p\"\ndependencies = [\"A.b[x]>=1\"]\n\
    [project.optional-dependencies]\nfast = [\"c\"]\nall = [\"p[fast]\"]\n\
    [tool.poetry.dependencies]\npython = \"^3.10\"\n\
    [tool.poetry.group.dev.dependencies]\nd = {version = \"^1\", optional = true}\n\
    [dependency-groups]\ntest = [\"e\", {include-group = \"dev\"}, {include-group = \"test\"}]\n";

fn block(name: &str, rest: &str) -> String {
    format!("[[package]]\nname = \"{name}\"\nversion = \"1.0\"\n{rest}\n")
}

fn metadata(version: &str) -> String {
    format!("[metadata]\nlock-version = \"{version}\"\ncontent-hash = \"00\"\n")
}

fn two_zero() -> String {
    block(
        "a-b",
        "[package.dependencies]\nf = \"*\"\ng = {version = \">=1\", optional = true}\nh = \
         {version = \"1\", optional = true}\nP = \"*\"\npip = \"*\"\n[package.extras]\nx = [\"G (>=1)\"]\ny = \
         [\"h\"]",
    ) + &block("c", "")
        + &block(
            "d",
            "[package.dependencies]\nf = [{version = \"1\"}, {version = \"2\"}]",
        )
        + &block("e", "")
        + &block("f", "")
        + &block("g", "")
        + &block("h", "")
}

#[test]
fn groups_of_2_0_are_worked_out_from_the_project() {
    let text = two_zero() + &metadata("2.0");
    let lock = read(&KIND, &text, &[("pyproject.toml", PROJECT)]).unwrap();
    let expected = [
        "1 a-b 1.0 registry [main] ships > f 1.0* > g 1.0>=1",
        "13 c 1.0 registry [main] ships",
        "17 d 1.0 registry [dev,test] dev > f 1.01 > f 1.02",
        "22 e 1.0 registry [test] dev",
        "26 f 1.0 registry [dev,main,test] ships",
        "30 g 1.0 registry [main] ships",
        "34 h 1.0 registry [] ships",
    ];
    assert_eq!(all(&lock), expected);
    let expected = [
        "dev: d 1.0 ^1",
        "main: a-b 1.0 >=1",
        "main: c 1.0 -",
        "test: e 1.0 -",
        "test: d 1.0 ^1",
    ];
    assert_eq!(roots(&lock), expected);
    assert!(lock.notes.is_empty(), "{:?}", lock.notes);
}

#[test]
fn without_a_project_it_is_said_what_is_not_known() {
    let lock = read(&KIND, &(two_zero() + &metadata("2.0")), &[]).unwrap();
    assert!(
        lock.packages
            .iter()
            .all(|package| package.scope == Scope::Ships)
    );
    assert_eq!(
        roots(&lock),
        ["-: a-b 1.0 -", "-: c 1.0 -", "-: d 1.0 -", "-: e 1.0 -"]
    );
    assert!(
        lock.notes[0].contains("everything counts as shipping"),
        "{:?}",
        lock.notes
    );
}

#[test]
fn groups_and_digests_of_each_generation() {
    let check = |rest: &str, end: &str, expected: &str, format: &str| {
        let lock = read(&KIND, &(block("A", rest) + end), &[]).unwrap();
        assert_eq!(all(&lock), [format!("1 a 1.0 registry {expected}")]);
        assert_eq!(lock.packages[0].digests, ["sha256:aa"], "{rest}");
        assert_eq!(lock.format, format);
    };
    let files = "files = [{file = \"a\", hash = \"sha256:aa\"}]\n";
    check(
        &format!("{files}groups = [\"main\", \"dev\"]"),
        &metadata("2.1"),
        "[main,dev] ships",
        "2.1",
    );
    check(
        &format!("{files}groups = [\"Dev_x\"]"),
        &metadata("2.1"),
        "[dev-x] dev",
        "2.1",
    );
    check(files, &metadata("2.0"), "[] ships", "2.0");
    let old = metadata("1.1") + "[metadata.files]\nA = [{file = \"a\", hash = \"sha256:aa\"}]\n";
    check("category = \"dev\"", &old, "[dev] dev", "1.1");
    check("category = \"main\"", &old, "[main] ships", "1.1");
    let oldest = "[metadata]\ncontent-hash = \"00\"\n[metadata.hashes]\nA = [\"aa\"]\n";
    check(
        "category = \"dev\"\nplatform = \"*\"",
        oldest,
        "[dev] dev",
        "",
    );
}

#[test]
fn sources() {
    let check = |source: &str, expected: &str| {
        let text = block("a", &format!("[package.source]\n{source}")) + &metadata("2.0");
        let lock = read(&KIND, &text, &[]).unwrap();
        assert_eq!(all(&lock), [format!("1 a 1.0 {expected} [] ships")]);
    };
    let url = "url = \"https://registry.example/x\"\n";
    check(
        &format!("type = \"legacy\"\n{url}"),
        "registry https://registry.example/x",
    );
    check(
        &format!("type = \"url\"\n{url}"),
        "url https://registry.example/x",
    );
    let git = format!("type = \"git\"\n{url}reference = \"main\"\n");
    check(&git, "git https://registry.example/x main");
    check(
        &format!("{git}resolved_reference = \"01\""),
        "git https://registry.example/x 01",
    );
    check("type = \"directory\"\nurl = \"../a\"", "path ../a");
    check("type = \"file\"\nurl = \"a.whl\"", "path a.whl");
}

#[test]
fn a_version_is_chosen_by_its_constraint() {
    let two = |version: &str| format!("[[package]]\nname = \"a\"\nversion = \"{version}\"\n");
    let text = two("1.5") + &two("2.0") + &metadata("2.0");
    let check = |constraint: &str, expected: &[&str]| {
        let project = format!("[tool.poetry.dependencies]\na = \"{constraint}\"\n");
        let lock = read(&KIND, &text, &[("pyproject.toml", &project)]).unwrap();
        let expected: Vec<String> = expected
            .iter()
            .map(|version| format!("main: a {version} {constraint}"))
            .collect();
        assert_eq!(roots(&lock), expected);
    };
    check("^1", &["1.5"]);
    check(">=2", &["2.0"]);
    check("*", &["1.5", "2.0"]);
    check("^7", &["1.5", "2.0"]);
}

#[test]
fn a_stale_lock_file_says_so() {
    let project = [(
        "pyproject.toml",
        "[tool.poetry.dependencies]\nNew_one = \"*\"\na = \"*\"\n",
    )];
    let lock = read(&KIND, &(block("a", "") + &metadata("2.0")), &project).unwrap();
    let expected = "pyproject.toml asks for new-one, but the lock file has no such package: it is \
                    stale";
    assert!(lock.notes[0].starts_with(expected), "{:?}", lock.notes);
}

#[test]
fn a_lost_package_is_an_error() {
    let check = |rest: &str, end: &str, expected: &str| {
        let text = block("a", rest) + &metadata("1.1") + end;
        let project = [("pyproject.toml", "[project]\nname = \"own\"\n")];
        let found =
            read(&KIND, &text, &project).map_or_else(|error| error.message, |_| String::new());
        assert_eq!(found, expected, "{rest}");
    };
    let files = "[metadata.files]\nA = []\nb = []\n";
    let expected = "poetry.lock:10: [metadata.files] has b, but there is no package of this name: \
                    the lock file is incomplete";
    check("category = \"main\"", files, expected);
    let lost = "poetry.lock:1: package a: it depends on b, for which there is no package: the lock \
                file is incomplete";
    let depends = |on: &str| format!("[package.dependencies]\n{on}\n");
    check(&depends("b = \"*\""), "", lost);
    check(
        &depends("b = {version = \"1\", extras = [\"x\"]}"),
        "",
        lost,
    );
    check(
        &depends("b = [{version = \"1\", markers = \"x\"}, {version = \"2\"}]"),
        "",
        lost,
    );
    for open in [
        "b = {version = \"1\", markers = \"x\"}",
        "b = {version = \"1\", optional = true}",
        "b = {version = \"1\", python = \"2\"}",
        "Own = \"*\"",
        "setuptools = \"*\"",
    ] {
        check(&depends(open), "", "");
    }
}

#[test]
fn damage_names_its_place() {
    let check = |text: &str, expected: &str| {
        let found = problem(&KIND, text, &[]);
        assert!(found.starts_with(expected), "{found}\nis not\n{expected}");
    };
    check("", "poetry.lock:1: there is no [metadata] table");
    check(
        &block("a", ""),
        "poetry.lock:4: there is no [metadata] table",
    );
    check(
        "\n[metadata]\n",
        "poetry.lock:2: [metadata] has neither lock-version nor",
    );
    check(
        &metadata("3.0"),
        "poetry.lock:2: lock-version 3.0 is not known",
    );
    check(&metadata("x"), "poetry.lock:2: lock-version x is not known");
    let end = metadata("2.1");
    check(
        &(block("a", "") + &end),
        "poetry.lock:1: package a: `groups` is missing",
    );
    check(
        &format!("[[package]]\n{end}"),
        "poetry.lock:1: a package without `name`",
    );
    let text = format!("[[package]]\nname = \"a\"\n{end}");
    check(&text, "poetry.lock:1: package a: `version` is missing");
    let text = block("a", "[package.source]\ntype = \"moon\"\nurl = \"x\"") + &end;
    check(
        &text,
        "poetry.lock:1: package a: a source of the type `moon` is not known",
    );
    let twice = "[package.extras]\nx = []\n";
    let text = block("a", &format!("{twice}\n{twice}")) + &end;
    check(
        &text,
        "poetry.lock:7: the table [package.extras] is declared twice for package a",
    );
    let project = [("pyproject.toml", "x = \n")];
    let found = problem(&KIND, &(block("a", "") + &metadata("2.0")), &project);
    assert!(found.starts_with("pyproject.toml:1:5: not TOML"), "{found}");
}

#[test]
fn real_files_are_read_whole() {
    let count = |text: &str| text.lines().filter(|line| *line == "[[package]]").count();
    for (name, lock) in check_real(&KIND, "poetry-", count) {
        let stale = lock.notes.iter().any(|note| note.contains("stale"));
        assert_eq!(
            stale,
            name == "poetry-mealie-2021",
            "{name}: {:?}",
            lock.notes
        );
        assert!(!lock.roots.is_empty(), "{name}");
        let dev = lock
            .packages
            .iter()
            .filter(|package| package.scope == Scope::Development);
        let expected = match name.as_str() {
            "poetry-poetry-2018" => 34,
            "poetry-saleor-2021" => 64,
            "poetry-mealie-2021" => 0,
            "poetry-poetry-2026" => 25,
            "poetry-synapse-1.96.1" => 71,
            _ => dev.clone().count(),
        };
        assert_eq!(dev.count(), expected, "{name}");
    }
}
