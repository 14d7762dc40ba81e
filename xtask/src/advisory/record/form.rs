//! A record as its JSON has it, before it is looked at. Unknown fields are left unread: the
//! schema grows, and other readers' fields are none of our business.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

#[derive(Deserialize)]
pub struct Record<'json> {
    #[serde(borrow)]
    pub id: Cow<'json, str>,
    #[serde(borrow)]
    pub modified: Cow<'json, str>,
    pub withdrawn: Option<String>,
    pub aliases: Option<Vec<String>>,
    pub summary: Option<String>,
    pub details: Option<String>,
    #[serde(borrow)]
    pub severity: Option<Vec<Severity<'json>>>,
    #[serde(borrow)]
    pub affected: Option<Vec<Affected<'json>>>,
    #[serde(borrow)]
    pub references: Option<Vec<Reference<'json>>>,
    #[serde(borrow)]
    pub database_specific: Option<&'json RawValue>,
}

#[derive(Deserialize)]
pub struct Severity<'json> {
    #[serde(borrow)]
    pub score: Cow<'json, str>,
}

#[derive(Deserialize)]
pub struct Reference<'json> {
    #[serde(borrow, rename = "type")]
    pub kind: Cow<'json, str>,
    #[serde(borrow)]
    pub url: Cow<'json, str>,
}

#[derive(Deserialize)]
pub struct Affected<'json> {
    #[serde(borrow)]
    pub package: Option<Package<'json>>,
    #[serde(borrow)]
    pub severity: Option<Vec<Severity<'json>>>,
    #[serde(borrow)]
    pub ranges: Option<Vec<Range<'json>>>,
    pub versions: Option<Vec<String>>,
    #[serde(borrow)]
    pub database_specific: Option<&'json RawValue>,
}

impl Affected<'_> {
    /// How many versions it names.
    pub fn size(&self) -> usize {
        let ranges = self.ranges.iter().flatten();
        let events = ranges.map(|range| range.events.as_ref().map_or(0, Vec::len));
        events.sum::<usize>() + self.versions.as_ref().map_or(0, Vec::len)
    }
}

#[derive(Deserialize)]
pub struct Package<'json> {
    #[serde(borrow)]
    pub ecosystem: Cow<'json, str>,
    #[serde(borrow)]
    pub name: Cow<'json, str>,
}

#[derive(Deserialize)]
pub struct Range<'json> {
    #[serde(borrow, rename = "type")]
    pub kind: Cow<'json, str>,
    pub events: Option<Vec<Event>>,
}

#[derive(Deserialize)]
pub struct Event {
    pub introduced: Option<String>,
    pub fixed: Option<String>,
    pub last_affected: Option<String>,
    pub limit: Option<String>,
}

/// The words that are known of what databases add on their own.
#[derive(Default)]
pub struct Specific {
    /// GHSA and the malicious packages: `LOW` to `CRITICAL`.
    pub severity: Option<String>,
    /// RustSec: `unmaintained`, `unsound`, `notice`.
    pub informational: Option<String>,
    /// RustSec: a vector.
    pub cvss: Option<String>,
}

impl Specific {
    /// Reads them where they are; what is no object, and words that are no strings, say nothing.
    ///
    /// # Errors
    /// An object that cannot be read: nested too deeply, or with one of the words twice.
    pub fn read(raw: Option<&RawValue>) -> Result<Specific, String> {
        #[derive(Deserialize)]
        struct Words {
            severity: Option<Value>,
            informational: Option<Value>,
            cvss: Option<Value>,
        }
        let Some(raw) = raw.filter(|raw| raw.get().starts_with('{')) else {
            return Ok(Specific::default());
        };
        let words: Words = serde_json::from_str(raw.get())
            .map_err(|cause| format!("cannot read `database_specific`: {cause}"))?;
        let word = |value: Option<Value>| match value {
            Some(Value::String(word)) => Some(word),
            _ => None,
        };
        Ok(Specific {
            severity: word(words.severity),
            informational: word(words.informational),
            cvss: word(words.cvss),
        })
    }
}
