//! A report as annotations on the lines of lock files and of `release.toml`. Pure.

use super::group;
use super::phrase::{self, name};
use super::report::{Report, Verdict};
use crate::github::annotation::{Annotation, Level};
use crate::world::CONFIGURATION_FILE;

/// What stops a release as errors, the rest as warnings; what is accepted is not annotated.
pub fn all(report: &Report) -> Vec<Annotation> {
    let mut annotations = Vec::new();
    for finding in group::all(report) {
        let Some(level) = level(&finding.verdict) else {
            continue;
        };
        let (package, version) = (name(&finding.package), name(&finding.version));
        let title = format!("{} in {package} {version}", name(&finding.id));
        let mut told = vec![phrase::summary(finding), phrase::fix(finding)];
        told.extend(phrase::chain(finding).map(|chain| format!("installed by {chain}")));
        told.extend(phrase::command(finding));
        let annotation = Annotation::new(level, title, told.join("\n"));
        annotations.push(annotation.on(&finding.lock).line(finding.line));
    }
    for finding in phrase::licenses(report) {
        if let Some(level) = level(&finding.verdict) {
            let title = format!("license of {}", name(&finding.package));
            let annotation = Annotation::new(level, title, phrase::license(finding));
            annotations.push(annotation.on(&finding.lock).line(finding.line));
        }
    }
    for notice in &report.ignores {
        let level = if notice.denied {
            Level::Error
        } else {
            Level::Warning
        };
        let title = format!("audit.ignore of {}", name(&notice.id));
        let annotation = Annotation::new(level, title, phrase::ignore(&notice.state));
        annotations.push(annotation.on(CONFIGURATION_FILE).line(notice.line));
    }
    annotations
}

fn level(verdict: &Verdict) -> Option<Level> {
    match verdict {
        Verdict::Denied => Some(Level::Error),
        Verdict::Warned => Some(Level::Warning),
        Verdict::Ignored { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::sample;

    #[test]
    fn what_is_found_stands_on_its_line() {
        let report = sample::mixed();
        let annotations = all(&report);
        for annotation in &annotations {
            let place = annotation.place.as_ref().unwrap();
            assert!(place.line.is_some_and(|line| line > 0), "{annotation:?}");
        }
        let errors = annotations.iter().filter(|one| one.level == Level::Error);
        let denied = report.summary.denied + report.summary.licenses_denied;
        let ignores = report.ignores.iter().filter(|ignore| ignore.denied).count();
        assert_eq!(errors.count(), denied + ignores);
        assert!(denied > 0 && annotations.len() > denied);
    }
}
