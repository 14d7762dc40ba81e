//! What the engine itself has to keep. The rules are tested by their cases.

use super::*;

fn lint(text: &str) -> Vec<(&'static str, usize)> {
    let report = check(vec![("a.yaml".to_owned(), text.to_owned())]);
    report
        .findings
        .iter()
        .map(|finding| (finding.rule, finding.line))
        .collect()
}

#[test]
fn every_file_of_a_rule_is_in_the_list() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/lint/rules");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .map(|name| name.trim_end_matches(".rs").replace('_', "-"))
        .collect();
    files.sort();
    let ids: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(files, ids, "one file and one line a rule, sorted");
}

#[test]
fn every_rule_says_why_and_what_to_do() {
    for rule in RULES {
        assert!(rule.docs.starts_with("https://"), "{}", rule.id);
        assert!(
            !rule.why.is_empty() && !rule.remedy.is_empty(),
            "{}",
            rule.id
        );
    }
}

#[test]
fn files_without_objects_and_without_yaml_are_told_apart() {
    assert_eq!(lint(""), [("empty-file", 1)]);
    assert_eq!(lint("# later\n---\n"), [("empty-file", 1)]);
    assert_eq!(lint("replicaCount: 1\n"), []);
    assert_eq!(
        lint("a: 1\nb: [1\n").first().map(|found| found.0),
        Some("not-yaml")
    );
}

#[test]
fn a_comment_answers_for_its_line_with_a_reason() {
    let policy = |comment: &str| {
        format!(
            "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata:\n  name: a\nspec:\n  {comment}\n  minAvailable: 0\n"
        )
    };
    assert_eq!(lint(&policy("# plain")), [("disruption-budget-idle", 7)]);
    assert_eq!(
        lint(&policy(
            "# mcp-platform: ignore[disruption-budget-idle] drained by hand"
        )),
        []
    );
    assert_eq!(
        lint(&policy("# mcp-platform: ignore[disruption-budget-idle]")),
        [("suppression", 6), ("disruption-budget-idle", 7)]
    );
    assert_eq!(
        lint(&policy("# mcp-platform: ignore[no-probes] wrong rule")),
        [("suppression", 6), ("disruption-budget-idle", 7)]
    );
}

#[test]
fn lists_and_documents_are_read_alike() {
    let one = "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: a}\nspec: {maxUnavailable: 0}\n";
    assert_eq!(lint(one), [("disruption-budget-blocks", 4)]);
    assert_eq!(
        lint(&format!("---\n{one}---\n")),
        [("disruption-budget-blocks", 5)]
    );
    let list = "kind: List\nitems:\n- apiVersion: policy/v1\n  kind: PodDisruptionBudget\n  metadata: {name: a}\n  spec:\n    maxUnavailable: 0\n";
    assert_eq!(lint(list), [("disruption-budget-blocks", 7)]);
}

#[test]
fn the_log_points_to_rules_and_lines() {
    let report = check(vec![("a b.yaml".to_owned(), String::new())]);
    let log = sarif(&report);
    let result = log.pointer("/runs/0/results/0").unwrap();
    assert_eq!(result["ruleId"], "empty-file");
    let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(
        log["runs"][0]["tool"]["driver"]["rules"][index]["id"],
        "empty-file"
    );
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "a%20b.yaml");
    assert_eq!(place["region"]["startLine"], 1);
}

#[test]
fn aliases_of_aliases_do_not_fill_the_memory() {
    let mut bomb = "a: &a [x, x]\n".to_owned();
    for (letter, before) in ('b'..='z').zip('a'..='y') {
        let aliases = vec![format!("*{before}"); 9].join(",");
        bomb.push_str(&format!("{letter}: &{letter} [{aliases}]\n"));
    }
    assert_eq!(lint(&bomb), [("not-yaml", 1)]);
    let many = format!("a: &a 1\nb: &b 2\nc: [{}]\n", vec!["*a, *b"; 50].join(", "));
    assert_eq!(lint(&many), []);
}
