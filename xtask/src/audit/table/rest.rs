//! What the table says beside the findings: what is accepted, what was not looked at, and
//! what the answer rests on. Pure.

use std::collections::BTreeMap;

use super::super::discover::BY_POLICY;
use super::super::group;
use super::super::phrase::{self, name, sentence};
use super::super::report::{Finding, IgnoreNotice, LicenseFinding, Report, Unchecked, Verdict};
use super::{Extent, Layout};
use crate::advisory::Provenance;
use crate::printable::{self, wrap};
use crate::world::CONFIGURATION_FILE;

/// How many lines a list has in the short form.
const LINES: usize = 20;

/// How many names the short form shows for one reason.
const NAMES: usize = 8;

/// All sections but the findings, those that have something to say.
pub fn sections(report: &Report, layout: Layout) -> Vec<String> {
    let all = [
        ("licenses", licenses(report, layout)),
        ("ignored", ignored(report, layout)),
        (
            "entries of [[audit.ignore]] that need attention",
            ignores(report, layout),
        ),
        ("not checked", unchecked(report, layout)),
        ("lock files", locks(report, layout)),
        ("databases", databases(report, layout)),
        ("warnings", warnings(report, layout)),
    ];
    let told = all.into_iter().filter(|(_, lines)| !lines.is_empty());
    told.map(|(title, lines)| section(title, &lines, layout))
        .collect()
}

fn section(title: &str, lines: &[String], layout: Layout) -> String {
    let shown = layout.shown(lines.len(), LINES);
    let mut text = title.to_owned();
    for line in lines.iter().take(shown) {
        text.push('\n');
        text.push_str(line);
    }
    if shown < lines.len() {
        let left_out = lines.len() - shown;
        text.push_str(&format!("\n  … and {left_out} more (--verbose shows all)"));
    }
    text
}

fn licenses(report: &Report, layout: Layout) -> Vec<String> {
    let licenses = phrase::licenses(report);
    let line = |one: &&LicenseFinding| {
        let verdict = phrase::verdict(&one.verdict, &one.because);
        let place = format!("{}:{}", name(&one.lock), one.line);
        let text = format!("{}, in {place}; {verdict}", phrase::license(one));
        wrap(
            &format!("  {} ", phrase::mark(&one.verdict)),
            &text,
            layout.columns,
        )
    };
    let is_open = |one: &&&LicenseFinding| {
        layout.extent == Extent::Short && one.license.is_none() && one.verdict == Verdict::Warned
    };
    let named = licenses.iter().filter(|one| !is_open(one)).map(line);
    let mut lines: Vec<String> = named.collect();
    lines.extend(unknown_licenses(licenses.iter().filter(is_open), layout));
    lines
}

/// Packages about whose license nothing is known, by the reason: one line for each.
fn unknown_licenses<'report>(
    open: impl Iterator<Item = &'report &'report LicenseFinding>,
    layout: Layout,
) -> Vec<String> {
    let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for one in open {
        let package = format!("{} {}", name(&one.package), name(&one.version));
        reasons.entry(&one.because).or_default().push(package);
    }
    let line = |(because, packages): (&str, Vec<String>)| {
        let count = phrase::count(packages.len(), "package");
        let names = some_of(packages);
        let text = format!(
            "no license known of {count}, {}: {names}",
            sentence(because)
        );
        wrap("  ! ", &text, layout.columns)
    };
    reasons.into_iter().map(line).collect()
}

/// The first names, and how many more there are.
fn some_of(mut names: Vec<String>) -> String {
    let more = names.len().saturating_sub(NAMES);
    names.truncate(NAMES);
    if more > 0 {
        names.push(format!("… and {more} more"));
    }
    names.join(", ")
}

fn ignored(report: &Report, layout: Layout) -> Vec<String> {
    let findings = group::ignored(report);
    let line = |finding: &&Finding| {
        let Verdict::Ignored { reason, until } = &finding.verdict else {
            return String::new();
        };
        let text = format!(
            "{} {}: {} ({}), until {}: {}",
            name(&finding.package),
            name(&finding.version),
            name(&finding.id),
            phrase::severity(finding),
            name(until),
            sentence(reason)
        );
        wrap("  = ", &text, layout.columns)
    };
    findings.iter().map(line).collect()
}

fn ignores(report: &Report, layout: Layout) -> Vec<String> {
    let mut notices: Vec<_> = report.ignores.iter().collect();
    notices.sort_by_key(|notice| (!notice.denied, notice.line, &notice.id));
    let line = |notice: &&IgnoreNotice| {
        let mark = if notice.denied { "✗" } else { "!" };
        let text = format!(
            "{CONFIGURATION_FILE}:{}: {} of {}: {}",
            notice.line,
            name(&notice.id),
            name(&notice.package),
            phrase::ignore(&notice.state)
        );
        wrap(&format!("  {mark} "), &text, layout.columns)
    };
    notices.iter().map(line).collect()
}

