//! Findings of one package put together: what is wrong with it, and where it is locked. Pure.

use std::collections::BTreeMap;

use super::phrase;
use super::report::{Finding, Report, Verdict};
use crate::lockfile::Ecosystem;

/// All findings of one package in one version, ignored ones aside.
#[derive(Debug)]
pub struct Group<'report> {
    /// Whose package.
    pub ecosystem: Ecosystem,
    /// The package.
    pub package: &'report str,
    /// Its version.
    pub version: &'report str,
    /// Its problems, worst first.
    pub problems: Vec<Problem<'report>>,
    /// Where it is locked, by lock file and line.
    pub places: Vec<Place<'report>>,
}

/// One problem with one verdict, and every place that has it.
#[derive(Debug)]
pub struct Problem<'report> {
    /// The first of its findings; they differ in their places only.
    pub finding: &'report Finding,
    /// In how many places.
    pub places: usize,
}

/// One entry of a lock file, and the problems it has.
#[derive(Debug)]
pub struct Place<'report> {
    /// Its findings, worst first.
    pub findings: Vec<&'report Finding>,
}

/// The part of a report that a section is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// Vulnerabilities and malware.
    Vulnerable,
    /// Unmaintained, unsound, yanked, and other things to know.
    Informational,
}

/// The findings of a section that no entry accepts, worst first.
pub fn findings(report: &Report, about: About) -> Vec<&Finding> {
    sorted(report, |finding| {
        let informational = phrase::is_informational(finding.class);
        !is_ignored(finding) && informational == (about == About::Informational)
    })
}

/// The findings that an entry accepts.
pub fn ignored(report: &Report) -> Vec<&Finding> {
    sorted(report, is_ignored)
}

/// All findings, worst first.
pub fn all(report: &Report) -> Vec<&Finding> {
    sorted(report, |_| true)
}

fn is_ignored(finding: &Finding) -> bool {
    matches!(finding.verdict, Verdict::Ignored { .. })
}

fn sorted(report: &Report, keep: impl Fn(&Finding) -> bool) -> Vec<&Finding> {
    let mut kept: Vec<&Finding> = report.findings.iter().filter(|one| keep(one)).collect();
    kept.sort_by_cached_key(|finding| phrase::rank(finding));
    kept
}

/// Groups findings by package and version; the order of the findings decides theirs.
pub fn groups<'report>(findings: &[&'report Finding]) -> Vec<Group<'report>> {
    let mut index = BTreeMap::new();
    let mut members: Vec<Vec<&'report Finding>> = Vec::new();
    for &finding in findings {
        let key = (finding.ecosystem, &finding.package, &finding.version);
        let place = *index.entry(key).or_insert(members.len());
        match members.get_mut(place) {
            Some(group) => group.push(finding),
            None => members.push(vec![finding]),
        }
    }
    members.iter().filter_map(|group| one(group)).collect()
}

fn one<'report>(findings: &[&'report Finding]) -> Option<Group<'report>> {
    let first = findings.first()?;
    let mut problems: Vec<Problem<'report>> = Vec::new();
    let mut known = BTreeMap::new();
    let mut places: BTreeMap<(&str, usize), Vec<&'report Finding>> = BTreeMap::new();
    for &finding in findings {
        let key = (
            &finding.id,
            phrase::mark(&finding.verdict),
            &finding.because,
        );
        let index = *known.entry(key).or_insert(problems.len());
        match problems.get_mut(index) {
            Some(problem) => problem.places += 1,
            None => problems.push(Problem { finding, places: 1 }),
        }
        places
            .entry((&finding.lock, finding.line))
            .or_default()
            .push(finding);
    }
    Some(Group {
        ecosystem: first.ecosystem,
        package: &first.package,
        version: &first.version,
        problems,
        places: places
            .into_values()
            .map(|findings| Place { findings })
            .collect(),
    })
}
