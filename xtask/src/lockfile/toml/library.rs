//! Reads all of TOML by the library. Pure.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::table::{Item, Table, Value};
use crate::error::{Error, Result};

/// The whole text; `explain` words an error from its line, its column and the library's word.
pub fn read<'text>(
    text: &'text str,
    explain: impl FnOnce((usize, usize), &str) -> Error,
) -> Result<Table<'text>> {
    match DeTable::parse(text) {
        Ok(table) => Ok(taken_over(table.into_inner())),
        Err(cause) => {
            let at = crate::config::place(text, cause.span().map_or(0, |span| span.start));
            Err(explain(at, cause.message()))
        }
    }
}

/// The library bounds how deep tables lie in each other.
fn taken_over(table: DeTable<'_>) -> Table<'_> {
    let mut taken = Table::default();
    for (key, value) in table {
        let added = taken.insert(key.into_inner(), value_of(value));
        debug_assert!(added.is_some(), "the library has no key twice");
    }
    taken
}

fn value_of(value: Spanned<DeValue<'_>>) -> Value<'_> {
    let start = value.span().start;
    let item = match value.into_inner() {
        DeValue::String(text) => Item::Text(text),
        DeValue::Integer(number) => Item::Integer(Cow::Owned(number.as_str().to_owned())),
        DeValue::Boolean(truth) => Item::Truth(truth),
        DeValue::Array(list) => Item::List(list.into_iter().map(value_of).collect()),
        DeValue::Table(table) => Item::Table(taken_over(table)),
        DeValue::Float(_) | DeValue::Datetime(_) => Item::Other,
    };
    Value::new(start, item)
}
