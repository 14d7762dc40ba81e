//! Which advisories affect a version, and which version is free of them. Pure.

use super::interval;
use super::order::{self, Key};
use super::{Advisory, Class, High, Interval};
use crate::lockfile::Ecosystem;

/// Whether the advisory affects the version of this key.
pub fn affects(advisory: &Advisory, version: &Key) -> bool {
    interval::contains(&advisory.affected, version)
}

/// Versions that would mend a package: above the locked one, named as a fix by one of the
/// package's advisories, and free of every vulnerability and all malware. The smallest is first.
///
/// A pre-release is among them only for those who use one already.
#[derive(Debug)]
pub struct Fixes<'all>(Vec<(Key, &'all str)>);

impl<'all> Fixes<'all> {
    /// Those for a locked version, of everything that is known about its package.
    pub fn of(all: &'all [Advisory], ecosystem: Ecosystem, version: &str) -> Fixes<'all> {
        let current = order::key(ecosystem, version);
        let takes_unstable = current.is_valid() && !order::is_stable(ecosystem, version);
        // One union, so that each candidate is one search, however many advisories there are.
        let affected = union_of(all.iter().filter(|advisory| is_harmful(advisory)));
        let mut candidates: Vec<(Key, &str)> = all
            .iter()
            .flat_map(|advisory| &advisory.affected)
            .filter_map(|interval| match &interval.high {
                High::Below {
                    fixed: Some(text), ..
                } => Some(without_floor(ecosystem, text)),
                High::Below { fixed: None, .. } | High::Open | High::Through(_) => None,
            })
            .filter(|text| takes_unstable || order::is_stable(ecosystem, text))
            .map(|text| (order::key(ecosystem, text), text))
            .filter(|(key, _)| *key > current)
            .filter(|(key, _)| !interval::contains(&affected, key))
            .collect();
        candidates.sort();
        Fixes(candidates)
    }

    /// The smallest that mends a finding: free of what these advisories say too, be it only
    /// about maintenance.
    pub fn smallest(&self, finding: &[&Advisory]) -> Option<&'all str> {
        let informing = finding.iter().filter(|advisory| !is_harmful(advisory));
        let affected = union_of(informing.copied());
        let mut candidates = self.0.iter();
        let free = candidates.find(|(key, _)| !interval::contains(&affected, key));
        free.map(|(_, text)| *text)
    }
}

/// The smallest version above this one that no vulnerability and no malware affects.
pub fn smallest_fix(all: &[Advisory], ecosystem: Ecosystem, version: &str) -> Option<String> {
    let fixes = Fixes::of(all, ecosystem, version);
    fixes.smallest(&[]).map(str::to_owned)
}

fn is_harmful(advisory: &Advisory) -> bool {
    match advisory.class {
        Class::Vulnerability | Class::Malware => true,
        Class::Unsound | Class::Unmaintained | Class::Notice | Class::Yanked => false,
    }
}

fn union_of<'one>(advisories: impl Iterator<Item = &'one Advisory>) -> Vec<Interval> {
    let intervals = advisories.flat_map(|advisory| advisory.affected.iter().cloned());
    interval::union(intervals.collect())
}

