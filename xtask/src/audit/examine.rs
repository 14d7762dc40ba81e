//! Looks every locked package up and holds what is found against the policy.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::chain::Chains;
use super::exception::{Accepted, Exceptions};
use super::policy::{Answer, Policy};
use super::remedy::Remedies;
use super::report::{Finding, Fix, LockFile, Report, Summary, Unchecked, Verdict};
use crate::advisory::group::{self, Group};
use crate::advisory::matching::{self, Fixes};
use crate::advisory::{Advisory, Class, Level, Provenance, Severity, order};
use crate::artifact::Digest;
use crate::error::Result;
use crate::lockfile::{Ecosystem, Kind, Lock, Package, Scope, Source};

/// A lock file that was read.
#[derive(Debug)]
pub struct Scanned {
    /// From the root, with slashes.
    pub path: String,
    /// Its kind.
    pub kind: &'static Kind,
    /// What it says.
    pub lock: Lock,
    /// The digest of its text.
    pub sha256: Digest,
}

/// What is examined.
#[derive(Debug)]
pub struct Subject {
    /// Lock files that were read, by path.
    pub scanned: Vec<Scanned>,
    /// Lock files that were found and left out.
    pub skipped: Vec<LockFile>,
    /// Whether these are all lock files of the repository.
    pub extent: Extent,
}

/// How much of a repository is examined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it, so that an exception without a finding is unused.
    Whole,
    /// Some lock files only.
    Part,
}

/// Where advisories come from: all that name this package in its normal form.
pub type Lookup<'source> = dyn Fn(Ecosystem, &str) -> Result<Vec<Advisory>> + 'source;

/// Examines lock files.
///
/// # Errors
/// What `lookup` fails with; nothing is reported then, as an audit that misses a database says
/// nothing about a package.
pub fn examine(
    subject: &Subject,
    databases: Vec<Provenance>,
    lookup: &Lookup<'_>,
    policy: &Policy,
    today: Date,
) -> Result<Report> {
    let mut exceptions = Exceptions::new(&policy.ignores, today);
    let mut findings = Vec::new();
    let mut unchecked = Vec::new();
    let mut warnings = unanswerable(policy);
    let mut locks = subject.skipped.clone();
    for scanned in &subject.scanned {
        let before = unchecked.len();
        let mut examination = Examination {
            scanned,
            policy,
            lookup,
            exceptions: &mut exceptions,
            chains: None,
            remedies: None,
        };
        for (index, package) in scanned.lock.packages.iter().enumerate() {
            match not_checked(&package.source) {
                Some(reason) => {
                    let namesake = examination.namesake(package)?;
                    unchecked.push(left_out(scanned, package, reason, namesake));
                }
                None => examination.package(index, package, &mut findings)?,
            }
            let is_compared = not_checked(&package.source).is_none();
            if is_compared && !order::is_version(scanned.lock.ecosystem, &package.version) {
                warnings.push(not_a_version(scanned, package));
            }
        }
        locks.push(described(scanned, unchecked.len() - before));
    }
    if subject.extent == Extent::Whole {
        warnings.extend(idle(subject, policy));
    }
    findings.sort_by(worst_first);
    locks.sort_by(|one, other| one.path.cmp(&other.path));
    let mut report = Report {
        schema: 1,
        locks,
        databases,
        findings,
        unchecked,
        licenses: Vec::new(),
        ignores: exceptions.notices(subject.extent, policy.unused_ignores),
        warnings,
        summary: Summary::default(),
    };
    report.count();
    Ok(report)
}

/// What release.toml says about lock files that are not there; it may have meant another one.
fn idle(subject: &Subject, policy: &Policy) -> Vec<String> {
    let skips = policy.skips.iter().filter(|skip| {
        let mut left_out = subject.skipped.iter();
        !left_out.any(|lock| skip.path.matches(&lock.path))
    });
    let skips = skips.map(|skip| ("[[audit.skip]]", skip.path.text()));
    let development = policy.development.iter().filter(|pattern| {
        let mut scanned = subject.scanned.iter();
        !scanned.any(|lock| pattern.matches(&lock.path))
    });
    let development = development.map(|pattern| ("audit.development", pattern.text()));
    skips
        .chain(development)
        .map(|(key, path)| format!("release.toml: {key} names {path}, which is no lock file here"))
        .collect()
}

