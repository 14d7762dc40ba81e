//! Says what happened to a lock file that cannot be read: conflicts, bad merges, cut tables.
//!
//! The TOML parser stops at the second declaration and knows nothing of packages. These
//! functions read the lines themselves, to name both places and the packages around them.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::error::{Error, Result};
use crate::world::process::quote;

/// The verb that mends a lock file, as it is called.
pub const REPAIR: &str = "cargo xtask lock repair";

/// How readers say that a package is missing to which the file refers.
pub const INCOMPLETE: &str = "the lock file is incomplete";

/// A damaged lock file.
#[derive(Debug, Clone, Copy)]
pub struct Damaged<'text> {
    /// The text.
    pub text: &'text str,
    /// Names it in errors.
    pub file: &'text str,
    /// The command that writes it anew.
    pub remedy: &'text str,
}

impl Damaged<'_> {
    fn anew(&self) -> String {
        format!("write it anew: {}", self.remedy)
    }

    fn take_one_side(&self) -> String {
        let Damaged { file, remedy, .. } = self;
        format!("git checkout --ours {file} && {remedy}")
    }
}

/// A table header of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its line, counted from 1.
    pub line: usize,
    /// The header with its brackets, without space.
    pub text: String,
    /// The number of the `[[package]]` that it follows, and that package's name.
    pub package: Option<(usize, String)>,
    /// The keys of the table.
    pub keys: Vec<String>,
}

/// The lines, counted from 1, on which `[[package]]` stands.
pub fn package_lines(text: &str) -> Vec<usize> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| line.trim() == "[[package]]")
        .map(|(index, _)| index + 1)
        .collect()
}

/// Whether a line is this marker of a conflict, alone or with a name behind it.
pub fn is_marker(line: &str, marker: &str) -> bool {
    let behind = line.strip_prefix(marker);
    behind.is_some_and(|behind| behind.is_empty() || behind.starts_with(' '))
}

/// Refuses a file with unresolved conflicts of a merge.
///
/// # Errors
/// Names the lines of the first conflict.
pub fn conflict_markers(damaged: &Damaged<'_>) -> Result<()> {
    let Damaged { text, file, .. } = damaged;
    if memchr::memmem::find(text.as_bytes(), b"<<<<<<<").is_none() {
        return Ok(());
    }
    let mut lines = (1..).zip(text.lines());
    let mut find = |marker: &str| lines.find(|(_, line)| is_marker(line, marker));
    let Some((start, _)) = find("<<<<<<<") else {
        return Ok(());
    };
    let end = find(">>>>>>>").map_or_else(String::new, |(line, _)| format!(" to {line}"));
    Err(Error::failure(format!(
        "{file}:{start}: an unresolved merge conflict, lines {start}{end}"
    ))
    .hint(format!(
        "take one side whole, then lock again: {}",
        damaged.take_one_side()
    )))
}

/// Explains why the file is no TOML: `message` at `line` and `column` is the parser's word.
pub fn explain(damaged: &Damaged<'_>, (line, column): (usize, usize), message: &str) -> Error {
    let headers = headers(damaged.text);
    if let Some((first, second)) = declared_twice(&headers) {
        return twice(damaged, &headers, first, second);
    }
    let around = headers
        .iter()
        .rev()
        .find(|header| header.line <= line)
        .and_then(|header| header.package.as_ref())
        .map_or_else(String::new, |(_, name)| format!(", in package {name}"));
    let message = message.trim().replace('\n', ", ");
    let file = damaged.file;
    Error::failure(format!(
        "{file}:{line}:{column}: not TOML{around}: {message}"
    ))
    .hint(format!(
        "take the file of the last commit back: git checkout HEAD -- {}",
        quote(file)
    ))
    .hint(damaged.anew())
}

/// All table headers, by reading lines: it works on text that is no TOML.
pub fn headers(text: &str) -> Vec<Header> {
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

/// The first table that is declared a second time, and where it was before.
pub fn declared_twice(headers: &[Header]) -> Option<(&Header, &Header)> {
    let mut seen: HashMap<(&str, Option<usize>), &Header> = HashMap::new();
    headers.iter().find_map(|header| {
        if header.text.starts_with("[[") {
            return None;
        }
        let number = header.package.as_ref().map(|(number, _)| *number);
        let first = seen.insert((&header.text, number), header)?;
        Some((first, header))
    })
}

/// How many tables are declared again.
pub fn repeated(headers: &[Header]) -> usize {
    let mut seen: HashSet<(&str, Option<usize>)> = HashSet::new();
    let mut repeated = 0;
    for header in headers
        .iter()
        .filter(|header| !header.text.starts_with("[["))
    {
        let number = header.package.as_ref().map(|(number, _)| *number);
        repeated += usize::from(!seen.insert((&header.text, number)));
    }
    repeated
}

fn twice(damaged: &Damaged<'_>, headers: &[Header], first: &Header, second: &Header) -> Error {
    let file = damaged.file;
    let table = &second.text;
    let (line, before) = (second.line, first.line);
    let Some((_, name)) = &first.package else {
        return Error::failure(format!(
            "{file}:{line}: the table {table} is declared twice, on lines {before} and {line}"
        ))
        .hint(damaged.anew());
    };
    let keys = match second.keys.is_empty() {
        true => "it is empty".to_owned(),
        false => format!("its keys: {}", shortened(&second.keys)),
    };
    let owner = match lost_packages(headers).as_slice() {
        [] => "of a package whose [[package]] header is gone".to_owned(),
        [one] => format!("most likely of {one}, whose [[package]] block is gone"),
        several => format!(
            "of a package whose [[package]] block is gone (missing: {})",
            shortened(several)
        ),
    };
    Error::failure(format!(
        "{file}:{line}: the table {table} is declared twice for package {name}: line {before} \
         belongs to {name}, line {line} is an orphan, {owner} ({keys})"
    ))
    .hint(format!(
        "a merge has cut the file; take one side whole and lock again: {}",
        damaged.take_one_side()
    ))
    .hint(format!(
        "or see what is left without the orphan: {REPAIR} {file}"
    ))
}

/// The first of a long list.
fn shortened(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let more = names.len().saturating_sub(SHOWN);
    let shown = names.iter().take(SHOWN).map(String::as_str);
    let shown = shown.collect::<Vec<_>>().join(", ");
    match more {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Names that the file speaks of as dependencies or files, but for which it has no block.
pub fn lost_packages(headers: &[Header]) -> Vec<String> {
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
