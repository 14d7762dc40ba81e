//! The words that all outputs for people share, and the order in which they speak. Pure.
//!
//! Every text that comes from a lock file or an advisory passes through [`name`] or
//! [`sentence`] here, which make it printable and short.

use std::cmp::Reverse;

use super::command::is_harmless;
use super::discover::BY_POLICY;
use super::report::{
    Finding, Fix, IgnoreState, LicenseFinding, LockFile, Report, Unchecked, Verdict,
};
use crate::advisory::{Class, Level, Provenance};
use crate::lockfile::{Ecosystem, Scope};
use crate::printable;

/// A name, a version, an id or a path, as it may be printed.
pub fn name(text: &str) -> String {
    printable::line(text, 120)
}

/// A sentence, as it may be printed: on one line, without the full stop.
pub fn sentence(text: &str) -> String {
    let line = printable::line(text, 400);
    line.strip_suffix('.').unwrap_or(&line).to_owned()
}

/// What a finding says, in a sentence; the word for its class where the advisory says nothing.
pub fn summary(finding: &Finding) -> String {
    match sentence(&finding.summary) {
        empty if empty.is_empty() => class(finding.class).to_owned(),
        summary => summary,
    }
}

/// How many advisories a database has.
pub fn records(number: u64) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), "record")
}

/// `1 package`, `2 packages`.
pub fn count(number: usize, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}

/// Whether a class says something else than that an attacker may gain something.
pub fn is_informational(class: Class) -> bool {
    match class {
        Class::Vulnerability | Class::Malware => false,
        Class::Unsound | Class::Unmaintained | Class::Notice | Class::Yanked => true,
    }
}

/// The word for a class.
pub fn class(class: Class) -> &'static str {
    match class {
        Class::Vulnerability => "vulnerability",
        Class::Malware => "malware",
        Class::Unsound => "unsound",
        Class::Unmaintained => "unmaintained",
        Class::Notice => "notice",
        Class::Yanked => "yanked",
    }
}

/// The word for a level.
pub fn level(level: Level) -> &'static str {
    match level {
        Level::None => "none",
        Level::Low => "low",
        Level::Medium => "medium",
        Level::High => "high",
        Level::Critical => "critical",
        Level::Unknown => "unknown severity",
    }
}

/// How bad, in a word and a number: `high 7.5`, `malware`, `unmaintained`.
pub fn severity(finding: &Finding) -> String {
    let level = level(finding.level);
    let word = match (finding.class, finding.level, finding.score) {
        (Class::Vulnerability, _, _) => level.to_owned(),
        (other, Level::Unknown, None) => class(other).to_owned(),
        (other, _, _) => format!("{}, {level}", class(other)),
    };
    match finding.score {
        Some(score) => format!("{word} {score:.1}"),
        None => word,
    }
}

/// The way to a package, `a 1.0 → b 2.0`; `None` when it consists of the package alone. Of a
/// long way the middle is left out.
pub fn chain(finding: &Finding) -> Option<String> {
    let chain = &finding.chain;
    if chain.len() < 2 {
        return None;
    }
    let mut steps: Vec<String> = match chain.len() {
        0..=8 => chain.iter().map(|step| name(step)).collect(),
        _ => chain.iter().take(4).map(|step| name(step)).collect(),
    };
    if let Some(left_out) = chain.len().checked_sub(7).filter(|_| chain.len() > 8) {
        steps.push(format!("… {left_out} more …"));
        let end = chain.iter().skip(chain.len().saturating_sub(3));
        steps.extend(end.map(|step| name(step)));
    }
    Some(steps.join(" → "))
}

