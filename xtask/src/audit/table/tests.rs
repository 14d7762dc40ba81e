//! What the table says, and that it stays readable whatever it is told.

use super::super::sample;
use super::*;
use crate::printable::is_invisible;

const WHOLE: Layout = Layout {
    extent: Extent::Whole,
    columns: 80,
};

fn short(report: &Report) -> String {
    text(report, Layout::default())
}

#[test]
fn a_clean_report_is_short() {
    let expected = "\
lock files
  ✓ poetry.lock: poetry.lock 3, 40 packages, 40 checked

databases
  ✓ PyPI: of 2026-11-19T04:00:00Z, 7080 records, from PyPI.zip

✓ passes: 0 findings denied, 0 warned, 0 ignored; 1 lock file scanned, 0 skipped; 40 packages
  checked, 0 not checked";
    assert_eq!(short(&sample::clean()), expected);
}

#[test]
fn one_finding_says_what_where_and_how_to_mend_it() {
    let expected = "\
vulnerabilities: 1 finding in 1 package

✗ jinja2 2.11.2  (PyPI)
    ✗ high 7.5  PYSEC-2021-66, CVE-PYSEC-2021-66
      A long text makes jinja2 work for hours
      denied: at or above the threshold low
    in   poetry.lock:120, ships, group main
    via  flask 1.1.2 → jinja2 2.11.2
    fix  2.11.3, which all that ask for it allow
         $ poetry update jinja2

lock files";
    let text = short(&sample::single());
    assert!(text.starts_with(expected), "{text}");
    assert!(text.contains("\n✗ refused: 1 finding denied, 0 warned, 0 ignored;"));
}

#[test]
fn everything_has_its_section() {
    let text = short(&sample::mixed());
    let (vulnerabilities, more) = text
        .split_once("\n\nunsound,")
        .expect("the sample has some");
    let (notices, rest) = more
        .split_once("\n\nlicenses\n")
        .expect("the sample has some");
    let check = |part: &str, expected: &str| assert_eq!(part, expected.trim_end());
    check(
        vulnerabilities,
        include_str!("../tests/vulnerabilities.txt"),
    );
    check(notices, include_str!("../tests/notices.txt"));
    check(rest, include_str!("../tests/rest.txt"));
}

#[test]
fn the_whole_form_names_all_that_the_short_form_counts() {
    let report = sample::large(400);
    let (short, whole) = (short(&report), text(&report, WHOLE));
    let lines = short.lines().count();
    assert!(lines < 400, "{lines} lines");
    let words: Vec<&str> = short.split_whitespace().collect();
    let short = words.join(" ");
    for say in [
        "vulnerabilities: 400 findings in 134 packages",
        "119 more packages, in short (--verbose shows them in full)",
        "✗ package-00133 1.0.0 critical 9.8, PYSEC-2026-399; fixed in 2.11.3",
        "comes from git, 400 packages: forked-00000 1.0,",
        "… and 392 more",
    ] {
        assert!(short.contains(say), "{say}\n{short}");
    }
    for number in 0..400 {
        assert!(whole.contains(&format!("PYSEC-2026-{number},")), "{number}");
        assert!(whole.contains(&format!(
            "forked-{number:05} 1.0  poetry.lock:{}",
            number + 1
        )));
    }
}

#[test]
fn lines_are_as_wide_as_asked_for() {
    for columns in [60, 80, 100] {
        for extent in [Extent::Short, Extent::Whole] {
            let layout = Layout { extent, columns };
            let text = text(&sample::mixed(), layout);
            for line in text.lines() {
                let width = line.chars().count();
                let whole = line.contains("$ ") || line.contains("sha256:");
                assert!(width <= columns || whole, "{width}: {line}");
            }
        }
    }
}

#[test]
fn nothing_hostile_steers_the_terminal_or_breaks_a_line() {
    for layout in [Layout::default(), WHOLE] {
        let text = text(&sample::hostile(), layout);
        let steers = |c: char| c != '\n' && is_invisible(c);
        assert!(!text.contains(steers), "{text}");
        let forged = ["# heading", "</details>", "| cell |"];
        let begins = |line: &str| forged.iter().any(|mark| line.starts_with(mark));
        assert!(!text.lines().any(begins), "{text}");
    }
}

#[test]
fn long_texts_are_cut() {
    let mut report = sample::single();
    let finding = &mut report.findings[0];
    finding.version = "9".repeat(10_000);
    finding.summary = "word ".repeat(100_000);
    finding.ids = (0..5000).map(|number| format!("CVE-{number}")).collect();
    finding.chain = (0..5000).map(|number| format!("p{number} 1")).collect();
    let text = short(&report);
    assert!(text.len() < 3000, "{}", text.len());
    assert!(text.contains("CVE-11, … and 4988 more"), "{text}");
    assert!(
        text.contains("p0 1 → p1 1 → p2 1 → p3 1 → … 4993 more … → p4997 1"),
        "{text}"
    );
}

#[test]
fn the_order_of_the_report_does_not_matter() {
    let mut report = sample::mixed();
    let expected = short(&report);
    report.findings.reverse();
    report.unchecked.reverse();
    report.licenses.reverse();
    report.locks.reverse();
    report.databases.reverse();
    assert_eq!(short(&report), expected);
}

#[test]
fn silence_is_never_green() {
    let check = |change: fn(&mut Report), expected: &str| {
        let mut report = sample::clean();
        change(&mut report);
        let text = short(&report);
        assert!(text.contains(expected), "{expected}\n{text}");
        assert!(!text.contains("\n✓ passes"), "{text}");
    };
    check(|report| report.summary.locks = 0, "\n! nothing was scanned");
    check(
        |report| report.summary.checked = 0,
        "\n! nothing was scanned",
    );
    check(|report| report.databases.clear(), "! PyPI: none was asked");
    check(
        |report| report.summary.skipped_locks = 1,
        "\n! passes with warnings",
    );
    check(
        |report| report.warnings.push("x".to_owned()),
        "\n! passes with warnings",
    );
    check(
        |report| report.ignores = sample::mixed().ignores,
        "\n✗ refused",
    );
}
