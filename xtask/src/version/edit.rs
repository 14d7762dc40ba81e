//! A file with another version: the version's bytes are replaced, and nothing else. Pure.

use serde::Serialize;

use super::number::Number;
use super::place::{self, Form, Place, Scope};
use crate::error::{Error, Result};
use crate::printable;

/// One place whose text changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The file from the root.
    pub file: String,
    /// Where in it.
    pub key: String,
    /// What it says.
    pub from: String,
    /// What it will say.
    pub to: String,
}

/// A file as it will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// Its whole text.
    pub text: String,
    /// What of it changes.
    pub changes: Vec<Change>,
}

/// Writes a version into every place of a file.
///
/// # Errors
/// The file cannot be read, a place states no version that could be replaced, or the version has
/// no spelling there.
pub fn edit(
    file: &str,
    text: &str,
    members: &[String],
    scope: Scope,
    number: &Number,
) -> Result<Edited> {
    let places = place::find(file, text, members, scope)?;
    let mut changes = Vec::new();
    let mut ranges = Vec::new();
    for place in places {
        // A member that the lock file does not have has nothing to be raised.
        let Some((from, range)) = place.stated.clone() else {
            match place.key.starts_with("package ") {
                true => continue,
                false => return Err(silent(file, &place)),
            }
        };
        let to = place.form.write(number, &from);
        let to = to.ok_or_else(|| unwritable(file, &place, &from, number))?;
        if from != to {
            ranges.push((range, to.clone()));
            changes.push(Change {
                file: file.to_owned(),
                key: place.key,
                from,
                to,
            });
        }
    }
    ranges.sort_by_key(|(range, _)| range.start);
    let mut edited = String::with_capacity(text.len() + 16);
    let mut end = 0;
    for (range, to) in ranges {
        edited.push_str(text.get(end..range.start).unwrap_or_default());
        edited.push_str(&to);
        end = range.end;
    }
    edited.push_str(text.get(end..).unwrap_or_default());
    Ok(Edited {
        text: edited,
        changes,
    })
}

fn silent(file: &str, place: &Place) -> Error {
    Error::precondition(format!("{file}: {} states no version", place.key)).hint(format!(
        "write one there, or take {file} out of version.files in release.toml"
    ))
}

fn unwritable(file: &str, place: &Place, from: &str, number: &Number) -> Error {
    let key = &place.key;
    if place.form == Form::Marketplace {
        return Error::usage(format!(
            "{file}: {key}: the VS Code Marketplace takes three numbers only, and there are none for \
             {number} between the release before it and {}",
            number.finished()
        ))
        .hint("a pre-release of the next minor or major version has some: --bump preminor");
    }
    let from = printable::line(from, 80);
    Error::precondition(format!(
        "{file}: {key}: the requirement `{from}` lets {number} not in"
    ))
    .hint(format!(
        "write it by hand, for example: version = \"{number}\""
    ))
}

#[cfg(test)]
mod tests;