/// What would mend it, without the command: `2.11.3, which all that ask for it allow`.
pub fn fix(finding: &Finding) -> String {
    let Fix::Version {
        version,
        allowed,
        blocked_by,
        ..
    } = &finding.fix
    else {
        return unfixed(finding.class).to_owned();
    };
    let version = name(version);
    match (allowed, blocked_by) {
        (_, Some(who)) => match who.split_once(": ") {
            Some((who, constraint)) => {
                let (who, constraint) = (sentence(who), sentence(constraint));
                format!("{version}, but {who} asks for {constraint}")
            }
            None => format!("{version}, but {} keeps it out", sentence(who)),
        },
        (Some(true), None) => format!("{version}, which all that ask for it allow"),
        (Some(false), None) => format!("{version}, but something that asks for it keeps it out"),
        (None, None) => version,
    }
}

/// What to do when no version is known to be free of it.
fn unfixed(class: Class) -> &'static str {
    match class {
        Class::Vulnerability => "no fixed version is known: replace the package, or wait for one",
        Class::Malware => "remove the package, and treat what it could reach as compromised",
        Class::Unsound => {
            "no fixed version is known: replace the package, or avoid what is unsound"
        }
        Class::Unmaintained => "nobody mends it any more: look for a package that is maintained",
        Class::Notice => "nothing to install: read the advisory",
        Class::Yanked => "lock another version",
    }
}

/// The command to paste, if there is one. None is shown for a package or a version with
/// characters that no registry allows in them: a shell could take them for something else.
pub fn command(finding: &Finding) -> Option<String> {
    let Fix::Version {
        version, command, ..
    } = &finding.fix
    else {
        return None;
    };
    let named = [&finding.package, &finding.version, version];
    let harmless = named.into_iter().all(|text| is_harmless(text)) && command.len() <= 1000;
    let command = printable::line(command, 1000);
    Some(command).filter(|command| harmless && !command.is_empty())
}

/// Where a finding is and what it is for: `poetry.lock:120, development only, groups dev, docs`.
pub fn place(finding: &Finding) -> String {
    let mut place = format!("{}:{}", name(&finding.lock), finding.line);
    place.push_str(match finding.scope {
        Scope::Ships => ", ships",
        Scope::Development => ", development only",
    });
    if !finding.groups.is_empty() {
        let word = if finding.groups.len() == 1 {
            "group"
        } else {
            "groups"
        };
        let groups = finding.groups.iter().take(20).map(|group| name(group));
        let groups: Vec<String> = groups.collect();
        let groups = sentence(&groups.join(", "));
        place.push_str(&format!(", {word} {groups}"));
    }
    place
}

/// How many ids people are shown of one finding; JSON and SARIF have all of them.
const IDS: usize = 12;

/// All ids, the one to name it by first.
pub fn ids(finding: &Finding) -> String {
    let mut ids: Vec<String> = finding.ids.iter().take(IDS).map(|id| name(id)).collect();
    if ids.is_empty() {
        ids.push(name(&finding.id));
    }
    if finding.ids.len() > IDS {
        ids.push(format!("… and {} more", finding.ids.len() - IDS));
    }
    ids.join(", ")
}

/// The mark before a finding or a license.
pub fn mark(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Denied => "✗",
        Verdict::Warned => "!",
        Verdict::Ignored { .. } => "=",
    }
}

/// The place of a verdict among the others, the worst first.
pub fn gravity(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Denied => 0,
        Verdict::Warned => 1,
        Verdict::Ignored { .. } => 2,
    }
}

/// The word for a verdict.
pub fn verdict_word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Denied => "denied",
        Verdict::Warned => "warned",
        Verdict::Ignored { .. } => "ignored",
    }
}

/// What the policy says: `denied: high at or above the threshold medium`.
pub fn verdict(verdict: &Verdict, because: &str) -> String {
    let because = sentence(because);
    match verdict {
        Verdict::Denied => format!("denied: {because}"),
        Verdict::Warned => format!("warned: {because}"),
        Verdict::Ignored { reason, until } => {
            format!("ignored until {}: {}", name(until), sentence(reason))
        }
    }
}

