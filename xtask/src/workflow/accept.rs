//! Comments that accept a finding: `# xtask: allow RULE because REASON`, on the line of the
//! finding or on a line of its own above it.

use super::model::Place;
use super::rule::{Finding, Severity};
use super::rules::{RULES, allow_comment};

/// What a comment begins with.
const MARK: &str = "# xtask: allow";

/// A finding that a comment accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// What was found.
    pub finding: Finding,
    /// Why that is right.
    pub reason: String,
}

struct Comment {
    place: Place,
    /// The line that it speaks of.
    line: usize,
    rule: String,
    reason: String,
}

/// Splits findings into those that stand and those that a comment accepts. Comments without a
/// reason, with an unknown rule or without use become findings. `files` are paths and texts.
pub fn settle<'a>(
    findings: Vec<Finding>,
    files: impl Iterator<Item = (&'a str, &'a str)>,
) -> (Vec<Finding>, Vec<Accepted>) {
    let mut standing = findings;
    let mut accepted = Vec::new();
    for (path, text) in files {
        for comment in comments(text) {
            if problem(&comment).is_some() {
                continue;
            }
            let (taken, rest): (Vec<Finding>, Vec<Finding>) =
                standing.into_iter().partition(|finding| {
                    let is_rule = finding.rule == comment.rule;
                    finding.path == path && finding.place.line == comment.line && is_rule
                });
            standing = rest;
            let used = !taken.is_empty();
            let reason = &comment.reason;
            accepted.extend(taken.into_iter().map(|finding| Accepted {
                finding,
                reason: reason.clone(),
            }));
            if !used && !comment.rule.contains('/') {
                standing.push(unused(path, &comment));
            }
        }
    }
    (standing, accepted)
}

fn problem(comment: &Comment) -> Option<String> {
    let known = RULES.iter().any(|rule| rule.id == comment.rule) || comment.rule.contains('/');
    if comment.rule.is_empty() {
        return Some("it names no rule".to_owned());
    }
    if !known {
        let shown = crate::printable::line(&comment.rule, 60);
        return Some(format!("there is no rule `{shown}`"));
    }
    comment
        .reason
        .is_empty()
        .then(|| "it gives no reason".to_owned())
}

/// A comment that accepts nothing: worth saying, but no reason to refuse.
fn unused(path: &str, comment: &Comment) -> Finding {
    let rule = &allow_comment::RULE;
    Finding {
        rule: rule.id.to_owned(),
        severity: Severity::Warning,
        path: path.to_owned(),
        place: comment.place,
        detail: format!("nothing here breaks `{}`", comment.rule),
        why: rule.why.to_owned(),
        mend: "take the comment out".to_owned(),
        also: Vec::new(),
    }
}

/// What is wrong with the comments of a file, and where.
pub fn problems(text: &str) -> Vec<(Place, String)> {
    let comments = comments(text);
    let wrong = comments
        .iter()
        .filter_map(|comment| Some((comment.place, problem(comment)?)));
    wrong.collect()
}

fn comments(text: &str) -> Vec<Comment> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(offset) = line.find(MARK) else {
            continue;
        };
        let rest = line[offset + MARK.len()..].trim();
        let (rule, reason) = rest.split_once(" because").unwrap_or((rest, ""));
        let alone = line[..offset].trim().is_empty();
        let below = lines.iter().enumerate().skip(index + 1).find(|(_, line)| {
            let line = line.trim();
            !line.is_empty() && !line.starts_with('#')
        });
        let line = match below {
            Some((below, _)) if alone => below + 1,
            _ => index + 1,
        };
        let column = text_columns(lines[index], offset);
        found.push(Comment {
            place: Place {
                line: index + 1,
                column,
            },
            line,
            rule: rule.trim().to_owned(),
            reason: reason.trim().to_owned(),
        });
    }
    found
}

fn text_columns(line: &str, offset: usize) -> usize {
    line[..offset].chars().count() + 1
}
