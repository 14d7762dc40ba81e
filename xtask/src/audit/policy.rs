//! What an audit stops at: thresholds, exceptions with an end, allowed licenses.

use jiff::SignedDuration;
use jiff::civil::Date;

use super::report::Verdict;
use crate::advisory::{Class, Level};
use crate::gate::pattern::Pattern;
use crate::lockfile::Scope;

/// `[audit]` of `release.toml`.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// From which score on a shipped package is refused.
    pub threshold: Threshold,
    /// The same for packages that only serve development.
    pub development_threshold: Threshold,
    /// What to say about a vulnerability of a shipped package that nobody has scored.
    pub unknown: Answer,
    /// The same for packages that only serve development.
    pub development_unknown: Answer,
    /// What to say about packages nobody maintains.
    pub unmaintained: Answer,
    /// What to say about unsound packages.
    pub unsound: Answer,
    /// What to say about notices.
    pub notice: Answer,
    /// What to say about versions that were taken back.
    pub yanked: Answer,
    /// How old the database may be.
    pub max_age: SignedDuration,
    /// What to say about exceptions that accept nothing.
    pub unused_ignores: Answer,
    /// Findings that are accepted, each with its reason and its end.
    pub ignores: Vec<Ignore>,
    /// Lock files that are left out, each with its reason.
    pub skips: Vec<Skip>,
    /// Lock files of which nothing ships.
    pub development: Vec<Pattern>,
    /// What licenses packages may have; `None` when nobody asks.
    pub licenses: Option<Licenses>,
}

/// From which score on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threshold {
    /// This base score in tenths and everything above.
    Tenths(u8),
    /// No score is too high.
    Never,
}

/// What to do about a class of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Stop.
    Deny,
    /// Report it and go on.
    Warn,
}

/// An entry of `[[audit.ignore]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignore {
    /// Any id of the vulnerability.
    pub id: String,
    /// The package it is accepted for.
    pub package: String,
    /// The only version it is accepted for, if there is one.
    pub version: Option<String>,
    /// Why it is right here.
    pub reason: String,
    /// The last day on which it holds.
    pub until: Date,
    /// Its line in `release.toml`.
    pub line: usize,
}

/// An entry of `[[audit.skip]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Skip {
    /// A pattern for the lock file's path from the root.
    pub path: Pattern,
    /// Why nothing in it needs an audit.
    pub reason: String,
}

/// `[audit.license]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Licenses {
    /// SPDX ids that are allowed, with `WITH` exceptions where they have one.
    pub allow: Vec<spdx::Licensee>,
    /// What to say about packages whose metadata name no license, or are not there.
    pub unknown: Answer,
    /// Packages whose license was looked at by a person.
    pub exceptions: Vec<LicenseException>,
}

/// An entry of `[[audit.license.exception]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenseException {
    /// The package.
    pub package: String,
    /// Why its license is right here.
    pub reason: String,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            threshold: Threshold::Tenths(Level::Medium.floor()),
            development_threshold: Threshold::Tenths(Level::High.floor()),
            unknown: Answer::Deny,
            development_unknown: Answer::Warn,
            unmaintained: Answer::Warn,
            unsound: Answer::Warn,
            notice: Answer::Warn,
            yanked: Answer::Warn,
            max_age: SignedDuration::from_hours(7 * 24),
            unused_ignores: Answer::Warn,
            ignores: Vec::new(),
            skips: Vec::new(),
            development: Vec::new(),
            licenses: None,
        }
    }
}

impl Answer {
    /// The verdict that it stands for.
    pub fn verdict(self) -> Verdict {
        match self {
            Answer::Deny => Verdict::Denied,
            Answer::Warn => Verdict::Warned,
        }
    }
}

impl Policy {
    /// Whether nothing of a lock file ships, by its path.
    pub fn is_development(&self, lock: &str) -> bool {
        self.development.iter().any(|pattern| pattern.matches(lock))
    }

