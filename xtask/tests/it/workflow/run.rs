//! `ci run`: small workflows whose steps say by their exit codes whether all is as at GitHub.

mod artifacts;
mod plan;
mod whole;

use serde_json::Value;

use crate::repository::{Ended, Repository};

/// A repository whose only workflow is this.
pub fn repository(workflow: &str) -> Repository {
    let repository = Repository::folder("straße mit leerzeichen");
    repository.write("release.toml", crate::repository::CONFIGURATION);
    repository.write(".gitignore", "/target/\n");
    repository.write(".github/workflows/ci.yml", workflow);
    repository.commit();
    repository
}

/// A workflow of one job with these steps, each a script that must hold.
fn steps(head: &str, steps: &str) -> String {
    let indented: String = steps
        .lines()
        .map(|line| format!("      {line}\n"))
        .collect();
    format!(
        "on: [push, workflow_dispatch]\n{head}jobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n{indented}"
    )
}

fn runs(repository: &Repository, arguments: &[&str]) -> Ended {
    let arguments = [&["ci", "run"], arguments].concat();
    repository.succeeds(&arguments)
}

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|cause| panic!("{cause}: {}", ended.stdout))
}

/// Runs a job with these steps to its success.
fn check(head: &str, text: &str) -> Ended {
    runs(&repository(&steps(head, text)), &[])
}

#[test]
fn the_environment_is_that_of_ci() {
    check("", "- run: test \"$CI $GITHUB_ACTIONS\" = 'true true'");
    check(
        "",
        "- run: echo A=1 >> $GITHUB_ENV\n- run: test \"$A\" = 1 && case $GITHUB_ENV$RUNNER_TEMP in *' '*) exit 1; esac",
    );
    check(
        "",
        "- run: test -z \"$(ls -A)\" && test \"$PWD\" -ef \"$GITHUB_WORKSPACE\"",
    );
    check(
        "",
        "- run: test \"$GITHUB_REF/$GITHUB_REF_NAME/$GITHUB_REF_TYPE\" = refs/heads/main/main/branch",
    );
    check(
        "",
        "- run: test \"${#GITHUB_SHA}\" = 40 && test -d \"$RUNNER_TEMP\" && test \"$RUNNER_OS\" = Linux",
    );
    check(
        "",
        "- run: test \"$GITHUB_EVENT_NAME\" = push && grep -q refs/heads/main \"$GITHUB_EVENT_PATH\"",
    );
}

#[test]
fn no_credential_and_no_setting_of_the_caller_gets_in() {
    let text = steps(
        "",
        "- run: test -z \"$GITHUB_TOKEN$TWINE_PASSWORD$XTASK_SECRET$SOMETHING\"",
    );
    let mut repository = repository(&text);
    for name in [
        "GITHUB_TOKEN",
        "TWINE_PASSWORD",
        "XTASK_SECRET",
        "SOMETHING",
    ] {
        repository
            .environment
            .push((name.into(), "hunter22".into()));
    }
    runs(&repository, &[]);
}

#[test]
fn secrets_are_given_by_name_and_never_shown() {
    let text = steps(
        "",
        "- run: |\n    test \"${#PASSWORD}\" = 8\n    echo \"the password is $PASSWORD\"\n  env:\n    PASSWORD: ${{ secrets.DEMO_SECRET }}\n- run: test -z '${{ secrets.OTHER }}'",
    );
    let mut repository = repository(&text);
    repository
        .environment
        .push(("DEMO_SECRET".into(), "hunter22".into()));
    let ended = runs(
        &repository,
        &["--secrets-from-environment", "DEMO_SECRET", "--verbose"],
    );
    assert!(
        ended.stdout.contains("the password is ***"),
        "{}",
        ended.stdout
    );
    assert!(!format!("{}{}", ended.stdout, ended.stderr).contains("hunter22"));
    let ended = repository.xtask(&["ci", "run", "--secrets-from-environment", "ABSENT"]);
    assert_eq!(ended.code, Some(5), "{}", ended.stderr);
}

