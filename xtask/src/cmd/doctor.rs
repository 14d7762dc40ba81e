//! `doctor`: what this machine and this repository need for each verb. It only reads.

mod advisories;
mod credentials;

use camino::Utf8Path;
use clap::Args;
use serde_json::json;
use toml_edit::{Document, Item};

use crate::config::Config;
use crate::doctor::{self, Finding, State, TOOLS};
use crate::error::{Error, Result};
use crate::exec::bundle;
use crate::product::{backend, pyproject};
use crate::source;
use crate::tools::{Version, node, python};
use crate::version;
use crate::world::{World, files};

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Also look at the credential for every target of this profile; publishes nothing
    #[arg(long, value_name = "PROFILE")]
    to: Option<String>,
}

/// Looks at tools and files, prints what it found, and changes nothing.
///
/// # Errors
/// Something is missing that a verb needs.
pub fn run(world: &World, arguments: &Arguments) -> Result<()> {
    let mut findings = machine(world);
    match super::configuration(world) {
        Ok(config) => {
            findings.extend(repository(world, &config));
            if let Some(profile) = &arguments.to {
                findings.extend(credentials::look(world, &config, profile)?);
            }
        }
        Err(error) => findings.push(broken("release.toml", &error)),
    }
    for finding in &findings {
        world.terminal.text(&doctor::line(finding));
    }
    let missing = findings
        .iter()
        .filter(|finding| finding.state == State::Missing)
        .count();
    world
        .terminal
        .json(&json!({ "schema": 1, "missing": missing, "findings": findings }));
    if missing == 0 {
        return Ok(());
    }
    Err(Error::precondition(format!(
        "{missing} thing(s) are missing or wrong, see ✗ above"
    )))
}

fn machine(world: &World) -> Vec<Finding> {
    let found = |name: &str| match name {
        "python3" => python::interpreter(world)
            .ok()
            .map(|interpreter| interpreter.version),
        "node" => node::on_path(world),
        other => {
            let output = world.command(other).arg("--version").output().ok()?;
            Version::find(&output.stdout)
        }
    };
    TOOLS
        .iter()
        .map(|tool| doctor::judge(tool, found(tool.name)))
        .collect()
}

fn repository(world: &World, config: &Config) -> Vec<Finding> {
    let mut findings = vec![good("release.toml", &format!("releases {}", config.name))];
    findings.push(match source::observe(world) {
        Err(error) => broken("git", &error),
        Ok(checkout) if checkout.shallow => Finding {
            state: State::Missing,
            remedy: Some("git fetch --unshallow --tags".to_owned()),
            verbs: vec!["release"],
            ..good("git", "a shallow clone: release notes need the history")
        },
        Ok(checkout) if !checkout.modified.is_empty() => Finding {
            state: State::Warning,
            remedy: Some("commit or stash them before a release".to_owned()),
            ..good(
                "git",
                &format!(
                    "{} tracked file(s) differ from the commit",
                    checkout.modified.len()
                ),
            )
        },
        Ok(checkout) => good("git", &format!("commit {:.12}, clean", checkout.commit)),
    });
    findings.extend(server(world, config));
    findings.extend(extension(world, config));
    findings.extend(versions(world, config));
    findings.extend(advisories::look(world, config));
    findings
}

fn server(world: &World, config: &Config) -> Vec<Finding> {
    let file = config.server.path.join("pyproject.toml");
    let text = match files::read_text(&world.root.join(&file)) {
        Ok(text) => text,
        Err(error) => return vec![broken(file.as_str(), &error)],
    };
    let project = match pyproject::parse(&text, file.as_str()) {
        Ok(project) => project,
        Err(error) => return vec![broken(file.as_str(), &error)],
    };
    let version = project.version.as_deref().unwrap_or("a computed version");
    let mut findings = vec![good(file.as_str(), &format!("{} {version}", project.name))];
    let script = &config.server.console_script;
    if !project.scripts.iter().any(|(name, _)| name == script) {
        findings.push(Finding {
            state: State::Missing,
            remedy: Some(format!("add it under [project.scripts] in {file}")),
            ..good(file.as_str(), &format!("no console script {script}"))
        });
    }
    let document = Document::parse(text.clone()).ok();
    let dependencies = document.as_ref().and_then(|document| {
        document
            .get("project")?
            .get("dependencies")
            .and_then(Item::as_array)
    });
    let strings = dependencies
        .into_iter()
        .flatten()
        .filter_map(toml_edit::Value::as_str);
    findings.extend(doctor::unbounded(file.as_str(), strings));
    findings.extend(lock(world, config));
    if config.build.requirements.is_none()
        && let Err(error) = backend::require_stated_version(&project, file.as_str())
            .and_then(|()| backend::requirements(&project, file.as_str()).map(drop))
    {
        findings.push(broken(file.as_str(), &error));
    }
    findings
}

