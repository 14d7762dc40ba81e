//! The tree that a TOML file is read into: texts borrowed, entries in their order. Pure.

use std::borrow::Cow;
use std::collections::HashMap;

/// Tables with more entries are looked up by hash; nearly all have fewer.
const MOST_TO_SEARCH: usize = 16;

/// A table: its entries in the order of the file, no key twice.
#[derive(Debug, Default)]
pub struct Table<'text> {
    entries: Vec<(Cow<'text, str>, Value<'text>)>,
    #[expect(
        clippy::box_collection,
        reason = "few tables have it, and all tables would be larger by it"
    )]
    places: Option<Box<HashMap<Cow<'text, str>, usize>>>,
}

/// A value and where it begins.
#[derive(Debug)]
pub struct Value<'text> {
    start: usize,
    item: Item<'text>,
}

/// What a value is.
#[derive(Debug)]
pub enum Item<'text> {
    /// A text.
    Text(Cow<'text, str>),
    /// The digits of an integer.
    Integer(Cow<'text, str>),
    /// A truth value.
    Truth(bool),
    /// `[…]` behind a key.
    List(Vec<Value<'text>>),
    /// `{…}` behind a key.
    Table(Table<'text>),
    /// The tables of all `[[…]]` headers of one name.
    Sections(Vec<Value<'text>>),
    /// The table of a `[…]` header, or one that such a header implies.
    Section(Table<'text>),
    /// A number with a fraction, or a time: nothing that lock files are read for.
    Other,
}

impl<'text> Table<'text> {
    /// The value under a key.
    pub fn get(&self, key: &str) -> Option<&Value<'text>> {
        let (_, value) = self.entries.get(self.position(key)?)?;
        Some(value)
    }

    /// Whether there is a value under a key.
    pub fn contains_key(&self, key: &str) -> bool {
        self.position(key).is_some()
    }

    /// The entries, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value<'text>)> {
        self.entries.iter().map(|(key, value)| (&**key, value))
    }

    /// Adds an entry; nothing when the key is there already.
    pub(super) fn insert(&mut self, key: Cow<'text, str>, value: Value<'text>) -> Option<()> {
        self.position(&key).is_none().then(|| self.push(key, value))
    }

    /// The table of a `[key]` header; nothing when the key is there already.
    pub(super) fn section(&mut self, key: Cow<'text, str>, start: usize) -> Option<&mut Self> {
        let item = Item::Section(Table::default());
        self.insert(key, Value { start, item })?;
        self.entries.last_mut()?.1.open_table()
    }

    /// The table of one more `[[key]]` header; nothing when the key holds something else.
    pub(super) fn add_section(&mut self, key: Cow<'text, str>, start: usize) -> Option<&mut Self> {
        let index = self.position_or_insert(key, start, || Item::Sections(Vec::new()));
        let (_, value) = self.entries.get_mut(index)?;
        let Item::Sections(sections) = &mut value.item else {
            return None;
        };
        let item = Item::Section(Table::default());
        sections.push(Value { start, item });
        value.open_table()
    }

    /// The table that a header names before a dot, made when it is not there; nothing when the
    /// key holds what no header may extend.
    pub(super) fn descend(&mut self, key: Cow<'text, str>, start: usize) -> Option<&mut Self> {
        let index = self.position_or_insert(key, start, || Item::Section(Table::default()));
        self.entries.get_mut(index)?.1.open_table()
    }

    fn position(&self, key: &str) -> Option<usize> {
        match &self.places {
            Some(places) => places.get(key).copied(),
            None => self.entries.iter().position(|(there, _)| there == key),
        }
    }

    fn position_or_insert(
        &mut self,
        key: Cow<'text, str>,
        start: usize,
        item: impl FnOnce() -> Item<'text>,
    ) -> usize {
        self.position(&key).unwrap_or_else(|| {
            let item = item();
            self.push(key, Value { start, item });
            self.entries.len() - 1
        })
    }

    fn push(&mut self, key: Cow<'text, str>, value: Value<'text>) {
        if let Some(places) = &mut self.places {
            places.insert(key.clone(), self.entries.len());
        } else if self.entries.len() == MOST_TO_SEARCH {
            let keys = self.entries.iter().map(|(key, _)| key).chain([&key]);
            self.places = Some(Box::new(keys.cloned().zip(0..).collect()));
        }
        self.entries.push((key, value));
    }
}

impl<'text> Value<'text> {
    /// A value that begins there.
    pub fn new(start: usize, item: Item<'text>) -> Value<'text> {
        Value { start, item }
    }

    /// The byte at which it begins.
    pub fn start(&self) -> usize {
        self.start
    }

    /// The text that it is.
    pub fn as_str(&self) -> Option<&str> {
        match &self.item {
            Item::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The digits of the integer that it is.
    pub fn as_integer(&self) -> Option<&str> {
        match &self.item {
            Item::Integer(digits) => Some(digits),
            _ => None,
        }
    }

    /// The truth value that it is.
    pub fn as_bool(&self) -> Option<bool> {
        match self.item {
            Item::Truth(truth) => Some(truth),
            _ => None,
        }
    }

    /// The list that it is, however it is written.
    pub fn as_list(&self) -> Option<&[Value<'text>]> {
        match &self.item {
            Item::List(list) | Item::Sections(list) => Some(list),
            _ => None,
        }
    }

    /// The table that it is, however it is written.
    pub fn as_table(&self) -> Option<&Table<'text>> {
        match &self.item {
            Item::Table(table) | Item::Section(table) => Some(table),
            _ => None,
        }
    }

    /// The table that headers extend: the last one of several.
    fn open_table(&mut self) -> Option<&mut Table<'text>> {
        match &mut self.item {
            Item::Section(table) => Some(table),
            Item::Sections(sections) => match &mut sections.last_mut()?.item {
                Item::Section(table) => Some(table),
                _ => None,
            },
            _ => None,
        }
    }
}
