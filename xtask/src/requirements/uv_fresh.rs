//! Whether a `uv.lock` belongs to its `pyproject.toml`, as far as reading tells. Pure.
//!
//! The file repeats what its members asked for. Names, extras and versions are compared by what
//! they mean. Conditions are compared only by whether there is one: uv writes them in a form of
//! its own.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Places;
use super::dependency;
use super::uv::REMEDY;
use crate::error::{Error, Result};
use crate::lockfile::uv::locked::{Entry, Wanted};
use crate::marker::Algebra;
use crate::name::normalize;
use crate::pep440::{self, Context};

/// How deep groups may include each other.
const DEEPEST: usize = 32;

/// Refuses a lock that was written for other dependencies.
///
/// # Errors
/// A requirement is only in one of the two files; the message names it.
pub fn require_fresh(
    algebra: &Algebra,
    pyproject: &Value,
    entry: &Entry,
    places: Places<'_>,
) -> Result<()> {
    let project = &pyproject["project"];
    let dynamic = |key: &str| {
        let list = project["dynamic"].as_array();
        list.is_some_and(|list| list.iter().any(|value| value == key))
    };
    let computed = dynamic("dependencies") || dynamic("optional-dependencies");
    if let Some(locked) = entry.asked.requirements.as_ref().filter(|_| !computed) {
        let mut stated: Vec<String> = texts(&project["dependencies"]);
        let extras = project["optional-dependencies"].as_object();
        for (_, list) in extras.into_iter().flatten() {
            stated.extend(texts(list));
        }
        compare(algebra, &stated, locked, places, "dependencies")?;
    }
    let groups = pyproject["dependency-groups"].as_object();
    for name in groups.into_iter().flatten().map(|(name, _)| name) {
        let mut stated = Vec::new();
        expand(&pyproject["dependency-groups"], name, &mut stated, 0);
        let key = normalize(name);
        if key == "dev" {
            stated.extend(texts(&pyproject["tool"]["uv"]["dev-dependencies"]));
        }
        let locked = entry.asked.groups.iter().find(|(group, _)| *group == key);
        let locked = locked.map(|(_, wanted)| wanted.as_slice());
        let what = format!("the group {key}");
        compare(algebra, &stated, locked.unwrap_or_default(), places, &what)?;
    }
    Ok(())
}

fn texts(list: &Value) -> Vec<String> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The requirements of a group with those of the groups that it includes (PEP 735).
fn expand(groups: &Value, name: &str, stated: &mut Vec<String>, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    let wanted = normalize(name);
    let all = groups.as_object().into_iter().flatten();
    let named = all.filter(|(other, _)| normalize(other) == wanted);
    for value in named.filter_map(|(_, list)| list.as_array()).flatten() {
        match (value.as_str(), value["include-group"].as_str()) {
            (Some(text), _) => stated.push(text.to_owned()),
            (None, Some(included)) => expand(groups, included, stated, depth + 1),
            (None, None) => {}
        }
    }
}

fn compare(
    algebra: &Algebra,
    stated: &[String],
    locked: &[Wanted],
    places: Places<'_>,
    what: &str,
) -> Result<()> {
    let mut ours = BTreeSet::new();
    for text in stated {
        ours.insert(key_of(algebra, text, places)?);
    }
    let mut theirs = BTreeSet::new();
    for wanted in locked {
        let text = format!(
            "{}[{}]{}",
            wanted.name,
            wanted.extras.join(","),
            wanted.specifier
        );
        let (key, versions) = key_of(algebra, &text, places)?;
        // Where it comes from another place uv leaves the versions out.
        let versions = match wanted.placed && wanted.specifier.is_empty() {
            true => ours
                .iter()
                .find(|(ours, _)| *ours == key)
                .map_or(versions, |(_, stated)| stated.clone()),
            false => versions,
        };
        theirs.insert((key, versions));
    }
    let only = |one: &BTreeSet<(String, String)>, other: &BTreeSet<(String, String)>| {
        one.difference(other)
            .next()
            .map(|(name, versions)| format!("{name}{versions}"))
    };
    let difference = match (only(&ours, &theirs), only(&theirs, &ours)) {
        (Some(stated), Some(locked)) => format!("{stated} is asked for, and locked was {locked}"),
        (Some(stated), None) => format!("{stated} is asked for, and not locked"),
        (None, Some(locked)) => format!("locked was {locked}, which is not asked for"),
        (None, None) => return Ok(()),
    };
    Err(Error::failure(format!(
        "{} is stale: {} has changed {what} since the lock was written: {difference}",
        places.lock, places.pyproject
    ))
    .hint(REMEDY))
}

/// Name and extras, and the versions in one spelling.
fn key_of(algebra: &Algebra, text: &str, places: Places<'_>) -> Result<(String, String)> {
    let dependency = dependency::from_text(algebra, text, places.folder.as_str())
        .map_err(|fault| Error::failure(format!("{}: {fault}", places.pyproject)))?;
    let mut name = dependency.name.clone();
    if !dependency.extras.is_empty() {
        name = format!("{name}[{}]", dependency.extras.join(","));
    }
    let versions = match pep440::parse("*", Context::Distribution) {
        Ok(any) if any == dependency.constraint => String::new(),
        _ => format!(" {}", dependency.constraint),
    };
    let direct = dependency.origin.is_some();
    Ok((name, if direct { String::new() } else { versions }))
}
