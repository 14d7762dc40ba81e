//! The plain part of YAML that Yarn and pnpm write, as the same tree as JSON.
//!
//! Anchors, aliases, tags and further documents are refused: no lock file has them, and they are
//! how a small file becomes a huge one. Only plain `true`, `false` and nothing at all have a
//! meaning of their own; every other scalar is its text, so that the version `5.10` stays one.

use std::borrow::Cow;
use std::collections::HashSet;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::json::{Json, MOST_VALUES, Member, Object, is_new};
use super::shown::shortened;
use crate::error::{self, Error};

/// How deep collections may lie in each other.
const DEEPEST: usize = 64;

/// Reads a text that must be one mapping; `path` names it in errors.
///
/// # Errors
/// Text that is not YAML, or more of YAML than a lock file has; names the line.
pub fn object<'text>(text: &'text str, path: &str) -> error::Result<Object<'text>> {
    let mut building = Building::default();
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|cause| {
            let (line, column) = (cause.marker().line(), cause.marker().col() + 1);
            Error::failure(format!(
                "{path}:{line}:{column}: not YAML: {}",
                cause.info()
            ))
        })?;
        if let Err(problem) = building.take(event, span) {
            let line = span.start.line();
            return Err(Error::failure(format!("{path}:{line}: {problem}")));
        }
    }
    match building.whole {
        Some(Json::Object(object)) => Ok(object),
        _ => Err(Error::failure(format!("{path}:1: not a YAML mapping"))),
    }
}

/// A collection that is not closed yet.
enum Open<'text> {
    List(Vec<Json<'text>>),
    Map {
        members: Vec<Member<'text>>,
        many: HashSet<Cow<'text, str>>,
        key: Option<(Cow<'text, str>, usize)>,
    },
}

#[derive(Default)]
struct Building<'text> {
    open: Vec<Open<'text>>,
    documents: usize,
    events: usize,
    whole: Option<Json<'text>>,
}