fn described(scanned: &Scanned, unchecked: usize) -> LockFile {
    let packages = scanned.lock.packages.len();
    LockFile {
        path: scanned.path.clone(),
        kind: scanned.kind.name.to_owned(),
        ecosystem: Some(scanned.lock.ecosystem),
        format: scanned.lock.format.clone(),
        packages,
        checked: packages - unchecked,
        skipped: None,
        notes: scanned.lock.notes.clone(),
    }
}

/// Advisories speak of packages of a registry; a name from elsewhere may be another package.
fn not_checked(source: &Source) -> Option<&'static str> {
    match source {
        Source::Registry { .. } => None,
        Source::Git { .. } => Some("comes from a git repository"),
        Source::Path { .. } => Some("comes from a path"),
        Source::Url { .. } => Some("comes from an address, not from a registry"),
        Source::Workspace { .. } => Some("is a member of this workspace"),
        Source::Bundled { .. } => Some("is bundled inside of another package"),
    }
}

/// What the policy asks that nothing here can answer.
fn unanswerable(policy: &Policy) -> Vec<String> {
    match policy.yanked {
        Answer::Warn => Vec::new(),
        Answer::Deny => vec![
            "audit.yanked = \"deny\" stops nothing: neither lock files nor advisories say which \
             versions were yanked"
                .to_owned(),
        ],
    }
}

fn not_a_version(scanned: &Scanned, package: &Package) -> String {
    let Package {
        name,
        version,
        line,
        ..
    } = package;
    format!(
        "{}:{line}: {name} {version:?} is no version that {} knows; it counts as older than all",
        scanned.path, scanned.lock.ecosystem
    )
}

fn left_out(
    scanned: &Scanned,
    package: &Package,
    reason: &str,
    namesake: Vec<String>,
) -> Unchecked {
    Unchecked {
        lock: scanned.path.clone(),
        line: package.line,
        package: package.name.clone(),
        version: package.version.clone(),
        source: package.source.clone(),
        reason: reason.to_owned(),
        namesake,
    }
}

/// What several advisories say about one problem together.
struct Problem<'hit> {
    members: Vec<&'hit Advisory>,
    id: String,
    ids: Vec<String>,
    matched: Vec<String>,
    class: Class,
    severity: Severity,
    summary: String,
    url: Option<String>,
}

impl<'hit> Problem<'hit> {
    /// The most serious class and the highest severity count, wherever they stand; the words are
    /// those of the advisory that names the problem, or of the first that has any.
    fn of(group: Group, members: Vec<&'hit Advisory>) -> Option<Problem<'hit>> {
        let class = members
            .iter()
            .map(|member| member.class)
            .min_by_key(serious)?;
        let severity = members
            .iter()
            .map(|member| &member.severity)
            .max_by_key(bad)?;
        let named = members.iter().filter(|member| member.id == group.id);
        let told: Vec<&&Advisory> = named.chain(&members).collect();
        let summary = told.iter().map(|member| &member.summary);
        let mut matched: Vec<String> = members.iter().map(|member| member.id.clone()).collect();
        matched.sort();
        matched.dedup();
        Some(Problem {
            class,
            severity: severity.clone(),
            summary: summary
                .into_iter()
                .find(|text| !text.is_empty())
                .cloned()
                .unwrap_or_default(),
            url: told.iter().find_map(|member| member.url.clone()),
            matched,
            id: group.id,
            ids: group.ids,
            members,
        })
    }
}

/// Joins what hits one package. Aliases join what is dangerous; that nobody maintains a package
/// is another statement than that it is vulnerable, even under a common id.
fn problems<'hit>(hits: &[&'hit Advisory]) -> Vec<Problem<'hit>> {
    let kind = |class| match class {
        Class::Vulnerability | Class::Malware | Class::Unsound => Class::Vulnerability,
        Class::Unmaintained | Class::Notice | Class::Yanked => class,
    };
    let mut apart: BTreeMap<Class, Vec<&'hit Advisory>> = BTreeMap::new();
    for hit in hits {
        apart.entry(kind(hit.class)).or_default().push(hit);
    }
    let joined = |hits: &Vec<&'hit Advisory>| {
        let problem = |group: Group| {
            let members = group.members.iter();
            let members: Vec<&'hit Advisory> =
                members.filter_map(|&at| hits.get(at).copied()).collect();
            Problem::of(group, members)
        };
        group::groups(hits)
            .into_iter()
            .filter_map(problem)
            .collect::<Vec<_>>()
    };
    apart.values().flat_map(joined).collect()
}

