//! Which jobs, legs and steps run here. Pure.

use std::collections::BTreeSet;

use nodejs_semver::Range;
use serde_json::{Map, Value};

use super::emulation::{self, Emulation};
use super::scope::{Scope, reads};
use super::{Event, How, Leg, Machine, Plan, PlannedJob, PlannedStep, State, matrix, order};
use crate::error::{Error, Result};
use crate::tools::Version;
use crate::workflow::expression::value::shown;
use crate::workflow::model::{Job, JobBody, Spanned, Step, StepBody, Workflow, find};
use crate::workflow::read::texts;

/// What is asked for, and all that is known.
pub struct Question<'a> {
    /// The workflow.
    pub workflow: &'a Workflow,
    /// What starts it.
    pub event: &'a Event,
    /// What expressions read before any job has run.
    pub scope: &'a Scope,
    /// This machine.
    pub machine: &'a Machine,
    /// The jobs that are asked for.
    pub jobs: &'a [String],
    /// What the matrix must be.
    pub matrix: &'a [(String, String)],
    /// The jobs whose results of an earlier run stand.
    pub kept: &'a BTreeSet<String>,
    /// The paths of the repository's actions that are made of steps.
    pub composites: &'a BTreeSet<String>,
}

/// Decides.
///
/// # Errors
/// A job that is not there, a broken expression or matrix.
pub fn plan(question: &Question<'_>) -> Result<Plan> {
    let jobs = order::order(question.workflow, question.jobs)?;
    let mut planned: Vec<PlannedJob> = Vec::new();
    for job in jobs {
        let state = job_state(question, job, &planned)?;
        let waits = job
            .strategy
            .matrix
            .as_ref()
            .is_some_and(|matrix| reads_any(&matrix.json(), &["needs"]));
        let legs = match waits || !state.runs() {
            true => Vec::new(),
            false => legs(question, job, question.scope)?,
        };
        let none = !waits && state.runs() && !legs.iter().any(|leg| leg.state.runs());
        let state = match (none, legs.first().map(|leg| &leg.state)) {
            (true, Some(state)) => state.clone(),
            (true, None) => State::LeftOut("its matrix is empty".to_owned()),
            _ => state,
        };
        planned.push(PlannedJob {
            id: job.id.value.clone(),
            state,
            environment: job
                .environment
                .as_ref()
                .map(|environment| environment.name.value.clone()),
            legs,
        });
    }
    require_legs(question, &planned)?;
    Ok(Plan {
        workflow: question.workflow.path.clone(),
        event: question.event.shown(),
        jobs: planned,
    })
}

/// Refuses a `--matrix` that no leg answers, such as one with a misspelt key: everything would run.
fn require_legs(question: &Question<'_>, planned: &[PlannedJob]) -> Result<()> {
    // What a job that waits for others has in its matrix is not known yet.
    let waits = |job: &PlannedJob| job.state.runs() && job.legs.is_empty();
    if planned.iter().any(waits) {
        return Ok(());
    }
    for (key, value) in question.matrix {
        let legs = planned.iter().flat_map(|job| &job.legs);
        let mut known: Vec<String> = legs
            .filter_map(|leg| leg.matrix.get(key).map(shown))
            .collect();
        known.sort();
        known.dedup();
        if !known.contains(value) {
            let error = Error::usage(format!("--matrix {key}={value}: no leg has it"));
            return Err(match known.as_slice() {
                [] => error.hint("what there is: cargo xtask ci run --list"),
                known => error.hint(format!("{key} is one of {}", known.join(", "))),
            });
        }
    }
    Ok(())
}

fn job_state(question: &Question<'_>, job: &Job, before: &[PlannedJob]) -> Result<State> {
    let left = |why: &str| Ok(State::LeftOut(why.to_owned()));
    if question.kept.contains(&job.id.value) {
        return Ok(State::Kept);
    }
    if matches!(job.body, JobBody::Reusable { .. }) {
        return left("it calls another workflow");
    }
    if job.container.is_some() || job.services.is_some() {
        return left("it runs in containers");
    }
    if let Some(condition) = &job.condition {
        if reads(&condition.value, &["needs"]) {
            return Ok(State::Conditional(condition.value.clone()));
        }
        if !question
            .scope
            .holds(&question.workflow.path, Some(condition))?
        {
            return Ok(State::Skipped(format!(
                "its condition does not hold for {}: {}",
                question.event.shown(),
                condition.value
            )));
        }
    }
    if job.condition.is_some() {
        return Ok(State::Run);
    }
    for need in &job.needs {
        let id = &need.value;
        let needed = before.iter().find(|job| job.id == *id);
        match needed.map(|job| &job.state) {
            Some(State::LeftOut(_)) => {
                return Ok(State::LeftOut(format!(
                    "it needs {id}, which does not run here"
                )));
            }
            Some(State::Skipped(_)) => {
                return Ok(State::Skipped(format!("it needs {id}, which is skipped")));
            }
            _ => {}
        }
    }
    Ok(State::Run)
}

