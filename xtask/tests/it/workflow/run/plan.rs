//! What is decided before anything runs.

use super::{json, repository, runs, steps};
use crate::repository::Repository;

fn planned(repository: &Repository, arguments: &[&str]) -> String {
    runs(repository, &[&["--list"], arguments].concat()).stdout
}

#[test]
fn the_plan_says_what_runs_what_is_emulated_and_what_is_left_out() {
    let repository = repository(
        "on: push\njobs:\n  a:\n    strategy:\n      matrix:\n        os: [ubuntu-latest, windows-latest]\n        part: [x, y]\n        exclude: [{ os: ubuntu-latest, part: y }]\n        include: [{ os: ubuntu-latest, part: z, more: 1 }]\n    runs-on: ${{ matrix.os }}\n    steps:\n      - uses: actions/checkout@v4\n      - run: make\n      - uses: docker/build-push-action@v6\n        if: matrix.more\n  b:\n    needs: a\n    if: github.ref_type == 'tag'\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ github.ref_name }}\n  c:\n    runs-on: ubuntu-latest\n    container: debian\n    steps:\n      - run: echo\n",
    );
    let expected = "\
.github/workflows/ci.yml on push
  a (ubuntu-latest, x)
    emulated  actions/checkout  (a clone of HEAD)
    run       make
    left out  docker/build-push-action  (nothing here stands in for docker/build-push-action)  if matrix.more
  a (windows-latest, x)  left out: it runs on windows-latest
  a (windows-latest, y)  left out: it runs on windows-latest
  a (ubuntu-latest, z, 1)
    emulated  actions/checkout  (a clone of HEAD)
    run       make
    left out  docker/build-push-action  (nothing here stands in for docker/build-push-action)  if matrix.more
  b  skipped: its condition does not hold for push: github.ref_type == 'tag'
  c  left out: it runs in containers
";
    assert_eq!(planned(&repository, &[]), expected);
    assert!(planned(&repository, &["--event", "tag:v1.0.0"]).contains("  b\n    run       echo"));
    assert!(
        planned(&repository, &["--matrix", "part=z"]).contains("a (ubuntu-latest, x)  left out")
    );
    let value = json(&runs(&repository, &["--list", "--format", "json"]));
    assert_eq!(
        (
            &value["schema"],
            &value["plans"][0]["jobs"][2]["state"]["is"]
        ),
        (&1.into(), &"left-out".into())
    );
}

#[test]
fn inputs_and_events_are_those_of_the_workflow() {
    let text = "on:\n  workflow_dispatch:\n    inputs:\n      publish: { type: boolean, default: false }\n      level: { default: low }\n      way: { type: choice, options: [up, down], default: up }\n  push: { tags: ['v*'] }\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - if: inputs.publish == true && inputs.level == 'high'\n        run: echo \"by hand, $GITHUB_EVENT_NAME\"\n      - if: github.ref_type == 'tag'\n        run: git init --quiet && echo \"tag $GITHUB_REF_NAME\"\n";
    let repository = repository(text);
    let by_hand = runs(
        &repository,
        &["--input", "publish=true", "--input", "level=high"],
    );
    assert!(
        by_hand.stdout.contains("by hand, workflow_dispatch"),
        "{}",
        by_hand.stdout
    );
    let tag = runs(&repository, &["--event", "tag:v9.9.9"]);
    assert!(tag.stdout.contains("| tag v9.9.9"), "{}", tag.stdout);
    let check = |arguments: &[&str], code: i32, expected: &str| {
        let ended = repository.xtask(&[&["ci", "run"], arguments].concat());
        assert_eq!(ended.code, Some(code), "{}", ended.stderr);
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    };
    check(&["--input", "other=1"], 2, "has no input other");
    check(&["--input", "publish=maybe"], 2, "not true or false");
    check(&["--input", "way=left"], 2, "one of up, down");
    check(&["--matrix", "os=x"], 2, "--matrix os=x: no leg has it");
    check(&["--event", "schedule"], 2, "is not started by schedule");
    check(&["--event", "tag:not a tag"], 2, "is no event");
    check(&["nothing"], 2, "has no job nothing");
    check(
        &["--workflow", "other.yml"],
        2,
        "its workflows are .github/workflows/ci.yml",
    );
    repository.git(&["commit", "--quiet", "--allow-empty", "--message=more"]);
    repository.git(&["tag", "v1.0.0", "HEAD~1"]);
    check(&["--event", "tag:v1.0.0"], 5, "the tag v1.0.0 is at");
}

#[test]
fn what_cannot_be_read_is_an_error_with_its_place() {
    let check = |text: &str, expected: &str| {
        let ended = repository(text).xtask(&["ci", "run"]);
        assert_eq!(ended.code, Some(2), "{}{}", ended.stdout, ended.stderr);
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    };
    check("on: [push\n", ".github/workflows/ci.yml:");
    check("", "the file is empty");
    check(
        "on: push\njobs:\n  a:\n    needs: b\n    steps: []\n    runs-on: x\n  b:\n    needs: a\n    runs-on: x\n    steps: []\n",
        "needs itself",
    );
    check(
        &steps("", "- run: x").replace("ubuntu-latest", "${{ matri.os }}"),
        "ci.yml:4:",
    );
}

#[test]
fn the_environment_of_a_job_is_named() {
    for environment in ["index", "{ name: index, url: 'https://example.org' }"] {
        let repository = repository(&format!(
            "on: push\njobs:\n  a:\n    environment: {environment}\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo\n"
        ));
        let text = planned(&repository, &[]);
        assert!(
            text.contains("  a\n    at GitHub in the environment index\n    run "),
            "{text}"
        );
        let value = json(&runs(&repository, &["--list", "--format", "json"]));
        assert_eq!(value["plans"][0]["jobs"][0]["environment"], "index");
    }
}
