//! `lint`: real tools on small repositories with planted faults.

use serde_json::Value;

use super::repository::{CONFIGURATION, Repository, slow};

fn findings(repository: &Repository, arguments: &[&str]) -> (Option<i32>, Value) {
    let arguments = [&["lint", "--format", "json"], arguments].concat();
    let ended = repository.xtask(&arguments);
    let value = serde_json::from_str(&ended.stdout);
    (
        ended.code,
        value.unwrap_or_else(|cause| panic!("{cause}: {}{}", ended.stdout, ended.stderr)),
    )
}

/// `path:line tool/rule` of every finding.
fn places(value: &Value) -> Vec<String> {
    let findings = value["findings"].as_array().unwrap().iter();
    let place = |finding: &Value| {
        let text = |key: &str| finding[key].as_str().unwrap();
        let (path, line) = (text("path"), &finding["line"]);
        format!("{path}:{line} {}/{}", text("tool"), text("rule"))
    };
    findings.map(place).collect()
}

#[test]
fn a_tool_that_the_repository_does_not_use_is_left_out_and_named() {
    let repository = Repository::sound();
    let (code, value) = findings(&repository, &[]);
    assert_eq!(code, Some(0), "{value}");
    let tools = value["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 8);
    assert!(
        tools.iter().all(|tool| tool["state"]["is"] == "left-out"),
        "{value}"
    );
}

/// A crate with a part that is not formatted and one that clippy would write otherwise.
fn rust() -> Repository {
    let repository = Repository::folder("a crate");
    repository.write("release.toml", CONFIGURATION);
    repository.write(
        "Cargo.toml",
        "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    );
    repository.write(
        "Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"demo\"\nversion = \"0.1.0\"\n",
    );
    repository.write(
        "src/lib.rs",
        "//! A crate.\n\n/// One.\npub fn one() -> u32 {\n    return 1;\n}\n\n/// Two.\npub fn two()  -> u32 {\n    2\n}\n",
    );
    repository.commit();
    repository
}

#[test]
fn rust_is_found_wanting_mended_and_clean() {
    let repository = rust();
    let (code, value) = findings(&repository, &["rust"]);
    assert_eq!(code, Some(1), "{value}");
    let expected = [
        "src/lib.rs:5 clippy/clippy::needless_return",
        "src/lib.rs:6 rustfmt/format",
    ];
    assert_eq!(places(&value), expected);

    let text = repository.xtask(&["lint", "rust"]);
    assert!(
        text.stdout.contains(
            "src/lib.rs:5:5: unneeded `return` statement  [clippy clippy::needless_return]"
        ),
        "{}",
        text.stdout
    );
    assert!(
        text.stderr.contains("2 findings: 1 clippy, 1 rustfmt"),
        "{}",
        text.stderr
    );
    let log = repository.xtask(&["lint", "rust", "--format", "sarif"]);
    let log: Value = serde_json::from_str(&log.stdout).unwrap();
    assert_eq!(log["runs"][0]["results"].as_array().unwrap().len(), 2);

    let (code, value) = findings(&repository, &["rust", "--fix"]);
    assert_eq!((code, places(&value)), (Some(0), Vec::new()), "{value}");
    let mended = String::from_utf8(repository.read("src/lib.rs")).unwrap();
    assert!(!mended.contains("return") && mended.contains("two() -> u32"));
}

#[test]
fn what_does_not_compile_is_a_finding_and_what_cannot_run_is_none() {
    let repository = rust();
    repository.write(
        "src/lib.rs",
        "//! A crate.\n\nfn broken() -> u32 {\n    \"text\"\n}\n",
    );
    let (code, value) = findings(&repository, &["rust"]);
    assert_eq!(code, Some(1), "{value}");
    assert!(
        places(&value).contains(&"src/lib.rs:4 clippy/E0308".to_owned()),
        "{value}"
    );
    repository.write("Cargo.lock", "version = 4\n");
    repository.write("Cargo.toml", "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\nother = { path = \"other\" }\n");
    let ended = repository.xtask(&["lint", "rust"]);
    assert_eq!(ended.code, Some(5), "{}{}", ended.stdout, ended.stderr);
}

#[test]
fn faults_planted_in_this_very_repository_are_found_and_mended() {
    if !slow() {
        return;
    }
    let repository = Repository::of_workspace("planted");
    let server = "tools/mcp-server-jupyter/mcp_server_jupyter/planted.py";
    repository.write(
        server,
        "\"\"\"Planted.\"\"\"\nimport os\n\n\nx: int = \"a\"\ny  = 1\n",
    );
    let extension = "vscode-extension/src/planted.ts";
    repository.write(extension, "export const x: number = 'a';\n");
    let (code, value) = findings(&repository, &["python", "typescript"]);
    assert_eq!(code, Some(1), "{value}");
    let found = places(&value);
    for expected in [
        format!("{server}:2 ruff/F401"),
        format!("{server}:5 mypy/assignment"),
        format!("{extension}:1 prettier/format"),
        format!("{extension}:1 tsc/TS2322"),
    ] {
        assert!(found.contains(&expected), "{expected}: {found:?}");
    }
    assert!(
        found
            .iter()
            .any(|place| place.ends_with("ruff-format/format")),
        "{found:?}"
    );
    let (code, value) = findings(&repository, &["python", "typescript", "--fix"]);
    let left = [
        format!("{server}:3 mypy/assignment"),
        format!("{extension}:1 tsc/TS2322"),
    ];
    assert_eq!((code, places(&value)), (Some(1), left.to_vec()), "{value}");
}
