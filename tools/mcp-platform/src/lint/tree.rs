//! A YAML document as a tree in which every value knows its line.

use std::collections::HashMap;

use saphyr::{LoadableYamlNode as _, MarkedYaml, Scalar, YamlData};

/// How deep a document may go; manifests go a dozen levels deep.
const DEEPEST: usize = 64;

/// How many values aliases may stand for: the parser copies each, and aliases of aliases of aliases
/// fill any memory.
const MOST_COPIES: u64 = 10_000;

/// A value.
#[derive(Debug, Clone)]
pub struct Node {
    /// The line on which its key stands, or on which it begins when it has none.
    pub line: usize,
    /// The value.
    pub value: Value,
}

/// What a value is.
#[derive(Debug, Clone)]
pub enum Value {
    /// Nothing, or something that YAML cannot read.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A number, as far as manifests have them.
    Number(i64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map in its order.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// The value at a path of keys, `spec.template.spec`.
    pub fn at(&self, path: &str) -> Option<&Node> {
        path.split('.').try_fold(self, |node, key| node.get(key))
    }

    /// The value of a key, which may have points in it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries()
            .find(|(name, _)| *name == key)
            .map(|(_, node)| node)
    }

    /// All pairs of a map.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Node)> {
        let pairs = match &self.value {
            Value::Map(pairs) => pairs.as_slice(),
            _ => &[],
        };
        pairs.iter().map(|(key, node)| (key.as_str(), node))
    }

    /// All items of a list.
    pub fn items(&self) -> impl Iterator<Item = &Node> {
        let items = match &self.value {
            Value::List(items) => items.as_slice(),
            _ => &[],
        };
        items.iter()
    }

    /// The items of a list at a path.
    pub fn each(&self, path: &str) -> impl Iterator<Item = &Node> {
        self.at(path).into_iter().flat_map(Node::items)
    }

    /// The text of a scalar, whatever its type.
    pub fn text(&self) -> Option<String> {
        match &self.value {
            Value::Text(text) => Some(text.clone()),
            Value::Bool(value) => Some(value.to_string()),
            Value::Number(value) => Some(value.to_string()),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// The text at a path; empty when there is none.
    pub fn word(&self, path: &str) -> String {
        self.at(path).and_then(Node::text).unwrap_or_default()
    }

    /// The number at a path.
    pub fn number(&self, path: &str) -> Option<i64> {
        match &self.at(path)?.value {
            Value::Number(value) => Some(*value),
            _ => None,
        }
    }

    /// The truth at a path.
    pub fn truth(&self, path: &str) -> Option<bool> {
        match &self.at(path)?.value {
            Value::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The line of the value at a path, or of the deepest part of the path that there is.
    pub fn line_of(&self, path: &str) -> usize {
        let mut node = self;
        for key in path.split('.') {
            match node.get(key) {
                Some(deeper) => node = deeper,
                None => break,
            }
        }
        node.line
    }

    /// Whether it is a map or a list without anything in it, or nothing.
    pub fn is_empty(&self) -> bool {
        match &self.value {
            Value::Null => true,
            Value::Map(pairs) => pairs.is_empty(),
            Value::List(items) => items.is_empty(),
            Value::Text(text) => text.is_empty(),
            Value::Bool(_) | Value::Number(_) => false,
        }
    }

    /// Whether two values say the same, on whatever lines.
    pub fn same(&self, other: &Node) -> bool {
        match (&self.value, &other.value) {
            (Value::Map(a), Value::Map(b)) => {
                a.len() == b.len()
                    && a.iter()
                        .all(|(key, node)| other.get(key).is_some_and(|found| node.same(found)))
            }
            (Value::List(a), Value::List(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b))
            }
            _ => self.text() == other.text(),
        }
    }

    /// Every scalar below with its key.
    pub fn scalars(&self, seen: &mut dyn FnMut(&str, &str)) {
        self.walk("", seen);
    }

    fn walk(&self, key: &str, seen: &mut dyn FnMut(&str, &str)) {
        match &self.value {
            Value::Map(pairs) => pairs.iter().for_each(|(key, node)| node.walk(key, seen)),
            Value::List(items) => items.iter().for_each(|node| node.walk(key, seen)),
            _ => {
                if let Some(text) = self.text() {
                    seen(key, &text);
                }
            }
        }
    }
}

/// Reads every document of a text.
///
/// # Errors
/// It is no YAML: the line and what is wrong there.
pub fn read(text: &str) -> Result<Vec<Node>, (usize, String)> {
    if copies(text) > MOST_COPIES {
        let why = format!("its aliases stand for more than {MOST_COPIES} values");
        return Err((1, why));
    }
    let documents = MarkedYaml::load_from_str(text)
        .map_err(|error| (error.marker().line().max(1), error.info().to_owned()))?;
    documents
        .iter()
        .map(|document| node(document, None, 0))
        .collect()
}

/// An upper bound, before anything is parsed: what an anchor stands for is at most what lies between
/// it and the next anchor. Words in texts that look like anchors and aliases only make it larger.
fn copies(text: &str) -> u64 {
    let mut weights: HashMap<&str, u64> = HashMap::new();
    let (mut current, mut total) = ("", 0_u64);
    let between = |c: char| c.is_whitespace() || matches!(c, '[' | ']' | '{' | '}' | ',');
    for word in text.split(between) {
        if let Some(name) = word.strip_prefix('&') {
            weights.insert(name, 1);
            current = name;
        } else if let Some(name) = word.strip_prefix('*').filter(|name| *name != current)
            && let Some(weight) = weights.get(name).copied()
        {
            total = total.saturating_add(weight);
            let around = weights.entry(current).or_insert(1);
            *around = around.saturating_add(weight);
        }
    }
    total
}

fn node(
    marked: &MarkedYaml<'_>,
    line: Option<usize>,
    depth: usize,
) -> Result<Node, (usize, String)> {
    let own = marked.span.start.line();
    let line = line.unwrap_or(own);
    if depth > DEEPEST {
        return Err((line, format!("it is nested more than {DEEPEST} deep")));
    }
    let value = match &marked.data {
        YamlData::Value(scalar) => match scalar {
            Scalar::Null => Value::Null,
            Scalar::Boolean(value) => Value::Bool(*value),
            Scalar::Integer(value) => Value::Number(*value),
            Scalar::FloatingPoint(value) => Value::Text(value.to_string()),
            Scalar::String(text) => Value::Text(text.to_string()),
        },
        YamlData::Representation(text, _, _) => Value::Text(text.to_string()),
        YamlData::Sequence(items) => Value::List(
            items
                .iter()
                .map(|item| node(item, None, depth + 1))
                .collect::<Result<_, _>>()?,
        ),
        YamlData::Mapping(map) => Value::Map(
            map.iter()
                .map(|(key, value)| {
                    let name = node(key, None, depth + 1)?;
                    let text = name.text().unwrap_or_default();
                    Ok((text, node(value, Some(name.line), depth + 1)?))
                })
                .collect::<Result<_, (usize, String)>>()?,
        ),
        YamlData::Tagged(_, inner) => return node(inner, Some(line), depth + 1),
        YamlData::Alias(_) | YamlData::BadValue => Value::Null,
    };
    Ok(Node { line, value })
}
