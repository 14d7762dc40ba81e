//! Versions as bytes whose order is the order of the versions. Pure.
//!
//! A key is made once, when an advisory is imported or a lock file is read; after that every
//! comparison is one of bytes, whatever the ecosystem. Python's order is PEP 440's; that of npm
//! and crates.io is SemVer 2.0's (section 11), which knows no build metadata. Keys of different
//! ecosystems are never compared with each other.
//!
//! Advisories hold text that is no version ("2024-12-04", "3.0.0b3-"). It sorts below every
//! version, as Python's old tools did it, and above [`Key::LOWEST`].

use serde::{Deserialize, Serialize};

use crate::lockfile::Ecosystem;
use crate::pep440;

/// The longest text that is read as a version; what is longer is none.
pub const LONGEST: usize = 10_000;

/// A version, ready to be compared with others of its ecosystem.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
pub struct Key(Vec<u8>);

/// Begins the key of text that is no version.
const UNPARSABLE: u8 = 1;
/// Begins the key of a version.
const VALID: u8 = 2;
/// Ends a list: nothing that may follow in its place is lower.
const END: u8 = 0;
/// Stands where the absence of a part is higher than any such part.
const ABSENT_IS_HIGHEST: u8 = 0xff;

impl Key {
    /// Below everything: what `introduced: "0"` means (OSV schema, "events").
    pub const LOWEST: Key = Key(Vec::new());

    /// Whether it was made from a version, and not from other text.
    pub fn is_valid(&self) -> bool {
        self.0.first() == Some(&VALID)
    }
}

/// The key of a version. Any text has one; see [`Key::is_valid`].
pub fn key(ecosystem: Ecosystem, text: &str) -> Key {
    let bytes = match ecosystem {
        _ if text.len() > LONGEST => None,
        Ecosystem::Pypi => pep440::Version::parse(text)
            .ok()
            .map(|version| python(&version)),
        Ecosystem::Npm | Ecosystem::CratesIo => {
            Semantic::read(ecosystem, text).map(|version| version.bytes())
        }
    };
    Key(bytes.unwrap_or_else(|| {
        let text = text.as_bytes();
        let text = text.get(..LONGEST).unwrap_or(text);
        [&[UNPARSABLE], text].concat()
    }))
}

/// Whether the text is a version: what [`Key::is_valid`] says of its key, without making it.
pub fn is_version(ecosystem: Ecosystem, text: &str) -> bool {
    match ecosystem {
        _ if text.len() > LONGEST => false,
        Ecosystem::Pypi => pep440::Version::parse(text).is_ok(),
        Ecosystem::Npm | Ecosystem::CratesIo => Semantic::read(ecosystem, text).is_some(),
    }
}

/// Whether the text is a version, and no pre-release.
pub fn is_stable(ecosystem: Ecosystem, text: &str) -> bool {
    match ecosystem {
        _ if text.len() > LONGEST => false,
        Ecosystem::Pypi => pep440::Version::parse(text).is_ok_and(|version| !version.is_unstable()),
        Ecosystem::Npm | Ecosystem::CratesIo => {
            Semantic::read(ecosystem, text).is_some_and(|version| version.pre.is_none())
        }
    }
}

/// Epoch, release numbers without trailing zeros, phase, post-release, development release,
/// local version: the parts in which PEP 440 compares.
fn python(version: &pep440::Version) -> Vec<u8> {
    let mut bytes = vec![VALID];
    number(&mut bytes, version.epoch);
    let significant = version.release.iter().rposition(|&part| part != 0);
    for &part in version
        .release
        .iter()
        .take(significant.map_or(0, |last| last + 1))
    {
        number(&mut bytes, part);
    }
    bytes.push(END);
    let (rank, count) = match (version.pre, version.post, version.dev) {
        (None, None, Some(_)) => (0, 0),
        (Some((phase, count)), ..) => (1 + phase as u8, count),
        (None, ..) => (9, 0),
    };
    bytes.push(rank);
    number(&mut bytes, count);
    match version.post {
        Some(count) => number(&mut bytes, count),
        None => bytes.push(END),
    }
    match version.dev {
        Some(count) => number(&mut bytes, count),
        None => bytes.push(ABSENT_IS_HIGHEST),
    }
    match &version.local {
        None => bytes.push(0),
        Some(segments) => {
            bytes.push(1);
            segments
                .iter()
                .for_each(|segment| local(&mut bytes, segment));
            bytes.push(END);
        }
    }
    bytes
}

/// A segment of a local version: words come before numbers.
fn local(bytes: &mut Vec<u8>, segment: &str) {
    if is_number(segment) {
        bytes.push(2);
        digits(bytes, segment);
    } else {
        bytes.push(1);
        bytes.extend(segment.as_bytes());
        bytes.push(END);
    }
}

/// A version of SemVer 2.0 in its parts.
///
/// Read with three indulgences, because each of them would otherwise turn a bound into text that
/// sorts below all versions: `1.2` is `1.2.0`, zeros may stand in front of a number, and npm's
/// `v1.2.3` and `=1.2.3` are `1.2.3`.
struct Semantic<'text> {
    numbers: [&'text str; 3],
    pre: Option<&'text str>,
}

impl<'text> Semantic<'text> {
    fn read(ecosystem: Ecosystem, text: &'text str) -> Option<Semantic<'text>> {
        let text = match ecosystem {
            Ecosystem::Npm => text.trim().trim_start_matches(['=', 'v', ' ']),
            Ecosystem::Pypi | Ecosystem::CratesIo => text,
        };
        let text = text.split('+').next()?;
        let (core, pre) = match text.split_once('-') {
            Some((core, pre)) => (core, Some(pre)),
            None => (text, None),
        };
        let mut numbers = ["0"; 3];
        for (index, part) in core.split('.').enumerate() {
            *numbers.get_mut(index)? = Some(part).filter(|part| is_number(part))?;
        }
        let is_plain = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if !pre.is_none_or(|pre| pre.split('.').all(is_plain)) {
            return None;
        }
        Some(Semantic { numbers, pre })
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VALID];
        for part in self.numbers {
            digits(&mut bytes, part);
        }
        let Some(pre) = self.pre else {
            bytes.push(ABSENT_IS_HIGHEST);
            return bytes;
        };
        for identifier in pre.split('.') {
            if is_number(identifier) {
                bytes.push(1);
                digits(&mut bytes, identifier);
            } else {
                bytes.push(2);
                bytes.extend(identifier.as_bytes());
                bytes.push(END);
            }
        }
        bytes.push(END);
        bytes
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number: how many bytes it takes (plus one, so that it is above [`END`]), then those bytes.
fn number(bytes: &mut Vec<u8>, number: u64) {
    let big_endian = number.to_be_bytes();
    let zeros = big_endian.iter().take_while(|&&byte| byte == 0).count();
    let significant = big_endian.get(zeros..).unwrap_or_default();
    bytes.push(significant.len() as u8 + 1);
    bytes.extend(significant);
}

/// A number of any length, from its digits.
fn digits(bytes: &mut Vec<u8>, text: &str) {
    let significant = text.trim_start_matches('0');
    match significant.parse() {
        Ok(small) => number(bytes, small),
        Err(_) if significant.is_empty() => number(bytes, 0),
        Err(_) => {
            bytes.push(0x0a);
            bytes.extend((significant.len() as u32).to_be_bytes());
            bytes.extend(significant.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests;
