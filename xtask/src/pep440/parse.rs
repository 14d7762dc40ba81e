//! Reading versions and constraints in every spelling that Poetry reads.

use super::{Constraint, Invalid, Phase, Range, Version};

/// What a constraint is about, which decides how exclusive bounds are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// Versions of a distribution: `<2` keeps the pre-releases of 2 out (PEP 440).
    Distribution,
    /// Versions of the running Python, which are never pre-releases.
    Marker,
    /// Releases of an operating system, which may be no PEP 440 versions.
    Platform,
}

/// Reads a constraint: `>=3.10,<4`, `^1.2 || ~2.0`, `1.*`, `!=2.1`, `*`.
///
/// # Errors
/// Names the comparison that cannot be read.
pub fn parse(text: &str, context: Context) -> Result<Constraint, Invalid> {
    if text == "*" {
        return Ok(Constraint::any());
    }
    let mut alternatives = Vec::new();
    for alternative in alternatives_of(text.trim()) {
        let alternative = alternative.trim_end_matches(',').trim_end();
        let mut whole: Option<Constraint> = None;
        for comparison in comparisons_of(alternative) {
            let one = parse_comparison(comparison, context)?;
            whole = Some(match whole {
                Some(sofar) => sofar.intersect(&one),
                None => one,
            });
        }
        alternatives.extend(whole);
    }
    Ok(match alternatives.len() {
        1 => alternatives.remove(0),
        _ => Constraint::of(alternatives),
    })
}

/// Splits at `|` or `||` with the space around it.
pub(crate) fn alternatives_of(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(at) = text.find('|') else {
            rest = None;
            return Some(text);
        };
        let behind = &text[at + 1..];
        rest = Some(behind.strip_prefix('|').unwrap_or(behind).trim_start());
        Some(text[..at].trim_end())
    })
}

