//! `ci run`: a workflow's jobs on this machine.

use camino::Utf8PathBuf;
use clap::Args;
use serde_json::json;

use crate::error::{Error, Result};
use crate::exec::ci::{self, Folder, Identity, Needs, Request};
use crate::world::World;

/// Arguments of `ci run`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Jobs to run, with the jobs they need [default: all of the workflow]
    #[arg(value_name = "JOB")]
    jobs: Vec<String>,
    /// The workflow [default: the only one, or the only one with these jobs]
    #[arg(long, value_name = "FILE")]
    workflow: Option<Utf8PathBuf>,
    /// Run the legs of a matrix with this value only
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    matrix: Vec<(String, String)>,
    /// What starts the workflow: push, tag:v1.2.3, workflow_dispatch, pull_request, schedule
    #[arg(long, value_name = "EVENT")]
    event: Option<String>,
    /// An input of workflow_dispatch
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    input: Vec<(String, String)>,
    /// Give the variable of this environment to the workflow as the secret of the same name
    #[arg(long, value_name = "NAME")]
    secrets_from_environment: Vec<String>,
    /// Let jobs with `id-token: write` ask the service that ACTIONS_ID_TOKEN_REQUEST_URL and
    /// ACTIONS_ID_TOKEN_REQUEST_TOKEN of this environment name; no other job gets them
    #[arg(long)]
    identity_from_environment: bool,
    /// Print what would be run, emulated and left out, and run nothing
    #[arg(long)]
    list: bool,
    /// Run the named jobs only; the results of those they need stand from the last run
    #[arg(long, requires = "jobs")]
    only: bool,
    /// Keep the folders of the jobs, and say where they are
    #[arg(long)]
    keep: bool,
    /// Where Cargo compiles [default: a private folder that is kept between runs]
    #[arg(long, value_name = "DIR")]
    target_dir: Option<Utf8PathBuf>,
}

fn pair(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("give KEY=VALUE".to_owned()),
    }
}

/// Prints the plan, performs it, and says what came of it and what was not run.
///
/// # Errors
/// A job fails (exit code 1), the workflow cannot be read or has no such job (2).
pub fn run(world: &World, arguments: &Arguments) -> Result<()> {
    let request = Request {
        jobs: &arguments.jobs,
        workflow: arguments.workflow.as_deref(),
        matrix: &arguments.matrix,
        event: arguments.event.as_deref(),
        inputs: &arguments.input,
        secrets: &arguments.secrets_from_environment,
        identity: if arguments.identity_from_environment {
            Identity::Environment
        } else {
            Identity::Withheld
        },
        needs: if arguments.only {
            Needs::Kept
        } else {
            Needs::Run
        },
        folder: if arguments.keep {
            Folder::Kept
        } else {
            Folder::Removed
        },
        target: arguments
            .target_dir
            .as_deref()
            .map(|folder| world.resolve(folder)),
    };
    if arguments.list && arguments.jobs.is_empty() && arguments.workflow.is_none() {
        let plans = ci::plans(world, &request)?;
        for plan in &plans {
            world.terminal.text(&plan.text());
        }
        world.terminal.json(&json!({ "schema": 1, "plans": plans }));
        return Ok(());
    }
    let mut session = ci::open(world, &request)?;
    let plan = session.plan()?;
    if arguments.list {
        world.terminal.text(&plan.text());
        world
            .terminal
            .json(&json!({ "schema": 1, "plans": [plan] }));
        return Ok(());
    }
    world.terminal.pass_on(&plan.text());
    if !plan.jobs.iter().any(|job| job.state.runs()) {
        world
            .terminal
            .json(&json!({ "schema": 1, "plan": plan, "jobs": [] }));
        return Err(Error::precondition(format!(
            "{}: no job that was asked for can be run here",
            plan.workflow
        ))
        .hint("the plan says why; for another event: --event tag:v1.2.3, --input KEY=VALUE"));
    }
    let report = session.perform(&plan)?;
    world.terminal.json(&json!({
        "schema": 1, "commit": session.commit, "plan": plan, "jobs": report.jobs,
    }));
    let failures = report.failures();
    let summary = report.summary();
    if failures.is_empty() {
        world.terminal.done("ci run", &summary);
        return Ok(());
    }
    world.terminal.failed("ci run", &summary);
    let error = Error::failure(failures.join("\n       "));
    Err(match arguments.keep {
        true => error,
        false => error.hint("to look at the job's folder afterwards: run again with --keep"),
    })
}
