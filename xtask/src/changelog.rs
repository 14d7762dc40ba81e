//! A changelog in the form of Keep a Changelog 1.1.0, read without losing a byte. Pure.
//!
//! What people wrote is never changed: every operation inserts lines, and moves the heading
//! "Unreleased" away from the text below it.

pub mod commit;
pub mod entry;
pub mod link;
pub mod merge;
pub mod release;

use std::ops::Range;

/// The heading under which the coming changes stand.
pub const UNRELEASED: &str = "Unreleased";

/// A changelog and where its parts stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changelog<'text> {
    /// The whole text.
    pub text: &'text str,
    /// How its lines end.
    pub newline: &'static str,
    /// Its sections, newest first as they stand.
    pub sections: Vec<Section<'text>>,
    /// The references that its headings link to.
    pub links: Vec<Link<'text>>,
}

/// `## [1.2.3] - 2026-01-31` and what stands below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section<'text> {
    /// The version, or "Unreleased".
    pub name: &'text str,
    /// The date as it is written.
    pub date: Option<&'text str>,
    /// Whether the name is a link.
    pub bracketed: bool,
    /// The line of the heading with its end.
    pub heading: Range<usize>,
    /// What stands below it.
    pub body: Range<usize>,
    /// Its groups of entries.
    pub groups: Vec<Group<'text>>,
}

/// `### Added` and its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group<'text> {
    /// Its title.
    pub title: &'text str,
    /// The line of the heading with its end.
    pub heading: Range<usize>,
    /// What stands below it.
    pub body: Range<usize>,
}

/// `[1.2.3]: https://…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link<'text> {
    /// What it is the address of.
    pub label: &'text str,
    /// The address.
    pub address: &'text str,
    /// Its line with its end.
    pub line: Range<usize>,
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    Text,
    /// Behind a fence of so many of these characters.
    Code(char, usize),
    Comment,
}

impl<'text> Changelog<'text> {
    /// Reads a text; every text is a changelog, perhaps without sections.
    pub fn parse(text: &'text str) -> Changelog<'text> {
        let mut changelog = Changelog {
            text,
            newline: match text.find('\n') {
                Some(at) if text[..at].ends_with('\r') => "\r\n",
                _ => "\n",
            },
            sections: Vec::new(),
            links: Vec::new(),
        };
        let mut inside = Inside::Text;
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let range = start..start + line.len();
            start = range.end;
            let before = inside;
            inside = after(line, inside);
            if before == Inside::Text {
                changelog.line(line.trim_end(), range);
            }
        }
        changelog.close(text.len());
        changelog
    }

    fn line(&mut self, line: &'text str, range: Range<usize>) {
        if let Some(title) = line.strip_prefix("## ") {
            self.close(range.start);
            let (name, bracketed, date) = heading(title.trim());
            self.sections.push(Section {
                name,
                date,
                bracketed,
                body: range.end..range.end,
                heading: range,
                groups: Vec::new(),
            });
        } else if let Some(title) = line.strip_prefix("### ") {
            self.close_group(range.start);
            if let Some(section) = self.sections.last_mut() {
                section.groups.push(Group {
                    title: title.trim(),
                    body: range.end..range.end,
                    heading: range,
                });
            }
        } else if let Some((label, address)) = reference(line) {
            self.links.push(Link {
                label,
                address,
                line: range,
            });
        }
    }

    fn close(&mut self, end: usize) {
        // References at the end belong to the whole text and not to the last section.
        let mut end = end;
        if end == self.text.len() {
            for link in self.links.iter().rev() {
                let between = self.text.get(link.line.end..end).unwrap_or_default();
                if !between.trim().is_empty() {
                    break;
                }
                end = link.line.start;
            }
        }
        self.close_group(end);
        if let Some(section) = self.sections.last_mut() {
            section.body.end = end.max(section.body.start);
        }
    }

    fn close_group(&mut self, end: usize) {
        let group = self.sections.last_mut().and_then(|it| it.groups.last_mut());
        if let Some(group) = group.filter(|group| group.body.is_empty()) {
            group.body.end = end.max(group.body.start);
        }
    }

    /// The section of the coming changes.
    pub fn unreleased(&self) -> Option<&Section<'text>> {
        let mut sections = self.sections.iter();
        sections.find(|section| section.name.eq_ignore_ascii_case(UNRELEASED))
    }

    /// The section of a version, in whichever spelling.
    pub fn section(&self, version: &str) -> Option<&Section<'text>> {
        let mut sections = self.sections.iter();
        sections.find(|section| crate::version::same(section.name, version))
    }

    /// What stands below a section's heading, without the space around it.
    pub fn body(&self, section: &Section<'_>) -> &'text str {
        self.text
            .get(section.body.clone())
            .unwrap_or_default()
            .trim()
    }

    /// What is coming: the text under "Unreleased", when there is one beyond empty groups.
    pub fn coming(&self) -> Option<&'text str> {
        let body = self.body(self.unreleased()?);
        let says = |line: &&str| !line.trim().is_empty() && !line.starts_with("### ");
        body.lines().find(says).map(|_| body)
    }
}

