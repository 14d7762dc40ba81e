//! `[audit]`: what an audit stops at. Pure.

use jiff::SignedDuration;
use jiff::civil::Date;

use super::reader::{Reader, Table};
use crate::advisory::Level;
use crate::audit::policy::{Answer, Ignore, LicenseException, Licenses, Policy, Skip, Threshold};
use crate::gate::pattern::Pattern;

/// Reads `[audit]`; what it leaves out is as in [`Policy::default`].
pub(super) fn read(reader: &mut Reader<'_>, top: &mut Table<'_>) -> Policy {
    let mut table = reader.table(top, "audit");
    let default = Policy::default();
    let shipped = threshold(reader, &mut table, "threshold");
    let development = threshold(reader, &mut table, "development-threshold");
    let mut say = |key, default| answer(reader, &mut table, key).unwrap_or(default);
    let mut policy = Policy {
        threshold: shipped.unwrap_or(default.threshold),
        development_threshold: development.unwrap_or(default.development_threshold),
        unknown: say("unknown", default.unknown),
        development_unknown: say("development-unknown", default.development_unknown),
        unmaintained: say("unmaintained", default.unmaintained),
        unsound: say("unsound", default.unsound),
        notice: say("notice", default.notice),
        yanked: say("yanked", default.yanked),
        unused_ignores: say("unused-ignores", default.unused_ignores),
        ..default
    };
    if let Some(age) = age(reader, &mut table) {
        policy.max_age = age;
    }
    policy.development = development_locks(reader, &mut table);
    policy.ignores = ignores(reader, &mut table);
    policy.skips = skips(reader, &mut table);
    policy.licenses = licenses(reader, &mut table);
    reader.finish(&table);
    policy
}

/// A word or a score: `"high"`, `"7.5"`, `"never"`.
fn threshold(
    reader: &mut Reader<'_>,
    table: &mut Table<'_>,
    key: &'static str,
) -> Option<Threshold> {
    let text = reader.optional_string(table, key)?;
    let threshold = parse_threshold(&text);
    if threshold.is_none() {
        let span = reader.span(table, key);
        reader.problem(
            span,
            format!(
                "`audit.{key}` is `{text}`; give low, medium, high, critical, never, or a score \
                 such as \"7.5\""
            ),
        );
    }
    threshold
}

fn parse_threshold(text: &str) -> Option<Threshold> {
    let level = match text {
        "never" => return Some(Threshold::Never),
        "low" => Level::Low,
        "medium" => Level::Medium,
        "high" => Level::High,
        "critical" => Level::Critical,
        score => {
            let (whole, tenth) = score.split_once('.').unwrap_or((score, "0"));
            let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            let is_score = digits(whole) && digits(tenth) && tenth.len() == 1;
            let tenths = whole.parse::<u8>().ok()?.checked_mul(10)?;
            let tenths = tenths.checked_add(tenth.parse().ok()?)?;
            return (is_score && tenths <= 100).then_some(Threshold::Tenths(tenths));
        }
    };
    Some(Threshold::Tenths(level.floor()))
}

fn answer(reader: &mut Reader<'_>, table: &mut Table<'_>, key: &'static str) -> Option<Answer> {
    let text = reader.optional_string(table, key)?;
    match text.as_str() {
        "deny" => Some(Answer::Deny),
        "warn" => Some(Answer::Warn),
        _ => {
            let span = reader.span(table, key);
            reader.problem(span, format!("`{text}` is no answer; give deny or warn"));
            None
        }
    }
}

/// `"7 days"`, `"36 hours"`.
fn age(reader: &mut Reader<'_>, table: &mut Table<'_>) -> Option<SignedDuration> {
    let text = reader.optional_string(table, "max-age")?;
    let age = parse_age(&text);
    if age.is_none() {
        let span = reader.span(table, "max-age");
        reader.problem(
            span,
            format!(
                "`audit.max-age` is `{text}`; give a number of hours or days, such as \"7 days\""
            ),
        );
    }
    age
}

/// Reads a number of hours or days, at most a hundred years.
pub fn parse_age(text: &str) -> Option<SignedDuration> {
    const MOST_HOURS: i64 = 100 * 366 * 24;
    let (number, unit) = text.trim().split_once(' ')?;
    let number: u32 = number.parse().ok()?;
    let hours = match unit.trim() {
        "hour" | "hours" => i64::from(number),
        "day" | "days" => i64::from(number) * 24,
        _ => return None,
    };
    (hours <= MOST_HOURS).then(|| SignedDuration::from_hours(hours))
}

fn development_locks(reader: &mut Reader<'_>, table: &mut Table<'_>) -> Vec<Pattern> {
    let texts = reader
        .optional_strings(table, "development")
        .unwrap_or_default();
    let span = reader.span(table, "development");
    for text in &texts {
        if let Some(problem) = wrong_path(text) {
            reader.problem(span.clone(), problem);
        }
    }
    texts.iter().map(|text| Pattern::verbatim(text)).collect()
}

