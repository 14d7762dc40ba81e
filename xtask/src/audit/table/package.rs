//! Findings in the table: one block a package. Pure.

use super::super::group::{Group, Place, Problem, groups};
use super::super::phrase;
use super::super::report::{Finding, Fix};
use super::{Extent, Layout};
use crate::printable::wrap;

/// How many packages the short form shows in full; the others get one line each.
const FULL: usize = 15;

/// How many of a package's problems and places the short form shows.
const PARTS: usize = 20;

/// A section about some findings; `None` when there are none.
pub fn section(title: &str, findings: &[&Finding], layout: Layout) -> Option<String> {
    if findings.is_empty() {
        return None;
    }
    let groups = groups(findings);
    let full = layout.shown(groups.len(), FULL);
    let head = format!(
        "{title}: {} in {}",
        phrase::count(findings.len(), "finding"),
        phrase::count(groups.len(), "package")
    );
    let mut blocks = vec![wrap("", &head, layout.columns)];
    blocks.extend(groups.iter().take(full).map(|group| block(group, layout)));
    if full < groups.len() {
        let rest = phrase::count(groups.len() - full, "more package");
        let mut lines = vec![format!("{rest}, in short (--verbose shows them in full)")];
        lines.extend(groups.iter().skip(full).map(|group| brief(group, layout)));
        blocks.push(lines.join("\n"));
    }
    Some(blocks.join("\n\n"))
}

/// One package in full.
fn block(group: &Group<'_>, layout: Layout) -> String {
    let mut lines = vec![head(group)];
    let shown = layout.shown(group.problems.len(), PARTS);
    for one in group.problems.iter().take(shown) {
        lines.push(problem(one, group.places.len(), layout));
    }
    if shown < group.problems.len() {
        lines.push(format!("    … and {} more", group.problems.len() - shown));
    }
    let shown = layout.shown(group.places.len(), PARTS);
    for one in group.places.iter().take(shown) {
        lines.push(place(one, layout));
    }
    if shown < group.places.len() {
        lines.push(format!(
            "    … and in {} more places",
            group.places.len() - shown
        ));
    }
    lines.join("\n")
}

fn head(group: &Group<'_>) -> String {
    let mark = group
        .problems
        .first()
        .map_or("!", |one| phrase::mark(&one.finding.verdict));
    let (package, version) = (phrase::name(group.package), phrase::name(group.version));
    format!("{mark} {package} {version}  ({})", group.ecosystem)
}

fn problem(problem: &Problem<'_>, places: usize, layout: Layout) -> String {
    let finding = problem.finding;
    let first = format!(
        "    {} {}  ",
        phrase::mark(&finding.verdict),
        phrase::severity(finding)
    );
    let mut lines = vec![wrap(&first, &phrase::ids(finding), layout.columns)];
    if !finding.summary.is_empty() {
        lines.push(wrap(
            "      ",
            &phrase::sentence(&finding.summary),
            layout.columns,
        ));
    }
    let mut verdict = phrase::verdict(&finding.verdict, &finding.because);
    match problem.places {
        all if all == places => {}
        1 => {
            let (lock, line) = (phrase::name(&finding.lock), finding.line);
            verdict.push_str(&format!(" (only in {lock}:{line})"));
        }
        some => verdict.push_str(&format!(" (in {some} of {places} places)")),
    }
    lines.push(wrap("      ", &verdict, layout.columns));
    if let (Extent::Whole, Some(url)) = (layout.extent, &finding.url) {
        lines.push(format!("      {}", crate::printable::line(url, 400)));
    }
    lines.join("\n")
}

/// Where it is locked, who brings it, and what to do there.
fn place(place: &Place<'_>, layout: Layout) -> String {
    let mut lines = Vec::new();
    if let Some(finding) = place.findings.first() {
        lines.push(wrap("    in   ", &phrase::place(finding), layout.columns));
        if let Some(chain) = phrase::chain(finding) {
            lines.push(wrap("    via  ", &chain, layout.columns));
        }
    }
    for findings in fixes(place) {
        let Some(first) = findings.first() else {
            continue;
        };
        let mut what = phrase::fix(first);
        if findings.len() < place.findings.len() {
            let ids: Vec<String> = findings
                .iter()
                .take(4)
                .map(|one| phrase::name(&one.id))
                .collect();
            let more = if findings.len() > ids.len() {
                ", …"
            } else {
                ""
            };
            what.push_str(&format!(" (for {}{more})", ids.join(", ")));
        }
        lines.push(wrap("    fix  ", &what, layout.columns));
        if let Some(command) = phrase::command(first) {
            let prompt = if command.starts_with('#') { "" } else { "$ " };
            lines.push(format!("         {prompt}{command}"));
        }
    }
    lines.join("\n")
}

/// The findings of one place by what mends them.
fn fixes<'report>(place: &Place<'report>) -> Vec<Vec<&'report Finding>> {
    let mut fixes: Vec<Vec<&Finding>> = Vec::new();
    for &finding in &place.findings {
        let same = |other: &&mut Vec<&Finding>| {
            let first = other.first();
            first.is_some_and(|first| {
                first.fix == finding.fix && phrase::fix(first) == phrase::fix(finding)
            })
        };
        // Nearly always there is one fix; not looking further than this keeps a hostile many linear.
        match fixes.iter_mut().rev().take(8).find(same) {
            Some(findings) => findings.push(finding),
            None => fixes.push(vec![finding]),
        }
    }
    fixes
}

/// One package on one line.
fn brief(group: &Group<'_>, layout: Layout) -> String {
    let Some(worst) = group.problems.first() else {
        return head(group);
    };
    let more = match group.problems.len() {
        1 => String::new(),
        many => format!(" and {} more", many - 1),
    };
    let fix = match &worst.finding.fix {
        Fix::Version { version, .. } => format!("fixed in {}", phrase::name(version)),
        Fix::None => "no fix".to_owned(),
    };
    let line = format!(
        "{} {} {}  {}, {}{more}; {fix}",
        phrase::mark(&worst.finding.verdict),
        phrase::name(group.package),
        phrase::name(group.version),
        phrase::severity(worst.finding),
        phrase::name(&worst.finding.id),
    );
    wrap("  ", &line, layout.columns)
}