/// Where the text is behind a line.
fn after(line: &str, inside: Inside) -> Inside {
    match (inside, fence(line)) {
        // Behind back quotes, more of them make it code inside of a line (CommonMark 4.5).
        (Inside::Text, Some((mark, marks, rest))) if mark == '~' || !rest.contains('`') => {
            Inside::Code(mark, marks)
        }
        (Inside::Code(open, least), Some((mark, marks, rest)))
            if open == mark && marks >= least && rest.trim().is_empty() =>
        {
            Inside::Text
        }
        (Inside::Code(open, least), _) => Inside::Code(open, least),
        (Inside::Text | Inside::Comment, _) => {
            let opened = line.rfind("<!--");
            let closed = line.rfind("-->");
            match (opened, closed) {
                (Some(opened), closed) if closed.is_none_or(|closed| closed < opened) => {
                    Inside::Comment
                }
                (_, Some(_)) => Inside::Text,
                _ => inside,
            }
        }
    }
}

/// The marks of a line that may open or close a block of code: which, how many, what follows.
fn fence(line: &str) -> Option<(char, usize, &str)> {
    let trimmed = line.trim_start();
    let mark = trimmed.chars().next().filter(|c| ['`', '~'].contains(c))?;
    let rest = trimmed.trim_start_matches(mark);
    let marks = trimmed.len() - rest.len();
    (marks >= 3).then_some((mark, marks, rest))
}

/// Name, whether it is a link, and date of a heading such as `[1.2.3] - 2026-01-31`.
fn heading(title: &str) -> (&str, bool, Option<&str>) {
    let bracketed = title.starts_with('[');
    let rest = title.trim_start_matches('[');
    let end = rest.find([']', ' ', '\t']).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    let rest = rest.trim_start_matches(']');
    // `[1.2.3](https://…) - 2026-01-31` is written, too.
    let rest = match rest.strip_prefix('(') {
        Some(inner) => inner.split_once(')').map_or("", |(_, rest)| rest),
        None => rest,
    };
    let date = rest.trim().trim_start_matches(['-', '–', '—', '(']).trim();
    let date = date.trim_end_matches(')');
    let digits = name
        .strip_prefix('v')
        .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let name = digits.unwrap_or(name);
    (name, bracketed, (!date.is_empty()).then_some(date))
}

/// `[label]: address`.
fn reference(line: &str) -> Option<(&str, &str)> {
    let (label, address) = line.strip_prefix('[')?.split_once("]:")?;
    let address = address.trim();
    (!label.contains('[') && !address.is_empty() && !address.contains(' '))
        .then_some((label, address))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Changelog\n\n```\n## [9.9.9]\n```\n<!--\n## [8.8.8]\n-->\n\n## [Unreleased]\n\n### Added\n\n\
                        - soon\n\n## [1.1.0] - 2026-01-02\n\n### Added\n- this\n\n## v1.0.0 (2025-01-01)\n- first\n\n\
                        [Unreleased]: https://x/compare/v1.1.0...HEAD\n[1.1.0]: https://x/v1.1.0\n";

    #[test]
    fn the_parts_are_found_where_they_stand() {
        let changelog = Changelog::parse(TEXT);
        let names: Vec<_> = changelog
            .sections
            .iter()
            .map(|it| (it.name, it.bracketed, it.date))
            .collect();
        let expected = [
            ("Unreleased", true, None),
            ("1.1.0", true, Some("2026-01-02")),
            ("1.0.0", false, Some("2025-01-01")),
        ];
        assert_eq!(names, expected);
        let check = |version: &str, expected: Option<&str>| {
            let section = changelog.section(version);
            assert_eq!(section.map(|it| changelog.body(it)), expected, "{version}");
        };
        check("1.1.0", Some("### Added\n- this"));
        check("1.0.0", Some("- first"));
        check("2.0.0", None);
        assert_eq!(changelog.coming(), Some("### Added\n\n- soon"));
        let labels: Vec<&str> = changelog.links.iter().map(|link| link.label).collect();
        assert_eq!(labels, ["Unreleased", "1.1.0"]);
        let group = &changelog.sections[0].groups[0];
        assert_eq!(
            (group.title, &TEXT[group.body.clone()]),
            ("Added", "\n- soon\n\n")
        );
    }

    #[test]
    fn a_block_of_code_ends_with_its_own_fence() {
        let check = |text: &str, expected: &[&str]| {
            let changelog = Changelog::parse(text);
            let names: Vec<&str> = changelog.sections.iter().map(|it| it.name).collect();
            assert_eq!(names, expected, "{text}");
        };
        check("```\n## [1.0.0]\n```\n## [2.0.0]\n", &["2.0.0"]);
        check("````md\n```\n## [1.0.0]\n````\n## [2.0.0]\n", &["2.0.0"]);
        check("```\n``` no end\n## [1.0.0]\n```\n## [2.0.0]\n", &["2.0.0"]);
        check("```one``` word\n## [2.0.0]\n", &["2.0.0"]);
        check("~~~ `\n## [1.0.0]\n```\n~~~~\n## [2.0.0]\n", &["2.0.0"]);
    }

    #[test]
    fn what_is_coming_is_more_than_headings() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(Changelog::parse(text).coming(), expected, "{text}");
        };
        check("# no sections\n", None);
        check("## [Unreleased]\n\n### Added\n\n## [1.0.0]\n- x\n", None);
        check("## unreleased\r\n\r\n- x\r\n", Some("- x"));
        check("## [Unreleased]\n- x\n[a]: https://a\n", Some("- x"));
        check("", None);
        check("## [1.0.0-rc.1]", None);
        let pre = "## [1.0.0-rc.1] - 2026-01-01\n- x";
        assert!(Changelog::parse(pre).section("1.0.0rc1").is_some());
    }
}
