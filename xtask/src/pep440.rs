//! Python versions and the sets of versions that constraints describe. Pure.
//!
//! [`Version`] follows PEP 440 (spelling, order). [`Constraint`] is a set of versions with the
//! operations that Poetry performs on it, and the spelling in which Poetry writes the result:
//! `requirements` must come out letter for letter as Poetry's own export does, and it is
//! these operations that decide the letters. Nothing here knows of packages or markers.

mod constraint;
mod parse;
mod piece;
mod show;

use std::cmp::Ordering;
use std::fmt;

pub use constraint::{Constraint, regions};
pub(crate) use parse::alternatives_of;
pub use parse::{Context, parse};
pub use piece::{Piece, Range};

/// Text that is not what it should be: a version, a constraint or a marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid(pub String);

impl fmt::Display for Invalid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The phase of a pre-release, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// `a`, also spelt `alpha`.
    Alpha,
    /// `b`, also spelt `beta`.
    Beta,
    /// `rc`, also spelt `c`, `pre` and `preview`.
    Candidate,
}

/// A version by PEP 440, kept in its parts; its text is the normal form.
#[derive(Debug, Clone)]
pub struct Version {
    /// The number before `!`; 0 when there is none.
    pub epoch: u64,
    /// The numbers between the dots, as many as were written.
    pub release: Vec<u64>,
    /// Phase and number of a pre-release.
    pub pre: Option<(Phase, u64)>,
    /// The number of a post-release.
    pub post: Option<u64>,
    /// The number of a development release.
    pub dev: Option<u64>,
    /// The segments of a local version, in lower case.
    pub local: Option<Vec<String>>,
}

impl Version {
    /// A version of nothing but release numbers.
    pub fn from_release(epoch: u64, release: Vec<u64>) -> Version {
        Version {
            epoch,
            release,
            pre: None,
            post: None,
            dev: None,
            local: None,
        }
    }

    /// Reads any spelling that PEP 440 allows, with space around it.
    ///
    /// # Errors
    /// The text is no version, or one of its numbers does not fit into 64 bits.
    pub fn parse(text: &str) -> Result<Version, Invalid> {
        match parse::version_prefix(text.trim()) {
            Some((version, "")) => Ok(version),
            _ => Err(Invalid(format!("`{text}` is not a version"))),
        }
    }

    /// How many release numbers were written.
    pub fn precision(&self) -> usize {
        self.release.len()
    }

    /// Whether this is a pre- or development release.
    pub fn is_unstable(&self) -> bool {
        self.pre.is_some() || self.dev.is_some()
    }

    /// The release that this unstable version leads to; a stable one is itself.
    #[must_use]
    pub fn stable(&self) -> Version {
        if !self.is_unstable() {
            return self.clone();
        }
        let post = if self.pre.is_none() { self.post } else { None };
        Version {
            post,
            ..Version::from_release(self.epoch, self.release.clone())
        }
    }

    /// The same version before its first development release: `V.dev0`.
    #[must_use]
    pub fn first_development(&self) -> Version {
        Version {
            dev: Some(0),
            local: None,
            ..self.clone()
        }
    }

    /// Without its local part.
    #[must_use]
    pub fn without_local(&self) -> Version {
        Version {
            local: None,
            ..self.clone()
        }
    }

    /// Without its development part.
    #[must_use]
    pub fn without_development(&self) -> Version {
        Version {
            dev: None,
            ..self.clone()
        }
    }

    /// Without its post-release part, if it has one.
    #[must_use]
    pub fn without_post(&self) -> Version {
        match self.post {
            Some(_) => Version {
                post: None,
                dev: None,
                ..self.clone()
            },
            None => self.clone(),
        }
    }

    /// The next version in which the number at `index` (0 is the major one) is higher.
    #[must_use]
    pub fn next_at(&self, index: usize) -> Version {
        let mut release = self.release.clone();
        if release.len() <= index {
            release.resize(index + 1, 0);
        }
        let zero_behind = release[index + 1..].iter().all(|&number| number == 0);
        let is_final = !self.is_unstable() || (self.pre.is_none() && self.post.is_some());
        if is_final || !zero_behind {
            release[index] += 1;
            release[index + 1..].fill(0);
            Version::from_release(self.epoch, release)
        } else {
            Version::from_release(self.epoch, self.release.clone())
        }
    }

