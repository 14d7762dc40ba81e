//! The version of a release as three numbers and perhaps a pre-release, in the spellings that
//! the ecosystems want, and the next one of a level. Pure.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use crate::pep440::{self, Phase};

/// Where the numbers of pre-releases begin on the Marketplace: higher than those of any release
/// before them.
const PHASE: u64 = 10_000;

/// The largest number that a part may have, so that every ecosystem takes it.
const LARGEST: u64 = i32::MAX as u64;

/// A version that this tool writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number {
    /// Raised for what breaks.
    pub major: u64,
    /// Raised for what is new.
    pub minor: u64,
    /// Raised for what is mended.
    pub patch: u64,
    /// Phase and number of a pre-release.
    pub pre: Option<(Phase, u64)>,
}

/// What `--bump` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The next major version; a pre-release of one is finished.
    Major,
    /// The next minor version; a pre-release of one is finished.
    Minor,
    /// The next patch; any pre-release is finished.
    Patch,
    /// The next pre-release; of a release, the first one of the next patch.
    Pre,
    /// The first pre-release of the next minor version.
    PreMinor,
    /// The first pre-release of the next major version.
    PreMajor,
    /// This very version.
    Exactly(Number),
}

impl Number {
    /// Reads `1.2.3`, `1.2.3-rc.1` or `1.2.3rc1`; `None` for everything else.
    pub fn parse(text: &str) -> Option<Number> {
        let version = pep440::Version::parse(text).ok()?;
        let plain = version.epoch == 0
            && version.post.is_none()
            && version.dev.is_none()
            && version.local.is_none();
        let [major, minor, patch] = *version.release.as_slice() else {
            return None;
        };
        let pre = version.pre;
        let number = Number {
            major,
            minor,
            patch,
            pre,
        };
        let small = [major, minor, patch].iter().all(|part| *part <= LARGEST)
            && pre.is_none_or(|(_, count)| count < PHASE);
        // Of the many spellings that PEP 440 allows, only the two that are written.
        let written = text == number.semantic() || text == number.python();
        (plain && small && written).then_some(number)
    }

    /// As Semantic Versioning has it: `1.2.0-rc.1`. Cargo, npm, `VERSION` and the tag take it.
    pub fn semantic(&self) -> String {
        let three = self.three();
        match self.pre {
            None => three,
            Some((phase, count)) => format!("{three}-{}.{count}", word(phase)),
        }
    }

    /// As PEP 440 has it: `1.2.0rc1`.
    pub fn python(&self) -> String {
        let version = pep440::Version {
            pre: self.pre,
            ..pep440::Version::from_release(0, vec![self.major, self.minor, self.patch])
        };
        version.to_string()
    }

    /// As the VS Code Marketplace takes it: three numbers and nothing else. A pre-release gets
    /// ones between the releases before and the one it leads to: `1.2.0-rc.1` is `1.1.30001`,
    /// `2.0.0-rc.1` is `1.30001.0`. Between `1.2.0` and `1.2.1` there is none.
    pub fn marketplace(&self) -> Option<String> {
        let Some((phase, count)) = self.pre else {
            return Some(self.three());
        };
        let rank = match phase {
            Phase::Alpha => 1,
            Phase::Beta => 2,
            Phase::Candidate => 3,
        };
        let code = rank * PHASE + count;
        match (self.major, self.minor, self.patch) {
            (major, minor @ 1.., 0) => Some(format!("{major}.{}.{code}", minor - 1)),
            (major @ 1.., 0, 0) => Some(format!("{}.{code}.0", major - 1)),
            _ => None,
        }
    }

    /// The release that this leads to.
    #[must_use]
    pub fn finished(&self) -> Number {
        Number { pre: None, ..*self }
    }

    /// The version of a level after this one.
    #[must_use]
    pub fn next(&self, level: Level) -> Number {
        let Number {
            major,
            minor,
            patch,
            pre,
        } = *self;
        let three = |major, minor, patch| Number {
            major,
            minor,
            patch,
            pre: None,
        };
        let first = |number: Number| Number {
            pre: Some((Phase::Candidate, 1)),
            ..number
        };
        let unfinished = pre.is_some();
        match level {
            Level::Exactly(number) => number,
            Level::Major if unfinished && minor == 0 && patch == 0 => self.finished(),
            Level::Major => three(major + 1, 0, 0),
            Level::Minor if unfinished && patch == 0 => self.finished(),
            Level::Minor => three(major, minor + 1, 0),
            Level::Patch if unfinished => self.finished(),
            Level::Patch => three(major, minor, patch + 1),
            Level::Pre => match pre {
                Some((phase, count)) => Number {
                    pre: Some((phase, count + 1)),
                    ..*self
                },
                None => first(three(major, minor, patch + 1)),
            },
            Level::PreMinor => first(three(major, minor + 1, 0)),
            Level::PreMajor => first(three(major + 1, 0, 0)),
        }
    }

    fn three(&self) -> String {
        format!("{}.{}.{}", self.major, self.minor, self.patch)
    }
}

