//! `prove`: the wheel in `dist/` works where it has never been before.

use clap::Args;
use serde_json::json;

use crate::artifact::Kind;
use crate::dist::{self, Release};
use crate::error::Result;
use crate::exec;
use crate::github::summary::{self, Row};
use crate::prove::Outcome;
use crate::tools::python;
use crate::world::World;
use crate::world::lock::Lock;

/// Arguments of `prove`.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Proves the wheel that `dist/manifest.json` names and writes the evidence into it.
///
/// # Errors
/// There is nothing to prove, a file is not the one that was sealed, nothing can be tried, or
/// a check does not hold.
pub fn run(world: &World, _arguments: &Arguments) -> Result<()> {
    let config = super::configuration(world)?;
    let _lock = Lock::take(world, "prove")?;
    let manifest = dist::required_manifest(world)?;
    manifest
        .only(Kind::Requirements)
        .map_err(|error| error.hint("make them: cargo xtask bundle"))?;
    let mut release = Release::load(world, manifest)?;
    let python = python::interpreter(world)?;
    let outcome = exec::examine(world, &config, &python.path, &release)?;
    world.terminal.json(&shown(&release, &outcome)?);
    let manifest = &release.manifest;
    let title = format!("Prove {} {}", manifest.name, manifest.version);
    world.summarise(|| summary::checks(&title, "check", &rows(&outcome)));
    let proof = exec::proof(&config, python.version, &release, outcome)?;
    release.put_proof(proof);
    release.write(world)
}

/// Every check, held or not, for the summary of a step.
fn rows(outcome: &Outcome) -> Vec<Row> {
    let held = outcome.checks.iter().map(|check| Row {
        name: check.name.clone(),
        mark: "✓",
        detail: check.detail.clone(),
    });
    let failed = outcome.failures.iter().map(|failure| Row {
        name: failure.check.to_string(),
        mark: "✗",
        detail: failure.error.message.clone(),
    });
    held.chain(failed).collect()
}

/// Every check, held or not, for programs.
fn shown(release: &Release, outcome: &Outcome) -> Result<serde_json::Value> {
    let held = outcome
        .checks
        .iter()
        .map(|check| json!({ "name": check.name, "held": true, "detail": check.detail }));
    let failed = outcome.failures.iter().map(|failure| {
        json!({
            "name": failure.check,
            "held": false,
            "detail": failure.error.message,
            "hints": failure.error.hints,
        })
    });
    Ok(json!({
        "schema": 1,
        "wheel": release.manifest.only(Kind::Wheel)?.sha256,
        "requirements": release.manifest.only(Kind::Requirements)?.sha256,
        "proved": outcome.failures.is_empty(),
        "checks": held.chain(failed).collect::<Vec<_>>(),
        "tools": outcome.tools,
    }))
}
