//! What the commit holds: its workflows, its actions, its names; and what the last run left.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::Request;
use crate::error::{Error, Result};
use crate::source::{self, git};
use crate::workflow::Workflow;
use crate::workflow::local::{Event, order};
use crate::workflow::model::{Action, Step, StepBody};
use crate::workflow::read;
use crate::world::{World, files};

/// What git says.
pub struct Repository {
    /// The top of the working tree.
    pub top: Utf8PathBuf,
    /// HEAD.
    pub commit: String,
    /// The branch, `main` when HEAD is on none.
    pub branch: String,
    /// `owner/name`.
    pub repository: String,
}

pub fn repository(world: &World) -> Result<Repository> {
    let checkout = source::observe(world)?;
    let top = git(world).args(["rev-parse", "--show-toplevel"]).run()?;
    let top = Utf8PathBuf::from(top.stdout.trim_end_matches('\n'));
    let branch = git(world)
        .args(["symbolic-ref", "--quiet", "--short", "HEAD"])
        .output()?;
    let branch = match branch.stdout.trim() {
        "" => "main".to_owned(),
        branch => branch.to_owned(),
    };
    let origin = git(world).args(["remote", "get-url", "origin"]).output()?;
    let repository = repository_name(origin.stdout.trim(), &top);
    Ok(Repository {
        top,
        commit: checkout.commit,
        branch,
        repository,
    })
}

/// `owner/name` of an address at GitHub; elsewhere the folder's name, for the same form.
fn repository_name(origin: &str, top: &Utf8Path) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let path = origin.split_once("github.com").map(|(_, path)| path);
    let path = path.map(|path| path.trim_start_matches([':', '/']).trim_end_matches(".git"));
    let sound = |path: &&str| {
        let parts: Vec<&str> = path.split('/').collect();
        parts.len() == 2
            && parts
                .iter()
                .all(|part| !part.is_empty() && part.chars().all(plain))
    };
    if let Some(path) = path.filter(sound) {
        return path.to_owned();
    }
    let name = top.file_name().unwrap_or_default();
    let name: String = name
        .chars()
        .map(|c| if plain(c) { c } else { '-' })
        .collect();
    match name.trim_matches(['.', '-']) {
        "" => "local/repository".to_owned(),
        name => format!("local/{name}"),
    }
}

/// The paths of the commit's workflows.
pub fn workflows(world: &World) -> Result<Vec<String>> {
    let listed = git(world)
        .args([
            "ls-tree",
            "-z",
            "--full-tree",
            "--name-only",
            "HEAD",
            ".github/workflows/",
        ])
        .run()?
        .stdout;
    let is_workflow = |path: &&str| path.ends_with(".yml") || path.ends_with(".yaml");
    let paths: Vec<String> = listed
        .split('\0')
        .filter(is_workflow)
        .map(str::to_owned)
        .collect();
    match paths.is_empty() {
        false => Ok(paths),
        true => Err(
            Error::precondition("HEAD has no workflow in .github/workflows/")
                .hint("write one and commit it; what is run is the commit"),
        ),
    }
}

fn text(world: &World, path: &str) -> Result<Option<String>> {
    let shown = git(world)
        .args(["show", &format!("HEAD:{path}")])
        .output()?;
    Ok(shown.status.success().then_some(shown.stdout))
}

fn read_workflow(world: &World, path: &str) -> Result<Workflow> {
    let Some(text) = text(world, path)? else {
        return Err(Error::usage(format!("{path} is not in HEAD"))
            .hint("commit it first: what is run is the commit"));
    };
    let workflow = read::workflow(path, &text).map_err(|problem| problem.error(path))?;
    match workflow.problems.first() {
        Some(problem) => Err(problem.error(path)),
        None => Ok(workflow),
    }
}

