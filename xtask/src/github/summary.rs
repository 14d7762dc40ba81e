//! The summary of a step: Markdown that GitHub shows on the page of a run.
//!
//! Everything from elsewhere passes through [`escape`]; links are only those that release.toml
//! or the answer of a target gave.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;

use crate::artifact::Manifest;
use crate::audit::markdown::escape;
use crate::publish::{Part, Plan, Skipped, text};
use crate::registry::page::Page;
use crate::world::terminal::size;

/// What GitHub takes for one step: 1 MiB. More is an error there.
pub const LIMIT: usize = 1 << 20;

/// The pages of targets, by the targets' names.
pub type Pages = BTreeMap<String, Page>;

/// How a thing ended, with what is said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The step or the target.
    pub name: String,
    /// `✓`, `=`, `✗` or `!`.
    pub mark: &'static str,
    /// What came of it.
    pub detail: String,
}

/// What was released: where from, every file with its digest, and what was proved.
pub fn release(manifest: &Manifest) -> String {
    let source = &manifest.source;
    let (name, version) = (escape(&manifest.name), escape(&manifest.version));
    let dirty = if source.dirty {
        ", **from a working tree: it is never published**"
    } else {
        ""
    };
    let mut markdown = format!(
        "## ✓ Release: {name} {version}\n\nFrom commit {}{dirty}.\n",
        code(&source.commit)
    );
    let files = manifest.artifacts.iter().map(|artifact| {
        [
            escape(&artifact.path),
            artifact.kind.word().to_owned(),
            size(artifact.size),
            code(artifact.sha256.hex()),
        ]
    });
    table(&mut markdown, ["file", "what", "size", "sha256"], files);
    if let Some(proof) = &manifest.proof {
        let checks = proof.checks.iter().map(|check| Row {
            name: check.name.clone(),
            mark: "✓",
            detail: check.detail.clone(),
        });
        let checks: Vec<Row> = checks.collect();
        let title = format!("Proved: {} checks hold", checks.len());
        let mut held = String::new();
        rows(&mut held, "check", &checks);
        folded(&mut markdown, &title, &held);
    }
    markdown
}

/// What publishing would send: the plan's table, with the place of each target.
pub fn plan(plan: &Plan, pages: &Pages, now: Timestamp) -> String {
    let mut markdown = heading("Plan", plan);
    let steps = plan.steps.iter().map(|step| {
        let after = match step.after.as_slice() {
            [] => String::new(),
            after => format!("; after {}", after.join(", ")),
        };
        let part = match step.part {
            Part::Own => "",
            Part::Needed => " (only looked at)",
        };
        [
            escape(&step.name),
            escape(&format!("{}{part}", text::state(step, now))),
            escape(&format!("{}{after}", step.because)),
            place(pages, &step.target),
        ]
    });
    table(&mut markdown, ["step", "state", "why then", "where"], steps);
    left_out(&mut markdown, &plan.skipped);
    markdown
}

/// What publishing did: every step with how it ended, and where the release is now.
pub fn published(plan: &Plan, ended: &[Row], pages: &Pages) -> String {
    let good = ended.iter().all(|row| row.mark != "✗");
    let title = if good {
        "✓ Published"
    } else {
        "✗ Published in part"
    };
    let mut markdown = heading(title, plan);
    let steps = ended.iter().map(|row| {
        let target = plan.step(&row.name).map_or("", |step| &step.target);
        [
            escape(&row.name),
            format!("{} {}", row.mark, escape(&row.detail)),
            place(pages, target),
        ]
    });
    table(&mut markdown, ["step", "outcome", "where"], steps);
    left_out(&mut markdown, &plan.skipped);
    markdown
}

/// What a list of checks came to, under a title: `prove`, `verify`.
pub fn checks(title: &str, column: &str, ended: &[Row]) -> String {
    let failed = ended.iter().filter(|row| row.mark == "✗").count();
    let (mark, sums) = match failed {
        0 => ("✓", format!("{} hold", ended.len())),
        _ => ("✗", format!("{failed} of {} do not hold", ended.len())),
    };
    let mut markdown = format!("## {mark} {}: {sums}\n", escape(title));
    rows(&mut markdown, column, ended);
    markdown
}

/// As much of a text as `room` bytes take, cut between lines; `None` when not even a sentence
/// about that fits.
pub fn fitted(text: &str, room: usize) -> Option<String> {
    if text.len() <= room {
        return Some(text.to_owned());
    }
    let sentence = "\n\n… GitHub shows no more than 1 MiB; the log and dist/ have the rest.\n";
    let room = room.checked_sub(sentence.len())?;
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        if end + line.len() > room {
            break;
        }
        end += line.len();
    }
    let start = text.get(..end).unwrap_or_default();
    Some(format!("{}{sentence}", start.trim_end()))
}

fn heading(title: &str, plan: &Plan) -> String {
    let release = &plan.release;
    format!(
        "## {title}: {} {} → {}\n\nCommit {}, wheel {}.\n",
        escape(&release.name),
        escape(&release.version),
        escape(&plan.profile),
        code(&release.commit),
        code(release.wheel.hex()),
    )
}

fn left_out(markdown: &mut String, skipped: &[Skipped]) {
    if skipped.is_empty() {
        return;
    }
    markdown.push_str("\nLeft out by release.toml:\n\n");
    for skip in skipped {
        let (target, reason) = (escape(&skip.target), escape(&skip.reason));
        add(markdown, &format!("- {target}: {reason}"));
    }
}

fn rows(markdown: &mut String, column: &str, ended: &[Row]) {
    let cells = ended
        .iter()
        .map(|row| [row.mark.to_owned(), escape(&row.name), escape(&row.detail)]);
    table(markdown, ["", column, "what was seen"], cells);
}

fn folded(markdown: &mut String, title: &str, content: &str) {
    let title = escape(title);
    let content = content.trim_matches('\n');
    add(
        markdown,
        &format!("\n<details><summary>{title}</summary>\n\n{content}\n\n</details>"),
    );
}

fn table<const COLUMNS: usize>(
    markdown: &mut String,
    titles: [&str; COLUMNS],
    cells: impl Iterator<Item = [String; COLUMNS]>,
) {
    add(markdown, &format!("\n| {} |", titles.join(" | ")));
    add(markdown, &format!("|{}", "---|".repeat(COLUMNS)));
    for row in cells {
        add(markdown, &format!("| {} |", row.join(" | ")));
    }
}

fn add(markdown: &mut String, line: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(markdown, "{line}");
}

/// Hexadecimal digits, which need no escape, in the letters of code.
fn code(digits: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric();
    match !digits.is_empty() && digits.chars().all(plain) {
        true => format!("`{digits}`"),
        false => escape(digits),
    }
}

fn place(pages: &Pages, target: &str) -> String {
    match pages.get(target) {
        None => String::new(),
        Some(page) => match page.address.as_deref().and_then(link) {
            Some(address) => format!("[{}](<{address}>)", escape(&page.name)),
            None => escape(&page.name),
        },
    }
}

/// An address that can stand in a link; one of another kind or with odd characters cannot.
fn link(address: &str) -> Option<&str> {
    let is_web = address.starts_with("https://") || address.starts_with("http://");
    let plain = |c: char| c.is_ascii_graphic() && !"<>\\`|\"".contains(c);
    (is_web && address.chars().all(plain)).then_some(address)
}

#[cfg(test)]
mod tests;