/// Splits at commas and spaces, but not between an operator and its version nor around the
/// hyphen of `1 - 2`.
fn comparisons_of(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes();
    let (mut parts, mut start, mut at) = (Vec::new(), 0, 1);
    while at < bytes.len() {
        match separator(bytes, at) {
            Some(end) => {
                parts.push(&text[start..at]);
                (start, at) = (end, end.max(at + 1));
            }
            None => at += 1,
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Where a separator that begins at `at` ends.
fn separator(bytes: &[u8], at: usize) -> Option<usize> {
    if b"^~=>< ,".contains(&bytes[at - 1]) {
        return None;
    }
    let spaces = |from: usize| {
        bytes[from..]
            .iter()
            .take_while(|&&byte| byte == b' ')
            .count()
    };
    (0..=spaces(at)).rev().find_map(|before| {
        let comma = at + before;
        let here = bytes.get(comma)?;
        let next = bytes.get(comma + 1)?;
        if !b", ".contains(here) || bytes[comma - 1] == b'-' || *next == b'-' {
            return None;
        }
        (0..=spaces(comma + 1)).rev().find_map(|after| {
            let end = comma + 1 + after;
            bytes.get(end).filter(|&&byte| byte != b',').map(|_| end)
        })
    })
}

fn parse_comparison(text: &str, context: Context) -> Result<Constraint, Invalid> {
    let invalid = || Invalid(format!("`{text}` is not a version constraint"));
    if is_wildcard(text) {
        return Ok(Constraint::any());
    }
    let whole = |text: &str| match version_prefix(text.trim_start()) {
        Some((version, "")) => Ok(version),
        _ => Err(invalid()),
    };
    let between = |low: Version, high: Version| {
        let high = exclusive(high, context);
        Range::new(Some(low), Some(high), true, false).into()
    };
    if let Some(rest) = text.strip_prefix("~=") {
        let version = whole(rest)?;
        let high = compatible_end(&version.stable());
        return Ok(between(version, high));
    }
    if let Some(rest) = text.strip_prefix('~') {
        let version = whole(rest)?;
        let index = usize::from(version.precision() > 1);
        let high = version.stable().next_at(index);
        return Ok(between(version, high));
    }
    if let Some(rest) = text.strip_prefix('^') {
        let version = whole(rest)?;
        let high = version.next_breaking();
        return Ok(between(version, high));
    }
    let (operator, rest) = split_operator(text);
    let rest = rest.trim_start();
    let (version, rest) = match version_prefix(rest) {
        Some((version, rest)) => (version, rest),
        None if rest == "dev" => (Version::parse("0.0.dev0")?, ""),
        None => return Err(invalid()),
    };
    match rest {
        "" => Ok(compare(operator, version, context)),
        _ if !matches!(operator, "" | "=" | "==" | "!=") && rest == ".*" => {
            Ok(compare(operator, version, context))
        }
        _ if rest
            .strip_prefix(".*")
            .is_some_and(|rest| rest.replace(".*", "").is_empty()) =>
        {
            Ok(wildcard(&version, operator == "!=", context))
        }
        rest if context == Context::Platform => {
            let build = rest.trim_start_matches(['+', '-']);
            let plain = build
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
            if build.is_empty() || !plain {
                return Err(invalid());
            }
            let mut version = Version::from_release(0, version.release);
            version.local = Some(vec![build.to_owned()]);
            Ok(compare(operator, version, context))
        }
        _ => Err(invalid()),
    }
}

/// `*`, `x`, `v*.*` and the like.
fn is_wildcard(text: &str) -> bool {
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    text.split('.').all(|part| matches!(part, "*" | "x" | "X"))
}

fn split_operator(text: &str) -> (&str, &str) {
    ["<>", "!=", ">=", "<=", "==", ">", "<", "="]
        .into_iter()
        .find_map(|operator| Some((operator, text.strip_prefix(operator)?)))
        .unwrap_or(("", text))
}

fn compare(operator: &str, version: Version, context: Context) -> Constraint {
    let range = match operator {
        "<" => Range::new(None, Some(exclusive(version, context)), false, false),
        "<=" => Range::new(None, Some(version), false, true),
        ">" => Range::new(Some(version), None, false, false),
        ">=" => Range::new(Some(version), None, true, false),
        "!=" => {
            let below = Range::new(None, Some(version.clone()), false, false);
            let above = Range::new(Some(version), None, false, false);
            return Constraint::Union(vec![super::Piece::Range(below), super::Piece::Range(above)]);
        }
        _ => return version.into(),
    };
    range.into()
}

/// `<V` keeps the pre-releases of a final V out too, so its bound is `V.dev0`; the Python of a
/// marker has no pre-releases, and there the bound stays as written.
fn exclusive(version: Version, context: Context) -> Version {
    if context == Context::Distribution && !version.is_unstable() {
        version.first_development()
    } else {
        version
    }
}

/// Where `~=V` ends: the number before the last goes up, the last becomes zero.
fn compatible_end(stable: &Version) -> Version {
    let mut release = stable.release.clone();
    match release.len() {
        0 | 1 => stable.next_at(0),
        count => {
            release[count - 2] += 1;
            release[count - 1] = 0;
            Version::from_release(stable.epoch, release)
        }
    }
}

fn wildcard(version: &Version, inverted: bool, context: Context) -> Constraint {
    let (mut low, mut high) = (version.clone(), version.next_after_wildcard());
    if context == Context::Distribution {
        low = low.first_development();
        if high.dev.is_none() {
            high = high.first_development();
        }
    }
    let range = Range::new(Some(low), Some(high), true, false).into();
    if inverted {
        Constraint::any().difference(&range)
    } else {
        range
    }
}

/// The longest version that the text begins with, and what follows it.
pub(super) fn version_prefix(text: &str) -> Option<(Version, &str)> {
    let mut rest = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let mut epoch = 0;
    if let Some((number, behind)) = number(rest)
        && let Some(behind) = behind.strip_prefix('!')
    {
        (epoch, rest) = (number?, behind);
    }
    let mut release = Vec::new();
    let (first, mut rest) = number(rest)?;
    release.push(first?);
    while let Some((next, behind)) = rest.strip_prefix('.').and_then(number) {
        release.push(next?);
        rest = behind;
    }
    let mut version = Version::from_release(epoch, release);
    const PHASES: [(&str, Phase); 8] = [
        ("alpha", Phase::Alpha),
        ("a", Phase::Alpha),
        ("beta", Phase::Beta),
        ("b", Phase::Beta),
        ("preview", Phase::Candidate),
        ("pre", Phase::Candidate),
        ("c", Phase::Candidate),
        ("rc", Phase::Candidate),
    ];
    if let Some((phase, behind)) = word(rest, &PHASES) {
        let (count, behind) = tag_number(behind)?;
        version.pre = Some((phase, count));
        rest = behind;
    }
    if let Some((count, behind)) = rest.strip_prefix('-').and_then(number) {
        version.post = Some(count?);
        rest = behind;
    } else if let Some(((), behind)) = word(rest, &[("post", ()), ("rev", ()), ("r", ())]) {
        let (count, behind) = tag_number(behind)?;
        version.post = Some(count);
        rest = behind;
    }
    if let Some(((), behind)) = word(rest, &[("dev", ())]) {
        let (count, behind) = tag_number(behind)?;
        version.dev = Some(count);
        rest = behind;
    }
    if let Some((local, behind)) = local_part(rest) {
        version.local = Some(local);
        rest = behind;
    }
    Some((version, rest))
}

/// Leading digits as a number; `Some((None, _))` when they do not fit.
fn number(text: &str) -> Option<(Option<u64>, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    (end > 0).then(|| (text[..end].parse().ok(), &text[end..]))
}

/// The optional separator and number behind `a`, `post` or `dev`.
fn tag_number(text: &str) -> Option<(u64, &str)> {
    let behind = text.strip_prefix(['.', '_', '-']).unwrap_or(text);
    match number(behind) {
        Some((count, behind)) => Some((count?, behind)),
        None => Some((0, text)),
    }
}

/// One of these words behind an optional separator, in any case.
fn word<'text, T: Copy>(text: &'text str, words: &[(&str, T)]) -> Option<(T, &'text str)> {
    let behind = text.strip_prefix(['.', '_', '-']).unwrap_or(text);
    words.iter().find_map(|(word, meaning)| {
        let start = behind.get(..word.len())?;
        start
            .eq_ignore_ascii_case(word)
            .then(|| (*meaning, &behind[word.len()..]))
    })
}

fn local_part(text: &str) -> Option<(Vec<String>, &str)> {
    let mut rest = text.strip_prefix('+')?;
    let mut segments = Vec::new();
    loop {
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        if end == 0 {
            return None;
        }
        segments.push(rest[..end].to_ascii_lowercase());
        rest = &rest[end..];
        let more = rest
            .strip_prefix(['.', '_', '-'])
            .filter(|behind| behind.starts_with(|c: char| c.is_ascii_alphanumeric()));
        match more {
            Some(behind) => rest = behind,
            None => return Some((segments, rest)),
        }
    }
}
