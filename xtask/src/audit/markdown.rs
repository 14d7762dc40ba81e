//! A report as Markdown for the step summary of a CI run (GitHub Flavored Markdown 0.29). Pure.
//!
//! GitHub drops a summary of more than 1 MiB. Each section has a share of less than that
//! together, and says in a sentence how much it leaves out.

mod rows;

use super::group::{self, About};
use super::phrase;
use super::report::Report;
use rows::Section;

/// The whole report as Markdown.
pub fn text(report: &Report) -> String {
    let (mark, word) = phrase::outcome(report);
    let mut text = format!(
        "## {mark} Audit: {word}\n\n{}\n",
        escape(&phrase::sums(report))
    );
    for section in sections(report) {
        text.push_str(&section.text());
    }
    text
}

fn sections(report: &Report) -> Vec<Section> {
    vec![
        rows::findings(
            "Vulnerabilities",
            &group::findings(report, About::Vulnerable),
            400,
        ),
        rows::findings(
            "Unsound, unmaintained, yanked, and other notices",
            &group::findings(report, About::Informational),
            150,
        ),
        rows::licenses(report),
        rows::ignores(report),
        rows::warnings(report),
        rows::ignored(report),
        rows::unchecked(report),
        rows::locks(report),
        rows::databases(report),
    ]
}

/// A text that stands for itself in Markdown and in the cell of a table: on one line, without
/// markup, HTML, and links.
pub fn escape(text: &str) -> String {
    let text = crate::printable::line(text, 400);
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => escaped.extend(['\\', c]),
            '@' => escaped.push_str("&#64;"),
            _ => escaped.push(c),
        }
    }
    // What looks like an address would become a link (GFM 0.29, 6.9).
    for (link, text) in [
        ("://", "&#58;//"),
        ("www.", "www&#46;"),
        ("WWW.", "WWW&#46;"),
    ] {
        if escaped.contains(link) {
            escaped = escaped.replace(link, text);
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
