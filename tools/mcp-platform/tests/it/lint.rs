//! `lint` on manifests with one planted mistake each, and on our own.

use std::path::{Path, PathBuf};

use mcp_platform::lint::{RULES, check};

use crate::manifest::cases::every;

/// At the end of the line on which the mistake is.
const PLANTED: &str = "# planted";

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/lint/cases")
}

fn files(folder: &Path) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (
                path.display().to_string(),
                std::fs::read_to_string(path).unwrap(),
            )
        })
        .collect();
    all.sort();
    all
}

#[test]
fn every_rule_finds_its_mistake_on_its_line_and_nothing_else() {
    let mut wrong = Vec::new();
    for rule in RULES {
        let files = files(&cases().join(rule.id));
        let planted = files.iter().find_map(|(path, text)| {
            let line = text.lines().position(|line| line.ends_with(PLANTED))?;
            Some((path.clone(), line + 1))
        });
        // An empty file has no line to mark.
        let (path, line) = planted.unwrap_or_else(|| (files[0].0.clone(), 1));
        let findings = check(files).findings;
        let exactly = matches!(
            findings.as_slice(),
            [one] if one.rule == rule.id && one.path == path && one.line == line
        );
        if !exactly {
            wrong.push(format!("{} on line {line}: {findings:#?}", rule.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_case_has_its_rule() {
    for entry in std::fs::read_dir(cases()).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(RULES.iter().any(|rule| *rule.id == *name), "{name:?}");
    }
}

#[test]
fn nothing_is_found_in_what_we_render() {
    let mut wrong = Vec::new();
    for case in every() {
        let report = check(vec![("rendered.yaml".to_owned(), case.text())]);
        assert!(report.objects > 4, "{}", case.word);
        assert_eq!(report.suppressed, 0);
        let found = report.findings.into_iter();
        wrong.extend(
            found.map(|finding| format!("{}: {}: {}", case.word, finding.rule, finding.message)),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
