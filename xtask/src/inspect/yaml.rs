//! YAML of any kind as trees in which every value knows its line; several documents, aliases and
//! merge keys as Kubernetes and Compose use them.
//!
//! What an alias stands for is copied, so the number of values is bounded.

use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::brackets;

/// How deep collections may lie in each other.
const DEEPEST: usize = 64;
/// The most values of a file, with those that aliases repeat.
const MOST_VALUES: usize = 200_000;

/// A value and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The line on which it begins, counted from 1.
    pub line: usize,
    /// What it is.
    pub value: Value,
    weight: usize,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A text, a number or a truth value, as written.
    Plain(String),
    /// A text in quotes or a block.
    Quoted(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping: key, the key's line, value.
    Map(Vec<(String, usize, Node)>),
}

impl Node {
    /// The value of a key; one that is merged in (`<<`) counts when there is no other.
    pub fn get(&self, key: &str) -> Option<&Node> {
        let Value::Map(entries) = &self.value else {
            return None;
        };
        let own = entries.iter().find(|(name, _, _)| name == key);
        own.map(|(_, _, node)| node).or_else(|| {
            let (_, _, merged) = entries.iter().find(|(name, _, _)| name == "<<")?;
            match &merged.value {
                Value::List(list) => list.iter().find_map(|one| one.get(key)),
                _ => merged.get(key),
            }
        })
    }

    /// The value behind several keys.
    pub fn at(&self, keys: &[&str]) -> Option<&Node> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Its text, when it is a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Plain(text) | Value::Quoted(text) => Some(text),
            _ => None,
        }
    }

    /// The text of a key's value.
    pub fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    /// Its number, when it is a whole one.
    pub fn number(&self) -> Option<u64> {
        match &self.value {
            Value::Plain(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// Its values, when it is a list.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(list) => list,
            _ => &[],
        }
    }

    /// Its entries, when it is a mapping.
    pub fn entries(&self) -> &[(String, usize, Node)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The values of the list of a key.
    pub fn list(&self, key: &str) -> &[Node] {
        self.get(key).map_or(&[], Node::items)
    }
}

/// Reads every document of a text that is not empty.
///
/// # Errors
/// It is not YAML, or asks for too much.
pub fn read(text: &str) -> Result<Vec<Node>, Trouble> {
    brackets::tolerated(
        text,
        |text, _| documents(text),
        |trouble| match trouble {
            Trouble::NotYaml { line, cause } => brackets::is_shallow(cause).then_some(*line),
            Trouble::TooLarge(_) => None,
        },
    )
}

fn documents(text: &str) -> Result<Vec<Node>, Trouble> {
    let mut building = Building::default();
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|cause| Trouble::NotYaml {
            line: cause.marker().line(),
            cause: cause.info().to_owned(),
        })?;
        building.take(event, span.start.line())?;
    }
    Ok(building.documents)
}

/// Why a text was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// It is not YAML.
    NotYaml {
        /// Where.
        line: usize,
        /// What the parser says.
        cause: String,
    },
    /// It is deeper or larger than what is read here.
    TooLarge(String),
}

enum Open {
    List(usize, usize, Vec<Node>),
    Map(
        usize,
        usize,
        Vec<(String, usize, Node)>,
        Option<(String, usize)>,
    ),
}

#[derive(Default)]
struct Building {
    open: Vec<Open>,
    anchors: Vec<(usize, Node)>,
    documents: Vec<Node>,
    values: usize,
}