/// What there is to say about licenses, in the order in which people read it: worst first.
pub fn licenses(report: &Report) -> Vec<&LicenseFinding> {
    let mut licenses: Vec<_> = report.licenses.iter().collect();
    licenses.sort_by_key(|one| {
        let named = (&one.package, &one.version);
        (gravity(&one.verdict), named, (&one.lock, one.line))
    });
    licenses
}

/// What a license finding says: `jinja2 2.11.2: GPL-3.0-only (package metadata)`.
pub fn license(finding: &LicenseFinding) -> String {
    let said = match &finding.license {
        Some(license) => name(license),
        None => "no license known".to_owned(),
    };
    let package = format!("{} {}", name(&finding.package), name(&finding.version));
    match &finding.origin {
        Some(origin) => format!("{package}: {said} (from {})", name(origin)),
        None => format!("{package}: {said}"),
    }
}

/// What is the matter with an entry of `[[audit.ignore]]`.
pub fn ignore(state: &IgnoreState) -> String {
    match state {
        IgnoreState::Expired { until } => {
            format!(
                "expired after {}, so that it accepts nothing any more",
                name(until)
            )
        }
        IgnoreState::Unused => "nothing was found that it accepts: delete it".to_owned(),
    }
}

/// How a lock file was read: `poetry.lock 2.1, 40 packages, 38 checked`.
pub fn lock(lock: &LockFile) -> String {
    let kind = format!("{} {}", name(&lock.kind), name(&lock.format));
    match &lock.skipped {
        Some(reason) => format!("not scanned: {}", sentence(reason)),
        None => format!(
            "{}, {}, {} checked",
            kind.trim_end(),
            count(lock.packages, "package"),
            lock.checked
        ),
    }
}

/// The databases that were asked, one line each: `PyPI: of 2026-11-19, 7080 records, from …`.
pub fn databases(report: &Report) -> Vec<String> {
    let mut databases: Vec<_> = report.databases.iter().collect();
    databases.sort_by_key(|one| (&one.ecosystem, &one.source));
    let line = |one: &&Provenance| {
        format!(
            "{}: of {}, {}, from {}",
            name(&one.ecosystem),
            name(&one.date),
            records(one.records),
            name(&one.source)
        )
    };
    databases.iter().map(line).collect()
}

/// An address of the web that may be linked, percent-encoded (RFC 3986) where it must be;
/// `None` for every other scheme, and for a host that is no plain name.
pub fn address(url: &str) -> Option<String> {
    let rest = url
        .strip_prefix("https://")
        .or(url.strip_prefix("http://"))?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let named = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    if host.is_empty() || !host.bytes().all(named) || url.len() > 2000 {
        return None;
    }
    let mut address = String::with_capacity(url.len());
    for byte in url.bytes() {
        let kept = byte.is_ascii_alphanumeric()
            || b"-._~:/?@!$&+,;=".contains(&byte)
            || (byte == b'#' && !address.contains('#'));
        if kept {
            address.push(char::from(byte));
        } else if byte == b'%' {
            address.push('%');
        } else {
            address.push_str(&format!("%{byte:02X}"));
        }
    }
    is_encoded(&address).then_some(address)
}

/// Whether every percent sign begins an encoded byte.
fn is_encoded(address: &str) -> bool {
    address.split('%').skip(1).all(|part| {
        let digits = part.bytes().take(2).filter(u8::is_ascii_hexdigit);
        digits.count() == 2
    })
}

/// A key by which findings sort worst first, and always the same way.
pub fn rank(finding: &Finding) -> impl Ord + use<> {
    let verdict = gravity(&finding.verdict);
    let level = match finding.level {
        Level::Critical => 0,
        Level::High => 1,
        Level::Medium => 2,
        Level::Unknown => 3,
        Level::Low => 4,
        Level::None => 5,
    };
    (
        (verdict, finding.class != Class::Malware, level),
        Reverse(tenths(finding.score)),
        (
            finding.class,
            finding.package.clone(),
            finding.version.clone(),
        ),
        (finding.id.clone(), finding.lock.clone(), finding.line),
    )
}

