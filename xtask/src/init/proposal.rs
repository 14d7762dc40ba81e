//! What is written, as data: the plan that is shown is the plan that is performed. Pure.

use serde::Serialize;
use serde_json::{Value, json};

use super::editor::Extension;
use super::facts::{Facts, join, shown};
use super::{Decided, configuration, manifest, workflow};
use crate::config;
use crate::error::{Error, Result};
use crate::world::CONFIGURATION_FILE;

const HOOK: &str = include_str!("../../templates/xtask.cjs");

/// How a file comes to be as it will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// There is none yet.
    Create,
    /// There is one, and it is replaced as a whole.
    Replace,
    /// Lines or characters are added to it; all that was there stays.
    Add,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// From the top of the repository.
    pub path: String,
    /// How.
    pub way: Way,
    /// What it is for, in a few words.
    pub purpose: String,
    /// The whole text.
    pub text: String,
}

/// All files, and what a person does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The files, in the order of writing.
    pub changes: Vec<Change>,
    /// What was found.
    pub found: Vec<String>,
    /// Commands and hints, in order.
    pub next: Vec<String>,
}

impl Proposal {
    /// The files that would be replaced.
    pub fn replaced(&self) -> Vec<&str> {
        let replaced = self
            .changes
            .iter()
            .filter(|change| change.way == Way::Replace);
        replaced.map(|change| change.path.as_str()).collect()
    }

    /// The proposal for programs; `written` says whether it was performed.
    pub fn json(&self, written: bool) -> Value {
        let changes: Vec<Value> = self
            .changes
            .iter()
            .map(|change| {
                json!({
                    "path": change.path,
                    "way": change.way,
                    "purpose": change.purpose,
                    "text": change.text,
                })
            })
            .collect();
        json!({
            "schema": 1,
            "written": written,
            "found": self.found,
            "changes": changes,
            "next": self.next,
        })
    }
}

impl std::fmt::Display for Proposal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for line in &self.found {
            writeln!(formatter, "  {line}")?;
        }
        let width = self
            .changes
            .iter()
            .map(|one| one.path.chars().count())
            .max();
        for change in &self.changes {
            let word = match change.way {
                Way::Create => "→ create ",
                Way::Replace => "→ replace",
                Way::Add => "→ add to ",
            };
            let width = width.unwrap_or(0);
            writeln!(
                formatter,
                "{word} {:<width$}  {}",
                change.path, change.purpose
            )?;
        }
        Ok(())
    }
}

/// Puts everything together.
///
/// # Errors
/// A file that is added to cannot be, or the configuration is not valid: then this tool is wrong.
pub fn make(facts: &Facts, decided: &Decided) -> Result<Proposal> {
    let mut changes = Vec::new();
    let text = configuration::text(facts, decided);
    config::parse(&text, CONFIGURATION_FILE)?;
    add_whole(
        facts,
        &mut changes,
        CONFIGURATION_FILE,
        "what ships, and how it is proved",
        text,
    );
    let ci = workflow::ci(decided, &facts.branch, &facts.tool);
    let workflows = ".github/workflows";
    add_whole(
        facts,
        &mut changes,
        &format!("{workflows}/ci.yml"),
        "on every push",
        ci,
    );
    let release = workflow::release(decided, &facts.tool);
    add_whole(
        facts,
        &mut changes,
        &format!("{workflows}/release.yml"),
        "for a release",
        release,
    );
    if let Some(extension) = &decided.extension {
        hooks(facts, extension, &mut changes)?;
    }
    ignored(facts, decided, &mut changes);
    Ok(Proposal {
        changes,
        found: found(decided),
        next: next(facts, decided),
    })
}

fn add_whole(facts: &Facts, changes: &mut Vec<Change>, path: &str, purpose: &str, text: String) {
    let exists = facts.has(path) || facts.ignored.contains(path);
    changes.push(Change {
        path: path.to_owned(),
        way: if exists { Way::Replace } else { Way::Create },
        purpose: purpose.to_owned(),
        text,
    });
}

/// The extension's scripts, and what keeps them and everything else out of the package.
fn hooks(facts: &Facts, extension: &Extension, changes: &mut Vec<Change>) -> Result<()> {
    let file = join(&extension.folder, "package.json");
    let text = facts
        .text(&file)
        .ok_or_else(|| Error::failure(format!("{file} was not read")))?;
    let scripts = extension.manifest["scripts"].as_object();
    let names = ["compile", "build", "bundle"];
    let compiler = names.into_iter().find(|name| {
        extension.is_compiled && scripts.is_some_and(|scripts| scripts.contains_key(*name))
    });
    let script = join(&extension.folder, "scripts/xtask.cjs");
    let changed = manifest::with_hooks(text, &file, compiler)?;
    let calls = extension.manifest["scripts"][manifest::BUNDLE.0] == manifest::BUNDLE.1;
    if changed.is_some() || calls && !facts.has(&script) {
        let hook = HOOK.replace("@@tool@@", &facts.tool);
        add_whole(facts, changes, &script, "what the npm scripts run", hook);
    }
    let Some(changed) = changed else {
        return Ok(());
    };
    let ignore = join(&extension.folder, ".vscodeignore");
    match facts.text(&ignore) {
        _ if extension.manifest["files"].is_array() => {}
        Some(text) => add_lines(
            changes,
            &ignore,
            text,
            &["scripts/**"],
            "keeps the script out",
        ),
        None => add_whole(
            facts,
            changes,
            &ignore,
            "lets in only what is needed",
            allow_list(facts, extension),
        ),
    }
    // Behind what it names, so that it never names what is not there.
    changes.push(Change {
        path: file,
        way: Way::Add,
        purpose: "npm scripts that bring the bundle and check the folder".to_owned(),
        text: changed,
    });
    Ok(())
}