fn lock(world: &World, config: &Config) -> Vec<Finding> {
    let lock = match bundle::lock_here(world, &config.server) {
        Ok(lock) => lock,
        Err(error) => return vec![broken(config.server.path.as_str(), &error)],
    };
    let mut findings = match bundle::requirements_here(world, &config.server) {
        Err(error) => vec![broken(lock.as_str(), &error)],
        Ok((_, list)) => {
            let count = list
                .lines()
                .filter(|line| line.contains("==") && !line.starts_with(' '))
                .count();
            vec![good(
                lock.as_str(),
                &format!("fits pyproject.toml, {count} packages ship"),
            )]
        }
    };
    findings.extend(retired(world, config, &lock));
    findings
}

/// Second sources of dependency truth beside `pyproject.toml` and its lock file.
fn retired(world: &World, config: &Config, lock: &Utf8Path) -> Vec<Finding> {
    let folder = &config.server.path;
    // setuptools may need a setup.py; a repository that locks with Poetry does not.
    let is_poetry = lock.file_name() == Some("poetry.lock");
    let setup = is_poetry.then_some("setup.py");
    ["requirements.txt", "uv.lock", "poetry.lock", "Pipfile.lock"]
        .into_iter()
        .chain(setup)
        .map(|name| folder.join(name))
        .filter(|path| path != lock && world.root.join(path).exists())
        .map(|path| Finding {
            state: State::Warning,
            remedy: Some(format!("remove it: git rm {path}")),
            ..good(
                path.as_str(),
                "a second source of dependency truth beside pyproject.toml",
            )
        })
        .collect()
}

fn extension(world: &World, config: &Config) -> Vec<Finding> {
    let Some(extension) = &config.extension else {
        return Vec::new();
    };
    let file = extension.path.join("package.json");
    let parsed = files::read_text(&world.root.join(&file)).and_then(|text| {
        let value: serde_json::Value = serde_json::from_str(&text)
            .map_err(|cause| Error::failure(format!("{file}: {cause}")))?;
        Ok(value)
    });
    let value = match parsed {
        Ok(value) => value,
        Err(error) => return vec![broken(file.as_str(), &error)],
    };
    let mut findings = Vec::new();
    let mut missing = |found: &str, remedy: &str| {
        findings.push(Finding {
            state: State::Missing,
            verbs: vec!["package", "release"],
            remedy: Some(remedy.to_owned()),
            ..good(file.as_str(), found)
        });
    };
    for field in ["name", "publisher", "version", "main", "icon", "license"] {
        if value[field].as_str().is_none_or(str::is_empty) {
            missing(
                &format!("no \"{field}\""),
                &format!("add \"{field}\" to {file}"),
            );
        }
    }
    if value["devDependencies"]["@vscode/vsce"]
        .as_str()
        .is_none_or(|range| range.starts_with(['^', '~']))
    {
        missing(
            "@vscode/vsce is not pinned as a dev-dependency",
            "npm install --save-dev --save-exact @vscode/vsce",
        );
    }
    if !world
        .root
        .join(&extension.path)
        .join("package-lock.json")
        .exists()
    {
        missing(
            "no package-lock.json beside it",
            "npm install --package-lock-only, then commit it",
        );
    }
    if let Some(icon) = value["icon"].as_str()
        && !world.root.join(&extension.path).join(icon).exists()
    {
        missing(
            &format!("its icon {icon} does not exist"),
            "add the file, or correct \"icon\"",
        );
    }
    if findings.is_empty() {
        findings.push(good(file.as_str(), "complete"));
    }
    findings
}

fn versions(world: &World, config: &Config) -> Option<Finding> {
    let statements = match super::version::observe(world, config) {
        Ok(statements) => statements,
        Err(error) => return Some(broken("version", &error)),
    };
    let reference = statements.iter().find_map(|one| one.version.clone())?;
    let agrees = |one: &&version::Statement| {
        one.version
            .as_deref()
            .is_some_and(|found| version::same(found, &reference))
    };
    let agreeing = statements.iter().filter(agrees).count();
    if agreeing == statements.len() {
        return Some(good(
            "version",
            &format!("{reference} in all {agreeing} places"),
        ));
    }
    Some(Finding {
        state: State::Missing,
        remedy: Some("see which: cargo xtask version --check".to_owned()),
        ..good(
            "version",
            &format!(
                "{} places do not say {reference}",
                statements.len() - agreeing
            ),
        )
    })
}

fn good(subject: &str, found: &str) -> Finding {
    Finding {
        state: State::Good,
        subject: subject.to_owned(),
        found: found.to_owned(),
        needed: None,
        verbs: Vec::new(),
        remedy: None,
    }
}

fn broken(subject: &str, error: &Error) -> Finding {
    Finding {
        state: State::Missing,
        remedy: (!error.hints.is_empty()).then(|| error.hints.join("; ")),
        ..good(subject, &error.message)
    }
}