/// The workflow that is meant.
pub fn workflow(world: &World, request: &Request<'_>) -> Result<Workflow> {
    let paths = workflows(world)?;
    let fits = |path: &&String, named: &Utf8Path| {
        path.as_str() == named.as_str().trim_start_matches("./")
            || (named.components().count() == 1
                && [Some(named.as_str()), named.file_stem()]
                    .contains(&Utf8Path::new(path).file_stem())
                || Utf8Path::new(path).file_name() == Some(named.as_str()))
    };
    if let Some(named) = request.workflow {
        return match paths.iter().find(|path| fits(path, named)) {
            Some(path) => read_workflow(world, path),
            None => Err(Error::usage(format!("HEAD has no workflow {named}"))
                .hint(format!("its workflows are {}", paths.join(", ")))),
        };
    }
    if let [path] = paths.as_slice() {
        return read_workflow(world, path);
    }
    let mut holding = Vec::new();
    for path in &paths {
        let workflow = read_workflow(world, path)?;
        let has = |id: &String| workflow.job(id).is_some();
        if !request.jobs.is_empty() && request.jobs.iter().all(has) {
            holding.push(workflow);
        }
    }
    let shown = request.jobs.join(", ");
    match (holding.len(), holding.pop()) {
        (1, Some(workflow)) => Ok(workflow),
        (0, _) if !request.jobs.is_empty() => {
            Err(Error::usage(format!("no workflow of HEAD has {shown}"))
                .hint("what there is: cargo xtask ci run --list"))
        }
        _ => Err(
            Error::usage("it is not clear which workflow is meant").hint(format!(
                "name it with --workflow, one of {}",
                paths.join(", ")
            )),
        ),
    }
}

/// The repository's own actions that are made of steps, by the path that steps call them by.
pub fn actions(world: &World, workflow: &Workflow) -> Result<BTreeMap<String, Action>> {
    let mut found = BTreeMap::new();
    let mut open: Vec<String> = workflow
        .jobs
        .iter()
        .flat_map(|job| called(job.steps()))
        .collect();
    while let Some(call) = open.pop() {
        if found.contains_key(&call) {
            continue;
        }
        let folder = call.trim_start_matches("./").trim_end_matches('/');
        for name in ["action.yml", "action.yaml"] {
            let path = format!("{folder}/{name}");
            let Some(text) = text(world, &path)? else {
                continue;
            };
            let action = read::action(&path, &text).map_err(|problem| problem.error(&path))?;
            if action
                .using
                .as_ref()
                .is_some_and(|using| using.value == "composite")
            {
                open.extend(called(&action.steps));
                found.insert(call.clone(), action);
            }
            break;
        }
    }
    Ok(found)
}

fn called(steps: &[Step]) -> Vec<String> {
    let local = steps.iter().filter_map(|step| match &step.body {
        StepBody::Uses { action, .. } if action.value.starts_with("./") => {
            Some(action.value.clone())
        }
        _ => None,
    });
    local.collect()
}

/// A tag that is there already must be at this commit.
pub fn require_tag(world: &World, event: &Event, commit: &str) -> Result<()> {
    if !event.is_tag() {
        return Ok(());
    }
    let tag = event.short();
    match source::commit_of_tag(world, tag)? {
        Some(other) if other != commit => {
            let shown = &other[..12.min(other.len())];
            Err(
                Error::precondition(format!("the tag {tag} is at {shown}, not at HEAD"))
                    .hint(format!("check it out first: git checkout {tag}")),
            )
        }
        _ => Ok(()),
    }
}

/// Says that what is not committed is not run.
pub fn warn_of_changes(world: &World) -> Result<()> {
    let checkout = source::observe(world)?;
    let count = checkout.modified.len() + checkout.untracked.len();
    if count > 0 {
        let text =
            format!("{count} changed or new files are in no commit, so the run does not see them");
        world.terminal.warn(&text);
    }
    Ok(())
}

/// The results that stand from the last run, of all jobs that the named ones need.
pub fn kept(
    results: &Utf8Path,
    commit: &str,
    workflow: &Workflow,
    jobs: &[String],
) -> Result<BTreeMap<String, Value>> {
    let again = "run without --only";
    let text = std::fs::read(results).ok();
    let record: Option<Value> = text.and_then(|text| serde_json::from_slice(&text).ok());
    let record = record.filter(|record| record.get("commit").is_some_and(|of| of == commit));
    let mut kept = BTreeMap::new();
    for job in order::order(workflow, jobs)? {
        let id = &job.id.value;
        if jobs.contains(id) {
            continue;
        }
        let known = record
            .as_ref()
            .and_then(|record| record.get("jobs")?.get(id));
        match known {
            Some(result) => kept.insert(id.clone(), result.clone()),
            None => {
                let message = format!("no result of {id} is kept for the commit {}", &commit[..12]);
                return Err(Error::precondition(message).hint(again));
            }
        };
    }
    Ok(kept)
}

/// The text of a kept file that steps left values in.
pub fn values(path: &Utf8Path) -> Result<Vec<(String, String)>> {
    let text = match path.exists() {
        true => files::read_text(path)?,
        false => String::new(),
    };
    crate::workflow::local::record::read(&text).map_err(Error::failure)
}
