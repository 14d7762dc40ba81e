//! TOML lock files: one parse, values by key, and the line of each. Pure.
//!
//! Everything a parse needs is bounded beforehand, because a hostile file of a few megabytes
//! could otherwise ask for gigabytes: how large the text is, and how many values it may hold.
//!
//! Files as tools write them are read by `plain`; all others, and what is wrong, by the library,
//! which `library` asks.

mod library;
mod plain;
mod table;

use camino::Utf8Path;

pub use self::table::{Table, Value};
use super::damage::{self, Damaged};
use super::model::Kind;
use crate::error::{Error, Result};

/// The largest file that is read; the largest real ones have about 4 MB.
pub const LARGEST: usize = 16 << 20;
/// The most values in one file; real ones have less than one in thirty bytes.
const MOST_VALUES: usize = 2_000_000;

/// A file that is TOML.
pub struct Document<'text> {
    /// Its top.
    pub top: Table<'text>,
    place: Place<'text>,
}

/// Knows the file's name, its lines, and what mends it.
pub struct Place<'text> {
    file: &'text Utf8Path,
    newlines: Vec<usize>,
    hint: String,
}

impl<'text> Document<'text> {
    /// Reads a lock file of this kind.
    ///
    /// # Errors
    /// It is too large, has unresolved conflicts, or is no TOML; the message says where and, as
    /// far as that can be seen, what happened to it.
    pub fn of_lock(
        text: &'text str,
        file: &'text Utf8Path,
        kind: &Kind,
    ) -> Result<Document<'text>> {
        let damaged = Damaged {
            text,
            file: file.as_str(),
            remedy: kind.remedy,
        };
        damage::conflict_markers(&damaged)?;
        let place = Place::new(text, file, format!("write it anew: {}", kind.remedy));
        let top = parse(text, &place, |at, message| {
            damage::explain(&damaged, at, message)
        })?;
        Ok(Document { top, place })
    }

    /// Reads a manifest, which is for people to mend.
    ///
    /// # Errors
    /// It is too large or no TOML.
    pub fn of_manifest(text: &'text str, file: &'text Utf8Path) -> Result<Document<'text>> {
        let place = Place::new(text, file, format!("mend {file} there"));
        let top = parse(text, &place, |(line, column), message| {
            let message = message.trim().replace('\n', ", ");
            Error::failure(format!("{file}:{line}:{column}: not TOML: {message}"))
                .hint(format!("mend {file} there"))
        })?;
        Ok(Document { top, place })
    }

    /// Takes the table and leaves the knowledge of places.
    pub fn into_parts(self) -> (Table<'text>, Place<'text>) {
        (self.top, self.place)
    }
}

impl<'text> Place<'text> {
    fn new(text: &str, file: &'text Utf8Path, hint: String) -> Place<'text> {
        Place {
            file,
            newlines: memchr::memchr_iter(b'\n', text.as_bytes()).collect(),
            hint,
        }
    }

    /// The line of a byte, counted from 1.
    pub fn line(&self, offset: usize) -> usize {
        self.newlines.partition_point(|&newline| newline < offset) + 1
    }

    /// The line on which a value begins.
    pub fn line_of(&self, value: &Value<'_>) -> usize {
        self.line(value.start())
    }

    /// An error at a line, with the file's remedy.
    pub fn error(&self, line: usize, message: impl std::fmt::Display) -> Error {
        Error::failure(format!("{}:{line}: {message}", self.file)).hint(self.hint.as_str())
    }

    /// The list of tables under this key, empty when there is none.
    ///
    /// # Errors
    /// It is something else.
    pub fn tables<'table, 'source>(
        &self,
        table: &'table Table<'source>,
        key: &str,
    ) -> Result<Vec<(usize, &'table Table<'source>)>> {
        let Some(value) = table.get(key) else {
            return Ok(Vec::new());
        };
        let wrong = |value: &Value<'_>| {
            self.error(
                self.line_of(value),
                format!("`{key}` is no list of [[{key}]] tables"),
            )
        };
        let list = value.as_list().ok_or_else(|| wrong(value))?;
        list.iter()
            .map(|entry| match entry.as_table() {
                Some(table) => Ok((self.line_of(entry), table)),
                None => Err(wrong(entry)),
            })
            .collect()
    }
}

fn parse<'text>(
    text: &'text str,
    place: &Place<'_>,
    explain: impl FnOnce((usize, usize), &str) -> Error,
) -> Result<Table<'text>> {
    if text.len() > LARGEST {
        return Err(place.error(
            1,
            format!("{} bytes are too many; {LARGEST} are read", text.len()),
        ));
    }
    let mut separators = memchr::memchr3_iter(b',', b'=', b'[', text.as_bytes());
    if let Some(offset) = separators.nth(MOST_VALUES) {
        return Err(place.error(
            place.line(offset),
            format!("more than {MOST_VALUES} values up to here; no lock file has so many"),
        ));
    }
    plain::read(text).map_or_else(|| library::read(text, explain), Ok)
}

/// The text under a key.
pub fn text<'table>(table: &'table Table<'_>, key: &str) -> Option<&'table str> {
    table.get(key)?.as_str()
}

/// The truth value under a key.
pub fn truth(table: &Table<'_>, key: &str) -> Option<bool> {
    table.get(key)?.as_bool()
}

/// The table under a key.
pub fn table<'table, 'text>(
    table: &'table Table<'text>,
    key: &str,
) -> Option<&'table Table<'text>> {
    table.get(key)?.as_table()
}

/// The entries of the table under a key; none when there is no table.
pub fn entries<'table, 'text>(
    outer: &'table Table<'text>,
    key: &str,
) -> impl Iterator<Item = (&'table str, &'table Value<'text>)> {
    table(outer, key).into_iter().flat_map(Table::iter)
}

/// The values of the list under a key; none when there is no list.
pub fn list<'table, 'text>(
    table: &'table Table<'text>,
    key: &str,
) -> impl Iterator<Item = &'table Value<'text>> {
    items(table.get(key))
}

/// The values of a list; none when it is no list.
pub fn items<'table, 'text>(
    value: Option<&'table Value<'text>>,
) -> impl Iterator<Item = &'table Value<'text>> {
    value.and_then(Value::as_list).into_iter().flatten()
}

/// The texts of the list under a key.
pub fn texts<'table>(table: &'table Table<'_>, key: &str) -> impl Iterator<Item = &'table str> {
    list(table, key).filter_map(Value::as_str)
}

#[cfg(test)]
mod tests;
