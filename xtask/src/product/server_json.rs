//! `server.json`: what a registry of MCP servers is told about a release. Pure.
//!
//! It is made from `[mcp]`, `pyproject.toml`, the manifest and the tools that the proof saw, and
//! is written in one canonical form, so that what a registry gives back can be compared with it.
//! Source: the schema of 2025-12-11 and the registry's own checks beyond it.

mod image;
pub(crate) mod schema;

use serde_json::{Map, Value, json};

use crate::artifact::{Kind, Manifest};
use crate::config::Config;
use crate::config::mcp::{Mcp, Variable, repository_source, wrong_text};
use crate::error::{Error, Result};
use crate::name::normalize;
use crate::printable;
use crate::product::pyproject::Project;

/// Its name in `dist/`.
pub const FILE: &str = "server.json";

/// Raised when it comes out otherwise for the same input.
pub const REVISION: &str = "2";

/// The schema that it names.
const SCHEMA: &str = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";

/// Where a publisher may say what it likes.
pub const PUBLISHER: &str = "io.modelcontextprotocol.registry/publisher-provided";

/// How many bytes it may say there.
const PUBLISHER_LIMIT: usize = 4096;

/// The beginning of the line with which a package says which server it is.
const MARKER: &str = "mcp-name: ";

/// What is told before anything is built: what comes from `release.toml` and `pyproject.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts<'config> {
    mcp: &'config Mcp,
    description: String,
    repository: Option<String>,
    subfolder: Option<String>,
    arguments: &'config [String],
    images: Vec<image::Published<'config>>,
}

/// Takes together what the two files say; `None` without `[mcp]`. `file` names `pyproject.toml`.
///
/// # Errors
/// No description, one that is too long, or a program that the runtime does not find.
pub fn facts<'config>(
    config: &'config Config,
    project: &Project,
    file: &str,
) -> Result<Option<Facts<'config>>> {
    let Some(mcp) = &config.mcp else {
        return Ok(None);
    };
    let from = project.repository();
    let from = from.filter(|address| repository_source(address).is_some());
    let script = &config.server.console_script;
    if mcp.runtime == "uvx" && normalize(script) != normalize(&project.name) {
        return Err(Error::usage(format!(
            "release.toml: mcp.runtime is uvx, which starts the program with the package's name, \
             {}; the console script is called {script}",
            project.name
        ))
        .hint(format!(
            "add a second console script {} to {file}, and name it as server.console-script",
            project.name
        ))
        .hint("or name another program as mcp.runtime"));
    }
    let stdio = config.prove.stdio.as_ref();
    let proved = stdio.map(|launch| launch.arguments.as_slice());
    Ok(Some(Facts {
        mcp,
        description: description(mcp, project, file)?,
        repository: mcp.repository.clone().or(from.map(str::to_owned)),
        subfolder: subfolder(config.server.path.as_str()),
        arguments: mcp.arguments.as_deref().or(proved).unwrap_or_default(),
        images: image::published(config),
    }))
}

fn description(mcp: &Mcp, project: &Project, file: &str) -> Result<String> {
    // That of `[mcp]` was looked at when it was read.
    if let Some(own) = &mcp.description {
        return Ok(own.clone());
    }
    let hint = "write a shorter one for the registry into release.toml: [mcp] description = \"…\"";
    let text = project.description.clone().unwrap_or_default();
    match wrong_text(&text) {
        None => Ok(text),
        Some(what) => Err(Error::usage(format!(
            "{file}: project.description, which the MCP registry would show, {what}"
        ))
        .hint(hint)),
    }
}

/// A folder of the repository as a registry takes it; the root is none.
fn subfolder(path: &str) -> Option<String> {
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let sound = parts.iter().all(|part| part.chars().all(plain));
    (sound && !parts.is_empty()).then(|| parts.join("/"))
}

/// The text of `server.json` for a release whose wheel is made and proved.
///
/// # Errors
/// There is no wheel, or the document is not what the schema asks for: every place where it is not.
pub fn text(facts: &Facts<'_>, manifest: &Manifest) -> Result<String> {
    let document = sorted(&document(facts, manifest)?).unwrap_or_default();
    let problems = schema::problems(&document);
    if problems.is_empty() {
        return Ok(canonical(&document));
    }
    Err(Error::refused(format!(
        "{FILE} is not what the MCP registry's schema asks for:\n    {}",
        problems.join("\n    ")
    ))
    .hint("mend [mcp] in release.toml; docs/configuration.md lists its keys"))
}

fn document(facts: &Facts<'_>, manifest: &Manifest) -> Result<Value> {
    let Facts { mcp, .. } = facts;
    let mut document = Map::new();
    let mut set = |key: &str, value: Value| drop(document.insert(key.to_owned(), value));
    set("$schema", SCHEMA.into());
    set("name", mcp.name.as_str().into());
    set("description", facts.description.as_str().into());
    set("version", manifest.version.as_str().into());
    let mut packages = vec![package(facts, manifest)?];
    let images = facts.images.iter();
    packages.extend(images.map(|one| image::package(one, mcp, &manifest.version)));
    set("packages", packages.into());
    set("_meta", json!({ PUBLISHER: provided(manifest)? }));
    if let Some(title) = &mcp.title {
        set("title", title.as_str().into());
    }
    if let Some(website) = &mcp.website {
        set("websiteUrl", website.as_str().into());
    }
    if let Some(address) = &facts.repository {
        let mut repository = json!({ "url": address, "source": repository_source(address) });
        if let Some(folder) = &facts.subfolder {
            repository["subfolder"] = folder.as_str().into();
        }
        set("repository", repository);
    }
    if !mcp.remotes.is_empty() {
        let remote = |url: &String| json!({ "type": "streamable-http", "url": url });
        set("remotes", mcp.remotes.iter().map(remote).collect());
    }
    Ok(Value::Object(document))
}

