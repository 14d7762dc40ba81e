//! Where things are found, and what is wrong with broken texts.

use super::super::model::{JobBody, StepBody};
use super::*;

fn read(text: &str) -> Workflow {
    workflow("w.yml", text).unwrap_or_else(|problem| panic!("{problem:?}\n{text}"))
}

fn check(text: &str, expected: &str) {
    let all = match workflow("w.yml", text) {
        Ok(workflow) => workflow.problems,
        Err(problem) => vec![problem],
    };
    let shown: Vec<String> = all
        .iter()
        .map(|problem| problem.error("w").message)
        .collect();
    assert!(
        shown.iter().any(|shown| shown.starts_with(expected)),
        "{text:?}: {shown:?}"
    );
}

const WHOLE: &str = "\u{feff}name: n\r\non:\r\n  push:\r\n    tags: ['v*']\r\n  workflow_dispatch:\r\npermissions: {contents: read}\r\n\
env:\r\n  A: 1\r\njobs:\r\n  a:\r\n    runs-on: ubuntu-latest\r\n    environment: {name: e, url: u}\r\n    steps:\r\n      - run: |\r\n          one\r\n\r\n            two\r\n          three\r\n\
\x20     - uses: x/y@v1\r\n        with: {k: v}\r\n  b:\r\n    needs: a\r\n    uses: ./.github/workflows/c.yml\r\n    secrets: inherit\r\n";

#[test]
fn everything_has_its_place() {
    let read = read(WHOLE);
    assert_eq!(read.problems, []);
    assert_eq!(
        read.trigger("push").unwrap().patterns("tags")[0].place,
        Place {
            line: 4,
            column: 12
        }
    );
    assert_eq!(
        read.permissions.as_ref().unwrap().access("contents"),
        "read"
    );
    assert_eq!(read.variables[0].value.value, "1");
    let step = &read.job("a").unwrap().steps()[0];
    let StepBody::Run { script, .. } = &step.body else {
        panic!("it runs")
    };
    assert_eq!(script.text, "one\n\n  two\nthree\n");
    let at = |word: &str| script.place_of(script.text.find(word).unwrap());
    assert_eq!(
        at("one"),
        Place {
            line: 15,
            column: 11
        }
    );
    assert_eq!(
        at("two"),
        Place {
            line: 17,
            column: 13
        }
    );
    assert_eq!(
        at("ree"),
        Place {
            line: 18,
            column: 13
        }
    );
    let JobBody::Reusable { uses, .. } = &read.job("b").unwrap().body else {
        panic!("it calls")
    };
    assert_eq!(uses.place.line, 23);
}

#[test]
fn lines_of_scripts_are_found_however_they_are_written() {
    let check = |run: &str, word: &str, line, column| {
        let text =
            format!("on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: {run}\n");
        let read = read(&text);
        let StepBody::Run { script, .. } = &read.jobs[0].steps()[0].body else {
            panic!("it runs")
        };
        let offset = script.text.find(word).unwrap();
        assert_eq!(script.place_of(offset), Place { line, column }, "{run:?}");
    };
    check("echo a", "a", 6, 19);
    check("'echo a'", "a", 6, 20);
    check("|-\n          x\n          y", "y", 8, 11);
    check("|2-\n          x\n          y", "y", 8, 11);
    check(">\n          x\n          y\n\n          z", "z", 10, 11);
    check("\"a\\nb\"", "b", 6, 15);
}

#[test]
fn broken_texts_say_where() {
    check("a: [", "w:2:1: not YAML");
    check("on: push\non: push", "w:2:1: the key `on` is there twice");
    check("", "w:1:1: the file is empty");
    check("- a", "w:1:1: not a YAML mapping");
    check("a: 1\n---\nb: 1", "w:2:1: there is a second YAML document");
    check("a: !x 1", "w:1:4: there is a YAML tag");
    check(
        "a: &a {b: 1}\nc:\n  <<: *a",
        "w:3:3: GitHub does not know the merge key",
    );
    check("on: push\njobs: {}", "w:2:7: `jobs` must be a mapping");
    check(
        "on: push\nsteps: 1\njobs: {a: {runs-on: x, steps: []}}",
        "w:2:1: the workflow has no key `steps`",
    );
    check(
        "on: push\njobs:\n  a:\n    steps: []",
        "w:3:3: the job `a` has no `runs-on`",
    );
    check(
        "on: push\njobs:\n  a:\n    runs-on: x\n    needs: b\n    steps: []",
        "w:5:12: the job `a` needs `b`",
    );
    check(
        "on: push\njobs:\n  a:\n    runs-on: x\n    needs: a\n    steps: []",
        "w:3:3: the job `a` needs itself",
    );
    check(
        "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - name: x",
        "w:6:9: a step has neither",
    );
    check(
        "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - name: Prepare: Install\n        run: x",
        "w:6:22: not YAML",
    );
    check("on: push\npermissions:\njobs: {}", "w:2:");
    check("\tx: 1", "w:1:");
    check("a: \0", "w:");
}

#[test]
fn brackets_may_close_under_their_key() {
    let read = read(
        "on: push\ndescription: d\njobs:\n  a:\n    runs-on: x\n    strategy:\n      matrix:\n        name: [\n          ü, b,\n        ]\n        include: [\n      {name: c, d: 'e'},\n  # ]\n]\n    steps:\n      - run: |\n          one [\n          two\n",
    );
    assert_eq!(read.problems, []);
    let matrix = read.jobs[0].strategy.matrix.as_ref().unwrap();
    let leg = &matrix.get("include").unwrap().items()[0];
    let name = leg.get("name").unwrap();
    assert_eq!(name.json(), "c");
    assert_eq!(
        name.place,
        Place {
            line: 12,
            column: 14
        }
    );
    assert_eq!(leg.get("d").unwrap().json(), "e");
    let StepBody::Run { script, .. } = &read.jobs[0].steps()[0].body else {
        panic!("it runs")
    };
    assert_eq!(script.text, "one [\ntwo\n");
    // What is wrong in a block stays wrong.
    check("a:\n    b: 1\n  c: 2", "w:3:");
    check("a: [\n\nb: c", "w:");
}

#[test]
fn anchors_are_read_and_bombs_are_not() {
    let text =
        "on: push\nenv: &e {A: 1}\njobs:\n  a:\n    runs-on: x\n    env: *e\n    steps: []\n";
    assert_eq!(read(text).jobs[0].variables[0].name.value, "A");
    let mut bomb = "a0: &a0 [x, x]\n".to_owned();
    for level in 1..40 {
        bomb.push_str(&format!("a{level}: &a{level} [*a{0}, *a{0}]\n", level - 1));
    }
    let problem = workflow("w", &bomb).unwrap_err();
    assert!(problem.message.contains("values"), "{problem:?}");
    let huge = format!("a: \"{}\"", "x".repeat(10_000_000));
    assert!(workflow("w", &huge).unwrap_err().message.contains("longer"));
    for deep in ["[", "{a: ", "- ", "? "] {
        assert!(workflow("w", &deep.repeat(100_000)).is_err(), "{deep}");
    }
    let mut nest = String::new();
    for level in 0..200 {
        nest.push_str(&format!(
            "b{level}: &b{level} [{}]\n",
            match level {
                0 => "x".to_owned(),
                _ => format!("*b{}", level - 1),
            }
        ));
    }
    assert!(workflow("w", &nest).unwrap_err().message.contains("nested"));
}