fn wrong_path(text: &str) -> Option<String> {
    let leaves = text.is_empty() || text.starts_with(['/', '!']) || text.contains('\\');
    leaves.then(|| {
        format!("`{text}` is no path from the repository's root; write it with forward slashes")
    })
}

fn ignores(reader: &mut Reader<'_>, table: &mut Table<'_>) -> Vec<Ignore> {
    let mut ignores = Vec::new();
    for (mut entry, span) in reader.tables(table, "ignore") {
        let line = reader.line(span.as_ref());
        let id = reader.string(&mut entry, "id");
        let package = reader.string(&mut entry, "package");
        let version = reader.optional_string(&mut entry, "version");
        let reason = reader.string(&mut entry, "reason");
        if entry.has("reason") && reason.trim().is_empty() {
            let message = "`audit.ignore.reason` is empty: say why this is right";
            reader.problem(reader.span(&entry, "reason"), message);
        }
        let until = date(reader, &mut entry);
        reader.finish(&entry);
        ignores.push(Ignore {
            id,
            package,
            version,
            reason,
            until,
            line,
        });
    }
    ignores
}

/// A day, written as a TOML date or as a string; a wrong one is noted and long over.
fn date(reader: &mut Reader<'_>, entry: &mut Table<'_>) -> Date {
    let text = reader.date(entry, "until");
    if text.is_empty() {
        return Date::MIN;
    }
    text.parse().unwrap_or_else(|_| {
        let message = format!("`audit.ignore.until` is `{text}`; give a day such as 2027-01-31");
        reader.problem(reader.span(entry, "until"), message);
        Date::MIN
    })
}

fn skips(reader: &mut Reader<'_>, table: &mut Table<'_>) -> Vec<Skip> {
    let mut skips = Vec::new();
    for (mut entry, span) in reader.tables(table, "skip") {
        let path = reader.string(&mut entry, "path");
        let reason = reader.string(&mut entry, "reason");
        if entry.has("reason") && reason.trim().is_empty() {
            let message = "`audit.skip.reason` is empty: say why nothing in it needs an audit";
            reader.problem(span.clone(), message);
        }
        if entry.has("path")
            && let Some(problem) = wrong_path(&path)
        {
            reader.problem(reader.span(&entry, "path"), problem);
        }
        reader.finish(&entry);
        skips.push(Skip {
            path: Pattern::verbatim(&path),
            reason,
        });
    }
    skips
}

fn licenses(reader: &mut Reader<'_>, audit: &mut Table<'_>) -> Option<Licenses> {
    let mut table = reader.table(audit, "license");
    if !table.is_present() {
        return None;
    }
    let texts = reader
        .optional_strings(&mut table, "allow")
        .unwrap_or_default();
    let span = reader.span(&table, "allow");
    let mut allow = Vec::new();
    for text in texts {
        match spdx::Licensee::parse(&text) {
            Ok(licensee) => allow.push(licensee),
            Err(_) => reader.problem(
                span.clone(),
                format!("`{text}` is no license that SPDX knows; see its license list"),
            ),
        }
    }
    let unknown = answer(reader, &mut table, "unknown").unwrap_or(Answer::Warn);
    let mut exceptions = Vec::new();
    for (mut entry, span) in reader.tables(&mut table, "exception") {
        let exception = LicenseException {
            package: reader.string(&mut entry, "package"),
            reason: reader.string(&mut entry, "reason"),
        };
        if entry.has("reason") && exception.reason.trim().is_empty() {
            let message = "`audit.license.exception.reason` is empty: say why this is right";
            reader.problem(span, message);
        }
        reader.finish(&entry);
        exceptions.push(exception);
    }
    reader.finish(&table);
    Some(Licenses {
        allow,
        unknown,
        exceptions,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_words_or_scores() {
        let check = |text: &str, tenths| {
            assert_eq!(
                parse_threshold(text),
                Some(Threshold::Tenths(tenths)),
                "{text}"
            );
        };
        check("low", 1);
        check("critical", 90);
        check("7.5", 75);
        check("10", 100);
        check("0.0", 0);
        for wrong in ["", "High", "10.1", "7.55", "-1", "7.", "99", "1e1", "٧"] {
            assert_eq!(parse_threshold(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn ages_are_hours_or_days() {
        assert_eq!(parse_age("1 day"), Some(SignedDuration::from_hours(24)));
        assert_eq!(parse_age("36 hours"), Some(SignedDuration::from_hours(36)));
        for wrong in ["7", "7d", "-1 days", "4294967295 days", "1 week", ""] {
            assert_eq!(parse_age(wrong), None, "{wrong}");
        }
    }
}