fn unchecked(report: &Report, layout: Layout) -> Vec<String> {
    let mut reasons: BTreeMap<&str, Vec<&Unchecked>> = BTreeMap::new();
    for one in &report.unchecked {
        reasons.entry(&one.reason).or_default().push(one);
    }
    let mut lines = Vec::new();
    for (reason, mut packages) in reasons {
        packages.sort_by_key(|one| (&one.package, &one.version, &one.lock, one.line));
        let head = format!(
            "{}, {}",
            sentence(reason),
            phrase::count(packages.len(), "package")
        );
        match layout.extent {
            Extent::Short => {
                let names = packages.iter().map(|one| named(one)).collect();
                let text = format!("{head}: {}", some_of(names));
                lines.push(wrap("  · ", &text, layout.columns));
            }
            Extent::Whole => {
                lines.push(wrap("  · ", &head, layout.columns));
                let place = |one: &&Unchecked| format!("{}:{}", name(&one.lock), one.line);
                let line = |one: &&Unchecked| format!("      {}  {}", named(one), place(one));
                lines.extend(packages.iter().map(line));
            }
        }
        let namesakes = packages.iter().filter(|one| !one.namesake.is_empty());
        let line = |one: &&Unchecked| wrap("    ! ", &phrase::namesake(one), layout.columns);
        lines.extend(namesakes.map(line));
    }
    lines
}

fn named(one: &Unchecked) -> String {
    // Members of a workspace need no version.
    let named = format!("{} {}", name(&one.package), name(&one.version));
    named.trim_end().to_owned()
}

fn locks(report: &Report, layout: Layout) -> Vec<String> {
    let mut locks: Vec<_> = report.locks.iter().collect();
    locks.sort_by_key(|lock| (lock.skipped.is_none(), &lock.path));
    let mut lines = left_out(report, layout);
    for lock in locks {
        if lock.skipped.is_some() && layout.extent == Extent::Short {
            continue;
        }
        let mark = if lock.skipped.is_some() { "!" } else { "✓" };
        let text = format!("{}: {}", name(&lock.path), phrase::lock(lock));
        let mut line = wrap(&format!("  {mark} "), &text, layout.columns);
        for note in &lock.notes {
            line.push('\n');
            line.push_str(&wrap("      ", &sentence(note), layout.columns));
        }
        lines.push(line);
    }
    lines
}

/// Lock files that were not scanned, by the reason: in the short form one line for each.
fn left_out(report: &Report, layout: Layout) -> Vec<String> {
    if layout.extent == Extent::Whole {
        return Vec::new();
    }
    let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for lock in &report.locks {
        if let Some(reason) = &lock.skipped {
            reasons.entry(reason).or_default().push(name(&lock.path));
        }
    }
    let line = |(reason, mut paths): (&str, Vec<String>)| {
        paths.sort();
        // A person has decided about these and given a reason.
        let mark = if reason.starts_with(BY_POLICY) {
            "·"
        } else {
            "!"
        };
        let text = match paths.as_slice() {
            [path] => format!("{path}: not scanned: {}", sentence(reason)),
            several => {
                let count = phrase::count(several.len(), "lock file");
                format!(
                    "{count} not scanned: {}: {}",
                    sentence(reason),
                    some_of(paths)
                )
            }
        };
        wrap(&format!("  {mark} "), &text, layout.columns)
    };
    reasons.into_iter().map(line).collect()
}

fn databases(report: &Report, layout: Layout) -> Vec<String> {
    let mut databases: Vec<_> = report.databases.iter().collect();
    databases.sort_by_key(|one| (&one.ecosystem, &one.source));
    let line = |one: &&Provenance| {
        let mut text = format!(
            "{}: of {}, {}, from {}",
            name(&one.ecosystem),
            name(&one.date),
            phrase::records(one.records),
            name(&one.source)
        );
        if layout.extent == Extent::Whole {
            text.push_str(&format!(
                " ({}); left out: {} withdrawn, {} of other ecosystems; {} version texts that are no versions",
                printable::line(&one.digest, 100), one.withdrawn, one.foreign, one.unparsable
            ));
        }
        wrap("  ✓ ", &text, layout.columns)
    };
    let mut lines: Vec<String> = databases.iter().map(line).collect();
    let unasked = phrase::unasked(report).into_iter();
    lines.extend(unasked.map(|ecosystem| format!("  ! {ecosystem}: none was asked")));
    lines
}

fn warnings(report: &Report, layout: Layout) -> Vec<String> {
    let line = |text: &String| wrap("  ! ", &sentence(text), layout.columns);
    report.warnings.iter().map(line).collect()
}
