//! `uninstalled-tool`: a program that no runner has is installed before it is called.

use crate::workflow::model::{Job, Workflow};
use crate::workflow::read::texts;
use crate::workflow::repository::{Repository, job_sites};
use crate::workflow::rule::{Found, Refuses, Rule};
use crate::workflow::shell::is_python;

/// The rule.
pub static RULE: Rule = Rule {
    id: "uninstalled-tool",
    title: "A program that no runner has is installed before it is called",
    why: "the step fails, or runs whatever happens to be there",
    mend: "install it in a step before, with its version",
    refuses: Refuses::Always,
    find,
};

/// Programs from Python packages that GitHub's runners do not have.
const TOOLS: [(&str, &str); 6] = [
    ("pyinstaller", "pyinstaller"),
    ("twine", "twine"),
    ("build", "build"),
    ("tox", "tox"),
    ("nox", "nox"),
    ("pytest", "pytest"),
];

/// Actions that install no Python package, by the beginning of their names. Any other one may.
const INSTALL_NOTHING: [&str; 8] = [
    "actions/checkout",
    "actions/setup-",
    "actions/cache",
    "actions/upload-artifact",
    "actions/download-artifact",
    "actions/github-script",
    "docker/",
    "swatinem/rust-cache",
];

fn find(repository: &Repository, found: &mut Found<'_>) {
    for workflow in &repository.workflows {
        for job in &workflow.jobs {
            // A container has what its image has, and a self-hosted runner what its owner likes.
            let hosted = job.runs_on.as_ref().is_some_and(|node| {
                !texts(node)
                    .iter()
                    .any(|text| text.value.contains("self-hosted"))
            });
            if job.container.is_none() && hosted {
                judge(workflow, job, found);
            }
        }
    }
}

fn judge(workflow: &Workflow, job: &Job, found: &mut Found<'_>) {
    for site in job_sites(workflow, job) {
        let Some(script) = site.script() else {
            let installs_nothing =
                |name: &str| INSTALL_NOTHING.iter().any(|known| name.starts_with(known));
            if site
                .action()
                .is_some_and(|(name, _)| !installs_nothing(&name))
            {
                return;
            }
            continue;
        };
        for command in site.commands() {
            let called = command.called();
            if may_install(&called) {
                return;
            }
            let program = match called.as_slice() {
                [python, "-m", module, ..] if is_python(python) => *module,
                [program, ..] => *program,
                [] => continue,
            };
            let is_build = program != "build" || called.len() > 1 && called[1] == "-m";
            if let Some((_, package)) = TOOLS
                .iter()
                .find(|(name, _)| program.eq_ignore_ascii_case(name) && is_build)
            {
                let message = format!("nothing before `{}` installs {package}", command.shown());
                found.add(site.path, script.place_of(command.offset()), message);
            }
        }
    }
}

/// Whether a command may install Python packages, whichever.
fn may_install(called: &[&str]) -> bool {
    let installers = [
        "pip", "pip3", "pipx", "poetry", "uv", "conda", "mamba", "pdm", "hatch", "apt-get", "apt",
        "brew", "choco", "make", "rye", "pipenv",
    ];
    let by_script = |program: &str| program.ends_with(".sh") || program.starts_with("./");
    match called {
        [python, "-m", module, ..] if is_python(python) => {
            installers.contains(module)
                && !called.contains(&"--upgrade-deps")
                && called.last() != Some(&"pip")
        }
        [program, rest @ ..] => {
            let only_pip = rest.last() == Some(&"pip") && *program != "make";
            (installers.contains(program) && !only_pip)
                || by_script(program)
                || (["bash", "sh", "source", "."].contains(program) && !rest.is_empty())
        }
        [] => false,
    }
}
