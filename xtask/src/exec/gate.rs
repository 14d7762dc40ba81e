//! Holding a finished package against the gate, and saying what was found.

use std::collections::BTreeSet;

use camino::Utf8Path;

use crate::artifact::Manifest;
use crate::config::Config;
use crate::error::Result;
use crate::gate::pattern::Pattern;
use crate::gate::{self, Exception, Expected, Form, Policy, Report, Subject};
use crate::world::World;
use crate::world::terminal::size;

/// Judges a finished package against a release that may not be in `dist/` yet.
///
/// # Errors
/// The repository has no extension, or the manifest names no wheel or requirements.
pub fn vsix(
    world: &World,
    config: &Config,
    path: &Utf8Path,
    bytes: &[u8],
    manifest: &Manifest,
) -> Result<Report> {
    let policy = policy(config)?;
    let expected = Expected::of(manifest)?;
    let container = gate::container::read(bytes);
    let subject = Subject {
        name: world.show(path).to_string(),
        form: Form::Vsix,
        entries: container.entries,
        findings: container.findings,
    };
    Ok(gate::judge(subject, &policy, Some(&expected)))
}

/// Says to a person what was found, and sums it up.
pub fn say(world: &World, report: &Report) {
    let terminal = &world.terminal;
    let text = report.text();
    if !text.is_empty() {
        terminal.text(&format!("{text}\n"));
    }
    let what = format!(
        "{}  {} entries, {}",
        report.subject,
        report.entries,
        size(report.bytes)
    );
    let rules: BTreeSet<&str> = report
        .findings
        .iter()
        .map(|finding| finding.rule.id)
        .collect();
    match (report.findings.len(), rules.len()) {
        (0, _) => terminal.done(
            "check",
            &format!("{what}, {} rules hold", gate::RULES.len()),
        ),
        (1, _) => terminal.failed("check", &format!("{what}: 1 finding")),
        (found, 1) => terminal.failed("check", &format!("{what}: {found} findings of one rule")),
        (found, rules) => terminal.failed(
            "check",
            &format!("{what}: {found} findings of {rules} rules"),
        ),
    }
}

/// What `release.toml` says about the gate. The configuration has checked every pattern.
///
/// # Errors
/// The repository has no extension.
pub fn policy(config: &Config) -> Result<Policy> {
    let exceptions = config.gate.exceptions.iter().map(|exception| Exception {
        rule: exception.rule.clone(),
        path: Pattern::verbatim(&exception.path),
        reason: exception.reason.clone(),
    });
    Ok(Policy {
        bundle: config.required_extension()?.bundle.clone(),
        allow: config
            .gate
            .allow
            .iter()
            .map(|text| Pattern::verbatim(text))
            .collect(),
        entry_limit: config.gate.entry_limit,
        total_limit: config.gate.total_limit,
        exceptions: exceptions.collect(),
    })
}
