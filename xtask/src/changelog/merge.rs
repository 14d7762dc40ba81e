//! What commits tell, merged into what people wrote under "Unreleased". Pure.
//!
//! Lines are inserted and nothing else: every byte that was there stays.

use super::entry::{CONTRIBUTORS, Entry, GROUPS, Told};
use super::{Changelog, Group, Section};

/// What is not in the changelog yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Missing<'told> {
    /// The lines to add.
    pub entries: Vec<&'told Entry>,
    /// The names to add.
    pub contributors: Vec<String>,
}

impl Missing<'_> {
    /// Whether the changelog says everything.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// What the changelog does not say yet: no commit of it is named, and no line since the last
/// release says the same. `last` is the version of that release.
pub fn missing<'told>(
    changelog: &Changelog<'_>,
    told: &'told Told,
    last: Option<&str>,
) -> Missing<'told> {
    let ids = ids(changelog.text);
    let is_last =
        |section: &&Section<'_>| last.is_some_and(|last| crate::version::same(section.name, last));
    let recent = changelog
        .sections
        .iter()
        .take_while(|section| !is_last(section));
    let lines: Vec<String> = recent
        .flat_map(|section| items(changelog.body(section)))
        .map(|item| words(&item))
        .collect();
    let is_new = |entry: &&Entry| {
        let named = ids.iter().any(|id| entry.commit.starts_with(id.as_str()));
        let says = words(&entry.says);
        let same = |line: &String| {
            *line == says || line.ends_with(&format!(" {says}")) && line.starts_with("breaking ")
        };
        !named && !lines.iter().any(same)
    };
    let entries: Vec<&Entry> = told.entries.iter().filter(is_new).collect();
    let known = changelog
        .unreleased()
        .map_or("", |section| changelog.body(section));
    let known: Vec<String> = items(known).iter().map(|item| words(item)).collect();
    let mut contributors: Vec<String> = Vec::new();
    for name in entries.iter().flat_map(|entry| &entry.by) {
        if !contributors.contains(name) && !known.contains(&words(name)) {
            contributors.push(name.clone());
        }
    }
    Missing {
        entries,
        contributors,
    }
}

/// Every word of a text that may be the id of a commit.
fn ids(text: &str) -> Vec<String> {
    let all = text.split(|c: char| !c.is_ascii_alphanumeric());
    let is_id = |word: &&str| {
        (7..=40).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    all.filter(is_id).map(str::to_ascii_lowercase).collect()
}

/// The entries of a list, each with its continuation lines.
fn items(body: &str) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    let mut open = false;
    for line in body.lines() {
        if bullet(line).is_some() {
            items.push(line.trim_start()[1..].trim().to_owned());
            open = true;
        } else if line.trim().is_empty() || line.starts_with('#') {
            open = false;
        } else if let Some(last) = items.last_mut().filter(|_| open) {
            last.push(' ');
            last.push_str(line.trim());
        }
    }
    items
}

/// The bullet of a line of a list.
fn bullet(line: &str) -> Option<char> {
    let mut characters = line.trim_start().chars();
    let first = characters.next().filter(|c| ['-', '*', '+'].contains(c))?;
    (characters.next() == Some(' ')).then_some(first)
}