    /// What it says about a finding that no exception accepts, and why in a few words.
    pub fn judge(
        &self,
        class: Class,
        level: Level,
        tenths: Option<u8>,
        scope: Scope,
    ) -> (Answer, String) {
        match class {
            Class::Malware => (Answer::Deny, "malicious code is always refused".to_owned()),
            Class::Unmaintained => by_class(self.unmaintained, "unmaintained"),
            Class::Unsound => by_class(self.unsound, "unsound"),
            Class::Notice => by_class(self.notice, "notice"),
            Class::Yanked => by_class(self.yanked, "yanked"),
            Class::Vulnerability => self.by_severity(level, tenths, scope),
        }
    }

    fn by_severity(&self, level: Level, tenths: Option<u8>, scope: Scope) -> (Answer, String) {
        let (threshold, unknown, key, unknown_key) = match scope {
            Scope::Ships => (self.threshold, self.unknown, "threshold", "unknown"),
            Scope::Development => (
                self.development_threshold,
                self.development_unknown,
                "development-threshold",
                "development-unknown",
            ),
        };
        let Some(tenths) = tenths.or_else(|| level.known_floor()) else {
            return by_key(unknown, &format!("severity unknown, audit.{unknown_key}"));
        };
        match threshold {
            Threshold::Tenths(limit) if tenths >= limit => (
                Answer::Deny,
                format!("at or above audit.{key}, which is {threshold}"),
            ),
            Threshold::Tenths(_) | Threshold::Never => (
                Answer::Warn,
                format!("below audit.{key}, which is {threshold}"),
            ),
        }
    }
}

fn by_class(answer: Answer, key: &str) -> (Answer, String) {
    by_key(answer, &format!("audit.{key}"))
}

fn by_key(answer: Answer, key: &str) -> (Answer, String) {
    let word = match answer {
        Answer::Deny => "deny",
        Answer::Warn => "warn",
    };
    (answer, format!("{key} = \"{word}\""))
}

impl Level {
    /// The lowest score of this level, in tenths (CVSS v3.1, section 5); 0 when unknown.
    pub fn floor(self) -> u8 {
        match self {
            Level::None | Level::Unknown => 0,
            Level::Low => 1,
            Level::Medium => 40,
            Level::High => 70,
            Level::Critical => 90,
        }
    }

    fn known_floor(self) -> Option<u8> {
        (self != Level::Unknown).then(|| self.floor())
    }
}

impl std::fmt::Display for Threshold {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Threshold::Never => formatter.write_str("never"),
            Threshold::Tenths(tenths) => {
                let levels = [Level::Low, Level::Medium, Level::High, Level::Critical];
                match levels.into_iter().find(|level| level.floor() == *tenths) {
                    Some(level) => formatter.write_str(super::phrase::level(level)),
                    None => write!(formatter, "{}.{}", tenths / 10, tenths % 10),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        policy: &Policy,
        class: Class,
        level: Level,
        tenths: Option<u8>,
        scope: Scope,
    ) -> bool {
        policy.judge(class, level, tenths, scope).0 == Answer::Deny
    }

    #[test]
    fn severity_scope_and_class_decide() {
        use Class::{Malware, Unmaintained, Vulnerability};
        use Scope::{Development, Ships};
        let policy = Policy::default();
        let denied = |class, level, tenths, scope| check(&policy, class, level, tenths, scope);
        assert!(denied(Vulnerability, Level::Medium, Some(40), Ships));
        assert!(!denied(Vulnerability, Level::Low, Some(39), Ships));
        assert!(!denied(Vulnerability, Level::Medium, Some(69), Development));
        assert!(denied(Vulnerability, Level::High, None, Development));
        assert!(denied(Vulnerability, Level::Unknown, None, Ships));
        assert!(!denied(Vulnerability, Level::Unknown, None, Development));
        assert!(denied(Malware, Level::Unknown, None, Development));
        assert!(!denied(Unmaintained, Level::Unknown, None, Ships));
    }

    #[test]
    fn the_reason_names_the_key_that_decided() {
        let policy = Policy {
            threshold: Threshold::Never,
            ..Policy::default()
        };
        let why = |level, tenths| {
            policy
                .judge(Class::Vulnerability, level, tenths, Scope::Ships)
                .1
        };
        assert_eq!(
            why(Level::Critical, Some(98)),
            "below audit.threshold, which is never"
        );
        assert_eq!(
            why(Level::Unknown, None),
            "severity unknown, audit.unknown = \"deny\""
        );
    }
}
