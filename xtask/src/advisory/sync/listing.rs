//! The list of when each record was last changed: `modified_id.csv`. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::error::{Error, Result};

/// The longest id that is asked for.
const LONGEST_ID: usize = 128;

/// When each record was last changed, by id, as the list writes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing(pub BTreeMap<String, String>);

/// Reads a list: a line for each record, `2026-11-20T16:44:31.123456Z,PYSEC-2026-1`. `place`
/// names it in errors.
///
/// # Errors
/// It is empty, or a line of it is not of this form.
pub fn read(bytes: &[u8], place: &str) -> Result<Listing> {
    let wrong = |what: String| {
        Error::failure(format!("{place}: {what}"))
            .hint("does a proxy or a mirror answer in OSV's place?")
    };
    let text = std::str::from_utf8(bytes)
        .map_err(|cause| wrong(format!("not UTF-8 at byte {}", cause.valid_up_to())))?;
    if text.trim_start().starts_with('<') {
        return Err(wrong("a page, where a list was to be".to_owned()));
    }
    if !text.is_empty() && !text.ends_with('\n') {
        return Err(wrong("its last line is cut off".to_owned()));
    }
    let mut records = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let at = |what: &str| wrong(format!("line {}: {what}", number.saturating_add(1)));
        let (stamp, id) = line.split_once(',').ok_or_else(|| at("no comma"))?;
        if stamp.parse::<Timestamp>().is_err() {
            return Err(at("it does not begin with a date and time"));
        }
        if !is_id(id) {
            return Err(at("its end is no id of a record"));
        }
        let earlier = records.insert(id.to_owned(), stamp.to_owned());
        if earlier.is_some() {
            return Err(at("its record is listed twice"));
        }
    }
    match records.is_empty() {
        true => Err(wrong("an empty list".to_owned())),
        false => Ok(Listing(records)),
    }
}

/// Whether this can stand in an address and in a file name without meaning something else.
pub fn is_id(text: &str) -> bool {
    let is_plain =
        |one: u8| one.is_ascii_alphanumeric() || matches!(one, b'-' | b'_' | b'.' | b':');
    let begins = text.starts_with(|one: char| one.is_ascii_alphanumeric());
    begins && text.len() <= LONGEST_ID && text.bytes().all(is_plain)
}