fn word(phase: Phase) -> &'static str {
    match phase {
        Phase::Alpha => "alpha",
        Phase::Beta => "beta",
        Phase::Candidate => "rc",
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        let key = |one: &Number| {
            let Number {
                major,
                minor,
                patch,
                pre,
            } = *one;
            (major, minor, patch, pre.is_none(), pre)
        };
        key(self).cmp(&key(other))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.semantic())
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Level, String> {
        Ok(match text {
            "major" => Level::Major,
            "minor" => Level::Minor,
            "patch" => Level::Patch,
            "pre" => Level::Pre,
            "preminor" => Level::PreMinor,
            "premajor" => Level::PreMajor,
            other => Level::Exactly(Number::parse(other).ok_or_else(|| {
                "neither a level nor a version: major, minor, patch, pre, preminor, premajor, \
                 1.2.3 or 1.2.3-rc.1 (alpha and beta likewise)"
                    .to_owned()
            })?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ecosystem_gets_its_spelling() {
        let check = |text: &str, python: &str, marketplace: Option<&str>| {
            let number = Number::parse(text).unwrap();
            assert_eq!(number.semantic(), text);
            assert_eq!(number.python(), python);
            assert_eq!(Number::parse(python), Some(number));
            assert_eq!(number.marketplace().as_deref(), marketplace, "{text}");
        };
        check("1.2.3", "1.2.3", Some("1.2.3"));
        check("1.2.0-rc.1", "1.2.0rc1", Some("1.1.30001"));
        check("1.2.0-beta.12", "1.2.0b12", Some("1.1.20012"));
        check("2.0.0-alpha.1", "2.0.0a1", Some("1.10001.0"));
        check("1.2.1-rc.1", "1.2.1rc1", None);
        check("0.0.0-rc.1", "0.0.0rc1", None);
    }

    #[test]
    fn what_is_no_version_of_a_release_is_refused() {
        for text in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "v1.2.3",
            "01.2.3",
            "1.2.3+build",
            "1.2.3.post1",
            " 1.2.3",
            "1.2.3-rc1",
            "1.2.3-rc",
            "1.2.3.dev1",
            "1!1.2.3",
            "1.2.3-1",
            "1.2.x",
            "1.2.99999999999",
            "1.2.0-rc.10000",
            "1.2.3-RC.1",
            "１.2.3",
        ] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
        assert!("1.2".parse::<Level>().unwrap_err().contains("preminor"));
    }

    #[test]
    fn levels_lead_to_the_next_version() {
        let check = |from: &str, level: &str, expected: &str| {
            let next = Number::parse(from).unwrap().next(level.parse().unwrap());
            assert_eq!(next.semantic(), expected, "{from} {level}");
        };
        check("1.2.3", "major", "2.0.0");
        check("1.2.3", "minor", "1.3.0");
        check("1.2.3", "patch", "1.2.4");
        check("1.2.0", "pre", "1.2.1-rc.1");
        check("1.2.3", "preminor", "1.3.0-rc.1");
        check("1.2.3", "premajor", "2.0.0-rc.1");
        check("1.2.0-rc.1", "pre", "1.2.0-rc.2");
        check("1.2.0-beta.1", "pre", "1.2.0-beta.2");
        check("1.2.0-rc.1", "patch", "1.2.0");
        check("1.2.0-rc.1", "minor", "1.2.0");
        check("1.2.1-rc.1", "minor", "1.3.0");
        check("1.2.0-rc.1", "major", "2.0.0");
        check("2.0.0-rc.1", "major", "2.0.0");
        check("1.2.0-rc.1", "preminor", "1.3.0-rc.1");
        check("1.2.0-beta.1", "1.2.0-rc.1", "1.2.0-rc.1");
        check("1.0.0", "1.0.1rc1", "1.0.1-rc.1");
    }

    #[test]
    fn a_finished_release_is_higher_than_its_pre_releases_everywhere() {
        let ascending = [
            "0.9.9",
            "1.0.0-alpha.1",
            "1.0.0-beta.1",
            "1.0.0-rc.1",
            "1.0.0-rc.2",
            "1.0.0",
            "1.0.7",
            "1.1.0-alpha.1",
            "1.1.0-rc.9999",
            "1.1.0",
            "1.999.9999",
            "2.0.0-rc.1",
            "2.0.0",
        ];
        let numbers: Vec<Number> = ascending
            .iter()
            .filter_map(|it| Number::parse(it))
            .collect();
        assert_eq!(numbers.len(), ascending.len());
        for pair in numbers.windows(2) {
            let [lower, higher] = pair else { continue };
            assert!(lower < higher, "{lower} {higher}");
            let shown = |number: &Number| Number::parse(&number.marketplace().unwrap()).unwrap();
            assert!(shown(lower) < shown(higher), "{lower} {higher}");
            let python = |number: &Number| pep440::Version::parse(&number.python()).unwrap();
            assert!(python(lower) < python(higher), "{lower} {higher}");
        }
    }
}
