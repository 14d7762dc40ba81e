//! Reading TOML with every problem collected: wrong types, missing and unknown keys, each with
//! its line and column. Pure.

use std::collections::BTreeSet;
use std::ops::Range;

use toml_edit::{Document, Item, TableLike, Value};

/// One thing wrong with a configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// What is wrong and what is expected.
    pub message: String,
}

/// A parsed file and the problems found in it so far.
#[derive(Debug)]
pub struct Reader<'text> {
    text: &'text str,
    /// Everything found wrong so far.
    pub problems: Vec<Problem>,
}

/// One table of the file, of which the keys that are read get ticked off.
#[derive(Debug)]
pub struct Table<'document> {
    path: String,
    item: Option<&'document Item>,
    span: Option<Range<usize>>,
    known: BTreeSet<&'static str>,
}

/// Parses TOML 1.1; a syntax error is the only problem then.
///
/// # Errors
/// The syntax error with its place.
pub fn parse(text: &str) -> Result<Document<String>, Problem> {
    Document::parse(text.to_owned()).map_err(|cause| {
        let span = cause.span().unwrap_or(0..0);
        let (line, column) = place(text, span.start);
        Problem {
            line,
            column,
            message: cause.message().trim().replace('\n', ", "),
        }
    })
}

/// Line and column, both counted from 1, of a byte offset; columns count characters.
pub fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (line, column)
}

impl<'text> Reader<'text> {
    /// A reader of this text.
    pub fn new(text: &'text str) -> Reader<'text> {
        Reader {
            text,
            problems: Vec::new(),
        }
    }

    /// Notes a problem at a byte range of the file.
    pub fn problem(&mut self, span: Option<Range<usize>>, message: impl Into<String>) {
        let (line, column) = place(self.text, span.map_or(0, |span| span.start));
        self.problems.push(Problem {
            line,
            column,
            message: message.into(),
        });
    }

    /// The line, counted from 1, on which a byte range of the file begins.
    pub fn line(&self, span: Option<&Range<usize>>) -> usize {
        place(self.text, span.map_or(0, |span| span.start)).0
    }

    /// The file's own table.
    pub fn top<'document>(&self, document: &'document Document<String>) -> Table<'document> {
        Table {
            path: String::new(),
            item: Some(document.as_item()),
            span: Some(0..0),
            known: BTreeSet::new(),
        }
    }

    /// A table inside another; one that is absent reads as empty.
    pub fn table<'document>(
        &mut self,
        parent: &mut Table<'document>,
        key: &'static str,
    ) -> Table<'document> {
        let item = parent.take(key);
        let span = item.and_then(Item::span).or_else(|| parent.span.clone());
        let item = match item {
            Some(item) if item.as_table_like().is_none() => {
                self.wrong_type(&parent.full(key), item, "a table");
                None
            }
            other => other,
        };
        Table {
            path: parent.full(key),
            item,
            span,
            known: BTreeSet::new(),
        }
    }

    /// All tables of `[[key]]`, in order.
    pub fn tables<'document>(
        &mut self,
        parent: &mut Table<'document>,
        key: &'static str,
    ) -> Vec<(Table<'document>, Option<Range<usize>>)> {
        let path = parent.full(key);
        let Some(item) = parent.take(key) else {
            return Vec::new();
        };
        let Some(array) = item.as_array_of_tables() else {
            self.wrong_type(&path, item, &format!("tables, each headed [[{path}]]"));
            return Vec::new();
        };
        let table = |index: usize| {
            let found = item.get(index);
            let span = array.get(index).and_then(toml_edit::Table::span);
            let table = Table {
                path: path.clone(),
                item: found,
                span: span.clone(),
                known: BTreeSet::new(),
            };
            (table, span)
        };
        (0..array.len()).map(table).collect()
    }

    /// The tables below one whose keys are names that the file is free to choose, in order.
    pub fn named_tables<'document>(
        &mut self,
        parent: &mut Table<'document>,
        key: &'static str,
    ) -> Vec<(String, Table<'document>)> {
        let outer = self.table(parent, key);
        let Some(entries) = outer.item.and_then(Item::as_table_like) else {
            return Vec::new();
        };
        let mut tables = Vec::new();
        for (name, item) in entries.iter() {
            let path = format!("{}.{name}", outer.path);
            if item.as_table_like().is_none() {
                self.wrong_type(&path, item, "a table");
                continue;
            }
            let table = Table {
                path,
                item: Some(item),
                span: key_span(entries, name),
                known: BTreeSet::new(),
            };
            tables.push((name.to_owned(), table));
        }
        tables
    }

    /// A string that must be there; an absent one is noted and read as empty.
    pub fn string(&mut self, table: &mut Table<'_>, key: &'static str) -> String {
        self.optional_string(table, key).unwrap_or_else(|| {
            if !table.has(key) {
                let message = format!("`{}` is missing: a string is needed", table.full(key));
                self.problem(table.span.clone(), message);
            }
            String::new()
        })
    }

    /// A string that may be absent.
    pub fn optional_string(&mut self, table: &mut Table<'_>, key: &'static str) -> Option<String> {
        let item = table.take(key)?;
        let text = item.as_str().map(str::to_owned);
        if text.is_none() {
            self.wrong_type(&table.full(key), item, "a string");
        }
        text
    }

    /// A whole number from 0 on that may be absent.
    pub fn optional_number(&mut self, table: &mut Table<'_>, key: &'static str) -> Option<u64> {
        let item = table.take(key)?;
        let number = item
            .as_integer()
            .and_then(|number| u64::try_from(number).ok());
        if number.is_none() {
            self.wrong_type(&table.full(key), item, "a whole number, 0 or more");
        }
        number
    }

    /// A day that must be there, written as a date or as a string, as its text; an absent one is
    /// noted and read as empty.
    pub fn date(&mut self, table: &mut Table<'_>, key: &'static str) -> String {
        if let Some(date) = table.take(key).and_then(Item::as_datetime) {
            return date.to_string();
        }
        self.string(table, key)
    }

    /// A list of strings; an absent one is `None`.
    pub fn optional_strings(
        &mut self,
        table: &mut Table<'_>,
        key: &'static str,
    ) -> Option<Vec<String>> {
        let item = table.take(key)?;
        let strings = item.as_array().and_then(|array| {
            array
                .iter()
                .map(|value| value.as_str().map(str::to_owned))
                .collect()
        });
        if strings.is_none() {
            self.wrong_type(&table.full(key), item, "a list of strings");
        }
        strings
    }

    /// A table whose keys are free and whose values are strings; absent reads as empty.
    pub fn string_map(
        &mut self,
        table: &mut Table<'_>,
        key: &'static str,
    ) -> Vec<(String, String)> {
        let path = table.full(key);
        let Some(item) = table.take(key) else {
            return Vec::new();
        };
        let Some(entries) = item.as_table_like() else {
            self.wrong_type(&path, item, "a table of strings");
            return Vec::new();
        };
        let mut map = Vec::new();
        for (name, value) in entries.iter() {
            match value.as_str() {
                Some(text) => map.push((name.to_owned(), text.to_owned())),
                None => self.wrong_type(&format!("{path}.{name}"), value, "a string"),
            }
        }
        map
    }

    /// Any TOML value as JSON (for a tool call's arguments); absent is `None`.
    pub fn json(&mut self, table: &mut Table<'_>, key: &'static str) -> Option<serde_json::Value> {
        let path = table.full(key);
        let item = table.take(key)?;
        let value = item
            .clone()
            .into_value()
            .ok()
            .and_then(|value| json(&value));
        if value.is_none() {
            self.wrong_type(&path, item, "a value that JSON has too");
        }
        value
    }

    /// True or false; absent is `None`.
    pub fn truth(&mut self, table: &mut Table<'_>, key: &'static str) -> Option<bool> {
        match self.json(table, key)? {
            serde_json::Value::Bool(truth) => Some(truth),
            _ => {
                let span = self.span(table, key);
                self.problem(span, format!("`{key}` is true or false"));
                None
            }
        }
    }

    /// Where a key's value stands.
    pub fn span(&self, table: &Table<'_>, key: &str) -> Option<Range<usize>> {
        let item = table
            .item
            .and_then(Item::as_table_like)
            .and_then(|entries| entries.get(key));
        item.and_then(Item::span).or_else(|| table.span.clone())
    }

    /// Notes every key that nobody asked for; call it when a table has been read.
    pub fn finish(&mut self, table: &Table<'_>) {
        let Some(entries) = table.item.and_then(Item::as_table_like) else {
            return;
        };
        let unknown: Vec<String> = entries
            .iter()
            .map(|(key, _)| key.to_owned())
            .filter(|key| !table.known.contains(key.as_str()))
            .collect();
        for key in unknown {
            let known: Vec<&str> = table.known.iter().copied().collect();
            let span = key_span(entries, &key).or_else(|| table.span.clone());
            let message = format!(
                "unknown key `{}`; known here: {}",
                table.full(&key),
                known.join(", ")
            );
            self.problem(span, message);
        }
    }

    fn wrong_type(&mut self, path: &str, item: &Item, expected: &str) {
        let message = format!(
            "`{path}` is {}, expected {expected}",
            article(item.type_name())
        );
        self.problem(item.span(), message);
    }
}

