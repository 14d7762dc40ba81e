//! ruff and mypy, from the server's test environment.

use camino::Utf8Path;

use super::{Mode, cannot_run, leave_out, settle};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::exec::{self, environment};
use crate::lint::{Report, Tool, difference, mypy, ruff};
use crate::tools::python;
use crate::world::process::Command;
use crate::world::{World, files};

const ALL: [Tool; 3] = [Tool::RuffFormat, Tool::Ruff, Tool::Mypy];

pub fn lint(world: &World, config: &Config, mode: Mode, report: &mut Report) -> Result<()> {
    let server = &config.server;
    let folder = world.root.join(&server.path);
    if let Err(error) = exec::bundle::lock_here(world, server) {
        for tool in ALL {
            leave_out(world, report, tool, &error.message);
        }
        return Ok(());
    }
    let requirements = environment::requirements(world, server)?;
    let has = |name: &str| {
        let start = format!("{name}==");
        requirements.lines().any(|line| line.starts_with(&start))
    };
    let mypy_arguments = mypy_arguments(&folder)?;
    let (has_ruff, has_mypy) = (has("ruff"), has("mypy") && mypy_arguments.is_some());
    if !has_ruff {
        for tool in [Tool::RuffFormat, Tool::Ruff] {
            leave_out(world, report, tool, "not among server.test-groups");
        }
    }
    if !has_mypy {
        let why = match has("mypy") {
            true => "not configured in pyproject.toml, mypy.ini or setup.cfg",
            false => "not among server.test-groups",
        };
        leave_out(world, report, Tool::Mypy, why);
    }
    if !has_ruff && !has_mypy {
        return Ok(());
    }
    let environment = environment::server(world, "lint", &requirements)?;
    let call = |words: &[&str]| module(world, &environment, &folder, words);
    if has_ruff {
        if mode == Mode::Mend {
            drop(call(&["ruff", "check", "--fix", "--quiet", "."]).output()?);
            drop(call(&["ruff", "format", "--quiet", "."]).output()?);
        }
        let output = call(&["ruff", "format", "--diff", "."]).output()?;
        let found = difference::read(&output.stdout, &world.root, &folder, Tool::RuffFormat);
        settle(world, report, Tool::RuffFormat, &output, found)?;
        let output = call(&["ruff", "check", "--output-format", "json", "."]).output()?;
        if output.status.code().is_none_or(|code| code > 1) {
            return Err(cannot_run(Tool::Ruff, &output));
        }
        let found = ruff::read(&output.stdout, &world.root, &folder)?;
        settle(world, report, Tool::Ruff, &output, found)?;
    }
    if has_mypy {
        let step = world.terminal.step("mypy", "python -m mypy");
        let call = call(&["mypy", "--output", "json"]).args(mypy_arguments.unwrap_or_default());
        let output = call.output()?;
        drop(step);
        if output.status.code().is_none_or(|code| code > 1) && !output.stdout.starts_with('{') {
            return Err(cannot_run(Tool::Mypy, &output));
        }
        let found = mypy::read(&output.stdout, &world.root, &folder)?;
        settle(world, report, Tool::Mypy, &output, found)?;
    }
    Ok(())
}

fn module<'world>(
    world: &'world World,
    environment: &python::Environment,
    folder: &Utf8Path,
    words: &[&str],
) -> Command<'world> {
    python::isolated(world.command(&environment.python))
        .arg("-m")
        .args(words)
        .directory(folder)
}

/// What mypy is called with: nothing when its configuration names files; `None` without one.
fn mypy_arguments(folder: &Utf8Path) -> Result<Option<Vec<&'static str>>> {
    let pyproject = folder.join("pyproject.toml");
    let table: toml::Table = files::read_text(&pyproject)?
        .parse()
        .map_err(|cause| Error::failure(format!("{pyproject}: {cause}")))?;
    let own = table.get("tool").and_then(|tool| tool.get("mypy"));
    let named = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    let ini = named("mypy.ini") + &named("setup.cfg");
    let places = ["files", "packages", "modules"];
    let names_files = |has: &dyn Fn(&str) -> bool| match places.iter().any(|key| has(key)) {
        true => Vec::new(),
        false => vec!["."],
    };
    Ok(match own {
        Some(own) => Some(names_files(&|key| own.get(key).is_some())),
        None if ini.contains("[mypy]") => {
            let sets = |key: &str| ini.lines().any(|line| line.trim_start().starts_with(key));
            Some(names_files(&sets))
        }
        None => None,
    })
}
