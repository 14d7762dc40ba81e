//! What a step does for a release: builds, tests, publishes, whatever tool it uses for that.

mod actions;
mod programs;

use super::model::{Job, Place, Workflow};
use super::repository::{Site, job_sites};

/// One thing that a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// What it is.
    pub kind: Kind,
    /// Where it stands.
    pub place: Place,
    /// The command or the action, to be shown.
    pub shown: String,
    /// The call of this tool that does the same, when something else does it here.
    pub ours: Option<&'static str>,
    /// The number of the step in its job.
    pub step: usize,
}

/// What a deed is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Makes what is published.
    Build,
    /// Tests the sources or what was built.
    Test,
    /// Installs what was published and tries it.
    InstallTest,
    /// Looks for known vulnerabilities.
    Audit,
    /// Writes something about a release that nobody installs.
    Document,
    /// Sends to a place from which it cannot be taken back.
    Publish(Target),
    /// Sends to a place made for tries.
    Stage(Target),
}

/// Where something is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A Python package index.
    Python,
    /// The npm registry.
    Npm,
    /// crates
    Crates,
    /// A container registry.
    Container,
    /// The Visual Studio Marketplace or Open VSX.
    Extension,
    /// The registry of MCP servers.
    Mcp,
    /// A GitHub release.
    GitHub,
    /// Whatever `release.toml` says.
    Profile,
}

impl Kind {
    /// Whether it sends something to users.
    pub fn is_publish(self) -> bool {
        matches!(self, Kind::Publish(_))
    }

    /// Whether it tries something.
    pub fn is_test(self) -> bool {
        matches!(self, Kind::Test | Kind::InstallTest)
    }
}

/// The deeds of one step.
pub fn of_site(site: &Site<'_>) -> Vec<Deed> {
    if let Some(deed) = actions::deed(site) {
        return vec![deed];
    }
    let Some(script) = site.script() else {
        return Vec::new();
    };
    let mut deeds = Vec::new();
    for command in site.commands() {
        if let Some((kind, ours)) = programs::kind(&command, site) {
            deeds.push(Deed {
                kind,
                place: script.place_of(command.offset()),
                shown: command.shown(),
                ours,
                step: site.index,
            });
        }
    }
    deeds
}

/// The deeds of a job, in order.
pub fn of_job(workflow: &Workflow, job: &Job) -> Vec<Deed> {
    job_sites(workflow, job)
        .flat_map(|site| of_site(&site))
        .collect()
}

/// The jobs that publish for good, with their deeds.
pub fn publishers(workflow: &Workflow) -> Vec<(&Job, Vec<Deed>)> {
    let jobs = workflow.jobs.iter().map(|job| (job, of_job(workflow, job)));
    jobs.filter(|(_, deeds)| deeds.iter().any(|deed| deed.kind.is_publish()))
        .collect()
}

pub use programs::{unwrapped, xtask_arguments};
