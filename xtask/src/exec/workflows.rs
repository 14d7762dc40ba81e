//! Looks at the workflows of a repository and at what they name, and has other tools look, too.

mod disk;

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::{Error, Result};
use crate::tools::{actionlint, zizmor};
use crate::workflow::model::{Place, Problem};
use crate::workflow::read::{action, workflow};
use crate::workflow::report::{Report, report};
use crate::workflow::repository::{Repository, Tool};
use crate::world::{CONFIGURATION_FILE, World, files};

/// Which rules are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Ours, zizmor's and actionlint's.
    All,
    /// Ours, which need nothing to be installed.
    Own,
}

/// Reads and judges these files, or all workflows and actions of the repository.
///
/// # Errors
/// There is no workflow, a file cannot be read, or a tool cannot be installed.
pub fn judge(world: &World, paths: &[Utf8PathBuf], wanted: Wanted) -> Result<Report> {
    let disk = disk::look(world)?;
    let names: Vec<String> = match paths {
        [] => disk
            .files
            .iter()
            .filter(|path| is_judged(path))
            .cloned()
            .collect(),
        paths => paths
            .iter()
            .map(|path| world.show(&normal(&world.resolve(path))).to_string())
            .collect(),
    };
    if names.is_empty() {
        let message = format!(
            "{}: there is no workflow under .github/workflows",
            world.root
        );
        return Err(Error::precondition(message)
            .hint("name the repository with --root DIR, or files: cargo xtask ci check FILE"));
    }
    let mut texts = Vec::new();
    let mut repository = Repository {
        workflows: Vec::new(),
        actions: Vec::new(),
        broken: Vec::new(),
        tool: match world.root.join(CONFIGURATION_FILE).is_file() {
            true => Tool::Used(crate::cli::problem),
            false => Tool::Absent,
        },
        disk,
    };
    for name in names {
        match read(world, &name) {
            Ok(text) => {
                take(&mut repository, &name, &text);
                texts.push((name, text));
            }
            // What was found and not asked for is a finding, so that the others are judged, too.
            Err(error) if paths.is_empty() => {
                let start = Place { line: 1, column: 1 };
                let problem = Problem::new(start, format!("it cannot be read: {}", error.message));
                repository.broken.push((name, problem));
            }
            Err(error) => return Err(error),
        }
    }
    let others = match wanted {
        Wanted::Own => None,
        Wanted::All => Some(ask_others(world, &repository, &texts)?),
    };
    Ok(report(&repository, &texts, others))
}

/// The text of a file in the repository. A pipe or a device in its place would be waited for.
fn read(world: &World, name: &str) -> Result<String> {
    let path = world.root.join(name);
    if path.exists() && !path.is_file() {
        return Err(Error::failure(format!("{name} is no file")));
    }
    files::read_text(&path).map_err(|mut error| {
        error.message = error.message.replace(path.as_str(), name);
        error
    })
}

fn take(repository: &mut Repository, name: &str, text: &str) {
    let outcome = if is_action(name) {
        action(name, text).map(|action| repository.actions.push(action))
    } else {
        workflow(name, text).map(|workflow| repository.workflows.push(workflow))
    };
    if let Err(problem) = outcome {
        repository.broken.push((name.to_owned(), problem));
    }
}

fn ask_others(
    world: &World,
    repository: &Repository,
    texts: &[(String, String)],
) -> Result<Vec<crate::workflow::rule::Finding>> {
    // What is not YAML is found by ours, and zizmor would stop at it.
    let sound = |name: &&String| repository.broken.iter().all(|(path, _)| path != *name);
    let names: Vec<String> = texts
        .iter()
        .map(|(name, _)| name)
        .filter(sound)
        .cloned()
        .collect();
    let workflows: Vec<(String, String)> = texts
        .iter()
        .filter(|(name, _)| !is_action(name))
        .cloned()
        .collect();
    let step = world
        .terminal
        .step("ci check", "asking zizmor and actionlint");
    let mut found = match names.is_empty() {
        true => Vec::new(),
        false => zizmor::ask(world, &names).map_err(without_tools)?,
    };
    found.extend(actionlint::ask(world, &workflows).map_err(without_tools)?);
    drop(step);
    Ok(found)
}

fn without_tools(error: Error) -> Error {
    error.hint("to hold the files against our own rules only: cargo xtask ci check --without-tools")
}

fn is_action(name: &str) -> bool {
    let name = Utf8Path::new(name).file_name();
    matches!(name, Some("action.yml" | "action.yaml"))
}

fn is_judged(path: &str) -> bool {
    let is_yaml = path.ends_with(".yml") || path.ends_with(".yaml");
    let rest = path.strip_prefix(".github/workflows/");
    let is_workflow = rest.is_some_and(|rest| !rest.contains('/'));
    is_yaml
        && (is_workflow
            || is_action(path) && path.starts_with(".github/actions/")
            || matches!(path, "action.yml" | "action.yaml"))
}

fn normal(path: &Utf8Path) -> Utf8PathBuf {
    let mut parts = Utf8PathBuf::new();
    for part in path.components() {
        match part {
            camino::Utf8Component::CurDir => {}
            camino::Utf8Component::ParentDir => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts
}
