//! The sections of the Markdown summary, each within its share of the whole. Pure.

use super::super::group;
use super::super::phrase::{self, sentence};
use super::super::report::{
    Finding, IgnoreNotice, LicenseFinding, LockFile, Report, Unchecked, Verdict,
};
use super::escape;
use crate::world::CONFIGURATION_FILE;

/// A section: a table or a list, open or folded.
pub struct Section {
    title: &'static str,
    /// The columns of a table; empty for a list.
    columns: &'static [&'static str],
    rows: Vec<String>,
    /// How many rows there would be.
    all: usize,
    folded: bool,
}

impl Section {
    /// Rows as long as they fit into so many KiB.
    fn new(
        title: &'static str,
        columns: &'static [&'static str],
        kibibytes: usize,
        rows: impl ExactSizeIterator<Item = String>,
    ) -> Section {
        let all = rows.len();
        let mut left = kibibytes * 1024;
        let fits = |row: &String| {
            let fits = row.len() < left;
            left = left.saturating_sub(row.len() + 1);
            fits
        };
        Section {
            title,
            columns,
            rows: rows.take_while(fits).collect(),
            all,
            folded: false,
        }
    }

    fn folded(self) -> Section {
        Section {
            folded: true,
            ..self
        }
    }

    /// The section's Markdown; empty when it has nothing to say.
    pub fn text(&self) -> String {
        if self.all == 0 {
            return String::new();
        }
        let mut text = if self.folded {
            let (title, all) = (self.title, self.all);
            format!("\n<details>\n<summary>{title} ({all})</summary>\n\n")
        } else {
            format!("\n### {} ({})\n\n", self.title, self.all)
        };
        if !self.columns.is_empty() {
            let rule = "---|".repeat(self.columns.len());
            text.push_str(&format!("| {} |\n|{rule}\n", self.columns.join(" | ")));
        }
        for row in &self.rows {
            text.push_str(row);
            text.push('\n');
        }
        if self.rows.len() < self.all {
            let left_out = self.all - self.rows.len();
            text.push_str(&format!(
                "\n… and {left_out} more are left out here; the JSON has them all.\n"
            ));
        }
        if self.folded {
            text.push_str("\n</details>\n");
        }
        text
    }
}

