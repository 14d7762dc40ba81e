//! YAML as GitHub reads it: one document, anchors but no merge keys, and the place of every value.
//!
//! Aliases are expanded up to a bound, so that a small file does not become a huge tree.

mod indentation;

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};
use serde_json::Value as Json;

use super::model::{Place, Problem, Spanned, Text};
use indentation::Source;

/// How deep collections may lie in each other.
const DEEPEST: usize = 64;
/// How many values a file may have, aliases expanded.
const MOST_VALUES: usize = 100_000;
/// How many bytes a file may have.
const LONGEST: usize = 1 << 20;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where it begins; for a block of text, where its `|` or `>` stands.
    pub place: Place,
    /// What it is.
    pub value: Value,
}

/// What a YAML value can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text, number, boolean or nothing, as it is written.
    Scalar(Scalar),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order of the file.
    Map(Vec<Pair>),
}

/// A scalar's text and how it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The text, after quotes, folding and indentation.
    pub text: String,
    /// Whether it has quotes or a block mark.
    pub style: Style,
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes: may be a number, a boolean or nothing.
    Plain,
    /// In single or double quotes.
    Quoted,
    /// `|`: each line is a line of the text.
    Literal,
    /// `>`: lines are joined.
    Folded,
}

/// A key of a mapping and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The key.
    pub key: Text,
    /// The value.
    pub value: Node,
}

impl Node {
    /// The pairs of a mapping; none for anything else.
    pub fn pairs(&self) -> &[Pair] {
        match &self.value {
            Value::Map(pairs) => pairs,
            Value::Scalar(_) | Value::List(_) => &[],
        }
    }

    /// The values of a sequence; none for anything else.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            Value::Scalar(_) | Value::Map(_) => &[],
        }
    }

    /// The value under a key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Node> {
        let pair = self.pairs().iter().find(|pair| pair.key.value == key)?;
        Some(&pair.value)
    }

    /// The text of a scalar that is not nothing.
    pub fn text(&self) -> Option<Text> {
        match &self.value {
            Value::Scalar(scalar) if !self.is_null() => {
                Some(Spanned::new(scalar.text.clone(), self.place))
            }
            _ => None,
        }
    }

    /// Whether it is nothing at all: empty, `~` or `null`.
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(Scalar { text, style: Style::Plain })
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The value as JSON, with numbers and booleans as YAML 1.2 reads them.
    pub fn json(&self) -> Json {
        match &self.value {
            Value::Scalar(scalar) => scalar.json(),
            Value::List(items) => Json::Array(items.iter().map(Node::json).collect()),
            Value::Map(pairs) => {
                let member = |pair: &Pair| (pair.key.value.clone(), pair.value.json());
                Json::Object(pairs.iter().map(member).collect())
            }
        }
    }

    /// Calls `visit` with every scalar in it, keys left out.
    pub fn each_scalar<'tree>(&'tree self, visit: &mut dyn FnMut(&'tree Node, &'tree Scalar)) {
        match &self.value {
            Value::Scalar(scalar) => visit(self, scalar),
            Value::List(items) => items.iter().for_each(|item| item.each_scalar(visit)),
            Value::Map(pairs) => pairs.iter().for_each(|pair| pair.value.each_scalar(visit)),
        }
    }

    fn count(&self) -> usize {
        match &self.value {
            Value::Scalar(_) => 1,
            Value::List(items) => 1 + items.iter().map(Node::count).sum::<usize>(),
            Value::Map(pairs) => 1 + pairs.iter().map(|pair| pair.value.count()).sum::<usize>(),
        }
    }

    fn depth(&self) -> usize {
        let deepest = match &self.value {
            Value::Scalar(_) => return 0,
            Value::List(items) => items.iter().map(Node::depth).max(),
            Value::Map(pairs) => pairs.iter().map(|pair| pair.value.depth()).max(),
        };
        1 + deepest.unwrap_or(0)
    }
}

impl Scalar {
    fn json(&self) -> Json {
        if self.style != Style::Plain {
            return Json::String(self.text.clone());
        }
        match self.text.as_str() {
            "" | "~" | "null" | "Null" | "NULL" => Json::Null,
            "true" | "True" | "TRUE" => Json::Bool(true),
            "false" | "False" | "FALSE" => Json::Bool(false),
            text => number(text).unwrap_or_else(|| Json::String(text.to_owned())),
        }
    }
}

