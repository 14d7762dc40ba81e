//! What the tools print, as they print it, one case each.

use super::*;

const ROOT: &str = "/work";

fn check(found: &[Finding], expected: &str) {
    let report = Report {
        findings: found.to_vec(),
        ..Report::default()
    };
    assert_eq!(report.text(), expected);
}

#[test]
fn the_output_of_every_tool_is_read() {
    let (root, folder) = (Utf8Path::new(ROOT), Utf8Path::new("/work/sub"));
    check(
        &rustfmt::read(
            "Diff in /work/a/b.rs:3:\n x\n-y\n+z\nDiff in /work/c.rs at line 7:\n",
            root,
        ),
        "a/b.rs:3:1: not formatted  [rustfmt format]\nc.rs:7:1: not formatted  [rustfmt format]\n",
    );
    check(
        &clippy::read(
            "noise\n{\"reason\":\"build-finished\",\"success\":false}\n\
             {\"reason\":\"compiler-message\",\"message\":{\"level\":\"error\",\"message\":\"aborting\",\"code\":null,\"spans\":[]}}\n\
             {\"reason\":\"compiler-message\",\"message\":{\"level\":\"warning\",\"message\":\"unused\",\"code\":{\"code\":\"unused_variables\"},\
             \"spans\":[{\"file_name\":\"src/a.rs\",\"line_start\":2,\"column_start\":5,\"is_primary\":true}]}}\n",
            root,
        ),
        "src/a.rs:2:5: unused  [clippy unused_variables]\n",
    );
    check(
        &ruff::read(
            "[{\"code\":\"F401\",\"message\":\"`os` imported but unused\",\"filename\":\"/work/sub/a.py\",\"location\":{\"row\":1,\"column\":8}}]",
            root,
            folder,
        )
        .unwrap(),
        "sub/a.py:1:8: `os` imported but unused  [ruff F401]\n",
    );
    check(
        &difference::read(
            "--- a.py\n+++ a.py\n@@ -1,5 +1,5 @@\n import os\n \n-x=1\n+x = 1\n@@ -9 +9 @@\n-y=1\n+y = 1\n",
            root,
            folder,
            Tool::RuffFormat,
        ),
        "sub/a.py:3:1: not formatted  [ruff-format format]\nsub/a.py:9:1: not formatted  [ruff-format format]\n",
    );
    check(
        &mypy::read(
            "{\"file\": \"a.py\", \"line\": 3, \"column\": 11, \"message\": \"wrong\", \"hint\": null, \"code\": \"return-value\", \"severity\": \"error\"}\n\
             {\"file\": \"a.py\", \"line\": 3, \"column\": -1, \"message\": \"note\", \"hint\": null, \"code\": null, \"severity\": \"note\"}\n",
            root,
            folder,
        )
        .unwrap(),
        "sub/a.py:3:12: wrong  [mypy return-value]\n",
    );
    check(
        &eslint::read(
            "[{\"filePath\":\"/work/sub/a.ts\",\"messages\":[{\"ruleId\":\"eqeqeq\",\"severity\":2,\"message\":\"Expected '==='.\",\"line\":4,\"column\":3}]}]",
            root,
            folder,
        )
        .unwrap(),
        "sub/a.ts:4:3: Expected '==='.  [eslint eqeqeq]\n",
    );
    check(
        &tsc::read(
            "src/a.ts(1,7): error TS2322: Type 'string' is not assignable to type 'number'.\n  more\n",
            root,
            folder,
        )
        .unwrap(),
        "sub/src/a.ts:1:7: Type 'string' is not assignable to type 'number'.  [tsc TS2322]\n",
    );
}

#[test]
fn other_output_is_an_error() {
    let (root, folder) = (Utf8Path::new(ROOT), Utf8Path::new(ROOT));
    assert!(ruff::read("ruff failed", root, folder).is_err());
    assert!(mypy::read("usage: mypy", root, folder).is_err());
    assert!(eslint::read("", root, folder).is_err());
    assert!(tsc::read("error TS5023: Unknown compiler option 'x'.", root, folder).is_err());
}

#[test]
fn findings_are_sorted_and_each_is_there_once() {
    let finding = |path: &str, line: usize| Finding {
        path: path.to_owned(),
        line,
        column: 1,
        tool: Tool::Clippy,
        rule: "r".to_owned(),
        message: "m\u{1b}[2J".to_owned(),
    };
    let mut report = Report::default();
    report.add(
        Tool::Clippy,
        vec![
            finding("b", 1),
            finding("a", 10),
            finding("a", 2),
            finding("a", 2),
        ],
    );
    report.leave_out(Tool::Eslint, "no configuration");
    let places: Vec<(&str, usize)> = report
        .findings
        .iter()
        .map(|f| (f.path.as_str(), f.line))
        .collect();
    assert_eq!(places, [("a", 2), ("a", 10), ("b", 1)]);
    assert!(!report.text().contains('\u{1b}'));
    assert_eq!(
        report.require_clean().unwrap_err().message,
        "3 findings: 3 clippy"
    );
    let log = sarif::log(&report);
    assert_eq!(log["runs"][0]["results"][0]["ruleId"], "clippy/r");
    assert_eq!(report.json()["tools"][1]["state"]["is"], "left-out");
}

#[test]
fn every_finding_stands_on_its_line() {
    let mut report = Report::default();
    let printed = "Diff in /work/a/b.rs:3:\n";
    report.add(Tool::Rustfmt, rustfmt::read(printed, Utf8Path::new(ROOT)));
    let orders: Vec<String> = report
        .annotations()
        .iter()
        .map(|one| one.command("below/"))
        .collect();
    let expected = "::error file=below/a/b.rs,line=3,col=1,title=rustfmt format::not formatted";
    assert_eq!(orders, [expected]);
}