/// A `.vscodeignore` that leaves everything out but what is needed.
fn allow_list(facts: &Facts, extension: &Extension) -> String {
    let mut text =
        "# An allow-list: everything is left out, and each line with \"!\" lets one thing in.\n\
                    **\n!package.json\n"
            .to_owned();
    for name in extension.needs(facts) {
        text.push_str(&format!("!{name}\n"));
    }
    for name in ["*.whl", "manifest.json", "requirements.txt"] {
        text.push_str(&format!("!{}/{name}\n", extension.bundle));
    }
    text
}

/// Folders that the tool writes and git must not have.
fn ignored(facts: &Facts, decided: &Decided, changes: &mut Vec<Change>) {
    let file = ".gitignore";
    let purpose = "folders that the tool writes";
    let bundle = decided
        .extension
        .as_ref()
        .map(|extension| format!("/{}/", join(&extension.folder, &extension.bundle)));
    let modules = decided
        .extension
        .as_ref()
        .map(|_| "node_modules/".to_owned());
    let lines = ["/dist/".to_owned(), "/target/".to_owned()];
    let lines: Vec<String> = lines.into_iter().chain(bundle).chain(modules).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    match facts.text(file) {
        Some(text) => add_lines(changes, file, text, &lines, purpose),
        None => add_whole(facts, changes, file, purpose, lines.join("\n") + "\n"),
    }
}

/// Adds the lines that a file does not have, with the line ends it has.
fn add_lines(changes: &mut Vec<Change>, path: &str, text: &str, lines: &[&str], purpose: &str) {
    let bare = |line: &str| line.trim().trim_matches('/').to_owned();
    let has = |wanted: &&&str| text.lines().any(|line| bare(line) == bare(wanted));
    let missing: Vec<&&str> = lines.iter().filter(|line| !has(line)).collect();
    if missing.is_empty() {
        return;
    }
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut changed = text.to_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        changed.push_str(end);
    }
    for line in missing {
        changed.push_str(line);
        changed.push_str(end);
    }
    changes.push(Change {
        path: path.to_owned(),
        way: Way::Add,
        purpose: purpose.to_owned(),
        text: changed,
    });
}

fn found(decided: &Decided) -> Vec<String> {
    let server = &decided.server;
    let mut found = vec![
        format!(
            "server     {} in {}, started by {}",
            server.name,
            shown(&server.folder),
            server.console_script
        ),
        format!("locked by  {}", server.lock),
        format!("proved by  stdio, and a call of {}", server.call),
    ];
    found.push(match &decided.extension {
        Some(extension) => format!("extension  {}", shown(&extension.folder)),
        None => "extension  none".to_owned(),
    });
    found
}

fn next(facts: &Facts, decided: &Decided) -> Vec<String> {
    let mut next = Vec::new();
    if let Some(extension) = &decided.extension {
        let stated = extension.manifest["version"].as_str();
        if let (Some(version), Some(stated)) = (&decided.server.version, stated)
            && !crate::version::same(version, stated)
        {
            next.push(format!(
                "one version everywhere: the server says {version}, {} says {stated}",
                join(&extension.folder, "package.json")
            ));
        }
        if extension.manifest["files"].is_array() {
            next.push(format!(
                "let vsce pack the bundle: add \"{}\" to \"files\" in {}",
                extension.bundle,
                join(&extension.folder, "package.json")
            ));
        }
    }
    if decided.places.targets.contains(&super::Target::Mcp) {
        let name = configuration::server_name(decided);
        let marker = format!("mcp-name: {name}");
        let readmes = facts
            .texts
            .iter()
            .filter(|(path, _)| path.to_lowercase().contains("readme"));
        if !readmes.into_iter().any(|(_, text)| text.contains(&marker)) {
            next.push(format!("add to the server's README: <!-- {marker} -->"));
        }
    }
    next.extend(
        [
            "git add --all && git commit --message \"Release with cargo xtask\"",
            "cargo xtask doctor",
            "cargo xtask audit --update && cargo xtask release",
        ]
        .map(str::to_owned),
    );
    next
}