/// A number of YAML's core schema; `1_000`, `.inf` and the like stay texts.
fn number(text: &str) -> Option<Json> {
    let radix = |prefix, radix| i64::from_str_radix(text.strip_prefix(prefix)?, radix).ok();
    if let Some(number) = radix("0x", 16).or_else(|| radix("0o", 8)) {
        return Some(number.into());
    }
    if let Ok(number) = text.parse::<i64>() {
        return Some(number.into());
    }
    let plain = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E');
    let number = text
        .chars()
        .all(plain)
        .then(|| text.parse::<f64>().ok())??;
    serde_json::Number::from_f64(number).map(Json::Number)
}

/// Reads a text that must be one mapping. A byte order mark is passed over.
///
/// # Errors
/// What is not YAML, or is more of YAML than GitHub reads, and where.
pub fn mapping(text: &str) -> Result<Node, Problem> {
    let start = Place { line: 1, column: 1 };
    if text.len() > LONGEST {
        return Err(Problem::new(
            start,
            format!("the file is longer than {LONGEST} bytes"),
        ));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut source = Source::new(text);
    let whole = loop {
        match whole(&source) {
            Err(Failure::Indentation(problem)) if !source.shift(problem.place.line) => {
                return Err(problem);
            }
            Err(Failure::Indentation(_)) => {}
            Err(Failure::Other(problem)) => return Err(problem),
            Ok(whole) => break whole,
        }
    };
    match whole {
        Some(node) if matches!(node.value, Value::Map(_)) => Ok(node),
        Some(node) => Err(Problem::new(node.place, "not a YAML mapping")),
        None => Err(Problem::new(start, "the file is empty")),
    }
}

/// Why a text could not be read.
enum Failure {
    /// A line between brackets does not stand deep enough for the parser.
    Indentation(Problem),
    /// Anything else.
    Other(Problem),
}

fn whole(source: &Source<'_>) -> Result<Option<Node>, Failure> {
    let place = |marker: &Marker| source.place(marker.line(), marker.col() + 1);
    let mut building = Building {
        lines: source.text.lines().collect(),
        ..Building::default()
    };
    let mut parser = Parser::new_from_str(&source.text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|cause| {
            let message = format!("not YAML: {}", cause.info());
            let problem = Problem::new(place(cause.marker()), message);
            match cause.info() {
                "invalid indentation" | "invalid indentation in flow construct" => {
                    Failure::Indentation(problem)
                }
                _ => Failure::Other(problem),
            }
        })?;
        let start = place(&span.start);
        building
            .take(event, start)
            .map_err(|message| Failure::Other(Problem::new(start, message)))?;
    }
    Ok(building.whole)
}

/// A collection that is not closed yet, where it began, and its anchor (0 is none).
struct Open {
    place: Place,
    anchor: usize,
    body: OpenBody,
}

enum OpenBody {
    List(Vec<Node>),
    Map {
        pairs: Vec<Pair>,
        keys: HashSet<String>,
        key: Option<Text>,
    },
}

#[derive(Default)]
struct Building<'text> {
    lines: Vec<&'text str>,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    documents: usize,
    values: usize,
    whole: Option<Node>,
}