impl<'document> Table<'document> {
    /// Whether the file has this table at all.
    pub fn is_present(&self) -> bool {
        self.item.is_some()
    }

    /// Whether the table has this key, of whatever type.
    pub fn has(&self, key: &str) -> bool {
        self.item
            .and_then(Item::as_table_like)
            .is_some_and(|entries| entries.contains_key(key))
    }

    fn take(&mut self, key: &'static str) -> Option<&'document Item> {
        self.known.insert(key);
        self.item
            .and_then(Item::as_table_like)
            .and_then(|entries| entries.get(key))
    }

    pub(super) fn full(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }
}

fn key_span(entries: &dyn TableLike, key: &str) -> Option<Range<usize>> {
    let (key, item) = entries.get_key_value(key)?;
    key.span().or_else(|| item.span())
}

fn article(name: &str) -> String {
    match name {
        "array" | "integer" | "inline table" | "array of tables" | "offset date-time" => {
            format!("an {name}")
        }
        other => format!("a {other}"),
    }
}

fn json(value: &Value) -> Option<serde_json::Value> {
    Some(match value {
        Value::String(text) => text.value().clone().into(),
        Value::Integer(number) => (*number.value()).into(),
        Value::Float(number) => serde_json::Number::from_f64(*number.value())?.into(),
        Value::Boolean(truth) => (*truth.value()).into(),
        Value::Datetime(_) => return None,
        Value::Array(array) => array.iter().map(json).collect::<Option<Vec<_>>>()?.into(),
        Value::InlineTable(table) => {
            let entry = |(key, value): (&str, &Value)| Some((key.to_owned(), json(value)?));
            table
                .iter()
                .map(entry)
                .collect::<Option<serde_json::Map<_, _>>>()?
                .into()
        }
    })
}