impl<'text> Building<'text> {
    fn take(&mut self, event: Event<'text>, span: Span) -> Result<(), String> {
        self.events += 1;
        if self.events > MOST_VALUES {
            return Err("there are more values than a lock file has".to_owned());
        }
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                match self.documents {
                    1 => Ok(()),
                    _ => Err("there is a second YAML document".to_owned()),
                }
            }
            Event::Alias(_) => Err("there is a YAML alias, which no lock file has".to_owned()),
            Event::Scalar(text, style, anchor, tag) => {
                plain(anchor, tag.is_some())?;
                self.scalar(text, style, span.start.line())
            }
            Event::SequenceStart(anchor, tag) => {
                plain(anchor, tag.is_some())?;
                self.enter(Open::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                plain(anchor, tag.is_some())?;
                self.enter(Open::Map {
                    members: Vec::new(),
                    many: HashSet::new(),
                    key: None,
                })
            }
            Event::SequenceEnd | Event::MappingEnd => self.leave(),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn enter(&mut self, collection: Open<'text>) -> Result<(), String> {
        if let Some(Open::Map { key: None, .. }) = self.open.last() {
            return Err("a key is a collection".to_owned());
        }
        if self.open.len() >= DEEPEST {
            return Err(format!("nested more than {DEEPEST} deep"));
        }
        self.open.push(collection);
        Ok(())
    }

    fn leave(&mut self) -> Result<(), String> {
        match self.open.pop() {
            Some(Open::List(list)) => self.value(Json::List(list)),
            Some(Open::Map { members, .. }) => self.value(Json::Object(Object { members })),
            None => Ok(()),
        }
    }

    fn scalar(
        &mut self,
        text: Cow<'text, str>,
        style: ScalarStyle,
        line: usize,
    ) -> Result<(), String> {
        if let Some(Open::Map { members, many, key }) = self.open.last_mut()
            && key.is_none()
        {
            if !is_new(members, many, text.clone()) {
                return Err(format!("the key {:?} is there twice", shortened(&text)));
            }
            *key = Some((text, line));
            return Ok(());
        }
        let value = match (style, &*text) {
            (ScalarStyle::Plain, "true") => Json::Bool(true),
            (ScalarStyle::Plain, "false") => Json::Bool(false),
            (ScalarStyle::Plain, "" | "~" | "null") => Json::Null,
            _ => Json::Text(text),
        };
        self.value(value)
    }

    fn value(&mut self, value: Json<'text>) -> Result<(), String> {
        match self.open.last_mut() {
            None => self.whole = Some(value),
            Some(Open::List(list)) => list.push(value),
            Some(Open::Map { members, key, .. }) => {
                let (key, line) = key.take().ok_or("a key is a collection")?;
                members.push(Member { key, line, value });
            }
        }
        Ok(())
    }
}

fn plain(anchor: usize, has_tag: bool) -> Result<(), String> {
    match (anchor, has_tag) {
        (0, false) => Ok(()),
        (0, true) => Err("there is a YAML tag, which no lock file has".to_owned()),
        _ => Err("there is a YAML anchor, which no lock file has".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    //! What is read, and what is refused.

    use super::*;

    fn check(text: &str, expected: &str) {
        let error = object(text, "f.yaml").expect_err(text);
        assert!(error.message.starts_with(expected), "{text:?}: {error}");
    }

    #[test]
    fn a_mapping_keeps_its_order_and_lines() {
        let text = "# c\nb: 5.10\n'a@1':\n  list: [x, {y: true}]\n\n  no:\n? \"long\"\n: 'true'\n";
        let object = object(text, "f.yaml").unwrap();
        let lines: Vec<(&str, usize)> = object
            .members
            .iter()
            .map(|member| (&*member.key, member.line))
            .collect();
        assert_eq!(lines, [("b", 2), ("a@1", 3), ("long", 7)]);
        assert_eq!(
            (object.text("b"), object.text("long")),
            (Some("5.10"), Some("true"))
        );
        let inner = object.object("a@1").unwrap();
        assert_eq!(inner.get("no"), Some(&Json::Null));
        let Some(Json::List(list)) = inner.get("list") else {
            panic!("it is a list")
        };
        assert!(list[1].as_object().unwrap().is_true("y"));
    }

    #[test]
    fn more_than_a_lock_file_has_is_refused() {
        check("a: &x 1", "f.yaml:1: there is a YAML anchor");
        check("a: 1\nb: *x", "f.yaml:2:");
        check("a: &x {}\nb: *x", "f.yaml:1: there is a YAML anchor");
        check("a: !!str 1", "f.yaml:1: there is a YAML tag");
        check(
            "a: 1\n---\nb: 1",
            "f.yaml:2: there is a second YAML document",
        );
        check("a: 1\na: 2", "f.yaml:2: the key \"a\" is there twice");
        check("? [a]\n: 1", "f.yaml:1: a key is a collection");
        check("- a", "f.yaml:1: not a YAML mapping");
        check("", "f.yaml:1: not a YAML mapping");
        check("a: [", "f.yaml:2:");
        check("a: \"x", "f.yaml:1:");
    }

    #[test]
    fn hostile_texts_end_soon() {
        let started = std::time::Instant::now();
        check(&format!("a: {}", "[".repeat(300_000)), "f.yaml:1");
        check(&format!("a: {}", "{a: ".repeat(300_000)), "f.yaml:1");
        check(&"? ".repeat(100_000), "f.yaml:1");
        check(&"- ".repeat(100_000), "f.yaml:1: nested more than 64 deep");
        let deep: String = (0..500)
            .map(|depth| format!("{}a:\n", " ".repeat(depth)))
            .collect();
        check(&deep, "f.yaml:65: nested more than 64 deep");
        let long = format!("a: \"{}\"", "x".repeat(3_000_000));
        assert!(object(&long, "f.yaml").is_ok());
        assert!(started.elapsed().as_secs() < 30);
    }
}