/// Malicious code before vulnerabilities, and these before everything that only informs.
fn serious(class: &Class) -> (bool, Class) {
    (*class != Class::Malware, *class)
}

/// A known severity is worse than an unknown one, as something is known.
fn bad(severity: &&Severity) -> (u8, bool) {
    let tenths = severity.tenths.unwrap_or_else(|| severity.level.floor());
    (
        tenths,
        severity.tenths.is_some() || severity.level != Level::Unknown,
    )
}

struct Examination<'run, 'policy> {
    scanned: &'run Scanned,
    policy: &'run Policy,
    lookup: &'run Lookup<'run>,
    exceptions: &'run mut Exceptions<'policy>,
    chains: Option<Chains<'run>>,
    remedies: Option<Remedies<'run>>,
}

impl Examination<'_, '_> {
    fn package(
        &mut self,
        index: usize,
        package: &Package,
        findings: &mut Vec<Finding>,
    ) -> Result<()> {
        let ecosystem = self.scanned.lock.ecosystem;
        let all = (self.lookup)(ecosystem, &package.name)?;
        if all.is_empty() {
            return Ok(());
        }
        let version = order::key(ecosystem, &package.version);
        let hits: Vec<&Advisory> = all
            .iter()
            .filter(|advisory| matching::affects(advisory, &version))
            .collect();
        if hits.is_empty() {
            return Ok(());
        }
        let scanned = self.scanned;
        let remedies = self
            .remedies
            .get_or_insert_with(|| Remedies::of(&scanned.lock));
        let chains = self.chains.get_or_insert_with(|| Chains::of(&scanned.lock));
        let chain = chains.to(index);
        let fixes = Fixes::of(&all, ecosystem, &package.version);
        // Nearly all problems of a package have one fix, and who lets it in takes a while.
        let mut known: BTreeMap<&str, Fix> = BTreeMap::new();
        let mut problems: Vec<(Problem<'_>, Fix)> = Vec::new();
        for problem in self::problems(&hits) {
            let fix = match fixes.smallest(&problem.members) {
                Some(version) => known
                    .entry(version)
                    .or_insert_with(|| remedies.fix(scanned, index, package, version))
                    .clone(),
                None => Fix::None,
            };
            problems.push((problem, fix));
        }
        for (problem, fix) in problems {
            findings.push(self.finding(package, &chain, problem, fix));
        }
        Ok(())
    }

    /// What is known of the registry's package of the same name and version. A member of the
    /// workspace has its name from us, so there it means nothing.
    fn namesake(&self, package: &Package) -> Result<Vec<String>> {
        if matches!(package.source, Source::Workspace { .. }) {
            return Ok(Vec::new());
        }
        let ecosystem = self.scanned.lock.ecosystem;
        let version = order::key(ecosystem, &package.version);
        let mut all = (self.lookup)(ecosystem, &package.name)?;
        all.retain(|advisory| matching::affects(advisory, &version));
        let mut ids: Vec<String> = all.into_iter().map(|advisory| advisory.id).collect();
        ids.sort();
        Ok(ids)
    }

    fn finding(
        &mut self,
        package: &Package,
        chain: &[String],
        problem: Problem<'_>,
        fix: Fix,
    ) -> Finding {
        let scope = self.scope(package);
        let severity = &problem.severity;
        let (answer, mut because) =
            self.policy
                .judge(problem.class, severity.level, severity.tenths, scope);
        let ecosystem = self.scanned.lock.ecosystem;
        let accepted = self.exceptions.accept(&problem.ids, ecosystem, package);
        let verdict = match accepted {
            Accepted::Until { reason, until } => Verdict::Ignored {
                reason: reason.to_owned(),
                until: until.to_string(),
            },
            Accepted::Expired { until } => {
                because = format!("{because}; its exception ended on {until}");
                answer.verdict()
            }
            Accepted::No => answer.verdict(),
        };
        Finding {
            lock: self.scanned.path.clone(),
            line: package.line,
            ecosystem: self.scanned.lock.ecosystem,
            package: package.name.clone(),
            version: package.version.clone(),
            scope,
            groups: package.groups.clone(),
            chain: chain.to_vec(),
            level: severity.level,
            score: severity.tenths.map(|tenths| f64::from(tenths) / 10.0),
            vector: problem.severity.vector,
            id: problem.id,
            ids: problem.ids,
            matched: problem.matched,
            class: problem.class,
            summary: problem.summary,
            url: problem.url,
            fix,
            verdict,
            because,
        }
    }

    fn scope(&self, package: &Package) -> Scope {
        match self.policy.is_development(&self.scanned.path) {
            true => Scope::Development,
            false => package.scope,
        }
    }
}

fn worst_first(one: &Finding, other: &Finding) -> std::cmp::Ordering {
    let rank = |finding: &Finding| {
        let verdict = match finding.verdict {
            Verdict::Denied => 0,
            Verdict::Warned => 1,
            Verdict::Ignored { .. } => 2,
        };
        (verdict, finding.class)
    };
    let score = |finding: &Finding| {
        let tenths = finding.score.map(|score| (score * 10.0).round() as u8);
        std::cmp::Reverse(tenths.unwrap_or_else(|| finding.level.floor()))
    };
    rank(one)
        .cmp(&rank(other))
        .then_with(|| score(one).cmp(&score(other)))
        .then_with(|| one.package.cmp(&other.package))
        .then_with(|| one.version.cmp(&other.version))
        .then_with(|| one.lock.cmp(&other.lock))
        .then_with(|| one.line.cmp(&other.line))
        .then_with(|| one.id.cmp(&other.id))
}

impl Report {
    /// Counts what is in it; called whenever something was added.
    pub fn count(&mut self) {
        let verdicts = |wanted: fn(&Verdict) -> bool| {
            let findings = self.findings.iter();
            findings.filter(|finding| wanted(&finding.verdict)).count()
        };
        self.summary = Summary {
            locks: self
                .locks
                .iter()
                .filter(|lock| lock.skipped.is_none())
                .count(),
            skipped_locks: self
                .locks
                .iter()
                .filter(|lock| lock.skipped.is_some())
                .count(),
            checked: self.locks.iter().map(|lock| lock.checked).sum(),
            unchecked: self.unchecked.len(),
            denied: verdicts(|verdict| *verdict == Verdict::Denied),
            warned: verdicts(|verdict| *verdict == Verdict::Warned),
            ignored: verdicts(|verdict| matches!(verdict, Verdict::Ignored { .. })),
            licenses_denied: self
                .licenses
                .iter()
                .filter(|license| license.verdict == Verdict::Denied)
                .count(),
        };
    }

    /// Whether the policy lets a release go on.
    pub fn passes(&self) -> bool {
        let Summary {
            denied,
            licenses_denied,
            ..
        } = self.summary;
        denied == 0 && licenses_denied == 0 && !self.ignores.iter().any(|notice| notice.denied)
    }
}

#[cfg(test)]
mod tests;