/// The package, as the main index has it: without `registryBaseUrl`, whose default that is.
fn package(facts: &Facts<'_>, manifest: &Manifest) -> Result<Value> {
    let wheel = manifest.only(Kind::Wheel)?;
    let mut package = json!({
        "registryType": "pypi",
        "identifier": wheel.name,
        "version": wheel.version,
        "runtimeHint": facts.mcp.runtime,
        "transport": { "type": "stdio" },
    });
    if !facts.arguments.is_empty() {
        let argument = |text: &String| json!({ "type": "positional", "value": text });
        package["packageArguments"] = facts.arguments.iter().map(argument).collect();
    }
    if !facts.mcp.environment.is_empty() {
        package["environmentVariables"] = facts.mcp.environment.iter().map(variable).collect();
    }
    Ok(package)
}

/// What is false or empty is left out: a registry gives it back without it.
fn variable(variable: &Variable) -> Value {
    let mut value = json!({ "name": variable.name });
    let texts = [
        ("description", &variable.description),
        ("default", &variable.default),
        ("format", &variable.format),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            value[key] = text.as_str().into();
        }
    }
    if !variable.choices.is_empty() {
        value["choices"] = variable.choices.iter().map(String::as_str).collect();
    }
    for (key, truth) in [
        ("isRequired", variable.required),
        ("isSecret", variable.secret),
    ] {
        if truth {
            value[key] = true.into();
        }
    }
    value
}

/// What the publisher adds: where the package comes from, and what its tools are. A list of tools
/// that is too long is left out; their number stays.
fn provided(manifest: &Manifest) -> Result<Value> {
    let tools = manifest.proof.as_ref().map(|proof| &proof.tools);
    let mut provided = json!({
        "tool": "cargo-xtask",
        "version": env!("CARGO_PKG_VERSION"),
        "buildInfo": {
            "commit": manifest.source.commit,
            "wheelSha256": manifest.only(Kind::Wheel)?.sha256.hex(),
        },
    });
    if let Some(tools) = tools {
        provided["toolCount"] = tools.len().into();
        let mut whole = provided.clone();
        whole["tools"] = tools.iter().map(String::as_str).collect();
        if json!({ PUBLISHER: whole }).to_string().len() <= PUBLISHER_LIMIT {
            provided = whole;
        }
    }
    Ok(provided)
}

/// The one form in which documents are compared: what is empty or false left out, as a registry
/// leaves it out, keys sorted, indented by two spaces, a final line break.
pub fn canonical(document: &Value) -> String {
    let sorted = sorted(document).unwrap_or_else(|| json!({}));
    let text = serde_json::to_string_pretty(&sorted);
    printable::json(&text.expect("plain values always serialise")) + "\n"
}

/// A value with sorted keys; `None` when there is nothing in it.
fn sorted(value: &Value) -> Option<Value> {
    match value {
        Value::Null | Value::Bool(false) => None,
        Value::String(text) if text.is_empty() => None,
        Value::Array(items) if items.is_empty() => None,
        // An item that is empty stays: the others would move up.
        Value::Array(items) => {
            let item = |item: &Value| sorted(item).unwrap_or_else(|| item.clone());
            Some(items.iter().map(item).collect())
        }
        Value::Object(entries) => {
            let mut keys: Vec<&String> = entries.keys().collect();
            keys.sort();
            let entry = |key: &String| Some((key.clone(), sorted(entries.get(key)?)?));
            let sorted: Map<String, Value> = keys.into_iter().filter_map(entry).collect();
            (!sorted.is_empty()).then_some(Value::Object(sorted))
        }
        Value::Bool(true) | Value::Number(_) | Value::String(_) => Some(value.clone()),
    }
}

/// The digest of the wheel that a `server.json` speaks of.
pub fn wheel_digest(document: &Value) -> Option<&str> {
    document["_meta"][PUBLISHER]["buildInfo"]["wheelSha256"].as_str()
}

/// Whether a package's description says that it is the server of this name: the registry looks
/// for it there, and a release cannot be mended.
pub fn has_marker(description: &str, name: &str) -> bool {
    let of_a_name = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let mut after = description.split(MARKER).skip(1);
    after.any(|rest| {
        let rest = rest.strip_prefix(name);
        rest.is_some_and(|rest| !rest.starts_with(of_a_name))
    })
}

/// Requires the marker in the description that a built wheel carries in its METADATA. `readme` is
/// the file that it comes from.
///
/// # Errors
/// It is not there; the hint is the line to add.
pub fn require_marker(description: &str, name: &str, wheel: &str, readme: &str) -> Result<()> {
    if has_marker(description, name) {
        return Ok(());
    }
    let other = description.split(MARKER).nth(1);
    let other = other.and_then(|rest| rest.split_whitespace().next());
    let found = match other {
        Some(other) => format!("; it says {MARKER}{}", printable::line(other, 200)),
        None => String::new(),
    };
    Err(Error::refused(format!(
        "{wheel}: its METADATA does not say {MARKER}{name}{found}, and a published package cannot \
         be mended"
    ))
    .hint(format!(
        "write this line into {readme}, commit, and release again: <!-- {MARKER}{name} -->"
    )))
}

#[cfg(test)]
mod tests;