/// The words of a line alone: no case, punctuation, emphasis, and no brackets at the end.
fn words(text: &str) -> String {
    let mut text = text.trim().trim_end_matches(['.', ' ']);
    // Links at the end may hold brackets of their own.
    while text.ends_with(')') {
        let mut depth = 0;
        let start = text.char_indices().rev().find(|(_, c)| {
            match c {
                ')' => depth += 1,
                '(' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        match start {
            Some((start, _)) if start > 0 && text[..start].ends_with(' ') => {
                text = text[..start].trim_end();
            }
            _ => break,
        }
    }
    // A scope in front, as it is written here.
    let text = match text.split_once(":** ") {
        Some((scope, rest)) if scope.contains("**") => {
            let breaking = if scope.starts_with("**Breaking**") {
                "breaking "
            } else {
                ""
            };
            format!("{breaking}{rest}")
        }
        _ => text.to_owned(),
    };
    let letters = text.to_lowercase();
    let words = letters.split(|c: char| !c.is_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// The changelog with what is missing under "Unreleased".
pub fn merge(changelog: &Changelog<'_>, missing: &Missing<'_>) -> String {
    let mut text = changelog.text.to_owned();
    if changelog.unreleased().is_none() {
        text = with_unreleased(changelog);
    }
    for group in GROUPS {
        let of_group = missing.entries.iter().filter(|entry| entry.group == group);
        let (breaking, others): (Vec<&Entry>, Vec<&Entry>) =
            of_group.copied().partition(|entry| entry.breaking);
        let lines = |entries: Vec<&Entry>| -> Vec<String> {
            entries
                .into_iter()
                .map(|entry| entry.text.clone())
                .collect()
        };
        let (breaking, mut others) = (lines(breaking), lines(others));
        if group == CONTRIBUTORS {
            others.clone_from(&missing.contributors);
        }
        if !breaking.is_empty() || !others.is_empty() {
            text = insert(&Changelog::parse(&text), group, &breaking, &others);
        }
    }
    text
}

/// The changelog with an empty section for what is coming, before all others.
fn with_unreleased(changelog: &Changelog<'_>) -> String {
    let newline = changelog.newline;
    let bracketed = changelog
        .sections
        .first()
        .is_none_or(|section| section.bracketed);
    let heading = match bracketed {
        true => "## [Unreleased]",
        false => "## Unreleased",
    };
    let text = changelog.text;
    let references = changelog.links.first().map(|link| link.line.start);
    let at = match changelog.sections.first() {
        Some(section) => section.heading.start,
        None => references.unwrap_or(text.len()),
    };
    let (before, after) = text.split_at(at);
    let gap = gap(before, newline);
    let end = if after.is_empty() { "" } else { newline };
    format!("{before}{gap}{heading}{newline}{end}{after}")
}

/// What is missing between a text and a paragraph after it.
fn gap(before: &str, newline: &str) -> String {
    let ends = before.trim_end_matches([' ', '\t']);
    if ends.trim().is_empty() || ends.ends_with(&format!("{newline}{newline}")) {
        String::new()
    } else if ends.ends_with('\n') {
        newline.to_owned()
    } else {
        newline.repeat(2)
    }
}

/// Inserts lines into a group of "Unreleased", which is made where it is missing.
fn insert(
    changelog: &Changelog<'_>,
    title: &str,
    breaking: &[String],
    others: &[String],
) -> String {
    let newline = changelog.newline;
    let Some(section) = changelog.unreleased() else {
        return changelog.text.to_owned();
    };
    let bullet = changelog.text.lines().find_map(bullet).unwrap_or('-');
    let list = |lines: &[String]| -> String {
        let line = |line: &String| format!("{bullet} {line}{newline}");
        lines.iter().map(line).collect()
    };
    let same = |group: &&Group<'_>| group.title.eq_ignore_ascii_case(title);
    if let Some(group) = section.groups.iter().find(same) {
        let body = &changelog.text[group.body.clone()];
        // Before the first line, and behind the last.
        let first = group.body.start + (body.len() - body.trim_start_matches(['\r', '\n']).len());
        let written = body.trim_end().len();
        let (first, last) = match written {
            0 => (group.body.start, group.body.start),
            written => (first, group.body.start + written),
        };
        let text = changelog.text;
        let (before, between, after) = (&text[..first], &text[first..last], &text[last..]);
        let lead = match written == 0 {
            true if !before.ends_with('\n') => newline.repeat(2),
            true => blank(changelog).to_owned(),
            false => String::new(),
        };
        let (breaking, others) = (list(breaking), list(others));
        let others = match (others.is_empty(), written) {
            (false, 1..) => format!("{newline}{}", others.trim_end_matches(['\r', '\n'])),
            (_, _) => others,
        };
        return format!("{before}{lead}{breaking}{between}{others}{after}");
    }
    let order = |name: &str| {
        GROUPS
            .iter()
            .position(|group| group.eq_ignore_ascii_case(name))
    };
    let later = |group: &&Group<'_>| order(group.title).is_some_and(|it| Some(it) > order(title));
    let body = &changelog.text[section.body.clone()];
    let at = match section.groups.iter().find(later) {
        Some(group) => group.heading.start,
        None => section.body.start + body.trim_end().len(),
    };
    let (before, after) = changelog.text.split_at(at);
    let gap = gap(before, newline);
    let blank = blank(changelog);
    let lines = format!("{}{}", list(breaking), list(others));
    // The line before may end behind the place.
    let after = after.strip_prefix(newline).unwrap_or(after);
    let end = match after.is_empty() || after.starts_with(['\n', '\r']) {
        true => "",
        false => newline,
    };
    format!("{before}{gap}### {title}{newline}{blank}{lines}{end}{after}")
}

/// Whether headings of groups are followed by an empty line here.
fn blank(changelog: &Changelog<'_>) -> &'static str {
    let mut groups = changelog
        .sections
        .iter()
        .flat_map(|section| &section.groups);
    let body = groups.find_map(|group| {
        let body = changelog.text.get(group.body.clone())?;
        (!body.trim().is_empty()).then_some(body)
    });
    match body {
        Some(body) if !body.starts_with(['\n', '\r']) => "",
        _ => changelog.newline,
    }
}

#[cfg(test)]
mod tests;
