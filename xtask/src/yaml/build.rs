//! The tree that the parser's events make.

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

use super::brackets::Pushed;
use super::{Dialect, Kind, Node, Pair, Place, Scalar, Spanned, Style, Text, Trouble, Value};

/// How deep collections may lie in each other.
const DEEPEST: usize = 64;
/// How many values a file may have, aliases expanded.
const MOST_VALUES: usize = 100_000;

/// Every document of a text.
pub(super) fn documents(
    text: &str,
    pushed: &Pushed,
    dialect: Dialect,
) -> Result<Vec<Node>, Trouble> {
    let place = |marker: Marker| {
        let (line, column) = (marker.line(), marker.col() + 1);
        let column = pushed.column(line, column);
        Place { line, column }
    };
    let mut building = Building {
        lines: text.lines().collect(),
        dialect,
        open: Vec::new(),
        anchors: HashMap::new(),
        values: 0,
        documents: Vec::new(),
    };
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|cause| {
            let kind = match cause.info() {
                "invalid indentation" | "invalid indentation in flow construct" => Kind::Shallow,
                _ => Kind::Syntax,
            };
            Trouble {
                kind,
                ..Trouble::form(place(*cause.marker()), cause.info())
            }
        })?;
        let place = place(span.start);
        building
            .take(event, place)
            .map_err(|(kind, message)| Trouble {
                kind,
                ..Trouble::form(place, message)
            })?;
    }
    Ok(building.documents)
}

/// What is wrong, and of which kind it is.
type Refusal = (Kind, String);

fn form<T>(message: impl Into<String>) -> Result<T, Refusal> {
    Err((Kind::Form, message.into()))
}

fn size<T>(message: impl Into<String>) -> Result<T, Refusal> {
    Err((Kind::Size, message.into()))
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

struct Building<'text> {
    lines: Vec<&'text str>,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    values: usize,
    documents: Vec<Node>,
    dialect: Dialect,
}

impl Building<'_> {
    fn take(&mut self, event: Event<'_>, place: Place) -> Result<(), Refusal> {
        match event {
            Event::DocumentStart(_) => {
                self.anchors.clear();
                match (self.dialect, self.documents.is_empty()) {
                    (Dialect::GitHub, false) => form("there is a second YAML document"),
                    _ => Ok(()),
                }
            }
            Event::Alias(anchor) => self.alias(anchor, place),
            Event::Scalar(text, style, anchor, tag) => {
                if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema())
                    && self.dialect == Dialect::GitHub
                {
                    return form(format!("there is a YAML tag, {tag}, which GitHub refuses"));
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

    fn alias(&mut self, anchor: usize, place: Place) -> Result<(), Refusal> {
        let Some(node) = self.anchors.get(&anchor) else {
            return form("there is an alias of an anchor that is not finished above");
        };
        if self.open.len() + node.depth() > DEEPEST {
            return size(format!("nested more than {DEEPEST} deep"));
        }
        self.values += node.count();
        if self.values > MOST_VALUES {
            return size(format!("more than {MOST_VALUES} values, aliases expanded"));
        }
        if self.wants_key() {
            let key = self.name(node, place)?;
            return self.key(key);
        }
        let mut node = node.clone();
        // A finding in a manifest is shown where it counts, and not where it is written once.
        if self.dialect == Dialect::Common {
            node.place = place;
        }
        self.value(node)
    }

    fn wants_key(&self) -> bool {
        let body = self.open.last().map(|open| &open.body);
        matches!(body, Some(OpenBody::Map { key: None, .. }))
    }

    /// What a node is called as a key. Nobody asks for one that is a collection.
    fn name(&self, node: &Node, place: Place) -> Result<Text, Refusal> {
        match (node.text(), self.dialect) {
            (None, Dialect::GitHub) => form("a key is a collection"),
            (text, _) => Ok(Spanned::new(text.unwrap_or_default().to_owned(), place)),
        }
    }

    fn enter(&mut self, place: Place, anchor: usize, body: OpenBody) -> Result<(), Refusal> {
        if self.wants_key() && self.dialect == Dialect::GitHub {
            return form("a key is a collection");
        }
        if self.open.len() >= DEEPEST {
            return size(format!("nested more than {DEEPEST} deep"));
        }
        self.open.push(Open {
            place,
            anchor,
            body,
        });
        Ok(())
    }

    fn leave(&mut self) -> Result<(), Refusal> {
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

    fn key(&mut self, text: Text) -> Result<(), Refusal> {
        let strict = self.dialect == Dialect::GitHub;
        if strict && text.value == "<<" {
            return form("GitHub does not know the merge key `<<`");
        }
        if let Some(Open {
            body: OpenBody::Map { keys, key, .. },
            ..
        }) = self.open.last_mut()
        {
            if !keys.insert(text.value.clone()) && strict {
                let shown = crate::printable::line(&text.value, 60);
                return form(format!("the key `{shown}` is there twice"));
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
    ) -> Result<(), Refusal> {
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

    fn finish(&mut self, node: Node, anchor: usize) -> Result<(), Refusal> {
        self.values += 1;
        if self.values > MOST_VALUES {
            return size(format!("more than {MOST_VALUES} values"));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        self.value(node)
    }

    fn value(&mut self, node: Node) -> Result<(), Refusal> {
        match self.open.last_mut().map(|open| &mut open.body) {
            None => self.documents.push(node),
            Some(OpenBody::List(items)) => items.push(node),
            Some(OpenBody::Map { pairs, key, .. }) => match key.take() {
                Some(key) => pairs.push(Pair { key, value: node }),
                None => {
                    let key = self.name(&node, node.place)?;
                    return self.key(key);
                }
            },
        }
        Ok(())
    }
}
