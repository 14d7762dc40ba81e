//! Says what happened to a lock file that cannot be read: conflicts, bad merges, cut tables.
//!
//! The TOML parser stops at the second declaration and knows nothing of packages. These
//! functions read the lines themselves, to name both places and the packages around them.

use std::collections::BTreeSet;

use super::poetry::REMEDY;
use crate::error::{Error, Result};

/// A table header of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Header {
    line: usize,
    text: String,
    /// The number of the `[[package]]` that it follows, and that package's name.
    package: Option<(usize, String)>,
    /// The keys of the table.
    keys: Vec<String>,
}

/// The lines, counted from 1, on which `[[package]]` stands.
pub fn package_lines(text: &str) -> Vec<usize> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| line.trim() == "[[package]]")
        .map(|(index, _)| index + 1)
        .collect()
}

/// Refuses a file with unresolved conflicts of a merge.
///
/// # Errors
/// Names the lines of the first conflict.
pub fn conflict_markers(text: &str, file: &str) -> Result<()> {
    let find = |marker: &str| {
        let is_marker = |line: &str| line == marker || line.starts_with(&format!("{marker} "));
        text.lines().position(is_marker).map(|index| index + 1)
    };
    let Some(start) = find("<<<<<<<") else {
        return Ok(());
    };
    let end = find(">>>>>>>").map_or_else(String::new, |line| format!(" to {line}"));
    Err(Error::failure(format!(
        "{file}:{start}: an unresolved merge conflict, lines {start}{end}"
    ))
    .hint(format!(
        "take one side whole, then lock again: git checkout --ours {file} && poetry lock"
    )))
}

/// Explains why the file is no TOML: `message` at `line` and `column` is the parser's word.
pub fn explain(text: &str, file: &str, (line, column): (usize, usize), message: &str) -> Error {
    let headers = headers(text);
    if let Some((first, second)) = declared_twice(&headers) {
        return twice(text, file, first, second);
    }
    let around = headers
        .iter()
        .rev()
        .find(|header| header.line <= line)
        .and_then(|header| header.package.as_ref())
        .map_or_else(String::new, |(_, name)| format!(", in package {name}"));
    let message = message.trim().replace('\n', ", ");
    Error::failure(format!(
        "{file}:{line}:{column}: not TOML{around}: {message}"
    ))
    .hint(REMEDY)
}

fn headers(text: &str) -> Vec<Header> {
    let mut headers: Vec<Header> = Vec::new();
    let mut packages = 0;
    let mut current: Option<(usize, String)> = None;
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if trimmed.starts_with('[') && trimmed.ends_with(']') && line.starts_with('[') {
            let header: String = trimmed.split_whitespace().collect();
            if header == "[[package]]" {
                packages += 1;
                current = Some((packages, "without a name".to_owned()));
            } else if !header.starts_with("[package.") {
                current = None;
            }
            headers.push(Header {
                line: index + 1,
                text: header,
                package: current.clone(),
                keys: Vec::new(),
            });
        } else if let Some((key, value)) = key_and_value(line)
            && let Some(header) = headers.last_mut()
        {
            if header.text == "[[package]]" && key == "name" {
                let name = value.trim().trim_matches(['"', '\'']).to_owned();
                current = Some((packages, name));
                header.package.clone_from(&current);
            }
            header.keys.push(key.to_owned());
        }
    }
    headers
}

/// A key at the beginning of a line; lines inside a list are indented.
fn key_and_value(line: &str) -> Option<(&str, &str)> {
    if line.starts_with([' ', '\t', '#', ']', '}']) {
        return None;
    }
    let (key, value) = line.split_once('=')?;
    Some((key.trim().trim_matches(['"', '\'']), value))
}

fn declared_twice(headers: &[Header]) -> Option<(&Header, &Header)> {
    headers.iter().enumerate().find_map(|(index, second)| {
        if second.text.starts_with("[[") {
            return None;
        }
        let number = |header: &Header| header.package.as_ref().map(|(number, _)| *number);
        let first = headers[..index]
            .iter()
            .find(|first| first.text == second.text && number(first) == number(second))?;
        Some((first, second))
    })
}

fn twice(text: &str, file: &str, first: &Header, second: &Header) -> Error {
    let table = &second.text;
    let (line, before) = (second.line, first.line);
    let Some((_, name)) = &first.package else {
        return Error::failure(format!(
            "{file}:{line}: the table {table} is declared twice, on lines {before} and {line}"
        ))
        .hint(REMEDY);
    };
    let keys = match second.keys.is_empty() {
        true => "it is empty".to_owned(),
        false => format!("its keys: {}", second.keys.join(", ")),
    };
    let owner = match lost_packages(text).as_slice() {
        [] => "of a package whose [[package]] header is gone".to_owned(),
        [one] => format!("most likely of {one}, whose [[package]] block is gone"),
        several => format!(
            "of a package whose [[package]] block is gone (missing: {})",
            several.join(", ")
        ),
    };
    Error::failure(format!(
        "{file}:{line}: the table {table} is declared twice for package {name}: line {before} \
         belongs to {name}, line {line} is an orphan, {owner} ({keys})"
    ))
    .hint(format!(
        "a merge has cut the file; take one side whole and lock again: \
         git checkout --ours {file} && poetry lock"
    ))
}

/// Names that the file speaks of as dependencies or files, but for which it has no block.
fn lost_packages(text: &str) -> Vec<String> {
    let headers = headers(text);
    let of = |table: &'static str| headers.iter().filter(move |header| header.text == table);
    let present: BTreeSet<String> = of("[[package]]")
        .filter_map(|header| header.package.as_ref())
        .map(|(_, name)| crate::name::normalize(name))
        .collect();
    let files = of("[metadata.files]").chain(of("[metadata.hashes]"));
    let wanted = match files.clone().next() {
        Some(_) => files.flat_map(|header| &header.keys).collect::<Vec<_>>(),
        None => of("[package.dependencies]")
            .flat_map(|header| &header.keys)
            .collect(),
    };
    let wanted: BTreeSet<String> = wanted
        .into_iter()
        .map(|name| crate::name::normalize(name))
        .collect();
    wanted.difference(&present).cloned().collect()
}
