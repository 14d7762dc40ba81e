//! Which jobs run, and after which. Pure.

use crate::error::{Error, Result};
use crate::workflow::model::{Job, Workflow};

/// The jobs that were asked for and those they need, each after what it needs; all jobs when
/// none is named.
///
/// # Errors
/// A job that is not there, or jobs that need each other.
pub fn order<'a>(workflow: &'a Workflow, asked: &[String]) -> Result<Vec<&'a Job>> {
    let mut ordered = Vec::new();
    let all = || workflow.jobs.iter().map(|job| job.id.value.clone());
    let asked: Vec<String> = match asked.is_empty() {
        true => all().collect(),
        false => asked.to_vec(),
    };
    for id in &asked {
        add(workflow, id, &mut Vec::new(), &mut ordered)?;
    }
    Ok(ordered)
}

fn add<'a>(
    workflow: &'a Workflow,
    id: &str,
    waiting: &mut Vec<String>,
    ordered: &mut Vec<&'a Job>,
) -> Result<()> {
    if ordered.iter().any(|job| job.id.value == id) {
        return Ok(());
    }
    let path = &workflow.path;
    let Some(job) = workflow.job(id) else {
        let known: Vec<&str> = workflow
            .jobs
            .iter()
            .map(|job| job.id.value.as_str())
            .collect();
        return Err(Error::usage(format!("{path} has no job {id}"))
            .hint(format!("its jobs are {}", known.join(", "))));
    };
    if waiting.iter().any(|other| other == id) {
        let line = job.id.place.line;
        let circle = waiting.join(" → ");
        return Err(Error::usage(format!(
            "{path}:{line}: jobs need each other: {circle} → {id}"
        )));
    }
    waiting.push(id.to_owned());
    for need in &job.needs {
        add(workflow, &need.value, waiting, ordered)?;
    }
    waiting.pop();
    ordered.push(job);
    Ok(())
}