#[test]
fn an_identity_is_for_the_jobs_that_may_ask_for_one() {
    let job = |id: &str, permissions: &str, script: &str| {
        format!(
            "  {id}:\n    runs-on: ubuntu-latest\n    permissions: {permissions}\n    steps:\n      - run: {script}\n"
        )
    };
    let given = "test \"$ACTIONS_ID_TOKEN_REQUEST_URL $ACTIONS_ID_TOKEN_REQUEST_TOKEN\" = \"http://127.0.0.1:9/token $(printf hunter; printf 22)\" && echo \"it is $ACTIONS_ID_TOKEN_REQUEST_TOKEN\"";
    let none = "test -z \"$ACTIONS_ID_TOKEN_REQUEST_URL$ACTIONS_ID_TOKEN_REQUEST_TOKEN\"";
    let text = |with: &str| {
        let jobs = [
            job("with", "{ id-token: write }", with),
            job("without", "{ contents: read }", none),
            job("nothing", "{}", none),
        ];
        format!("on: push\npermissions: write-all\njobs:\n{}", jobs.concat())
    };
    let with_service = |text: &str| {
        let mut repository = repository(text);
        for (name, value) in [
            ("ACTIONS_ID_TOKEN_REQUEST_URL", "http://127.0.0.1:9/token"),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "hunter22"),
        ] {
            repository.environment.push((name.into(), value.into()));
        }
        repository
    };
    let ended = runs(
        &with_service(&text(given)),
        &["--identity-from-environment", "--verbose"],
    );
    assert!(ended.stdout.contains("it is ***"), "{}", ended.stdout);
    assert!(!format!("{}{}", ended.stdout, ended.stderr).contains("hunter22"));
    // Whoever does not ask for it gives it to no job.
    runs(&with_service(&text(none)), &[]);
    let ended = repository(&text(none)).xtask(&["ci", "run", "--identity-from-environment"]);
    assert_eq!(ended.code, Some(5), "{}", ended.stderr);
}

#[test]
fn neither_the_name_of_a_job_nor_what_it_hands_on_holds_a_secret() {
    let mut repository = repository(
        "on: push\njobs:\n  a:\n    name: job ${{ secrets.DEMO_SECRET }}.\n    runs-on: ubuntu-latest\n    outputs: {o: 'x${{ steps.s.outputs.o }}', p: plain}\n    steps:\n      - id: s\n        run: echo \"o=$P\" >> $GITHUB_OUTPUT\n        env: {P: '${{ secrets.DEMO_SECRET }}'}\n  b:\n    needs: a\n    runs-on: ubuntu-latest\n    steps:\n      - run: test '${{ needs.a.outputs.o }}/${{ needs.a.outputs.p }}' = /plain\n",
    );
    let secret = ("DEMO_SECRET".into(), "hunter22".into());
    repository.environment.push(secret);
    let arguments = ["--secrets-from-environment", "DEMO_SECRET", "--verbose"];
    let ended = runs(&repository, &arguments);
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(!said.contains("hunter22"), "{said}");
    assert!(said.contains("job ."), "{said}");
    assert!(said.contains("the output o holds a secret"), "{said}");
    let results = "target/xtask/ci/results/ci/results.json";
    let results = std::fs::read_to_string(repository.root.join(results)).unwrap();
    assert!(results.contains("plain"), "{results}");
    assert!(!results.contains("hunter22"), "{results}");
}

#[test]
fn a_job_ends_when_its_time_is_over_even_in_parts_of_a_minute() {
    let text = steps("", "- run: sleep 300")
        .replace("    steps:", "    timeout-minutes: 0.01\n    steps:");
    let ended = repository(&text).xtask(&["ci", "run"]);
    assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
}

#[test]
fn the_clone_is_of_the_commit_and_pushes_nowhere() {
    let text = steps(
        "",
        "- uses: actions/checkout@v4\n- run: test \"$(git rev-parse HEAD)\" = \"$GITHUB_SHA\"\n- run: test \"$(git rev-list --count HEAD)\" = 1\n- run: test \"$(cat file)\" = second && test ! -e new\n- run: test -z \"$(git status --porcelain)\"\n- run: '! git push origin HEAD:refs/heads/other'\n- uses: actions/checkout@v4\n  with: { path: whole, fetch-depth: 0 }\n- run: test \"$(git -C whole rev-list --count HEAD)\" = 2",
    );
    let repository = Repository::folder("clone");
    repository.write("release.toml", crate::repository::CONFIGURATION);
    repository.write("file", "first");
    repository.commit();
    repository.write("file", "second");
    repository.write(".github/workflows/ci.yml", &text);
    repository.commit();
    repository.write("file", "third");
    repository.write("new", "");
    let ended = runs(&repository, &[]);
    assert!(
        ended.stderr.contains("are in no commit"),
        "{}",
        ended.stderr
    );
}