/// RustSec writes "above 1.2.2" as `fixed: "1.2.3-0"`, the lowest pre-release that there could
/// be. Nobody has published that one; the release behind it is meant.
fn without_floor(ecosystem: Ecosystem, text: &str) -> &str {
    match ecosystem {
        Ecosystem::CratesIo => text.strip_suffix("-0").unwrap_or(text),
        Ecosystem::Pypi | Ecosystem::Npm => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::test_data::advisory;

    #[test]
    fn a_version_is_affected_where_its_interval_is() {
        let check = |ecosystem, versions: &str, version: &str, expected: bool| {
            let one = advisory(ecosystem, "A-1", "", versions);
            let key = order::key(ecosystem, version);
            assert_eq!(affects(&one, &key), expected, "{version} in {versions}");
        };
        check(Ecosystem::Pypi, "=1.0", "1.0.0", true);
        check(Ecosystem::Pypi, "=1.0", "1.0.0+local", false);
        check(Ecosystem::Pypi, ">=0 <2.10.0-NA", "1.0", false);
        check(Ecosystem::Npm, ">=0 <2.0.0", "2.0.0-rc.1", true);
        check(Ecosystem::Npm, ">=0 <2.0.0", "2.0.0+build", false);
        check(Ecosystem::CratesIo, ">=0.2.1-0 <0.2.1", "0.2.1-alpha", true);
        check(Ecosystem::CratesIo, ">=0.2.1-0 <0.2.1", "0.2.1", false);
        check(Ecosystem::CratesIo, ">=0.23.0 <0.23.0", "0.23.0", false);
        check(Ecosystem::CratesIo, "", "0.23.0", false);
    }

    #[test]
    fn a_fix_is_the_smallest_version_that_is_free() {
        let check = |advisories: &[&str], ecosystem, version: &str, expected: Option<&str>| {
            let all: Vec<Advisory> = advisories
                .iter()
                .map(|versions| advisory(ecosystem, "A-1", "", versions))
                .collect();
            let found = smallest_fix(&all, ecosystem, version);
            assert_eq!(found.as_deref(), expected, "{version} of {advisories:?}");
        };
        let python = Ecosystem::Pypi;
        check(&[">=0 <2"], python, "1", Some("2"));
        check(&[">=0 <2 >=3 <4"], python, "1", Some("2"));
        check(&[">=0 <2 >=3 <4"], python, "3.1", Some("4"));
        check(&[">=0 <2", ">=1 <3.0"], python, "1", Some("3.0"));
        check(&[">=0 <2", ">=2 <=2"], python, "1", None);
        check(&[">=0 <2", ">=2 <2.1"], python, "1", Some("2.1"));
        check(&[">=0 <2", ">=1"], python, "1", None);
        check(&[">=0 <=2"], python, "1", None);
        check(&[">=0 <2rc1", ">=0 <2"], python, "1", Some("2"));
        check(&[">=0 <2rc1"], python, "1", None);
        check(&[">=0 <2rc2"], python, "2rc1", Some("2rc2"));
        check(&[">=0 <2024-12-04", ">=0 <3"], python, "1", Some("3"));
        check(&[">=0 <2"], python, "no version", Some("2"));
        check(&[">=0 |2"], python, "1", None);
        check(&[], python, "1", None);
        let rust = Ecosystem::CratesIo;
        // RUSTSEC-2020-0071 of `time` has this shape.
        let time = ">=0.1.0 <0.2.0 >=0.2.1-0 <0.2.1 >=0.2.2-0 <0.2.2 >=0.2.3 <0.2.23";
        check(&[time], rust, "0.1.42", Some("0.2.0"));
        check(&[time], rust, "0.2.10", Some("0.2.23"));
        check(&[">=0 <0.8.2-0"], rust, "0.8.1", Some("0.8.2"));
        check(
            &[">=0 <0.8.2-0", ">=0.8.2 <0.8.3"],
            rust,
            "0.8.1",
            Some("0.8.3"),
        );
    }

    #[test]
    fn what_is_only_unmaintained_stands_in_the_way_of_its_own_finding_alone() {
        let rust = Ecosystem::CratesIo;
        let harmful = advisory(rust, "A-1", "", ">=0 <2.0.0");
        let unmaintained = Advisory {
            class: Class::Unmaintained,
            ..advisory(rust, "A-2", "", ">=0 <3.0.0")
        };
        let all = [harmful, unmaintained.clone()];
        assert_eq!(smallest_fix(&all, rust, "1.0.0").as_deref(), Some("2.0.0"));
        let fixes = Fixes::of(&all, rust, "1.0.0");
        assert_eq!(fixes.smallest(&[&unmaintained]), Some("3.0.0"));
    }
}
