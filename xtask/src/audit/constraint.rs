//! Whether what asks for a package lets a version in, in each ecosystem's own words.

use crate::lockfile::Ecosystem;
use crate::pep440;

/// Whether a constraint lets a version in; `None` when either cannot be read.
///
/// Sources: PEP 440 and Poetry's constraints, npm's `node-semver` ranges, Cargo's requirements.
pub fn allows(ecosystem: Ecosystem, constraint: &str, version: &str) -> Option<bool> {
    match ecosystem {
        Ecosystem::Pypi => {
            let constraint = requirement_constraint(constraint);
            let constraint = pep440::parse(&constraint, pep440::Context::Distribution).ok()?;
            let version = pep440::Version::parse(version).ok()?;
            Some(constraint.allows(&version))
        }
        Ecosystem::Npm => {
            let range = nodejs_semver::Range::parse(constraint).ok()?;
            let version = nodejs_semver::Version::parse(version).ok()?;
            Some(range.satisfies(&version))
        }
        Ecosystem::CratesIo => {
            let requirement = semver::VersionReq::parse(constraint).ok()?;
            let version = semver::Version::parse(version).ok()?;
            Some(requirement.matches(&version))
        }
    }
}

/// A constraint may stand in parentheses, as old metadata write it: `(>=1.0,<2)`.
fn requirement_constraint(text: &str) -> String {
    let text = text.trim();
    let inner = text
        .strip_prefix('(')
        .and_then(|text| text.strip_suffix(')'));
    let text = inner.unwrap_or(text).trim();
    if text.is_empty() { "*" } else { text }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ecosystem_reads_its_own_words() {
        use Ecosystem::{CratesIo, Npm, Pypi};
        let check = |ecosystem, constraint, version, expected| {
            let found = allows(ecosystem, constraint, version);
            assert_eq!(found, expected, "{ecosystem} {constraint} {version}");
        };
        check(Pypi, "^1.2", "1.9", Some(true));
        check(Pypi, "^1.2", "2.0", Some(false));
        check(Pypi, ">=1,<2", "1.5.1", Some(true));
        check(Pypi, "(>=1,<2)", "2", Some(false));
        check(Pypi, "", "2", Some(true));
        check(Pypi, "*", "2", Some(true));
        check(Pypi, ">=1", "what", None);
        check(Npm, "^1.2.0 || >=3", "3.0.1", Some(true));
        check(Npm, "~1.2.0", "1.3.0", Some(false));
        check(Npm, "1.x", "1.99.0", Some(true));
        check(Npm, "latest", "1.0.0", None);
        check(CratesIo, "0.3", "0.3.9", Some(true));
        check(CratesIo, "0.3", "0.4.0", Some(false));
        check(CratesIo, "=1.0.0", "1.0.1", Some(false));
    }
}