/// The legs of a job; `scope` knows the jobs that it needs.
///
/// # Errors
/// As [`plan`].
pub fn legs(question: &Question<'_>, job: &Job, scope: &Scope) -> Result<Vec<Leg>> {
    let file = &question.workflow.path;
    let combinations = match &job.strategy.matrix {
        None => vec![Map::new()],
        Some(node) => {
            let at = Spanned::new(String::new(), node.place);
            let matrix = scope.within(file, &at, &node.json())?;
            matrix::combinations(&matrix).map_err(|message| {
                let place = node.place;
                Error::usage(format!("{file}:{}:{}: {message}", place.line, place.column))
            })?
        }
    };
    let mut legs = Vec::new();
    for combination in &combinations {
        legs.push(leg(question, job, scope, combination)?);
    }
    let is_asked = |leg: &Leg| {
        question
            .matrix
            .iter()
            .all(|(key, value)| leg.matrix.get(key).is_some_and(|own| shown(own) == *value))
    };
    let has_keys = combinations
        .iter()
        .any(|leg| question.matrix.iter().any(|(key, _)| leg.contains_key(key)));
    if !question.matrix.is_empty() && has_keys {
        for leg in legs.iter_mut().filter(|leg| !is_asked(leg)) {
            leg.state = State::LeftOut("--matrix asks for another".to_owned());
        }
        return Ok(legs);
    }
    prefer_what_is_here(&mut legs);
    Ok(legs)
}

/// Of legs that this machine could be, those whose tools it has; when it has those of none, the
/// one that lacks the least.
fn prefer_what_is_here(legs: &mut [Leg]) {
    let runs = |leg: &&Leg| leg.state.runs();
    let least = legs.iter().filter(runs).map(|leg| leg.warnings.len()).min();
    let Some(least) = least else {
        return;
    };
    let mut taken = 0;
    for leg in legs.iter_mut().filter(|leg| leg.state.runs()) {
        if leg.warnings.len() > least || (least > 0 && taken > 0) {
            leg.state = State::LeftOut(leg.warnings.join(", "));
        } else {
            taken += 1;
        }
    }
}

fn leg(
    question: &Question<'_>,
    job: &Job,
    scope: &Scope,
    combination: &Map<String, Value>,
) -> Result<Leg> {
    let file = &question.workflow.path;
    let mut scope = scope.clone();
    scope.set("matrix", combination.clone());
    let mut warnings = Vec::new();
    let labels = match &job.runs_on {
        None => Vec::new(),
        Some(node) => {
            let labels = node.get("labels").unwrap_or(node);
            let mut found = Vec::new();
            for label in texts(labels) {
                match scope.value(file, &label)? {
                    Value::Array(labels) => found.extend(labels.iter().map(shown)),
                    label => found.push(shown(&label)),
                }
            }
            found
        }
    };
    let state = match other_machine(&labels, question.machine) {
        Some(why) => State::LeftOut(why),
        None => State::Run,
    };
    let composite = |path: &str| question.composites.contains(path);
    let mut steps = Vec::new();
    for step in job.steps() {
        let planned = planned(step, &composite);
        if state.runs() {
            lacks(
                file,
                step,
                &planned.how,
                &scope,
                question.machine,
                &mut warnings,
            )?;
        }
        steps.push(planned);
    }
    Ok(Leg {
        name: leg_name(file, job, &scope, combination),
        matrix: combination.clone(),
        state,
        warnings,
        steps,
    })
}

fn leg_name(file: &str, job: &Job, scope: &Scope, combination: &Map<String, Value>) -> String {
    let named = job
        .name
        .as_ref()
        .and_then(|name| scope.text(file, name).ok());
    let values: Vec<String> = combination.values().map(shown).collect();
    match (named, values.is_empty()) {
        (Some(name), _) => name,
        (None, true) => job.id.value.clone(),
        (None, false) => format!("{} ({})", job.id.value, values.join(", ")),
    }
}

