//! Holding a document against the schema of `server.json`. Pure.
//!
//! The schema is `xtask/schemas/server.schema.json`, and this reads as much of JSON Schema draft 7
//! as is used there. A keyword that is not known here is a problem of its own, so that nothing of
//! the schema is passed over in silence.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

use crate::printable;

/// The text of the schema.
pub const TEXT: &str = include_str!("../../../schemas/server.schema.json");

/// Keywords that say something and ask for nothing. `format` is one of them in this draft.
const NOTES: [&str; 5] = ["$schema", "$comment", "title", "definitions", "format"];

/// How much of a text is shown.
const SHOWN: usize = 60;

/// The schema, read once.
static ROOT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(TEXT).expect("the schema in the repository is JSON"));

/// Its patterns, as they are written. They are those of ECMA 262, whose `\d` is a digit of ASCII.
static PATTERNS: LazyLock<BTreeMap<String, Regex>> = LazyLock::new(|| {
    let mut patterns = BTreeMap::new();
    collect(&ROOT, &mut patterns);
    patterns
});

fn collect(schema: &Value, patterns: &mut BTreeMap<String, Regex>) {
    if let Some(pattern) = schema.get("pattern").and_then(Value::as_str)
        && let Ok(regex) = RegexBuilder::new(pattern).unicode(false).build()
    {
        patterns.insert(pattern.to_owned(), regex);
    }
    let children = schema.as_object().into_iter().flat_map(Map::values);
    for child in children.chain(list(schema)) {
        collect(child, patterns);
    }
}

/// Everything that is wrong with a document, each with its place; empty when it is valid.
pub fn problems(document: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    check(&ROOT, &ROOT, document, "", &mut problems);
    problems
}

fn check(root: &Value, schema: &Value, value: &Value, place: &str, problems: &mut Vec<String>) {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        // What stands beside a reference does not count in this draft.
        return match reference
            .strip_prefix('#')
            .and_then(|path| root.pointer(path))
        {
            Some(found) => check(root, found, value, place, problems),
            None => problems.push(at(place, format!("the schema refers to {reference}"))),
        };
    }
    let keywords = schema.as_object().into_iter().flatten();
    for (keyword, wanted) in keywords {
        match keyword.as_str() {
            "allOf" => {
                for schema in list(wanted) {
                    check(root, schema, value, place, problems);
                }
            }
            "anyOf" => any_of(root, wanted, value, place, problems),
            "not" => {
                if attempt(root, wanted, value, place).is_empty() {
                    let what = format!("{} is excluded", shown(value));
                    problems.push(at(place, what));
                }
            }
            "properties" | "additionalProperties" => {
                children(root, schema, keyword, value, place, problems);
            }
            "items" => {
                for (index, item) in list(value).iter().enumerate() {
                    check(root, wanted, item, &format!("{place}/{index}"), problems);
                }
            }
            plain => problems.extend(wrong(plain, wanted, value).map(|what| at(place, what))),
        }
    }
}

/// The properties of an object: those that are named, or all others.
fn children(
    root: &Value,
    schema: &Value,
    keyword: &str,
    value: &Value,
    place: &str,
    problems: &mut Vec<String>,
) {
    let named = schema.get("properties").and_then(Value::as_object);
    for (key, child) in value.as_object().into_iter().flatten() {
        let own = named.and_then(|named| named.get(key));
        let wanted = match keyword {
            "properties" => own,
            _ if own.is_some() => None,
            _ => schema.get(keyword).filter(|wanted| wanted.is_object()),
        };
        if let Some(wanted) = wanted {
            check(root, wanted, child, &format!("{place}/{key}"), problems);
        }
    }
}

/// One of several forms must fit; what is wrong is said of the one that comes nearest.
fn any_of(root: &Value, forms: &Value, value: &Value, place: &str, problems: &mut Vec<String>) {
    let tried = list(forms).iter();
    let tried = tried.map(|form| attempt(root, form, value, place));
    let nearest = tried.min_by_key(Vec::len);
    problems.extend(nearest.unwrap_or_default());
}

fn attempt(root: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
    let mut problems = Vec::new();
    check(root, schema, value, place, &mut problems);
    problems
}

/// What is wrong with a value by a keyword that looks at the value alone.
fn wrong(keyword: &str, wanted: &Value, value: &Value) -> Option<String> {
    let text = value.as_str();
    let length = |text: &str| u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
    let limit = wanted.as_u64().unwrap_or_default();
    match keyword {
        "type" => match wanted.as_str() {
            Some(kind) if kind == type_of(value) => None,
            _ => Some(format!("{} is no {}", shown(value), plain(wanted))),
        },
        "required" => {
            let object = value.as_object()?;
            let missing = list(wanted).iter().filter_map(Value::as_str);
            let missing: Vec<&str> = missing.filter(|key| !object.contains_key(*key)).collect();
            (!missing.is_empty()).then(|| format!("{} is missing", missing.join(", ")))
        }
        "enum" => (!list(wanted).contains(value)).then(|| {
            let known: Vec<String> = list(wanted).iter().map(plain).collect();
            format!("{} is none of {}", shown(value), known.join(", "))
        }),
        "const" => (wanted != value).then(|| format!("{} is not {wanted}", shown(value))),
        "minLength" => {
            let found = length(text?);
            (found < limit).then(|| format!("has {found} characters, at least {limit} are needed"))
        }
        "maxLength" => {
            let found = length(text?);
            (found > limit).then(|| format!("has {found} characters, at most {limit} are allowed"))
        }
        "pattern" => matches_not(wanted.as_str()?, text?),
        note if NOTES.contains(&note) => None,
        other => Some(format!(
            "the schema has the keyword {other}, which is not known"
        )),
    }
}

fn matches_not(pattern: &str, text: &str) -> Option<String> {
    match PATTERNS.get(pattern) {
        None => Some(format!(
            "the schema has the pattern {pattern}, which cannot be read"
        )),
        Some(regex) if regex.is_match(text) => None,
        Some(_) => Some(format!("{} does not match {pattern}", shown(&text.into()))),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn at(place: &str, what: String) -> String {
    match place {
        "" => what,
        place => format!("{place}: {what}"),
    }
}

/// A value of the schema as a word.
fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// A value of the document, shortened.
fn shown(value: &Value) -> String {
    printable::line(&value.to_string(), SHOWN)
}
