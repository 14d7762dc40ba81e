//! What the gate found as annotations. Pure.

use super::report::Report;
use super::sarif::location;
use crate::github::annotation::{Annotation, Level};

/// One error for each finding, on the file itself or on the package that holds it.
pub fn all(report: &Report) -> Vec<Annotation> {
    let findings = report.findings.iter().map(|finding| {
        let rule = finding.rule;
        let message = format!(
            "{}: {}. {}.\nWhy: {}.\nMend: {}.",
            finding.path, finding.detail, rule.title, rule.why, rule.mend
        );
        let message = message.trim_start_matches(": ");
        Annotation::new(Level::Error, rule.id, message).on(location(report, finding))
    });
    findings.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::report::Finding;
    use crate::gate::{Form, RULES};

    #[test]
    fn a_finding_stands_on_its_file() {
        let rule = RULES[0];
        let check = |form, path: &str, expected: &str| {
            let report = Report {
                subject: "editor".to_owned(),
                form,
                entries: 1,
                bytes: 1,
                findings: vec![Finding::new(rule, path, "odd")],
                accepted: Vec::new(),
                unused: Vec::new(),
            };
            let command = all(&report)[0].command("");
            let start = format!("::error file={expected},title={}::", rule.id);
            assert!(command.starts_with(&start), "{command}");
        };
        check(Form::Folder, "src/a.py", "editor/src/a.py");
        check(Form::Folder, "", "editor");
        check(Form::Vsix, "extension/src/a.py", "editor");
    }
}