#[test]
fn values_go_from_step_to_step() {
    check(
        "",
        "- id: first\n  run: |\n    echo one=1 >> \"$GITHUB_OUTPUT\"\n    printf 'two<<END\\na\\nb\\nEND\\n' >> \"$GITHUB_OUTPUT\"\n    echo NAME=value >> \"$GITHUB_ENV\"\n    mkdir \"$RUNNER_TEMP/bin\"; printf '#!/bin/sh\\necho mine' > \"$RUNNER_TEMP/bin/mine\"; chmod +x \"$RUNNER_TEMP/bin/mine\"\n    echo \"$RUNNER_TEMP/bin\" >> \"$GITHUB_PATH\"\n- run: test '${{ steps.first.outputs.one }}' = 1\n- run: test \"$TWO\" = \"$(printf 'a\\nb')\"\n  env:\n    TWO: ${{ steps.first.outputs.two }}\n- run: test \"$NAME ${{ env.NAME }}\" = 'value value' && test \"$(mine)\" = mine\n- run: test '${{ steps.first.outcome }}' = success\n- if: env.NAME != 'VALUE'\n  run: exit 1",
    );
    check(
        "env: { A: workflow, B: workflow }\n",
        "- run: test \"$A $B\" = 'workflow step'\n  env: { B: step }",
    );
}

#[test]
fn shells_and_folders_are_as_asked_for() {
    check(
        "",
        "- run: 'false | true'\n- run: 'mkdir sub'\n- run: 'test \"$(basename \"$PWD\")\" = sub'\n  working-directory: sub\n- run: 'test -z \"$BASH_VERSION\" || test -n \"$POSIXLY_CORRECT\" || true'\n  shell: sh",
    );
    check(
        "",
        "- run: |\n    import os\n    assert os.environ['CI'] == 'true'\n  shell: python3 {0}",
    );
    check(
        "defaults: { run: { shell: 'python3 {0}' } }\n",
        "- run: assert True",
    );
    let text = steps("", "- run: 'false | true'\n  shell: bash");
    fails(&repository(&text), &["ci.yml:6", "exit code 1"]);
}

fn fails(repository: &Repository, expected: &[&str]) -> Ended {
    let ended = repository.xtask(&["ci", "run"]);
    assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
    for part in expected {
        assert!(
            ended.stderr.contains(part),
            "{part}\n{}\n{}",
            ended.stdout,
            ended.stderr
        );
    }
    ended
}

#[test]
fn a_failure_names_job_step_command_and_exit_code() {
    let text = steps(
        "",
        "- run: exit 7\n- run: echo never\n- if: failure()\n  run: echo rescued\n- if: always()\n  run: echo always\n- if: success()\n  run: echo never",
    );
    let ended = fails(
        &repository(&text),
        &[
            "job a",
            ".github/workflows/ci.yml:6",
            "exit 7",
            "exit code 7",
        ],
    );
    assert!(ended.stdout.contains("| rescued") && ended.stdout.contains("| always"));
    assert!(!ended.stdout.contains("| never"), "{}", ended.stdout);
    check(
        "",
        "- run: echo a=1 >> \"$GITHUB_OUTPUT\"; exit 7\n  id: first\n  continue-on-error: true\n- run: test '${{ steps.first.outcome }} ${{ steps.first.conclusion }} ${{ steps.first.outputs.a }}' = 'failure success 1'",
    );
    let text = steps("", "- run: while true; do :; done\n  timeout-minutes: 0.01");
    fails(&repository(&text), &["so it was stopped"]);
    let text = steps("", "- run: echo ${{ nothing.a }}");
    fails(&repository(&text), &["there is no context nothing"]);
    let text = steps("", "- run: echo one >> \"$GITHUB_OUTPUT\"");
    fails(&repository(&text), &["GITHUB_OUTPUT: neither NAME=VALUE"]);
}

