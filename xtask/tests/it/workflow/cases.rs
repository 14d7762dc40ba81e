//! Each rule on a workflow that breaks it, each defect that was found in the wild, and a set on
//! which nothing is found. A line `# expect RULE: LINES` of a file says what must be found.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use xtask::workflow::read;
use xtask::workflow::report::{Report, report};
use xtask::workflow::repository::{Disk, Repository, Tool};
use xtask::workflow::rules::{RULES, table};

use super::super::repository::workspace;

fn folder(name: &str) -> Utf8PathBuf {
    workspace().join("xtask/tests/it/workflow").join(name)
}

/// Name and text of every file of a folder.
fn files(name: &str) -> Vec<(String, String)> {
    let entries = folder(name).read_dir_utf8().unwrap();
    let mut files: Vec<(String, String)> = entries
        .map(|entry| {
            let path = entry.unwrap().path().to_path_buf();
            let text = std::fs::read_to_string(&path).unwrap();
            (path.file_stem().unwrap().to_owned(), text)
        })
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// What the workflows of the cases find around them.
fn disk() -> Disk {
    let texts = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| (*text).to_owned())
            .collect::<BTreeSet<_>>()
    };
    Disk {
        files: texts(&[
            ".github/actions/present/action.yml",
            ".github/workflows/case.yml",
            "Makefile",
            "scripts/present.sh",
            "web/package.json",
        ]),
        scripts: BTreeMap::from([("web".to_owned(), texts(&["build", "test"]))]),
        targets: BTreeMap::from([(String::new(), texts(&["build", "test"]))]),
    }
}

pub fn judged(text: &str, tool: Tool) -> Report {
    let path = ".github/workflows/case.yml".to_owned();
    let mut repository = Repository {
        workflows: Vec::new(),
        actions: Vec::new(),
        broken: Vec::new(),
        disk: disk(),
        tool,
    };
    match read::workflow(&path, text) {
        Ok(workflow) => repository.workflows.push(workflow),
        Err(problem) => repository.broken.push((path.clone(), problem)),
    }
    report(&repository, &[(path, text.to_owned())], None)
}

fn expected(text: &str) -> BTreeMap<String, BTreeSet<usize>> {
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix("# expect "));
    let expected = lines.map(|line| {
        let (rule, lines) = line.split_once(": ").unwrap();
        let lines = lines.split(' ').map(|line| line.parse().unwrap());
        (rule.to_owned(), lines.collect())
    });
    expected.collect()
}

fn found(report: &Report, rule: &str) -> BTreeSet<usize> {
    let of_rule = report
        .findings
        .iter()
        .filter(|finding| finding.rule == rule);
    of_rule.map(|finding| finding.place.line).collect()
}

/// What is not as it must be.
fn check(name: &str, text: &str, tool: Tool) -> String {
    let report = judged(text, tool);
    let mut wrong = String::new();
    for (rule, lines) in expected(text) {
        let found = found(&report, &rule);
        if found != lines {
            wrong.push_str(&format!("{name}: {rule}: {found:?} is not {lines:?}\n"));
        }
    }
    wrong
}

#[test]
fn every_rule_finds_its_case_and_nothing_else_in_it() {
    let mut wrong = String::new();
    for (name, text) in files("cases") {
        let rules: Vec<String> = expected(&text).into_keys().collect();
        assert!(rules.len() == 1 && rules[0] == name, "{name}: {rules:?}");
        wrong.push_str(&check(&name, &text, Tool::Used(xtask::cli::problem)));
    }
    assert_eq!(wrong, "");
}

#[test]
fn every_rule_has_a_case_and_a_line_in_the_list() {
    let ids: BTreeSet<String> = RULES.iter().map(|rule| rule.id.to_owned()).collect();
    assert_eq!(ids.len(), RULES.len(), "two rules have one id");
    let cases: BTreeSet<String> = files("cases").into_iter().map(|(name, _)| name).collect();
    assert_eq!(cases, ids);
    let sources = workspace()
        .join("xtask/src/workflow/rules")
        .read_dir_utf8()
        .unwrap();
    let sources = sources.map(|entry| entry.unwrap().path().to_path_buf());
    let sources = sources.filter(|path| path.extension() == Some("rs"));
    let sources: BTreeSet<String> = sources
        .map(|path| path.file_stem().unwrap().replace('_', "-"))
        .collect();
    assert_eq!(sources, ids);
}

#[test]
fn every_defect_of_real_workflows_is_found() {
    let mut wrong = String::new();
    for (name, text) in files("real") {
        wrong.push_str(&check(&name, &text, Tool::Absent));
    }
    assert_eq!(wrong, "");
}

#[test]
fn a_sound_set_has_no_finding() {
    for (name, text) in files("clean") {
        let report = judged(&text, Tool::Used(xtask::cli::problem));
        assert_eq!(report.findings, [], "{name}\n{}", report.text());
    }
}

#[test]
fn sound_workflows_of_other_repositories_are_not_refused() {
    for (name, text) in files("good") {
        let report = judged(&text, Tool::Absent);
        assert_eq!(report.errors(), 0, "{name}\n{}", report.text());
    }
}

#[test]
fn how_this_tool_releases_is_advice_elsewhere() {
    let text = "on: {push: {tags: ['v*']}}\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: npm publish\n";
    let rules = [
        "publish-without-artifact",
        "publish-without-test",
        "release-without-concurrency",
        "release-without-environment",
        "tag-is-no-version",
    ];
    for (tool, errors) in [
        (Tool::Absent, 0),
        (Tool::Used(xtask::cli::problem), rules.len()),
    ] {
        let report = judged(text, tool);
        let found: BTreeSet<&str> = report.findings.iter().map(|one| &*one.rule).collect();
        assert_eq!(found, BTreeSet::from(rules), "{}", report.text());
        assert_eq!(report.errors(), errors, "{}", report.text());
    }
}

#[test]
fn what_a_comment_accepts_is_listed_with_its_reason() {
    let text = "on: push\npermissions: {}\njobs:\n  a:\n    runs-on: x\n    steps:\n      # xtask: allow unpinned-action because it is ours\n      - uses: a/b@v1\n      - uses: a/c@v1 # xtask: allow unpinned-action because it is, too\n      # xtask: allow cannot-fail because of nothing\n      - run: a\n";
    let report = judged(text, Tool::Absent);
    let reasons: Vec<&str> = report
        .accepted
        .iter()
        .map(|accepted| &*accepted.reason)
        .collect();
    assert_eq!(reasons, ["it is ours", "it is, too"]);
    assert_eq!(report.errors(), 0, "{}", report.text());
    let unused = found(&report, "allow-comment");
    assert_eq!(unused, BTreeSet::from([10]));
    assert_eq!(report.json()["accepted"][0]["reason"], "it is ours");
    assert_eq!(
        report.sarif()["runs"][0]["results"][1]["suppressions"][0]["kind"],
        "inSource"
    );
}

#[test]
fn the_document_lists_every_rule() {
    let document = std::fs::read_to_string(workspace().join("docs/workflow-rules.md")).unwrap();
    assert!(
        document.contains(&table()),
        "the table must be:\n{}",
        table()
    );
}
