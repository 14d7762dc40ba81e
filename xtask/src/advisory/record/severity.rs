//! How bad a record says a problem is.

use std::str::FromStr;

use cvss::Cvss;

use super::form::{self, Specific};
use crate::advisory::{Level, Severity};

/// What is stated in one place: of a package, or of the whole record.
pub struct Stated {
    scored: Option<Severity>,
    word: Option<Level>,
}

/// Reads what is stated in one place. Vectors that are none are skipped: the next one may be
/// right.
pub fn stated(entries: &[form::Severity<'_>], specific: &Specific) -> Stated {
    let vectors = entries.iter().map(|entry| &*entry.score);
    Stated {
        scored: highest(vectors.chain(specific.cvss.as_deref())),
        word: specific.severity.as_deref().and_then(level_of_word),
    }
}

/// What is said of the package goes before what is said of the record, and a score before a
/// word.
pub fn of(package: &Stated, record: &Stated) -> Severity {
    let scored = package.scored.as_ref().or(record.scored.as_ref());
    scored.cloned().unwrap_or_else(|| Severity {
        level: package.word.or(record.word).unwrap_or_default(),
        ..Severity::default()
    })
}

/// Whether one is worse than the other; anything is worse than what nobody has said.
pub fn is_worse(one: &Severity, other: &Severity) -> bool {
    let rank = |severity: &Severity| {
        let is_known = severity.level != Level::Unknown;
        (is_known, severity.level, severity.tenths)
    };
    rank(one) > rank(other)
}

/// The longest vector that is scored: one with every metric of v4 is 200 characters long.
const LONGEST_VECTOR: usize = 500;

fn highest<'text>(vectors: impl Iterator<Item = &'text str>) -> Option<Severity> {
    let mut best: Option<Severity> = None;
    for vector in vectors {
        let Some(tenths) = tenths(vector) else {
            continue;
        };
        if best.as_ref().is_none_or(|best| best.tenths < Some(tenths)) {
            best = Some(Severity {
                tenths: Some(tenths),
                vector: Some(vector.to_owned()),
                level: level(tenths),
            });
        }
    }
    best
}

/// The base score of a vector in tenths; which CVSS it is, its beginning says.
pub fn tenths(vector: &str) -> Option<u8> {
    if vector.len() > LONGEST_VECTOR {
        return None;
    }
    let score = Cvss::from_str(vector).ok()?.score();
    let is_score = (0.0..=10.0).contains(&score);
    is_score.then(|| (score * 10.0).round() as u8)
}

/// The word for a score (CVSS v3.1, section 5; the same in v4.0).
pub fn level(tenths: u8) -> Level {
    match tenths {
        0 => Level::None,
        1..=39 => Level::Low,
        40..=69 => Level::Medium,
        70..=89 => Level::High,
        90.. => Level::Critical,
    }
}

fn level_of_word(word: &str) -> Option<Level> {
    [
        ("none", Level::None),
        ("low", Level::Low),
        ("moderate", Level::Medium),
        ("medium", Level::Medium),
        ("high", Level::High),
        ("critical", Level::Critical),
    ]
    .into_iter()
    .find_map(|(name, level)| word.eq_ignore_ascii_case(name).then_some(level))
}
