//! YAML as trees in which every value knows its place. Pure.
//!
//! GitHub reads less of YAML than others do; [`Dialect`] says which is meant. Aliases are expanded
//! up to a bound, so that a small file does not become a huge tree. Lock files have a reader of
//! their own (`lockfile/yaml.rs`), which takes less and copies nothing.

mod brackets;
mod build;
mod place;

use serde_json::Value as Json;

pub use place::{Place, Spanned, Text};

/// How many bytes a workflow may have.
const LONGEST: usize = 1 << 20;

/// What of YAML is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// One document, anchors, but no merge keys, no tags and no key twice.
    GitHub,
    /// Several documents, merge keys and tags, as Kubernetes and Compose take them.
    Common,
}

/// Why a text was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Where.
    pub place: Place,
    /// What is wrong, without the place.
    pub message: String,
    /// Of which kind it is.
    pub kind: Kind,
}

/// The kind of a trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A line in brackets does not stand deep enough for the parser.
    Shallow,
    /// It is not YAML.
    Syntax,
    /// It is YAML, and not of the dialect.
    Form,
    /// It is deeper or larger than what is read here.
    Size,
}

impl Trouble {
    fn form(place: Place, message: impl Into<String>) -> Trouble {
        Trouble {
            place,
            message: message.into(),
            kind: Kind::Form,
        }
    }
}

/// Reads a text that must be one mapping, as GitHub does. A byte order mark is passed over.
///
/// # Errors
/// What is not YAML, or is more of YAML than GitHub reads, and where.
pub fn mapping(text: &str) -> Result<Node, Trouble> {
    let start = Place { line: 1, column: 1 };
    if text.len() > LONGEST {
        let message = format!("the file is longer than {LONGEST} bytes");
        return Err(Trouble {
            kind: Kind::Size,
            ..Trouble::form(start, message)
        });
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let read = |text: &str, pushed: &_| build::documents(text, pushed, Dialect::GitHub);
    match brackets::tolerated(text, read)?.pop() {
        Some(node) if matches!(node.value, Value::Map(_)) => Ok(node),
        Some(node) => Err(Trouble::form(node.place, "not a YAML mapping")),
        None => Err(Trouble::form(start, "the file is empty")),
    }
}

/// Reads every document of a text that is not empty.
///
/// # Errors
/// It is not YAML, or asks for too much.
pub fn documents(text: &str) -> Result<Vec<Node>, Trouble> {
    let read = |text: &str, pushed: &_| build::documents(text, pushed, Dialect::Common);
    let mut found = brackets::tolerated(text, read)?;
    found.retain(|node| !node.is_null());
    Ok(found)
}

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

    /// The value under a key of a mapping; one that is merged in (`<<`) counts when there is no
    /// other.
    pub fn get(&self, key: &str) -> Option<&Node> {
        let under = |key: &str| self.pairs().iter().find(|pair| pair.key.value == key);
        match under(key) {
            Some(pair) => Some(&pair.value),
            None => match &under("<<")?.value {
                merged @ Node {
                    value: Value::List(_),
                    ..
                } => merged.items().iter().find_map(|one| one.get(key)),
                merged => merged.get(key),
            },
        }
    }

    /// The value behind several keys.
    pub fn at(&self, keys: &[&str]) -> Option<&Node> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The values of the sequence under a key.
    pub fn list(&self, key: &str) -> &[Node] {
        self.get(key).map_or(&[], Node::items)
    }

    /// The line on which it begins.
    pub fn line(&self) -> usize {
        self.place.line
    }

    /// The text of a scalar that is not nothing.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) if !self.is_null() => Some(&scalar.text),
            _ => None,
        }
    }

    /// Its text and where that begins.
    pub fn spanned(&self) -> Option<Text> {
        let text = self.text()?.to_owned();
        Some(Spanned::new(text, self.place))
    }

    /// The text under a key.
    pub fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    /// Its number, when it is a whole one without quotes.
    pub fn number(&self) -> Option<u64> {
        match &self.value {
            Value::Scalar(scalar) if scalar.style == Style::Plain => scalar.text.parse().ok(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_lines_aliases_and_merges() {
        let text = "a: &x\n  b: 1\nc:\n  <<: *x\n  d: 'q'\n---\n---\n- e\n- {f: ~}\n";
        let documents = documents(text).unwrap();
        assert_eq!(documents.len(), 2);
        let c = documents[0].get("c").unwrap();
        assert_eq!((c.text_of("b"), c.text_of("d")), (Some("1"), Some("q")));
        assert_eq!(c.get("d").unwrap().line(), 5);
        assert_eq!(documents[1].items()[0].line(), 8);
    }

    #[test]
    fn what_is_no_yaml_names_its_line() {
        let check = |text: &str, expected: usize| match documents(text) {
            Err(trouble) if trouble.kind != Kind::Size => {
                assert_eq!(trouble.place.line, expected, "{text}");
            }
            other => panic!("{text}: {other:?}"),
        };
        check("a: 1\nb: x: y\n", 2);
        check("a: [\n", 2);
    }

    #[test]
    fn closing_brackets_may_stand_under_their_key() {
        let check = |text: &str, expected: &[&str]| {
            let documents = documents(text).unwrap();
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
            let kind = documents(broken).unwrap_err().kind;
            assert!(kind != Kind::Size, "{broken}");
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
        assert_eq!(documents(&text).unwrap_err().kind, Kind::Size);
    }
}
