//! A report as text for a terminal: what is wrong, where, and the command that mends it. Pure.
//!
//! Worst first, the summary last, where a terminal leaves the eye. Nothing here has a colour,
//! and nothing that came from a lock file or an advisory can steer the terminal.

mod package;
mod rest;

use super::group::{self, About};
use super::phrase;
use super::report::Report;
use crate::printable::wrap;
use crate::world::terminal::Detail;

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Extent {
    /// What a person needs to act; long lists are cut, and say by how much.
    #[default]
    Short,
    /// Everything.
    Whole,
}

/// How the text is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// How much is shown.
    pub extent: Extent,
    /// How wide a line may be; commands and long names may be wider.
    pub columns: usize,
}

impl Default for Layout {
    fn default() -> Layout {
        Layout {
            extent: Extent::Short,
            columns: 96,
        }
    }
}

impl From<Detail> for Layout {
    /// What the terminal shows: everything under `--verbose`.
    fn from(detail: Detail) -> Layout {
        let extent = match detail {
            Detail::Verbose => Extent::Whole,
            Detail::Normal | Detail::Quiet => Extent::Short,
        };
        Layout {
            extent,
            ..Layout::default()
        }
    }
}

impl Layout {
    /// How many of so many are shown, when the short form shows `most`.
    fn shown(self, all: usize, most: usize) -> usize {
        match self.extent {
            Extent::Short => all.min(most),
            Extent::Whole => all,
        }
    }
}

/// The whole report as text, without a line break at its end.
pub fn text(report: &Report, layout: Layout) -> String {
    let layout = Layout {
        columns: layout.columns.clamp(60, 200),
        ..layout
    };
    let mut sections = Vec::new();
    for (about, title) in [
        (About::Vulnerable, "vulnerabilities"),
        (
            About::Informational,
            "unsound, unmaintained, yanked, and other notices",
        ),
    ] {
        let findings = group::findings(report, about);
        sections.extend(package::section(title, &findings, layout));
    }
    sections.extend(rest::sections(report, layout));
    let (mark, word) = phrase::outcome(report);
    let sums = format!("{word}: {}", phrase::sums(report));
    sections.push(wrap(&format!("{mark} "), &sums, layout.columns));
    sections.join("\n\n")
}

#[cfg(test)]
mod tests;