#[test]
fn what_a_step_says_to_the_runner_is_heard() {
    let ended = check(
        "",
        "- run: |\n    echo ::add-mask::hush\n    echo say hush\n    echo '::error file=a.py,line=3::wrong'\n    echo ::stop-commands::t\n    echo ::add-mask::plain\n    echo ::t::\n    echo plain",
    );
    for expected in ["say ***", "error: a.py:3: wrong", "| plain"] {
        assert!(
            ended.stdout.contains(expected),
            "{expected}\n{}",
            ended.stdout
        );
    }
}

#[test]
fn what_is_left_in_the_background_lasts_as_long_as_the_job() {
    let ended = check(
        "",
        "- run: |\n    sleep 600 &\n    echo \"PID=$!\" >> \"$GITHUB_ENV\"\n- run: kill -0 \"$PID\" && echo \"number $PID.\"",
    );
    let (_, rest) = ended.stdout.split_once("| number ").unwrap();
    let id: u32 = rest.split('.').next().unwrap().parse().unwrap();
    let status = std::fs::read_to_string(format!("/proc/{id}/stat"));
    assert!(status.is_err() || status.is_ok_and(|text| text.contains(") Z")));
}

#[test]
fn jobs_need_each_other_and_hand_on_outputs() {
    let repository = repository(
        "on: push\njobs:\n  last:\n    needs: [first, bad]\n    if: always()\n    runs-on: ubuntu-latest\n    steps:\n      - run: test '${{ needs.first.outputs.a }} ${{ needs.first.result }} ${{ needs.bad.result }}' = '1 success failure'\n  first:\n    runs-on: ubuntu-latest\n    outputs:\n      a: ${{ steps.x.outputs.a }}\n    steps:\n      - id: x\n        run: echo a=1 >> \"$GITHUB_OUTPUT\"\n  bad:\n    runs-on: ubuntu-latest\n    steps:\n      - run: exit 1\n  after:\n    needs: bad\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo never\n",
    );
    let ended = repository.xtask(&["ci", "run", "--format", "json"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let value = json(&ended);
    let outcomes: Vec<(&str, &str)> = value["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| {
            (
                job["id"].as_str().unwrap(),
                job["outcome"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        outcomes,
        [
            ("first", "success"),
            ("bad", "failure"),
            ("last", "success"),
            ("after", "skipped")
        ]
    );

    runs(&repository, &["first"]);
    let ended = repository.xtask(&["ci", "run", "last", "--only"]);
    assert_eq!(ended.code, Some(5), "{}", ended.stderr);
    let ended = repository.xtask(&["ci", "run", "after"]);
    assert_eq!(ended.code, Some(1));
    let ended = repository.xtask(&["ci", "run", "after", "--only"]);
    assert!(ended.stdout.contains("skipped"), "{}", ended.stdout);
}

#[test]
fn an_action_of_the_repository_runs_its_steps() {
    let repository = repository(&steps(
        "",
        "- uses: actions/checkout@v4\n- id: x\n  uses: ./.github/actions/greet\n  with: { who: you }\n- run: test '${{ steps.x.outputs.said }}' = 'hello you, dear'\n- uses: ./.github/actions/other\n- uses: some/thing@v1",
    ));
    repository.write(".github/actions/greet/action.yml", "name: greet\ninputs:\n  who: { description: who }\n  more: { default: dear }\noutputs:\n  said: { value: '${{ steps.s.outputs.said }}' }\nruns:\n  using: composite\n  steps:\n    - id: s\n      shell: bash\n      run: echo \"said=hello ${{ inputs.who }}, ${{ inputs.more }}\" >> \"$GITHUB_OUTPUT\"\n");
    repository.write(
        ".github/actions/other/action.yml",
        "name: other\nruns: { using: node20, main: index.js }\n",
    );
    repository.commit();
    let ended = runs(&repository, &[]);
    assert!(ended.stdout.contains("2 not run here"), "{}", ended.stdout);
}
