//! JSON as an ordered tree in which every key knows its line.
//!
//! `serde_json` reads, in one pass and with its own bound on nesting. A key without escapes is a
//! piece of the text itself, so its distance from the beginning is its place. A key that an
//! object has twice is refused: readers differ about which of the two counts.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::shown::shortened;
use crate::error::{self, Error};

/// Objects with more keys than this look for their twins in a set.
const FEW: usize = 12;

/// How many values a lock file may have, so that memory is bounded; large real ones have some
/// hundred thousand.
pub const MOST_VALUES: usize = 2_000_000;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Json<'text> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number; large ones are rounded, as in JavaScript.
    Number(f64),
    /// A string without its escapes.
    Text(Cow<'text, str>),
    /// A list.
    List(Vec<Json<'text>>),
    /// An object.
    Object(Object<'text>),
}

/// An object in the order of the text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Object<'text> {
    /// Its members; no two have the same key.
    pub members: Vec<Member<'text>>,
}

/// One key of an object with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Member<'text> {
    /// The key without its escapes.
    pub key: Cow<'text, str>,
    /// The line on which the key stands, counted from 1.
    pub line: usize,
    /// Its value.
    pub value: Json<'text>,
}

impl<'text> Object<'text> {
    /// The member of this key.
    pub fn member(&self, key: &str) -> Option<&Member<'text>> {
        self.members.iter().find(|member| member.key == key)
    }

    /// The value of this key.
    pub fn get(&self, key: &str) -> Option<&Json<'text>> {
        self.member(key).map(|member| &member.value)
    }

    /// The value of this key if it is a string.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Some(Json::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The value of this key if it is an object.
    pub fn object(&self, key: &str) -> Option<&Object<'text>> {
        self.get(key).and_then(Json::as_object)
    }

    /// The members of the object of this key; none if there is no such object.
    pub fn members_of(&self, key: &str) -> impl Iterator<Item = &Member<'text>> {
        let inner = self.object(key);
        inner.into_iter().flat_map(|inner| &inner.members)
    }

    /// Whether the value of this key is `true`.
    pub fn is_true(&self, key: &str) -> bool {
        self.get(key) == Some(&Json::Bool(true))
    }
}

impl<'text> Json<'text> {
    /// The object, if it is one.
    pub fn as_object(&self) -> Option<&Object<'text>> {
        match self {
            Json::Object(object) => Some(object),
            _ => None,
        }
    }
}

/// Reads a text that must be one object; `path` names it in errors.
///
/// # Errors
/// Text that is not JSON, nested too deeply, or with a key twice in one object; names the line.
pub fn object<'text>(text: &'text str, path: &str) -> error::Result<Object<'text>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let place = Place {
        text,
        offset: Cell::new(0),
        line: Cell::new(1),
        values: Cell::new(0),
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Tree(&place)
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|cause| damage(&cause, path))?;
    match value {
        Json::Object(object) => Ok(object),
        _ => Err(Error::failure(format!("{path}:1: not a JSON object"))),
    }
}

fn damage(cause: &serde_json::Error, path: &str) -> Error {
    let (line, column) = (cause.line(), cause.column());
    let message = cause.to_string();
    let message = match message.split_once(" at line ") {
        Some((message, _)) => message,
        None => message.as_str(),
    };
    Error::failure(format!("{path}:{line}:{column}: not JSON: {message}"))
}

/// How far the lines are counted; keys come in the order of the text, so each is counted once.
struct Place<'text> {
    text: &'text str,
    offset: Cell<usize>,
    line: Cell<usize>,
    /// The number of values so far.
    values: Cell<usize>,
}

impl Place<'_> {
    /// The line of a key. One with escapes is a copy, lies outside of the text, and gets the
    /// line of the key before it.
    fn line_of(&self, key: &str) -> usize {
        let offset = (key.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        let passed = self.text.as_bytes().get(self.offset.get()..offset);
        if let Some(passed) = passed {
            let lines = memchr::memchr_iter(b'\n', passed).count();
            self.line.set(self.line.get() + lines);
            self.offset.set(offset);
        }
        self.line.get()
    }
}

#[derive(Clone, Copy)]
struct Tree<'place, 'text>(&'place Place<'text>);

impl<'text> DeserializeSeed<'text> for Tree<'_, 'text> {
    type Value = Json<'text>;

    fn deserialize<D: Deserializer<'text>>(self, from: D) -> Result<Json<'text>, D::Error> {
        self.0.values.set(self.0.values.get() + 1);
        if self.0.values.get() > MOST_VALUES {
            return Err(D::Error::custom(
                "there are more values than a lock file has",
            ));
        }
        from.deserialize_any(self)
    }
}

