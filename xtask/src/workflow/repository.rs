//! What the rules see: the workflows and actions that could be read, what was wrong with the
//! others, and what is on the disk around them. A value; nothing here looks at a disk.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Action, Job, Problem, Script, Step, StepBody, Text, Workflow};
use super::shell::{self, Command};

/// A repository as the rules see it.
#[derive(Debug, Clone)]
pub struct Repository {
    /// The workflows that could be read.
    pub workflows: Vec<Workflow>,
    /// The repository's own actions that could be read.
    pub actions: Vec<Action>,
    /// Files that are no YAML or no mapping.
    pub broken: Vec<(String, Problem)>,
    /// What is on the disk.
    pub disk: Disk,
    /// Whether the repository is released by this tool, and how the tool is called.
    pub tool: Tool,
}

/// Whether the repository is released by this tool.
#[derive(Debug, Clone, Copy)]
pub enum Tool {
    /// There is no `release.toml`.
    Absent,
    /// There is one. The function says what is wrong with the arguments of a call.
    Used(fn(&[&str]) -> Option<String>),
}

/// The part of the repository that workflows name.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    /// Every file that a checkout has, from the root.
    pub files: BTreeSet<String>,
    /// The npm scripts of each folder with a `package.json`; the root is the empty text.
    pub scripts: BTreeMap<String, BTreeSet<String>>,
    /// The targets of each folder's Makefile.
    pub targets: BTreeMap<String, BTreeSet<String>>,
}

impl Disk {
    /// Whether a checkout has this file or folder.
    pub fn has(&self, path: &str) -> bool {
        if path.is_empty() || self.files.contains(path) {
            return true;
        }
        let folder = format!("{path}/");
        self.files
            .range(folder.clone()..)
            .next()
            .is_some_and(|first| first.starts_with(&folder))
    }
}

/// A step and what it is in.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    /// The file.
    pub path: &'a str,
    /// The whole text of the file.
    pub text: &'a str,
    /// The workflow; none for an action.
    pub workflow: Option<&'a Workflow>,
    /// The job; none for an action.
    pub job: Option<&'a Job>,
    /// The step.
    pub step: &'a Step,
    /// Its number in its job or action, from 0.
    pub index: usize,
}

impl Repository {
    /// Every step of every workflow and action.
    pub fn sites(&self) -> Vec<Site<'_>> {
        let mut sites = Vec::new();
        for workflow in &self.workflows {
            for job in &workflow.jobs {
                sites.extend(job_sites(workflow, job));
            }
        }
        for action in &self.actions {
            for (index, step) in action.steps.iter().enumerate() {
                let (path, text) = (&*action.path, &*action.text);
                let (workflow, job) = (None, None);
                sites.push(Site {
                    path,
                    text,
                    workflow,
                    job,
                    step,
                    index,
                });
            }
        }
        sites
    }
}

/// The steps of one job.
pub fn job_sites<'a>(workflow: &'a Workflow, job: &'a Job) -> impl Iterator<Item = Site<'a>> {
    job.steps()
        .iter()
        .enumerate()
        .map(move |(index, step)| Site {
            path: &workflow.path,
            text: &workflow.text,
            workflow: Some(workflow),
            job: Some(job),
            step,
            index,
        })
}

impl<'a> Site<'a> {
    /// The script, if it runs one.
    pub fn script(&self) -> Option<&'a Script> {
        match &self.step.body {
            StepBody::Run { script, .. } => Some(script),
            StepBody::Uses { .. } => None,
        }
    }

    /// The action without its version, in lower case, and its text in the file.
    pub fn action(&self) -> Option<(String, &'a Text)> {
        match &self.step.body {
            StepBody::Uses { action, .. } => {
                let name = action.value.split('@').next().unwrap_or_default();
                Some((name.to_lowercase(), action))
            }
            StepBody::Run { .. } => None,
        }
    }

    /// An input of the action.
    pub fn input(&self, name: &str) -> Option<&'a Text> {
        match &self.step.body {
            StepBody::Uses { with, .. } => super::model::find(with, name),
            StepBody::Run { .. } => None,
        }
    }

    /// The shell that is asked for, as written.
    pub fn shell(&self) -> Option<&'a str> {
        let StepBody::Run { shell, .. } = &self.step.body else {
            return None;
        };
        let job = self.job.and_then(|job| job.defaults.shell.as_ref());
        let workflow = self
            .workflow
            .and_then(|workflow| workflow.defaults.shell.as_ref());
        shell
            .as_ref()
            .or(job)
            .or(workflow)
            .map(|shell| shell.value.as_str())
    }

    /// The commands of its script, when a shell reads it.
    pub fn commands(&self) -> Vec<Command> {
        let program = self
            .shell()
            .and_then(|shell| shell.split_whitespace().next());
        let known = program.is_none_or(|program| {
            matches!(
                shell::program_name(program),
                "bash" | "sh" | "pwsh" | "powershell" | "cmd"
            )
        });
        match self.script().filter(|_| known) {
            Some(script) => shell::commands(&script.text),
            None => Vec::new(),
        }
    }

    /// The folder that its script starts in, from the root of the checkout. None when that is
    /// known at run time only, or outside.
    pub fn folder(&self) -> Option<String> {
        let StepBody::Run {
            working_directory, ..
        } = &self.step.body
        else {
            return None;
        };
        let job = self
            .job
            .and_then(|job| job.defaults.working_directory.as_ref());
        let workflow = self
            .workflow
            .and_then(|workflow| workflow.defaults.working_directory.as_ref());
        match working_directory.as_ref().or(job).or(workflow) {
            Some(folder) => resolve("", &folder.value),
            None => Some(String::new()),
        }
    }

    /// A name for it: its job's and its own.
    pub fn names(&self) -> String {
        let job = self.job.map_or("", |job| &job.id.value);
        let job_name = self.job.and_then(|job| job.name.as_ref());
        let step = self.step.name.as_ref().or(self.step.id.as_ref());
        let text = |text: Option<&Text>| text.map_or(String::new(), |text| text.value.clone());
        format!("{job} {} {}", text(job_name), text(step)).to_lowercase()
    }
}

/// A path seen from a folder, both relative to the root; none when it cannot be known or leads
/// out of the repository.
pub fn resolve(folder: &str, path: &str) -> Option<String> {
    const WORKSPACE: [&str; 3] = [
        "${{ github.workspace }}/",
        "$GITHUB_WORKSPACE/",
        "${GITHUB_WORKSPACE}/",
    ];
    let inside = WORKSPACE.iter().find_map(|start| path.strip_prefix(start));
    let (folder, path) = match inside {
        Some(path) => ("", path),
        None => (folder, path),
    };
    let unknown = |c: char| matches!(c, '$' | '*' | '?' | '`' | '{' | '[' | '\\' | ':');
    if path.starts_with(['/', '~']) || path.contains(unknown) {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The ids of the jobs that a job needs, directly or through others.
pub fn needed<'a>(workflow: &'a Workflow, job: &'a Job) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&Job> = vec![job];
    while let Some(job) = open.pop() {
        for need in &job.needs {
            if let Some(needed) = workflow.job(&need.value)
                && reached.insert(needed.id.value.as_str())
            {
                open.push(needed);
            }
        }
    }
    reached
}