    /// The first version that a caret (`^`) keeps out.
    #[must_use]
    pub fn next_breaking(&self) -> Version {
        let number = |index: usize| self.release.get(index).copied();
        let stable = self.stable();
        match (number(0), number(1), number(2)) {
            (Some(1..), ..) | (_, None, _) => stable.next_at(0),
            (_, Some(1..), _) | (.., None) => stable.next_at(1),
            _ => stable.next_at(2),
        }
    }

    /// The first release after all that begin like this one: the end of `V.*`.
    #[must_use]
    pub fn next_after_wildcard(&self) -> Version {
        if self.post.is_some() {
            self.next_post()
        } else if !self.is_unstable() {
            let mut release = self.release.clone();
            if let Some(last) = release.last_mut() {
                *last += 1;
            }
            Version {
                local: self.local.clone(),
                ..Version::from_release(self.epoch, release)
            }
        } else if let Some((phase, number)) = self.pre {
            let number = if self.dev.is_some() {
                number
            } else {
                number + 1
            };
            Version {
                pre: Some((phase, number)),
                ..Version::from_release(self.epoch, self.release.clone())
            }
        } else {
            self.next_development()
        }
    }

    /// The next post-release.
    #[must_use]
    pub fn next_post(&self) -> Version {
        let post = match (self.post, self.dev) {
            (Some(number), None) => number + 1,
            (Some(number), Some(_)) => number,
            (None, _) => 0,
        };
        Version {
            post: Some(post),
            dev: None,
            local: None,
            ..self.clone()
        }
    }

    /// The next development release.
    #[must_use]
    pub fn next_development(&self) -> Version {
        Version {
            dev: Some(self.dev.map_or(0, |number| number + 1)),
            local: None,
            ..self.clone()
        }
    }

    /// Whether `==` with this version lets the other in: a public version lets in its local ones.
    pub fn allows(&self, other: &Version) -> bool {
        if self.local.is_none() && other.local.is_some() {
            *self == other.without_local()
        } else {
            self == other
        }
    }

    fn phase_rank(&self) -> (u8, u64) {
        match (self.pre, self.post, self.dev) {
            (None, None, Some(_)) => (0, 0),
            (Some((phase, number)), ..) => (1 + phase as u8, number),
            (None, ..) => (9, 0),
        }
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Version) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Version) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Version) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| compare_release(&self.release, &other.release))
            .then_with(|| self.phase_rank().cmp(&other.phase_rank()))
            .then_with(|| self.post.cmp(&other.post))
            .then_with(|| (self.dev.is_none(), self.dev).cmp(&(other.dev.is_none(), other.dev)))
            .then_with(|| compare_local(self.local.as_deref(), other.local.as_deref()))
    }
}

/// `1.0` equals `1.0.0`: missing numbers count as zero.
fn compare_release(one: &[u64], other: &[u64]) -> Ordering {
    let number = |release: &[u64], index: usize| release.get(index).copied().unwrap_or(0);
    (0..one.len().max(other.len()))
        .map(|index| number(one, index).cmp(&number(other, index)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// No local part comes first; words come before numbers.
fn compare_local(one: Option<&[String]>, other: Option<&[String]>) -> Ordering {
    fn key(segment: &str) -> (bool, usize, &str) {
        if segment.bytes().all(|byte| byte.is_ascii_digit()) {
            let digits = segment.trim_start_matches('0');
            (true, digits.len(), digits)
        } else {
            (false, 0, segment)
        }
    }
    match (one, other) {
        (Some(one), Some(other)) => {
            let one = one.iter().map(|segment| key(segment));
            one.cmp(other.iter().map(|segment| key(segment)))
        }
        (one, other) => one.is_some().cmp(&other.is_some()),
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.epoch != 0 {
            write!(formatter, "{}!", self.epoch)?;
        }
        let numbers: Vec<String> = self.release.iter().map(u64::to_string).collect();
        formatter.write_str(&numbers.join("."))?;
        if let Some((phase, number)) = self.pre {
            let phase = match phase {
                Phase::Alpha => "a",
                Phase::Beta => "b",
                Phase::Candidate => "rc",
            };
            write!(formatter, "{phase}{number}")?;
        }
        if let Some(number) = self.post {
            write!(formatter, ".post{number}")?;
        }
        if let Some(number) = self.dev {
            write!(formatter, ".dev{number}")?;
        }
        if let Some(local) = &self.local {
            write!(formatter, "+{}", local.join("."))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