impl<'text> Visitor<'text> for Tree<'_, 'text> {
    type Value = Json<'text>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Json<'text>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'text>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'text>, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'text>, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json<'text>, E> {
        Ok(Json::Number(value))
    }

    fn visit_borrowed_str<E>(self, value: &'text str) -> Result<Json<'text>, E> {
        Ok(Json::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json<'text>, E> {
        Ok(Json::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'text>>(self, mut access: A) -> Result<Json<'text>, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = access.next_element_seed(self)? {
            list.push(value);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'text>>(self, mut access: A) -> Result<Json<'text>, A::Error> {
        let mut members: Vec<Member<'text>> = Vec::new();
        let mut many: HashSet<Cow<'text, str>> = HashSet::new();
        while let Some(key) = access.next_key_seed(Key)? {
            let line = self.0.line_of(&key);
            let is_new = is_new(&members, &mut many, key.clone());
            if !is_new {
                return Err(A::Error::custom(format!(
                    "the key {:?} is there twice",
                    shortened(&key)
                )));
            }
            let value = access.next_value_seed(self)?;
            members.push(Member { key, line, value });
        }
        Ok(Json::Object(Object { members }))
    }
}

struct Key;

impl<'text> DeserializeSeed<'text> for Key {
    type Value = Cow<'text, str>;

    fn deserialize<D: Deserializer<'text>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'text> Visitor<'text> for Key {
    type Value = Cow<'text, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, value: &'text str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(value.to_owned()))
    }
}

/// Whether an object of these members does not have this key yet; `many` belongs to the object.
pub fn is_new<'text>(
    members: &[Member<'text>],
    many: &mut HashSet<Cow<'text, str>>,
    key: Cow<'text, str>,
) -> bool {
    if members.len() < FEW {
        return members.iter().all(|member| member.key != key);
    }
    if members.len() == FEW {
        many.extend(members.iter().map(|member| member.key.clone()));
    }
    many.insert(key)
}

#[cfg(test)]
mod tests {
    //! Lines and damage.

    use super::*;

    fn check(text: &str, expected: &str) {
        let error = object(text, "f.json").expect_err(text);
        assert_eq!(error.message, expected, "{text:?}");
    }

    #[test]
    fn every_key_knows_its_line() {
        let text =
            "\u{feff}{\n \"a\": {\"b\": [\n1, {\"c\": null}]},\n\n\"d\\n\": true,\n\"e\": \"x\"}";
        let object = object(text, "f.json").unwrap();
        let line = |key: &str| object.member(key).map(|member| member.line);
        assert_eq!((line("a"), line("e")), (Some(2), Some(6)));
        assert_eq!(
            line("d\n"),
            Some(3),
            "a key with an escape has the line before"
        );
        let inner = object.object("a").and_then(|inner| inner.get("b"));
        let Some(Json::List(list)) = inner else {
            panic!("b is a list")
        };
        let last = list[1].as_object().unwrap();
        assert_eq!(last.members[0].line, 3);
        assert_eq!(object.text("e"), Some("x"));
        assert!(object.is_true("d\n") && !object.is_true("e"));
    }

    #[test]
    fn damage_names_its_place() {
        check(
            "{\"a\": 1,\n \"a\": 2}",
            "f.json:2:4: not JSON: the key \"a\" is there twice",
        );
        check("", "f.json:1:0: not JSON: EOF while parsing a value");
        check(
            "{\n\"a\": 1",
            "f.json:2:6: not JSON: EOF while parsing an object",
        );
        check("[]", "f.json:1: not a JSON object");
        check("{} x", "f.json:1:4: not JSON: trailing characters");
        check(
            "{\n\"a\0\": 1}",
            "f.json:2:3: not JSON: control character (\\u0000-\\u001F) found while parsing a string",
        );
        let many: Vec<String> = (0..40).map(|key| format!("\"{}\":0", key % 30)).collect();
        let error = object(&format!("{{{}}}", many.join(",")), "f.json").unwrap_err();
        assert!(
            error.message.contains("the key \"0\" is there twice"),
            "{error}"
        );
    }

    #[test]
    fn the_number_of_values_is_bounded() {
        let text = format!("{{\"a\": [{}0]}}", "0,".repeat(MOST_VALUES));
        let error = object(&text, "f.json").unwrap_err();
        assert!(
            error.message.contains("more values than a lock file has"),
            "{error}"
        );
    }

    #[test]
    fn nesting_is_bounded() {
        for bomb in ["[".repeat(1_000_000), "{\"a\":".repeat(1_000_000)] {
            let error = object(&bomb, "f.json").unwrap_err();
            assert!(
                error.message.contains("recursion limit exceeded"),
                "{error}"
            );
        }
    }
}