/// A score in tenths, so that it can be compared.
pub fn tenths(score: Option<f64>) -> u8 {
    let tenths = (score.unwrap_or_default() * 10.0).round().clamp(0.0, 100.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 100; not a number becomes 0"
    )]
    let tenths = tenths as u8;
    tenths
}

/// What the whole audit says in a few words, and its mark. Silence is never green.
pub fn outcome(report: &Report) -> (&'static str, &'static str) {
    let summary = &report.summary;
    let denied = summary.denied + summary.licenses_denied;
    let namesakes = report
        .unchecked
        .iter()
        .filter(|one| !one.namesake.is_empty());
    // What release.toml leaves out was decided by a person, who gave a reason.
    let by_policy = |lock: &&LockFile| {
        let skipped = lock.skipped.as_ref();
        skipped.is_some_and(|reason| reason.starts_with(BY_POLICY))
    };
    let decided = report.locks.iter().filter(by_policy).count();
    let skipped = summary.skipped_locks.saturating_sub(decided);
    // A stale lock file, or one without its manifest, has less in it than a person would think.
    let noted = report.locks.iter().filter(|lock| !lock.notes.is_empty());
    let doubts =
        summary.warned + skipped + report.ignores.len() + namesakes.count() + noted.count();
    if denied > 0 || report.ignores.iter().any(|notice| notice.denied) {
        ("✗", "refused")
    } else if summary.locks == 0 || summary.checked == 0 {
        ("!", "nothing was scanned")
    } else if doubts > 0 || !report.warnings.is_empty() || !unasked(report).is_empty() {
        ("!", "passes with warnings")
    } else {
        ("✓", "passes")
    }
}

/// Ecosystems of scanned lock files for which the report names no database.
pub fn unasked(report: &Report) -> Vec<&'static str> {
    let missing = Ecosystem::ALL.into_iter().filter(|one| {
        let scanned = |lock: &LockFile| lock.skipped.is_none() && lock.ecosystem == Some(*one);
        let asked = |database: &Provenance| database.ecosystem == one.name();
        report.locks.iter().any(scanned) && !report.databases.iter().any(asked)
    });
    missing.map(Ecosystem::name).collect()
}

/// What is known of the registry's package that has the name and version of one from elsewhere.
pub fn namesake(one: &Unchecked) -> String {
    let ids: Vec<String> = one.namesake.iter().map(|id| name(id)).collect();
    format!(
        "the registry's {} {} has {}: {}; look whether that concerns this one",
        name(&one.package),
        name(&one.version),
        match ids.len() {
            1 => "1 advisory".to_owned(),
            several => format!("{several} advisories"),
        },
        ids.join(", ")
    )
}

/// The sums: `1 denied, 2 warned, 0 ignored; …`.
pub fn sums(report: &Report) -> String {
    let summary = &report.summary;
    let mut found = format!(
        "{} denied, {} warned, {} ignored",
        count(summary.denied, "finding"),
        summary.warned,
        summary.ignored
    );
    if !report.licenses.is_empty() {
        let is_warned = |one: &&LicenseFinding| one.verdict == Verdict::Warned;
        let warned = report.licenses.iter().filter(is_warned).count();
        let licenses = count(summary.licenses_denied, "license");
        found.push_str(&format!("; {licenses} denied, {warned} warned"));
    }
    let ignores = report.ignores.iter().filter(|notice| notice.denied).count();
    if ignores > 0 {
        let ignores = match ignores {
            1 => "1 entry".to_owned(),
            _ => format!("{ignores} entries"),
        };
        found.push_str(&format!("; {ignores} of [[audit.ignore]] denied"));
    }
    format!(
        "{found}; {} scanned, {} skipped; {} checked, {} not checked",
        count(summary.locks, "lock file"),
        summary.skipped_locks,
        count(summary.checked, "package"),
        summary.unchecked
    )
}

#[cfg(test)]
mod tests;