fn row(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

fn package(package: &str, version: &str) -> String {
    format!(
        "{} {}",
        escape(&phrase::name(package)),
        escape(&phrase::name(version))
    )
}

fn place(lock: &str, line: usize) -> String {
    format!("{}:{line}", escape(&phrase::name(lock)))
}

/// The ids, the first of them linked to its page.
fn ids(finding: &Finding) -> String {
    let ids = phrase::ids(finding);
    let (first, rest) = match ids.split_once(", ") {
        Some((first, rest)) => (first, format!(", {}", escape(rest))),
        None => (ids.as_str(), String::new()),
    };
    match finding.url.as_deref().and_then(phrase::address) {
        Some(address) => format!(
            "[{}]({}){rest}",
            escape(first),
            address.replace('&', "&amp;")
        ),
        None => format!("{}{rest}", escape(first)),
    }
}

fn fix(finding: &Finding) -> String {
    let what = escape(&phrase::fix(finding));
    match phrase::command(finding) {
        Some(command) => format!("{what}<br><code>{}</code>", escape(&command)),
        None => what,
    }
}

/// A table of findings.
pub fn findings(title: &'static str, findings: &[&Finding], kibibytes: usize) -> Section {
    const COLUMNS: &[&str] = &[
        "",
        "Package",
        "Severity",
        "Advisory",
        "Where and by whom",
        "Mend",
    ];
    let line = |finding: &&Finding| {
        let by = phrase::chain(finding).map(|chain| format!("<br>{}", escape(&chain)));
        row(&[
            phrase::mark(&finding.verdict).to_owned(),
            package(&finding.package, &finding.version),
            escape(&phrase::severity(finding)),
            format!(
                "{}<br>{}<br>{}",
                ids(finding),
                escape(&sentence(&finding.summary)),
                escape(&phrase::verdict(&finding.verdict, &finding.because))
            ),
            format!(
                "{}{}",
                escape(&phrase::place(finding)),
                by.unwrap_or_default()
            ),
            fix(finding),
        ])
    };
    Section::new(title, COLUMNS, kibibytes, findings.iter().map(line))
}

/// What the policy says about licenses.
pub fn licenses(report: &Report) -> Section {
    const COLUMNS: &[&str] = &["", "Package and license", "Where", "Policy"];
    let licenses = phrase::licenses(report);
    let line = |one: &&LicenseFinding| {
        row(&[
            phrase::mark(&one.verdict).to_owned(),
            escape(&phrase::license(one)),
            place(&one.lock, one.line),
            escape(&phrase::verdict(&one.verdict, &one.because)),
        ])
    };
    Section::new("Licenses", COLUMNS, 80, licenses.iter().map(line))
}

/// Entries of `[[audit.ignore]]` that need attention.
pub fn ignores(report: &Report) -> Section {
    let mut notices: Vec<_> = report.ignores.iter().collect();
    notices.sort_by_key(|notice| (!notice.denied, notice.line, &notice.id));
    let line = |notice: &&IgnoreNotice| {
        let mark = if notice.denied { "✗" } else { "!" };
        let what = format!(
            "{} of {}: {}",
            phrase::name(&notice.id),
            phrase::name(&notice.package),
            phrase::ignore(&notice.state)
        );
        format!(
            "- {mark} {}: {}",
            place(CONFIGURATION_FILE, notice.line),
            escape(&what)
        )
    };
    let title = "Entries of <code>[[audit.ignore]]</code> that need attention";
    Section::new(title, &[], 40, notices.iter().map(line))
}

/// Other things to know.
pub fn warnings(report: &Report) -> Section {
    let line = |text: &String| format!("- ! {}", escape(&sentence(text)));
    Section::new("Warnings", &[], 40, report.warnings.iter().map(line))
}

/// What entries of `[[audit.ignore]]` accept.
pub fn ignored(report: &Report) -> Section {
    const COLUMNS: &[&str] = &["Package", "Severity", "Advisory", "Until", "Reason"];
    let findings = group::ignored(report);
    let line = |finding: &&Finding| {
        let (until, reason) = match &finding.verdict {
            Verdict::Ignored { until, reason } => (until.as_str(), reason.as_str()),
            Verdict::Denied | Verdict::Warned => ("", ""),
        };
        row(&[
            package(&finding.package, &finding.version),
            escape(&phrase::severity(finding)),
            ids(finding),
            escape(&phrase::name(until)),
            escape(&sentence(reason)),
        ])
    };
    Section::new("Ignored", COLUMNS, 80, findings.iter().map(line)).folded()
}

/// Packages that were not looked up.
pub fn unchecked(report: &Report) -> Section {
    const COLUMNS: &[&str] = &["Package", "Where", "Why"];
    let mut packages: Vec<_> = report.unchecked.iter().collect();
    packages.sort_by_key(|one| (&one.reason, &one.lock, one.line, &one.package, &one.version));
    let line = |one: &&Unchecked| {
        row(&[
            package(&one.package, &one.version),
            place(&one.lock, one.line),
            match one.namesake.is_empty() {
                true => escape(&sentence(&one.reason)),
                false => escape(&format!(
                    "{}; {}",
                    sentence(&one.reason),
                    phrase::namesake(one)
                )),
            },
        ])
    };
    Section::new("Not checked", COLUMNS, 80, packages.iter().map(line)).folded()
}

/// The lock files, those that were not scanned first.
pub fn locks(report: &Report) -> Section {
    let mut locks: Vec<_> = report.locks.iter().collect();
    locks.sort_by_key(|lock| (lock.skipped.is_none(), &lock.path));
    let line = |lock: &&LockFile| {
        let mark = if lock.skipped.is_some() { "!" } else { "✓" };
        let notes = lock
            .notes
            .iter()
            .take(5)
            .map(|note| format!("; {}", sentence(note)));
        let what = format!("{}{}", phrase::lock(lock), notes.collect::<String>());
        format!(
            "- {mark} {}: {}",
            escape(&phrase::name(&lock.path)),
            escape(&what)
        )
    };
    Section::new("Lock files", &[], 60, locks.iter().map(line)).folded()
}

/// The databases and their dates.
pub fn databases(report: &Report) -> Section {
    let asked = phrase::databases(report)
        .into_iter()
        .map(|text| format!("- ✓ {}", escape(&text)));
    let unasked = phrase::unasked(report);
    let unasked = unasked
        .iter()
        .map(|ecosystem| format!("- ! {ecosystem}: none was asked"));
    let lines: Vec<String> = asked.chain(unasked).collect();
    Section::new("Databases", &[], 40, lines.into_iter())
}
