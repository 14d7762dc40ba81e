//! Findings that a person has accepted: by any of their ids, for one package, until a day.

use jiff::civil::Date;

use super::examine::Extent;
use super::policy::{Answer, Ignore};
use super::report::{IgnoreNotice, IgnoreState};
use crate::advisory::record::normal_name;
use crate::lockfile::{Ecosystem, Package};

/// The exceptions of a policy, and which of them had something to accept.
#[derive(Debug)]
pub struct Exceptions<'policy> {
    entries: Vec<(&'policy Ignore, bool)>,
    today: Date,
}

/// What the exceptions say about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted<'policy> {
    /// Nothing.
    No,
    /// It is accepted.
    Until {
        /// Why.
        reason: &'policy str,
        /// The last day.
        until: Date,
    },
    /// It was accepted.
    Expired {
        /// The last day.
        until: Date,
    },
}

impl<'policy> Exceptions<'policy> {
    /// The exceptions as they are on a day.
    pub fn new(ignores: &'policy [Ignore], today: Date) -> Exceptions<'policy> {
        Exceptions {
            entries: ignores.iter().map(|ignore| (ignore, false)).collect(),
            today,
        }
    }

    /// Looks for entries about a finding with these ids. Of several the one that holds longest
    /// decides; all of them count as used.
    pub fn accept(
        &mut self,
        ids: &[String],
        ecosystem: Ecosystem,
        package: &Package,
    ) -> Accepted<'policy> {
        let mut longest: Option<&'policy Ignore> = None;
        for (ignore, used) in &mut self.entries {
            if !speaks_of(ignore, ids, ecosystem, package) {
                continue;
            }
            *used = true;
            if longest.is_none_or(|sofar| sofar.until < ignore.until) {
                longest = Some(ignore);
            }
        }
        match longest {
            None => Accepted::No,
            Some(ignore) if ignore.until < self.today => Accepted::Expired {
                until: ignore.until,
            },
            Some(ignore) => Accepted::Until {
                reason: &ignore.reason,
                until: ignore.until,
            },
        }
    }

    /// Entries that need attention: expired ones, and unused ones when everything was examined.
    pub fn notices(&self, extent: Extent, unused: Answer) -> Vec<IgnoreNotice> {
        let state = |&(ignore, used): &(&Ignore, bool)| match (used, extent) {
            (true, _) if ignore.until < self.today => Some(IgnoreState::Expired {
                until: ignore.until.to_string(),
            }),
            (false, Extent::Whole) => Some(IgnoreState::Unused),
            _ => None,
        };
        let notice = |entry: &(&Ignore, bool)| {
            let state = state(entry)?;
            Some(IgnoreNotice {
                id: entry.0.id.clone(),
                package: entry.0.package.clone(),
                line: entry.0.line,
                denied: state == IgnoreState::Unused && unused == Answer::Deny,
                state,
            })
        };
        self.entries.iter().filter_map(notice).collect()
    }
}

fn speaks_of(ignore: &Ignore, ids: &[String], ecosystem: Ecosystem, package: &Package) -> bool {
    // Python names have many spellings; elsewhere another spelling is another package.
    let is_package =
        normal_name(ecosystem, &ignore.package) == normal_name(ecosystem, &package.name);
    let is_version = ignore
        .version
        .as_ref()
        .is_none_or(|version| *version == package.version);
    is_package && is_version && ids.iter().any(|id| id.eq_ignore_ascii_case(&ignore.id))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::audit::examples::package;

    fn ignore(id: &str, package: &str, version: Option<&str>, until: Date) -> Ignore {
        Ignore {
            id: id.to_owned(),
            package: package.to_owned(),
            version: version.map(str::to_owned),
            reason: "why".to_owned(),
            until,
            line: 7,
        }
    }

    fn check(entry: Ignore, ids: &[&str], expected: Accepted<'_>) {
        let entries = [entry];
        let mut exceptions = Exceptions::new(&entries, date(2026, 11, 20));
        let ids: Vec<String> = ids.iter().map(|&id| id.to_owned()).collect();
        assert_eq!(
            exceptions.accept(&ids, Ecosystem::Pypi, &package("p-q", "1.0", &[])),
            expected
        );
    }

    #[test]
    fn any_id_counts_for_one_package_and_perhaps_one_version() {
        let later = date(2026, 11, 20);
        let yes = Accepted::Until {
            reason: "why",
            until: later,
        };
        check(
            ignore("CVE-1", "p-q", None, later),
            &["GHSA-1", "CVE-1"],
            yes,
        );
        check(ignore("cve-1", "p-q", None, later), &["CVE-1"], yes);
        check(ignore("CVE-1", "p-q", Some("1.0"), later), &["CVE-1"], yes);
        check(
            ignore("CVE-1", "p-q", Some("1.1"), later),
            &["CVE-1"],
            Accepted::No,
        );
        check(
            ignore("CVE-1", "other", None, later),
            &["CVE-1"],
            Accepted::No,
        );
        check(
            ignore("CVE-2", "p-q", None, later),
            &["CVE-1"],
            Accepted::No,
        );
        let over = date(2026, 11, 19);
        check(
            ignore("CVE-1", "p-q", None, over),
            &["CVE-1"],
            Accepted::Expired { until: over },
        );
    }

    #[test]
    fn spellings_of_a_name_are_one_package_for_python_alone() {
        let entries = [ignore("CVE-1", "P_q", None, date(2030, 1, 1))];
        let accepts = |ecosystem, name: &str| {
            let mut exceptions = Exceptions::new(&entries, date(2026, 11, 20));
            let ids = ["CVE-1".to_owned()];
            exceptions.accept(&ids, ecosystem, &package(name, "1.0", &[])) != Accepted::No
        };
        assert!(accepts(Ecosystem::Pypi, "p-q"));
        assert!(accepts(Ecosystem::Npm, "P_q"));
        assert!(!accepts(Ecosystem::Npm, "p-q"));
        assert!(!accepts(Ecosystem::CratesIo, "p-q"));
    }

    #[test]
    fn expired_and_unused_entries_are_noticed() {
        let entries = [
            ignore("CVE-1", "p", None, date(2020, 1, 1)),
            ignore("CVE-2", "p", None, date(2030, 1, 1)),
            ignore("CVE-3", "p", None, date(2030, 1, 1)),
        ];
        let mut exceptions = Exceptions::new(&entries, date(2026, 11, 20));
        for id in ["CVE-1", "CVE-2"] {
            exceptions.accept(&[id.to_owned()], Ecosystem::Npm, &package("p", "1", &[]));
        }
        let seen = |extent, answer| {
            let notices = exceptions.notices(extent, answer);
            let short = notices.into_iter().map(|one| (one.id, one.denied));
            short.collect::<Vec<_>>()
        };
        let one = |id: &str, denied| (id.to_owned(), denied);
        assert_eq!(seen(Extent::Part, Answer::Deny), [one("CVE-1", false)]);
        assert_eq!(
            seen(Extent::Whole, Answer::Deny),
            [one("CVE-1", false), one("CVE-3", true)]
        );
        assert_eq!(
            seen(Extent::Whole, Answer::Warn),
            [one("CVE-1", false), one("CVE-3", false)]
        );
    }
}
