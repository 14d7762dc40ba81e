//! `doctor`: what this machine needs for each verb, and what will break in this repository on
//! build, publish and deploy. It only reads, and works without `release.toml` too.

mod advisories;
mod credentials;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use serde_json::json;
use toml_edit::{Document, Item};

use crate::config::Config;
use crate::doctor::{self, Finding, State, TOOLS};
use crate::error::{Error, Result};
use crate::exec::bundle;
use crate::product::{backend, pyproject};
use crate::tools::{Version, node, python};
use crate::world::terminal::Format;
use crate::world::{CONFIGURATION_FILE, World, files};
use crate::{exec, inspect, source, version};

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
/// Something is missing that a verb needs, or something in the repository will break.
pub fn run(world: &World, arguments: &Arguments) -> Result<()> {
    let (tools, report, configured) = std::thread::scope(|scope| {
        let tools: Vec<_> = TOOLS
            .iter()
            .map(|tool| scope.spawn(move || machine(world, tool)))
            .collect();
        let report = scope.spawn(|| inspect::inspect(&exec::inspect::observe(world)));
        let configured = configured(world, arguments);
        let tools: Vec<Finding> = tools.into_iter().map(joined).collect();
        (tools, joined(report), configured)
    });
    let mut findings = tools;
    match configured? {
        Some(more) => findings.extend(more),
        None => findings.extend(unconfigured(world, &report)),
    }
    let missing = findings
        .iter()
        .filter(|finding| finding.state == State::Missing)
        .count();
    match world.terminal.format {
        Format::Sarif => world.terminal.json(&inspect::sarif::log(&report)),
        _ => world.terminal.json(&json!({
            "schema": 1,
            "missing": missing,
            "findings": findings,
            "repository": report.json(),
        })),
    }
    let lines: String = findings.iter().map(doctor::line).collect();
    world.terminal.text(&format!("{lines}{}", report.text()));
    world.annotate(&report.annotations(), "the log has all of them");
    match missing + report.breaks() {
        0 => Ok(()),
        count => Err(Error::precondition(format!(
            "{count} thing(s) are missing or wrong, see ✗ above"
        ))),
    }
}

fn joined<Found>(thread: std::thread::ScopedJoinHandle<'_, Found>) -> Found {
    match thread.join() {
        Ok(found) => found,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// What `release.toml` and what it names are like; `None` when there is none.
fn configured(world: &World, arguments: &Arguments) -> Result<Option<Vec<Finding>>> {
    let is_there = world.root.join(CONFIGURATION_FILE).exists();
    if !is_there && arguments.to.is_none() {
        return Ok(None);
    }
    let config = match super::configuration(world) {
        Ok(config) => config,
        Err(error) => return Ok(Some(vec![broken(CONFIGURATION_FILE, &error)])),
    };
    let mut findings = repository(world, &config);
    if let Some(profile) = &arguments.to {
        findings.extend(credentials::look(world, &config, profile)?);
    }
    Ok(Some(findings))
}

/// A repository that is only looked at needs no `release.toml`; one with nothing in it does.
fn unconfigured(world: &World, report: &inspect::Report) -> Option<Finding> {
    let error = super::configuration(world).err()?;
    let missing = broken(CONFIGURATION_FILE, &error);
    Some(match report.is_empty {
        true => missing,
        false => Finding {
            state: State::Warning,
            found: format!("no {CONFIGURATION_FILE}; the repository is looked at all the same"),
            ..missing
        },
    })
}

fn machine(world: &World, tool: &doctor::Tool) -> Finding {
    let version = match tool.name {
        "python3" => python::interpreter(world)
            .ok()
            .map(|interpreter| interpreter.version),
        "node" => node::on_path(world),
        other => world
            .command(other)
            .arg("--version")
            .output()
            .ok()
            .and_then(|output| Version::find(&output.stdout)),
    };
    doctor::judge(tool, version)
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
    let file = beside(&config.server.path, "pyproject.toml");
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
    let lock = lock.strip_prefix(".").unwrap_or(&lock);
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
    findings.extend(retired(world, config, lock));
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
        .map(|name| beside(folder, name))
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
    let file = beside(&extension.path, "package.json");
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
    let statements = match exec::version::observe(world, config) {
        Ok(statements) => statements,
        Err(error) => return Some(broken("version", &error)),
    };
    let reference = version::reference(&statements)?;
    let agrees = |one: &&version::Statement| one.agrees(&reference);
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

/// The path of a file in a folder from the root, without the `.` that names the root itself.
fn beside(folder: &Utf8Path, name: &str) -> Utf8PathBuf {
    folder.strip_prefix(".").unwrap_or(folder).join(name)
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
