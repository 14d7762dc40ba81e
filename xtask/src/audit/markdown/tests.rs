//! What the summary of a CI run says, and that nothing in it becomes markup.

use super::super::sample;
use super::*;

#[test]
fn a_clean_report_is_short() {
    let expected = "\
## ✓ Audit: passes

0 findings denied, 0 warned, 0 ignored; 1 lock file scanned, 0 skipped; 40 packages checked, 0 not checked

<details>
<summary>Lock files (1)</summary>

- ✓ poetry.lock: poetry.lock 3, 40 packages, 40 checked

</details>

### Databases (1)

- ✓ PyPI: of 2026-11-19T04:00:00Z, 7080 records, from PyPI.zip
";
    assert_eq!(text(&sample::clean()), expected);
}

#[test]
fn everything_has_its_section() {
    let text = text(&sample::mixed());
    let (findings, rest) = text
        .split_once("\n### Warnings")
        .expect("the sample has one");
    assert_eq!(findings, include_str!("../tests/summary.md"));
    for say in [
        "<summary>Ignored (1)</summary>",
        "| urllib3 1.26.4 | high 7.5 | [PYSEC-2021-108](https://osv.dev/vulnerability/PYSEC-2021-108), \
         CVE-PYSEC-2021-108 | 2027-01-31 | the proxy is never used |",
        "<summary>Not checked (8)</summary>",
        "| forked 1.0 | poetry.lock:8 | comes from git; the registry's forked 1.0 has 1 advisory: \
         PYSEC-2024-36; look whether that concerns this one |",
        "- ! old/yarn.lock: not scanned: not tracked by git",
        "### Databases (3)",
    ] {
        assert!(rest.contains(say), "{say}\n{rest}");
    }
}

#[test]
fn nothing_hostile_becomes_markup() {
    let hostile = text(&sample::hostile());
    assert!(!hostile.contains(|c| c != '\n' && crate::printable::is_invisible(c)));
    for bad in [
        "<script",
        "<!--",
        "k](javascript",
        "![x]",
        " https://evil",
        "*bold*",
        " __under__ ",
    ] {
        assert!(!hostile.contains(bad), "{bad}\n{hostile}");
    }
    // Tables keep their columns, and only our own tags are there.
    for line in hostile.lines().filter(|line| line.starts_with('|')) {
        let cells = line.replace("\\|", "").matches('|').count();
        assert!([4, 5, 6, 7].contains(&cells), "{cells}: {line}");
    }
    let tags = [
        "<details>",
        "</details>",
        "<summary>",
        "</summary>",
        "<br>",
        "<code>",
        "</code>",
    ];
    let bare = tags
        .iter()
        .fold(hostile.clone(), |text, tag| text.replace(tag, ""));
    assert!(!bare.contains(['<', '>']), "{bare}");
    assert_eq!(hostile.matches("</details>").count(), 3);
    assert_eq!(
        hostile.matches("\n#").count(),
        6,
        "the sections' own headings"
    );
}

#[test]
fn texts_stand_for_themselves() {
    let check = |text, expected: &str| assert_eq!(escape(text), expected);
    check("plain-text 1.0, (x)", "plain-text 1.0, (x)");
    check("a_b*c`d|e~f$g\\", "a\\_b\\*c\\`d\\|e\\~f\\$g\\\\");
    check("<b>&amp;", "&lt;b&gt;&amp;amp;");
    check("[x](y)", "\\[x\\](y)");
    check("see http://a.example", "see http&#58;//a.example");
    check("www.a.example @me", "www&#46;a.example &#64;me");
    check("a\nb\u{1b}", "a b\\\\u{1b}");
}

#[test]
fn the_summary_stays_below_the_limit_of_github() {
    let mut report = sample::large(5_000);
    for finding in &mut report.findings {
        finding.summary = "word & ".repeat(100);
    }
    report.locks = (0..5_000).map(|_| report.locks[0].clone()).collect();
    report.warnings = vec!["word ".repeat(100); 5_000];
    report.ignores = vec![sample::mixed().ignores[0].clone(); 5_000];
    report.licenses = vec![sample::mixed().licenses[0].clone(); 5_000];
    let text = text(&report);
    assert!(text.len() < 1024 * 1024, "{}", text.len());
    assert!(text.contains("### Vulnerabilities (5000)"));
    let shown = text.matches("PYSEC-2026-").count() / 3;
    let said = format!(
        "… and {} more are left out here; the JSON has them all.",
        5_000 - shown
    );
    assert!(text.contains(&said), "{said}");
}

#[test]
fn the_order_of_the_report_does_not_matter() {
    let mut report = sample::mixed();
    let expected = text(&report);
    report.findings.reverse();
    report.unchecked.reverse();
    report.licenses.reverse();
    report.ignores.reverse();
    report.locks.reverse();
    report.databases.reverse();
    assert_eq!(text(&report), expected);
}
