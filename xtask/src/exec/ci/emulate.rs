//! What stands in for the actions that nearly every workflow uses.

use serde_json::{Map, Value, json};

use super::step::{Ended, Inputs, JobRun};
use super::{artifact, clone};
use crate::error::{Context, Result};
use crate::tools::node;
use crate::workflow::local::scope::Standing;
use crate::workflow::local::{Emulation, plan};
use crate::world::files;

/// Does it.
pub fn perform(
    run: &mut JobRun<'_>,
    emulation: Emulation,
    action: &str,
    inputs: &Inputs,
) -> Result<Ended> {
    let (world, workspace) = (run.world(), run.workspace());
    let store = &run.session.folders.artifacts;
    match emulation {
        Emulation::Checkout => {
            let folder = workspace.join(inputs.get("path").unwrap_or_default());
            let depth = inputs.get("fetch-depth").unwrap_or("1");
            let reference = inputs.get("ref").unwrap_or_default();
            let commit = clone::checkout(run.session, &folder, depth, reference)?;
            let outputs = [
                ("commit", commit.as_str()),
                ("ref", run.session.event.reference.as_str()),
            ];
            Ok(with_outputs(&outputs))
        }
        Emulation::Python => python(run, inputs),
        Emulation::Node => match node::on_path(world) {
            Some(version) => Ok(with_outputs(&[("node-version", &format!("v{version}"))])),
            None => Ok(Ended::NotRun("no Node.js is installed".to_owned())),
        },
        Emulation::Rust => program(run, "cargo"),
        Emulation::Uv => program(run, "uv"),
        Emulation::Cache => Ok(with_outputs(&[("cache-hit", "")])),
        Emulation::Upload => artifact::upload(world, workspace, store, inputs),
        Emulation::Download => artifact::download(world, workspace, store, inputs),
        Emulation::Composite => composite(run, action, inputs),
    }
}

fn with_outputs(outputs: &[(&str, &str)]) -> Ended {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Ended::Done(outputs.iter().map(own).collect())
}

fn program(run: &JobRun<'_>, name: &str) -> Result<Ended> {
    let version = run.world().command(name).arg("--version").output();
    match version {
        Ok(output) if output.status.success() => Ok(Ended::done()),
        _ => {
            run.world().check_interrupted()?;
            Ok(Ended::NotRun(format!("{name} is not installed")))
        }
    }
}

/// Puts the interpreter that fits best first on PATH, under every name that scripts call it by.
fn python(run: &mut JobRun<'_>, inputs: &Inputs) -> Result<Ended> {
    let wanted = inputs.get("python-version").unwrap_or_default();
    let pythons = &run.session.pythons;
    let fitting = pythons
        .iter()
        .find(|python| plan::satisfies(wanted, python.version));
    let Some(python) = fitting.or(pythons.first()) else {
        return Ok(Ended::NotRun("no Python is installed".to_owned()));
    };
    let (path, version) = (python.path.clone(), python.version.to_string());
    let folder = run.session.folders.temporary.join("python");
    let first = match cfg!(windows) {
        true => path.parent().map(ToString::to_string).unwrap_or_default(),
        false => {
            for (name, more) in [
                ("python", ""),
                ("python3", ""),
                ("pip", "-m pip "),
                ("pip3", "-m pip "),
            ] {
                let quoted = crate::world::process::quote(path.as_str());
                launcher(
                    &folder.join(name),
                    &format!("#!/bin/sh\nexec {quoted} {more}\"$@\"\n"),
                )?;
            }
            folder.to_string()
        }
    };
    run.path.push(first);
    Ok(with_outputs(&[
        ("python-version", &version),
        ("python-path", path.as_str()),
    ]))
}

fn launcher(path: &camino::Utf8Path, text: &str) -> Result<()> {
    files::write(path, text.as_bytes())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(path, mode).doing(|| format!("set the mode of {path}"))?;
    }
    Ok(())
}

/// The steps of an action of the repository, with inputs and outputs of their own.
fn composite(run: &mut JobRun<'_>, path: &str, inputs: &Inputs) -> Result<Ended> {
    let session = run.session;
    let Some(action) = session.actions.get(path) else {
        return Ok(Ended::NotRun(format!("HEAD has no action {path}")));
    };
    if !run.workspace().join(&action.path).exists() {
        return Ok(Ended::Failed(format!(
            "{path} is not there: the job has not checked it out"
        )));
    }
    let mut given = Map::new();
    for input in &action.inputs {
        let name = &input.name.value;
        let text = match inputs.get(name) {
            Some(text) => text.to_owned(),
            None => run.scope.text(&action.path, &input.value)?,
        };
        given.insert(name.clone(), Value::String(text));
    }
    let outer = run.scope.clone();
    run.scope.set("inputs", given);
    run.scope.set("steps", Map::new());
    run.scope.standing = Standing::Success;
    let folder = run.workspace().join(&action.path);
    run.scope
        .put("github", "action_path", json!(folder.parent()));
    run.steps(&action.path, &action.steps)?;
    let outputs = run.scope.texts(&action.path, &action.outputs);
    let failed = run.scope.standing == Standing::Failure;
    run.scope = outer;
    match failed {
        true => Ok(Ended::Failed("a step of it failed".to_owned())),
        false => Ok(Ended::Done(outputs?)),
    }
}