impl Building<'_> {
    fn take(&mut self, event: Event<'_>, place: Place) -> Result<(), String> {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                match self.documents {
                    1 => Ok(()),
                    _ => Err("there is a second YAML document".to_owned()),
                }
            }
            Event::Alias(anchor) => self.alias(anchor, place),
            Event::Scalar(text, style, anchor, tag) => {
                if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema()) {
                    return Err(format!("there is a YAML tag, {tag}, which GitHub refuses"));
                }
                self.scalar(text.into_owned(), style, anchor, place)
            }
            Event::SequenceStart(anchor, _) => {
                self.enter(place, anchor, OpenBody::List(Vec::new()))
            }
            Event::MappingStart(anchor, _) => {
                let (pairs, keys) = (Vec::new(), HashSet::new());
                self.enter(
                    place,
                    anchor,
                    OpenBody::Map {
                        pairs,
                        keys,
                        key: None,
                    },
                )
            }
            Event::SequenceEnd | Event::MappingEnd => self.leave(),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn alias(&mut self, anchor: usize, place: Place) -> Result<(), String> {
        let Some(node) = self.anchors.get(&anchor) else {
            return Err("there is an alias of an anchor that is not finished above".to_owned());
        };
        if self.open.len() + node.depth() > DEEPEST {
            return Err(format!("nested more than {DEEPEST} deep"));
        }
        self.values += node.count();
        if self.values > MOST_VALUES {
            return Err(format!("more than {MOST_VALUES} values, aliases expanded"));
        }
        if self.wants_key() {
            let Some(key) = node.text() else {
                return Err("a key is a collection".to_owned());
            };
            return self.key(Spanned::new(key.value, place));
        }
        let node = node.clone();
        self.value(node)
    }

    fn wants_key(&self) -> bool {
        let body = self.open.last().map(|open| &open.body);
        matches!(body, Some(OpenBody::Map { key: None, .. }))
    }

    fn enter(&mut self, place: Place, anchor: usize, body: OpenBody) -> Result<(), String> {
        if self.wants_key() {
            return Err("a key is a collection".to_owned());
        }
        if self.open.len() >= DEEPEST {
            return Err(format!("nested more than {DEEPEST} deep"));
        }
        self.open.push(Open {
            place,
            anchor,
            body,
        });
        Ok(())
    }

    fn leave(&mut self) -> Result<(), String> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let value = match open.body {
            OpenBody::List(items) => Value::List(items),
            OpenBody::Map { pairs, .. } => Value::Map(pairs),
        };
        self.finish(
            Node {
                place: open.place,
                value,
            },
            open.anchor,
        )
    }

    fn key(&mut self, text: Text) -> Result<(), String> {
        if text.value == "<<" {
            return Err("GitHub does not know the merge key `<<`".to_owned());
        }
        if let Some(Open {
            body: OpenBody::Map { keys, key, .. },
            ..
        }) = self.open.last_mut()
        {
            if !keys.insert(text.value.clone()) {
                let shown = crate::printable::line(&text.value, 60);
                return Err(format!("the key `{shown}` is there twice"));
            }
            *key = Some(text);
        }
        Ok(())
    }

    fn scalar(
        &mut self,
        text: String,
        style: ScalarStyle,
        anchor: usize,
        place: Place,
    ) -> Result<(), String> {
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
            ScalarStyle::Literal => Style::Literal,
            ScalarStyle::Folded => Style::Folded,
        };
        let place = match style {
            Style::Literal | Style::Folded => self.mark(place),
            Style::Plain | Style::Quoted => place,
        };
        let node = Node {
            place,
            value: Value::Scalar(Scalar { text, style }),
        };
        if self.wants_key() {
            let Value::Scalar(scalar) = &node.value else {
                return Ok(());
            };
            let key = Spanned::new(scalar.text.clone(), place);
            if anchor != 0 {
                self.anchors.insert(anchor, node);
            }
            return self.key(key);
        }
        self.finish(node, anchor)
    }

    /// Where the `|` or `>` of a block stands. The parser names the first line of the text.
    fn mark(&self, first: Place) -> Place {
        let above = self.lines.iter().enumerate().take(first.line - 1).rev();
        let mut above = above.filter(|(_, line)| !line.trim().is_empty());
        let Some((index, header)) = above.next() else {
            return first;
        };
        let code = header.split(" #").next().unwrap_or_default();
        let column = match code.rfind(['|', '>']) {
            Some(offset) => code[..offset].chars().count() + 1,
            None => 1,
        };
        Place {
            line: index + 1,
            column,
        }
    }

    fn finish(&mut self, node: Node, anchor: usize) -> Result<(), String> {
        self.values += 1;
        if self.values > MOST_VALUES {
            return Err(format!("more than {MOST_VALUES} values"));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        self.value(node)
    }

    fn value(&mut self, node: Node) -> Result<(), String> {
        match self.open.last_mut().map(|open| &mut open.body) {
            None => self.whole = Some(node),
            Some(OpenBody::List(items)) => items.push(node),
            Some(OpenBody::Map { pairs, key, .. }) => {
                let key = key.take().ok_or("a key is a collection")?;
                pairs.push(Pair { key, value: node });
            }
        }
        Ok(())
    }
}
