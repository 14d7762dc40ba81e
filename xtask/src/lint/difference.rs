//! A unified difference, as `ruff format --diff` prints it → findings: the first changed line of
//! every part. Pure.

use camino::Utf8Path;

use super::{Finding, Tool, shown};

/// Reads what it prints.
pub fn read(output: &str, root: &Utf8Path, folder: &Utf8Path, tool: Tool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut path = String::new();
    // The number of the line that comes next, until a change of this part is seen.
    let mut next: Option<usize> = None;
    for text in output.lines() {
        if let Some(name) = text.strip_prefix("--- ") {
            path = shown(root, folder, name.split('\t').next().unwrap_or(name));
            next = None;
        } else if let Some(part) = text.strip_prefix("@@ -") {
            let number = part.split([',', ' ']).next().unwrap_or_default();
            next = number.parse().ok();
        } else if text.starts_with("+++ ") {
        } else if let (Some(line), true) = (next, text.starts_with(['+', '-'])) {
            next = None;
            findings.push(Finding {
                path: path.clone(),
                line: line.max(1),
                column: 1,
                tool,
                rule: "format".to_owned(),
                message: "not formatted".to_owned(),
            });
        } else {
            next = next.map(|line| line + 1);
        }
    }
    findings
}
