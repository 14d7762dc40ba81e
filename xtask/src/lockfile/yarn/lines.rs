//! The grammar of Yarn 1: entries of patterns, with indented keys. It is no YAML.
//!
//! Source: `lockfile/parse.js` and `lockfile/stringify.js` of Yarn 1.22.

use std::collections::HashSet;

use super::super::Input;
use super::super::json::MOST_VALUES;
use super::super::node;
use super::super::shown::shortened;
use super::REMEDY;
use crate::error::Result;

/// How many patterns a lock file may have, so that memory is bounded.
const MOST_PATTERNS: usize = MOST_VALUES / 4;

/// One entry as it stands in the file.
#[derive(Debug, Default)]
pub struct Entry {
    /// Where its patterns stand.
    pub line: usize,
    /// What was asked for: `a@^1`.
    pub patterns: Vec<String>,
    values: Vec<(String, String)>,
    /// What it asks for.
    pub dependencies: Vec<Asked>,
    /// The name of the section that the lines belong to, if one is open.
    section: Option<String>,
}

/// One line of its sections of dependencies.
#[derive(Debug)]
pub struct Asked {
    /// The name under which it is installed.
    pub name: String,
    /// The constraint, as written.
    pub constraint: String,
    /// Whether the lock file may do without it.
    pub may_lack: bool,
    /// Where it stands.
    pub line: usize,
}

impl Entry {
    /// The value of one of its keys.
    pub fn value(&self, key: &str) -> Option<&str> {
        let found = self.values.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str())
    }
}

/// Reads all entries.
///
/// # Errors
/// A line that the grammar does not have, or a key twice in an entry; names the line.
pub fn entries(input: &Input<'_>) -> Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut names = HashSet::new();
    let mut patterns_left = MOST_PATTERNS;
    for (index, line) in input.text.lines().enumerate() {
        let text = line.trim_start_matches(' ');
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let taken = match (line.len() - text.len(), entries.last_mut()) {
            _ if index >= MOST_VALUES => Err("there are more lines than a lock file has"),
            _ if text.contains(char::is_control) => Err("there is a control character"),
            (0, _) => patterns(text, &mut patterns_left).map(|patterns| {
                names.clear();
                entries.push(Entry {
                    line: index + 1,
                    patterns,
                    ..Entry::default()
                });
            }),
            (2, Some(entry)) => key(entry, text).inspect(|()| names.clear()),
            (4, Some(entry)) => asked(entry, text, index + 1, &mut names),
            _ => Err("the line is indented as none can be"),
        };
        taken.map_err(|problem| {
            let problem = format!("{problem}: {:?}", shortened(line));
            node::damaged(input, index + 1, &problem, REMEDY)
        })?;
    }
    Ok(entries)
}

/// `"a@^1", a@^2:`
fn patterns(line: &str, left: &mut usize) -> std::result::Result<Vec<String>, &'static str> {
    const WRONG: &str = "not a list of patterns with a colon";
    let mut list = Vec::new();
    let mut rest = line;
    loop {
        let (pattern, behind) = word(rest).ok_or(WRONG)?;
        *left = left
            .checked_sub(1)
            .ok_or("there are more patterns than a lock file has")?;
        list.push(pattern);
        match behind.strip_prefix(',') {
            Some(behind) => rest = behind.trim_start_matches(' '),
            None if behind.trim_end_matches(' ') == ":" => return Ok(list),
            None => return Err(WRONG),
        }
    }
}

/// `version "1.0.0"`, or `dependencies:`
fn key(entry: &mut Entry, line: &str) -> std::result::Result<(), &'static str> {
    let (name, rest) = word(line).ok_or("not a key")?;
    if rest == ":" {
        entry.section = Some(name);
        return Ok(());
    }
    entry.section = None;
    if entry.value(&name).is_some() {
        return Err("the key is there twice");
    }
    if entry.values.len() >= 16 {
        return Err("there are more keys than an entry has");
    }
    entry.values.push((name, value(rest)?));
    Ok(())
}

/// `name "^1"` in a section.
fn asked(
    entry: &mut Entry,
    line: &str,
    number: usize,
    names: &mut HashSet<String>,
) -> std::result::Result<(), &'static str> {
    let section = entry
        .section
        .as_deref()
        .ok_or("there is no section for it")?;
    let may_lack = match section {
        "dependencies" => false,
        "optionalDependencies" => true,
        _ => return Ok(()),
    };
    let (name, rest) = word(line).ok_or("not a key")?;
    if !names.insert(name.clone()) {
        return Err("the key is there twice");
    }
    entry.dependencies.push(Asked {
        name,
        constraint: value(rest)?,
        may_lack,
        line: number,
    });
    Ok(())
}

/// What is behind a key: quoted, or bare to the end of the line.
fn value(rest: &str) -> std::result::Result<String, &'static str> {
    const WRONG: &str = "not a key with its value";
    let rest = rest.strip_prefix(' ').ok_or(WRONG)?.trim_end_matches(' ');
    if !rest.starts_with('"') {
        let text = Some(rest.to_owned()).filter(|text| !text.is_empty());
        return text.ok_or(WRONG);
    }
    match word(rest) {
        Some((value, "")) => Ok(value),
        _ => Err(WRONG),
    }
}

/// The first word of a line, quoted as in JSON or bare, and what is behind it.
fn word(line: &str) -> Option<(String, &str)> {
    if !line.starts_with('"') {
        let end = line.find([' ', ',', ':', '"']).unwrap_or(line.len());
        let (word, rest) = line.split_at(end);
        return (!word.is_empty()).then(|| (word.to_owned(), rest));
    }
    let mut escaped = false;
    let end = line.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    let (quoted, rest) = line.split_at_checked(end + 2)?;
    Some((serde_json::from_str(quoted).ok()?, rest))
}