/// Why a job with these labels cannot run here.
fn other_machine(labels: &[String], machine: &Machine) -> Option<String> {
    let systems = [
        ("ubuntu", "Linux"),
        ("linux", "Linux"),
        ("macos", "macOS"),
        ("windows", "Windows"),
    ];
    for label in labels {
        let label = label.to_lowercase();
        let system = systems.iter().find(|(start, _)| label.starts_with(start));
        match system {
            Some((_, system)) if *system != machine.system => {
                return Some(format!("it runs on {label}"));
            }
            Some(("ubuntu" | "windows", _))
                if label.ends_with("-arm") != (machine.architecture == "ARM64") =>
            {
                return Some(format!(
                    "it runs on {label}, and this is {}",
                    machine.architecture
                ));
            }
            _ => {}
        }
    }
    None
}

/// A step as the plan shows it.
pub fn planned(step: &Step, composite: &dyn Fn(&str) -> bool) -> PlannedStep {
    PlannedStep {
        name: step_name(step),
        line: step.place.line,
        how: emulation::how(step, composite),
        condition: step.condition.as_ref().map(|text| text.value.clone()),
    }
}

fn step_name(step: &Step) -> String {
    let name = match (&step.name, &step.body) {
        (Some(name), _) => &name.value,
        (None, StepBody::Run { script, .. }) => {
            let lines = script.text.lines().map(str::trim);
            return lines
                .into_iter()
                .find(|line| !line.is_empty() && !line.starts_with('#'))
                .map_or_else(
                    || "nothing".to_owned(),
                    |line| crate::printable::line(line, 100),
                );
        }
        (None, StepBody::Uses { action, .. }) => {
            return emulation::action_name(&action.value);
        }
    };
    crate::printable::line(name, 100)
}

/// Notes the version that a step asks for and that is not installed.
fn lacks(
    file: &str,
    step: &Step,
    how: &How,
    scope: &Scope,
    machine: &Machine,
    warnings: &mut Vec<String>,
) -> Result<()> {
    let StepBody::Uses { with, .. } = &step.body else {
        return Ok(());
    };
    let (key, what, installed) = match how {
        How::Emulated(Emulation::Python) => ("python-version", "Python", machine.pythons.clone()),
        How::Emulated(Emulation::Node) => (
            "node-version",
            "Node.js",
            machine.node.into_iter().collect(),
        ),
        _ => return Ok(()),
    };
    let Some(text) = find(with, key) else {
        return Ok(());
    };
    if reads(&text.value, &["steps", "needs"]) {
        return Ok(());
    }
    let wanted = scope.text(file, text)?;
    if !installed.iter().any(|version| satisfies(&wanted, *version)) {
        let have: Vec<String> = installed.iter().map(ToString::to_string).collect();
        let have = match have.is_empty() {
            true => "none".to_owned(),
            false => have.join(", "),
        };
        warnings.push(format!(
            "{what} {} is not installed, {have} is",
            wanted.trim()
        ));
    }
    Ok(())
}

/// Whether a version is one of those that `python-version` or `node-version` asks for. What is
/// no range (`lts/*`, `latest`) is satisfied by any.
pub fn satisfies(wanted: &str, version: Version) -> bool {
    let version = version.to_string();
    let Ok(version) = version.parse::<nodejs_semver::Version>() else {
        return false;
    };
    let mut ranges = wanted
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .peekable();
    let fits = |range: &str| match range.parse::<Range>() {
        Ok(range) => range.satisfies(&version),
        Err(_) => true,
    };
    ranges.peek().is_none() || ranges.any(fits)
}

fn reads_any(value: &Value, contexts: &[&str]) -> bool {
    match value {
        Value::String(text) => text.contains("${{") && reads(text, contexts),
        Value::Array(list) => list.iter().any(|value| reads_any(value, contexts)),
        Value::Object(object) => object.values().any(|value| reads_any(value, contexts)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_satisfy_what_is_asked_for() {
        let check = |wanted: &str, version: Version, expected: bool| {
            assert_eq!(satisfies(wanted, version), expected, "{wanted} {version}");
        };
        check("3.11", Version(3, 11, 7), true);
        check("3.1", Version(3, 11, 7), false);
        check("3.x", Version(3, 11, 7), true);
        check(">=3.10", Version(3, 11, 7), true);
        check("3.13\n3.11\n", Version(3, 11, 7), true);
        check("22", Version(20, 20, 2), false);
        check("lts/*", Version(20, 20, 2), true);
        check("", Version(20, 20, 2), true);
    }
}