impl Building {
    fn take(&mut self, event: Event<'_>, line: usize) -> Result<(), Trouble> {
        match event {
            Event::DocumentStart(_) => self.anchors.clear(),
            Event::Alias(anchor) => {
                let found = self.anchors.iter().find(|(id, _)| *id == anchor);
                let node = found.map(|(_, node)| node.clone());
                let node = node.ok_or_else(|| Trouble::NotYaml {
                    line,
                    cause: "an alias stands inside of its own anchor".to_owned(),
                })?;
                self.values += node.weight;
                self.value(Node { line, ..node }, 0)?;
            }
            Event::Scalar(text, style, anchor, _) => {
                let value = match (style, &*text) {
                    (ScalarStyle::Plain, "" | "~" | "null") => Value::Null,
                    (ScalarStyle::Plain, _) => Value::Plain(text.into_owned()),
                    _ => Value::Quoted(text.into_owned()),
                };
                self.value(
                    Node {
                        line,
                        value,
                        weight: 1,
                    },
                    anchor,
                )?;
            }
            Event::SequenceStart(anchor, _) => self.enter(Open::List(line, anchor, Vec::new()))?,
            Event::MappingStart(anchor, _) => {
                self.enter(Open::Map(line, anchor, Vec::new(), None))?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.leave()?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn enter(&mut self, open: Open) -> Result<(), Trouble> {
        if self.open.len() >= DEEPEST {
            return Err(Trouble::TooLarge(format!(
                "nested more than {DEEPEST} deep"
            )));
        }
        self.open.push(open);
        Ok(())
    }

    fn leave(&mut self) -> Result<(), Trouble> {
        let (node, anchor) = match self.open.pop() {
            Some(Open::List(line, anchor, list)) => {
                let weight = 1 + list.iter().map(|node| node.weight).sum::<usize>();
                (
                    Node {
                        line,
                        value: Value::List(list),
                        weight,
                    },
                    anchor,
                )
            }
            Some(Open::Map(line, anchor, entries, _)) => {
                let weight = 1 + entries
                    .iter()
                    .map(|(_, _, node)| node.weight)
                    .sum::<usize>();
                (
                    Node {
                        line,
                        value: Value::Map(entries),
                        weight,
                    },
                    anchor,
                )
            }
            None => return Ok(()),
        };
        self.value(node, anchor)
    }

    fn value(&mut self, node: Node, anchor: usize) -> Result<(), Trouble> {
        self.values += 1;
        if self.values > MOST_VALUES {
            return Err(Trouble::TooLarge(format!("more than {MOST_VALUES} values")));
        }
        if anchor > 0 {
            self.anchors.push((anchor, node.clone()));
        }
        match self.open.last_mut() {
            None if node.value == Value::Null => {}
            None => self.documents.push(node),
            Some(Open::List(_, _, list)) => list.push(node),
            Some(Open::Map(_, _, entries, key)) => match key.take() {
                Some((name, line)) => entries.push((name, line, node)),
                None => {
                    let name = node.text().map_or_else(String::new, str::to_owned);
                    *key = Some((name, node.line));
                }
            },
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_lines_aliases_and_merges() {
        let text = "a: &x\n  b: 1\nc:\n  <<: *x\n  d: 'q'\n---\n---\n- e\n- {f: ~}\n";
        let documents = read(text).unwrap();
        assert_eq!(documents.len(), 2);
        let c = documents[0].get("c").unwrap();
        assert_eq!((c.text_of("b"), c.text_of("d")), (Some("1"), Some("q")));
        assert_eq!(c.get("d").unwrap().line, 5);
        assert_eq!(documents[1].items()[0].line, 8);
    }

    #[test]
    fn what_is_no_yaml_names_its_line() {
        let check = |text: &str, expected: usize| match read(text) {
            Err(Trouble::NotYaml { line, .. }) => assert_eq!(line, expected, "{text}"),
            other => panic!("{text}: {other:?}"),
        };
        check("a: 1\nb: x: y\n", 2);
        check("a: [\n", 2);
    }

    #[test]
    fn closing_brackets_may_stand_under_their_key() {
        let check = |text: &str, expected: &[&str]| {
            let documents = read(text).unwrap();
            let found: Vec<&str> = documents[0]
                .list("a")
                .iter()
                .filter_map(Node::text)
                .collect();
            assert_eq!(found, expected, "{text}");
        };
        check("a: [\n  \"x\",\n  'y'\n]\nb: 1\n", &["x", "y"]);
        check("a: [\r\n'x',\r\n# y\r\nz\r\n]\r\n", &["x", "z"]);
        check("b:\n- c: {\nd: [\n1\n]\n}\na: [\"x\"\n]\n", &["x"]);
        for broken in ["a: [\n'x'\n", "a:\n   b: 1\n  c: 2\n", "a: |\n   x\n  y\n"] {
            assert!(
                matches!(read(broken), Err(Trouble::NotYaml { .. })),
                "{broken}"
            );
        }
    }

    #[test]
    fn aliases_of_aliases_end() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let previous = format!("*a{} ", level - 1);
            let list = vec![previous; 10].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{list}]\n"));
        }
        assert!(matches!(read(&text), Err(Trouble::TooLarge(_))));
    }
}
