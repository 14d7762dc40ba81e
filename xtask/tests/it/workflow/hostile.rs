//! Texts that are made to hurt end soon and say where they are wrong.

use xtask::workflow::repository::Tool;

use super::cases::judged;

fn refused(text: &str) {
    let report = judged(text, Tool::Absent);
    assert!(report.errors() > 0, "{:?}", text.get(..80).unwrap_or(text));
    assert!(report.text().len() < 2_000_000);
    report.sarif();
    report.json();
}

#[test]
fn hostile_workflows_are_refused_soon() {
    let started = std::time::Instant::now();
    let mut laughs = "a0: &a0 [lol]\n".to_owned();
    for level in 1..30 {
        let before = level - 1;
        laughs.push_str(&format!(
            "a{level}: &a{level} [*a{before}, *a{before}, *a{before}]\n"
        ));
    }
    refused(&laughs);
    refused("");
    refused("\u{feff}");
    refused("\u{0}\u{1}\u{2}\u{7f}");
    refused("\t- a");
    refused(&"[".repeat(200_000));
    refused(&"a: {".repeat(50_000));
    refused(&format!("on: push\njobs: \"{}\"", "x".repeat(10 << 20)));
    refused("on: push\r\njobs:\r\n  a: 1\r\n");
    refused(
        "on: {push: [[[]]]}\njobs: {a: {steps: [1, [2], {run: [3]}], needs: {a: b}, env: [1]}}",
    );
    refused("on: push\njobs:\n  \u{202e}a:\n    steps: []\n");
    assert!(started.elapsed().as_secs() < 60);
}

#[test]
fn hostile_scripts_are_read_to_their_end() {
    for script in [
        "'",
        "\"",
        "$(",
        "${{",
        "<<",
        "((",
        "`",
        "|| ",
        "case x in ",
        "\\",
        "{ ",
        "if ",
    ] {
        let script = script.repeat(3_000);
        let text = format!(
            "on: push\npermissions: {{}}\njobs:\n  test:\n    runs-on: x\n    steps:\n      - run: |\n          {script}\n"
        );
        judged(&text, Tool::Used(xtask::cli::problem));
    }
}

#[test]
fn nothing_invisible_reaches_the_terminal() {
    let text = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: \"a/b\\e[2J\\u202e@v1\"\n      - run: \"pytest\\e[31m || true\"\n";
    let shown = judged(text, Tool::Absent).text();
    let is_shown = |c: char| c == '\n' || !xtask::printable::is_invisible(c);
    assert!(shown.chars().all(is_shown), "{shown:?}");
}
