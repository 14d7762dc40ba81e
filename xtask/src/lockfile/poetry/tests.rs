//! What is read from a lock file, and what is said of one that is damaged.

use super::*;

const PACKAGE: &str = r#"
[[package]]
name = "A.Name"
version = "1.0"
optional = false
python-versions = ">=3.8"
groups = ["main", "dev"]
markers = {dev = "os_name == 'nt'"}
files = [
    {file = "a.whl", hash = "sha256:aa"},
]

[package.dependencies]
b = [
    {version = "1", markers = "os_name == 'nt'"},
    {version = "2", markers = "os_name != 'nt'"},
]

[package.extras]
x = ["b"]
"#;

const METADATA: &str = "\n[metadata]\nlock-version = \"2.1\"\ncontent-hash = \"00\"\n";

fn message(text: &str) -> String {
    let error = parse(text, "poetry.lock").expect_err("the lock file is damaged");
    assert!(!error.hints.is_empty(), "{error} has no hint");
    error.message
}

#[test]
fn a_package_is_read_whole() {
    let lock = parse(&format!("{PACKAGE}{METADATA}"), "poetry.lock").unwrap();
    assert!(lock.has_markers());
    let package = &lock.packages[0];
    assert_eq!((package.name.as_str(), package.line), ("a-name", 2));
    assert_eq!(package.markers, ["*", "os_name == 'nt'"]);
    assert_eq!(package.hashes, ["sha256:aa"]);
    assert_eq!(package.dependencies.len(), 2);
    assert_eq!(package.extras, [("x".to_owned(), vec!["b".to_owned()])]);
}

#[test]
fn a_table_declared_twice_names_both_lines_and_the_package() {
    let text = format!("{PACKAGE}\n[package.extras]\ny = [\"c\"]\nz = []\n{METADATA}");
    let expected = "poetry.lock:22: the table [package.extras] is declared twice for package \
                    A.Name: line 19 belongs to A.Name, line 22 is an orphan, most likely of b, \
                    whose [[package]] block is gone (its keys: y, z)";
    assert_eq!(message(&text), expected);
    let text = format!("{PACKAGE}{METADATA}{METADATA}");
    let expected = "poetry.lock:26: the table [metadata] is declared twice, on lines 22 and 26";
    assert_eq!(message(&text), expected);
}

#[test]
fn other_damage_names_its_line_and_package() {
    let check = |text: &str, expected: &str| {
        let found = message(text);
        assert!(found.starts_with(expected), "{found}\nis not\n{expected}");
    };
    let conflict = "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> topic\n";
    let expected = "poetry.lock:1: an unresolved merge conflict, lines 1 to 5";
    check(conflict, expected);
    let cut = PACKAGE.replace("version = \"1.0\"", "version = ");
    check(&cut, "poetry.lock:4:11: not TOML, in package A.Name: ");
    let doubled = PACKAGE.replace("version = \"1.0\"", "version = \"1.0\"\nversion = \"2.0\"");
    check(&doubled, "poetry.lock:5:1: not TOML, in package A.Name: ");
    let nameless = format!("{PACKAGE}{METADATA}").replace("version = \"1.0\"", "");
    check(
        &nameless,
        "poetry.lock:2: package A.Name: `version` is missing",
    );
    check(PACKAGE, "poetry.lock: there is no [metadata] table");
    check(
        "[metadata]\n",
        "poetry.lock: [metadata] has no lock-version",
    );
    let newer = METADATA.replace("2.1", "3.0");
    check(&newer, "poetry.lock: lock-version 3.0 is not known");
}
