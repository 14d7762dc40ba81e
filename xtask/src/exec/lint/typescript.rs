//! prettier, eslint and tsc, from the extension's `node_modules`.

use camino::Utf8Path;
use serde_json::Value;

use super::{Mode, cannot_run, leave_out, settle};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::exec::environment;
use crate::lint::{Finding, Report, Tool, eslint, shown, tsc};
use crate::product::vsix;
use crate::tools::node::Node;
use crate::world::process::Command;
use crate::world::{World, files};

const ALL: [Tool; 3] = [Tool::Prettier, Tool::Eslint, Tool::Tsc];

/// Files in which eslint is configured.
const ESLINT: [&str; 8] = [
    "eslint.config.js",
    "eslint.config.mjs",
    "eslint.config.cjs",
    "eslint.config.ts",
    ".eslintrc.json",
    ".eslintrc.js",
    ".eslintrc.cjs",
    ".eslintrc.yml",
];

pub fn lint(world: &World, config: &Config, mode: Mode, report: &mut Report) -> Result<()> {
    let Some(extension) = &config.extension else {
        for tool in ALL {
            leave_out(world, report, tool, "release.toml has no [extension]");
        }
        return Ok(());
    };
    let folder = world.root.join(&extension.path);
    let used = used(world, report, &folder)?;
    if used.is_empty() {
        return Ok(());
    }
    let (node, folder) = environment::extension(world, "lint", &extension.path)?;
    let call = |words: &[&str]| program(world, &node, &folder, words);
    let uses = |tool: Tool| used.contains(&tool);
    if mode == Mode::Mend {
        if uses(Tool::Eslint) {
            drop(call(&["eslint", "--fix", "."]).output()?);
        }
        if uses(Tool::Prettier) {
            drop(call(&["prettier", "--log-level", "silent", "--write", "."]).output()?);
        }
    }
    if uses(Tool::Prettier) {
        let output = call(&["prettier", "--list-different", "."]).output()?;
        if output.status.code().is_none_or(|code| code > 1) {
            return Err(cannot_run(Tool::Prettier, &output));
        }
        let paths = output.stdout.lines().filter(|line| !line.is_empty());
        let found = paths.map(|path| unformatted(&shown(&world.root, &folder, path)));
        settle(world, report, Tool::Prettier, &output, found.collect())?;
    }
    if uses(Tool::Eslint) {
        let output = call(&["eslint", "--format", "json", "."]).output()?;
        if output.status.code().is_none_or(|code| code > 1) {
            return Err(cannot_run(Tool::Eslint, &output));
        }
        let found = eslint::read(&output.stdout, &world.root, &folder)?;
        settle(world, report, Tool::Eslint, &output, found)?;
    }
    if uses(Tool::Tsc) {
        let output = call(&["tsc", "--noEmit", "--pretty", "false"]).output()?;
        let found = tsc::read(&output.stdout, &world.root, &folder)?;
        settle(world, report, Tool::Tsc, &output, found)?;
    }
    Ok(())
}

/// The tools that the extension uses; the others are noted.
fn used(world: &World, report: &mut Report, folder: &Utf8Path) -> Result<Vec<Tool>> {
    let path = folder.join("package.json");
    let package: Value = serde_json::from_str(&files::read_text(&path)?)
        .map_err(|cause| Error::failure(format!("{path}: {cause}")))?;
    let depends = |name: &str| {
        let groups = ["devDependencies", "dependencies"];
        groups.iter().any(|group| {
            package
                .get(group)
                .is_some_and(|group| group.get(name).is_some())
        })
    };
    let has = |name: &str| folder.join(name).exists();
    let eslint = ESLINT.iter().any(|name| has(name)) || package.get("eslintConfig").is_some();
    let tools = [
        (Tool::Prettier, "prettier", true, ""),
        (
            Tool::Eslint,
            "eslint",
            eslint,
            "eslint has no configuration",
        ),
        (
            Tool::Tsc,
            "typescript",
            has("tsconfig.json"),
            "there is no tsconfig.json",
        ),
    ];
    let mut used = Vec::new();
    for (tool, name, configured, why) in tools {
        if !depends(name) {
            leave_out(
                world,
                report,
                tool,
                &format!("{name} is no dependency of the extension"),
            );
        } else if !configured {
            leave_out(world, report, tool, why);
        } else {
            used.push(tool);
        }
    }
    Ok(used)
}

fn unformatted(path: &str) -> Finding {
    Finding {
        path: path.to_owned(),
        line: 1,
        column: 1,
        tool: Tool::Prettier,
        rule: "format".to_owned(),
        message: "not formatted".to_owned(),
    }
}

/// A program that the dependencies brought.
fn program<'world>(
    world: &'world World,
    node: &Node,
    folder: &Utf8Path,
    words: &[&str],
) -> Command<'world> {
    let (name, arguments) = words
        .split_first()
        .map_or(("", words), |(name, rest)| (*name, rest));
    let end = if cfg!(windows) { ".cmd" } else { "" };
    let path = folder
        .join("node_modules/.bin")
        .join(format!("{name}{end}"));
    vsix::outside_of_npm(world, node.on_path(world, world.command(path)))
        .args(arguments)
        .directory(folder)
}
