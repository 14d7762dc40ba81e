//! `ci check` as a user runs it: exit codes, formats, any repository, other tools.

use serde_json::Value;

use super::super::repository::{Repository, slow};

const WORKFLOW: &str = ".github/workflows/release.yml";

const TEXT: &str = "on:
  push:
    tags: [\"v[0-9]+.[0-9]+.[0-9]+\"]
permissions: {}
concurrency: release
jobs:
  publish:
    runs-on: ubuntu-24.04
    environment: pypi
    steps:
      - uses: actions/checkout@v4
      - run: ./scripts/absent.sh || true
      - run: pytest
      - uses: actions/download-artifact@0123456789abcdef0123456789abcdef01234567 # v7.0.0
      - run: twine upload -p ${{ secrets.PYPI }} dist/*
";

/// A repository without `release.toml`.
fn repository() -> Repository {
    let repository = Repository::folder("any repository");
    repository.write(WORKFLOW, TEXT);
    repository
}

#[test]
fn findings_are_shown_with_their_places_and_remedies() {
    let ended = repository().xtask(&["ci", "check", "--without-tools"]);
    assert_eq!(ended.code, Some(6), "{}{}", ended.stdout, ended.stderr);
    let expected = "\
.github/workflows/release.yml:11:15: error unpinned-action: `actions/checkout@v4` is not pinned to a commit
    mend  pin it to the commit: `uses: OWNER/NAME@<40 hexadecimal digits> # v1.2.3`; an image to its digest
.github/workflows/release.yml:12:14: error cannot-fail: `./scripts/absent.sh || true` succeeds whatever happens
    mend  let the command's own result decide; what may really fail belongs into a step of its own that guards nothing
.github/workflows/release.yml:12:14: error missing-script: there is no `scripts/absent.sh` in the repository
    mend  name one that is there, or add it
.github/workflows/release.yml:15:34: error secret-in-command: `secrets.pypi` is written into the script
    mend  give it to the step as a variable under `env`, and let the program read the variable
✗ ci check     1 file, 4 errors, 0 warnings, 0 accepted, by our own rules only: zizmor and actionlint were not asked
";
    assert_eq!(ended.stdout, expected);
    assert!(
        ended.stderr.contains("4 findings in 1 file"),
        "{}",
        ended.stderr
    );
}

#[test]
fn json_and_sarif_carry_the_same() {
    let repository = repository();
    let ended = repository.xtask(&["ci", "check", "--without-tools", "--format", "json"]);
    let json: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(
        (ended.code, &json["schema"], &json["passes"]),
        (Some(6), &1.into(), &false.into())
    );
    let findings = json["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 4);
    assert_eq!(
        (&findings[0]["line"], &findings[0]["column"]),
        (&11.into(), &15.into())
    );
    let ended = repository.xtask(&["ci", "check", "--without-tools", "--format", "sarif"]);
    let sarif: Value = serde_json::from_str(&ended.stdout).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 4);
    let place = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], WORKFLOW);
    assert_eq!(place["region"]["startLine"], 11);
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"]
        .as_array()
        .unwrap();
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
}

#[test]
fn files_can_be_named_and_must_be_readable() {
    let repository = repository();
    repository.write(
        "other.yml",
        "on: push\npermissions: {}\njobs: {a: {runs-on: x, steps: [{run: a}]}}\n",
    );
    let check = |arguments: &[&str], code: i32, said: &str| {
        let mut all = vec!["ci", "check", "--without-tools"];
        all.extend(arguments);
        let ended = repository.xtask(&all);
        assert_eq!(
            ended.code,
            Some(code),
            "{arguments:?}: {}{}",
            ended.stdout,
            ended.stderr
        );
        let all = format!("{}{}", ended.stdout, ended.stderr);
        assert!(all.contains(said), "{arguments:?}: {all}");
    };
    check(&["other.yml"], 0, "1 file, 0 errors");
    check(&["absent.yml"], 1, "absent.yml");
    repository.write("broken.yml", "on: push\njobs: [\n");
    check(
        &["broken.yml"],
        6,
        "broken.yml:3:1: error invalid-workflow: not YAML",
    );
    std::fs::write(repository.root.join("binary.yml"), [0xff, 0xfe, 0]).unwrap();
    check(&["binary.yml"], 1, "binary.yml");
    let latin = ".github/workflows/latin.yml";
    std::fs::write(repository.root.join(latin), [b'a', 0xfc]).unwrap();
    check(
        &[],
        6,
        "latin.yml:1:1: error invalid-workflow: it cannot be read: read .github/workflows/latin.yml: not UTF-8 at byte 1",
    );
    check(&[], 6, "2 files, 5 errors");
    #[cfg(unix)]
    {
        // Nobody writes to it, so that whoever reads it waits for ever.
        let pipe = repository.root.join(".github/workflows/pipe.yml");
        let made = repository.command("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        check(&[], 6, "pipe.yml is no file");
    }
    let empty = Repository::folder("without workflows");
    let ended = empty.xtask(&["ci", "check", "--without-tools"]);
    assert_eq!(ended.code, Some(5), "{}", ended.stderr);
}

#[test]
fn what_other_tools_find_is_joined_with_ours() {
    if !slow() {
        return;
    }
    let repository = repository();
    repository.write(
        ".github/workflows/more.yml",
        "on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubunto-latest\n    steps:\n      - uses: actions/checkout@v4\n      - run: echo ${{ github.event.head_commit.message }}\n",
    );
    let ended = repository.xtask(&["ci", "check", "--format", "json"]);
    assert_eq!(ended.code, Some(6), "{}", ended.stderr);
    let json: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(json["tools"], "asked");
    let findings = json["findings"].as_array().unwrap();
    let at = |rule: &str, line: u64| {
        let is = |finding: &&Value| finding["rule"] == rule && finding["line"] == line;
        findings
            .iter()
            .find(is)
            .unwrap_or_else(|| panic!("{rule} {line}: {json:#}"))
    };
    assert_eq!(at("unpinned-action", 7)["also"][0], "zizmor/unpinned-uses");
    let also = at("untrusted-input", 8)["also"].to_string();
    assert!(
        also.contains("zizmor/template-injection") && also.contains("actionlint/expression"),
        "{also}"
    );
    at("actionlint/runner-label", 5);
    at("zizmor/artipacked", 7);
}
