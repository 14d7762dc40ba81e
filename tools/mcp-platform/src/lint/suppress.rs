//! Comments that answer for a finding: `# mcp-platform: ignore[rule-id] reason`, at the end of its
//! line or above it. A reason must be given, and a comment that answers for nothing is a finding.

use super::rules::suppression;
use super::{Finding, Set};

const MARK: &str = "# mcp-platform: ignore[";

struct Suppression {
    line: usize,
    /// The lines it answers for.
    covers: usize,
    rules: Vec<String>,
    reasoned: bool,
    used: bool,
}

/// The findings that no comment answers for, and how many others there were.
pub fn apply(set: &Set, findings: Vec<Finding>) -> (Vec<Finding>, usize) {
    let mut kept = Vec::new();
    let mut rest = findings;
    let mut suppressed = 0;
    for file in &set.files {
        let (mine, others): (Vec<_>, Vec<_>) = rest
            .into_iter()
            .partition(|finding| finding.path == file.path);
        rest = others;
        let mut all = read(&file.text);
        for finding in mine {
            let answer = all.iter_mut().find(|one| {
                one.covers == finding.line
                    && one.reasoned
                    && one.rules.iter().any(|rule| rule == finding.rule)
            });
            match answer {
                Some(answer) => {
                    answer.used = true;
                    suppressed += 1;
                }
                None => kept.push(finding),
            }
        }
        kept.extend(all.iter().filter(|one| !one.used).map(|one| {
            let message = if one.reasoned {
                format!("nothing of {} is found here", one.rules.join(", "))
            } else {
                format!("no reason is given for ignoring {}", one.rules.join(", "))
            };
            Finding {
                rule: suppression::RULE.id,
                severity: suppression::RULE.severity,
                path: file.path.clone(),
                line: one.line,
                message,
                remedy: suppression::RULE.remedy,
            }
        }));
    }
    kept.extend(rest);
    (kept, suppressed)
}

fn read(text: &str) -> Vec<Suppression> {
    let lines: Vec<&str> = text.lines().collect();
    let mut all = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some((before, after)) = line.split_once(MARK) else {
            continue;
        };
        let Some((rules, reason)) = after.split_once(']') else {
            continue;
        };
        let below = lines
            .iter()
            .enumerate()
            .skip(index + 1)
            .find(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
            .map_or(index + 1, |(below, _)| below + 1);
        all.push(Suppression {
            line: index + 1,
            covers: if before.trim().is_empty() {
                below
            } else {
                index + 1
            },
            rules: rules
                .split(',')
                .map(|rule| rule.trim().to_owned())
                .collect(),
            reasoned: !reason.trim().is_empty(),
            used: false,
        });
    }
    all
}
