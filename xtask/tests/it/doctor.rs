//! `doctor` on repositories of all sorts, from outside.

mod broken;

use serde_json::Value;

use super::repository::{Ended, Repository, workspace};

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout)
        .unwrap_or_else(|cause| panic!("{cause}\n{}\n{}", ended.stdout, ended.stderr))
}

fn broken() -> Repository {
    let repository = Repository::folder("in the wild");
    for (path, text) in broken::FILES {
        repository.write(path, text);
    }
    repository.commit();
    repository
}

/// What is said of the files, without remedies and without the machine.
fn report(stdout: &str) -> String {
    let stages = [
        "✗ build ",
        "! build ",
        "✗ publish ",
        "! publish ",
        "✗ deploy ",
        "! deploy ",
    ];
    let lines = stdout.lines().filter(|line| {
        stages.iter().any(|stage| line.starts_with(stage)) || line.contains(" repository   ")
    });
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_defects_of_a_repository_in_the_wild_are_all_named() {
    let ended = broken().xtask(&["doctor"]);
    assert_eq!(ended.code, Some(5), "{}", ended.stderr);
    let expected = include_str!("doctor/broken.txt");
    let found = report(&ended.stdout);
    assert_eq!(found, expected, "{found}");
}

#[test]
fn programs_get_the_same_findings_as_people() {
    let repository = broken();
    let text = report(&repository.xtask(&["doctor"]).stdout);
    let whole = json(&repository.xtask(&["doctor", "--format", "json"]));
    let found = &whole["repository"];
    assert_eq!(
        (&whole["schema"], &found["templates"][0]),
        (&1.into(), &"chart/templates/deployment.yaml".into())
    );
    let list = found["findings"].as_array().unwrap();
    assert_eq!(list.len(), text.lines().count() - 1);
    let log = json(&repository.xtask(&["doctor", "--format", "sarif"]));
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), list.len());
    for (one, result) in list.iter().zip(results) {
        assert_eq!(one["rule"], result["ruleId"]);
        let line = &result["locations"][0]["physicalLocation"]["region"]["startLine"];
        assert_eq!(&one["line"], line);
    }
}

#[test]
fn a_folder_outside_of_git_and_a_folder_below_the_top_are_looked_at() {
    let repository = Repository::folder("no git");
    repository.write(
        "pyproject.toml",
        "[project]\nname = \"a\"\ndependencies = [\"mcp\"]\n",
    );
    repository.write("node_modules/x/pyproject.toml", "[project\n");
    let outside = repository.xtask(&["doctor", "--root", "."]);
    assert!(
        outside
            .stdout
            .contains("pyproject.toml:3: mcp has no upper bound"),
        "{}",
        outside.stdout
    );
    assert!(
        !outside.stdout.contains("node_modules"),
        "{}",
        outside.stdout
    );
    repository.write("deep/er/x.txt", "");
    repository.commit();
    let below = repository.command(env!("CARGO_BIN_EXE_cargo-xtask"));
    let mut below = below;
    let deep = repository.root.join("deep/er");
    let below = super::repository::ended(below.current_dir(deep).arg("doctor"));
    assert!(
        below.stdout.contains("✗ build        pyproject.toml:3"),
        "{}",
        below.stdout
    );
}

#[test]
fn what_is_not_read_is_said() {
    let repository = Repository::folder("large");
    repository.write("pyproject.toml", "[project]\nname = \"a\"\n");
    repository.write("a/big.py", &"x = 1\n".repeat(200_000));
    repository.commit();
    std::fs::write(repository.root.join("README.md"), b"\xff").unwrap();
    repository.git(&["add", "README.md"]);
    let said = repository.xtask(&["doctor"]).stdout;
    assert!(
        said.contains("! not read     README.md: not UTF-8"),
        "{said}"
    );
    assert!(
        said.contains("! not read     a/big.py: larger than"),
        "{said}"
    );
}

#[test]
fn nothing_of_this_repository_breaks() {
    let repository = Repository::of_workspace("ours");
    let whole = json(&repository.xtask(&["doctor", "--format", "json"]));
    assert_eq!(whole["repository"]["breaks"], 0, "{}", whole["repository"]);
    assert_eq!(whole["repository"]["unread"], Value::Array(Vec::new()));
}

#[test]
fn the_document_lists_every_rule() {
    let path = workspace().join("docs/doctor-rules.md");
    let text = std::fs::read_to_string(path).unwrap();
    let table = xtask::inspect::rules::table();
    assert!(
        text.contains(&table),
        "docs/doctor-rules.md must hold:\n{table}"
    );
}
