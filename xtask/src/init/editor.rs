//! Which VS Code extension carries the server, if one does. Pure.

use serde_json::Value;

use super::Wishes;
use super::facts::{Facts, join, named, shown};
use crate::error::Error;

/// The answers.
#[derive(Debug, Clone)]
pub struct Extension {
    /// Its folder; empty for the top.
    pub folder: String,
    /// The folder inside it that will carry the wheel.
    pub bundle: String,
    /// What it says.
    pub manifest: Value,
    /// Its `main`, from its folder.
    pub main: String,
    /// Whether git has the file that `main` names, or a compiler writes it.
    pub is_compiled: bool,
    /// More arguments for `vsce package`.
    pub arguments: Vec<&'static str>,
    /// Whether it needs packages at run time.
    pub has_dependencies: bool,
    /// Files that state its version.
    pub version_files: Vec<String>,
}

/// Names for the bundle's folder; the first that git has nothing in.
const BUNDLES: [&str; 3] = ["python_server", "bundled_server", "server_wheel"];

/// Endings of sources that a compiler turns into `main`.
const SOURCES: [&str; 4] = [".ts", ".tsx", ".mts", ".js"];

/// Decides which extension it is; `None` when the repository has none.
///
/// # Errors
/// Several could be it, or the one that was named is none.
pub fn decide(facts: &Facts, wishes: &Wishes) -> Result<Option<Extension>, Vec<Error>> {
    one(facts, wishes).map_err(|error| vec![error])
}

fn one(facts: &Facts, wishes: &Wishes) -> Result<Option<Extension>, Error> {
    if let Some(folder) = &wishes.extension {
        let folder = named(folder);
        return match read(facts, &folder)? {
            Some(extension) => Ok(Some(extension)),
            None => Err(Error::usage(format!(
                "--extension: {} is no VS Code extension: it needs engines.vscode and a \"main\" \
                 that exists or is compiled",
                join(&folder, "package.json")
            ))
            .hint("name the folder of the extension's package.json, or leave the option out")),
        };
    }
    let mut found = Vec::new();
    for folder in facts.folders_of("package.json") {
        found.extend(read(facts, &folder)?);
    }
    if found.len() > 1 {
        let listed: Vec<&str> = found.iter().map(|one| shown(&one.folder)).collect();
        return Err(Error::usage(format!(
            "{} folders are VS Code extensions that could carry the server: {}",
            listed.len(),
            listed.join(", ")
        ))
        .hint(format!(
            "say which: cargo xtask init --extension {}",
            crate::world::process::quote(listed[0])
        )));
    }
    Ok(found.pop())
}

/// Reads a folder's `package.json`; `None` when it is no living extension.
fn read(facts: &Facts, folder: &str) -> Result<Option<Extension>, Error> {
    let file = join(folder, "package.json");
    let Some(text) = facts.text(&file) else {
        return Ok(None);
    };
    let text = text.trim_start_matches('\u{feff}');
    let manifest: Value = serde_json::from_str(text)
        .map_err(|cause| Error::failure(format!("{file}: {cause}")).hint(format!("mend {file}")))?;
    if manifest["engines"]["vscode"].as_str().is_none() {
        return Ok(None);
    }
    let Some(main) = manifest["main"].as_str() else {
        return Ok(None);
    };
    let main = main.trim_start_matches("./").to_owned();
    let exists = |name: &str| facts.has(&join(folder, name));
    let names = [
        main.clone(),
        format!("{main}.js"),
        format!("{main}/index.js"),
    ];
    let present = names.into_iter().find(|name| exists(name));
    let is_compiled = present.is_none();
    if is_compiled && !compiles(facts, folder, &manifest) {
        return Ok(None);
    }
    let main = present.unwrap_or_else(|| match main.ends_with("js") {
        true => main.clone(),
        false => format!("{main}.js"),
    });
    let has_dependencies = manifest["dependencies"]
        .as_object()
        .is_some_and(|list| !list.is_empty());
    let mut arguments = Vec::new();
    if !has_dependencies {
        arguments.push("--no-dependencies");
    }
    if manifest["repository"].is_null() {
        arguments.push("--allow-missing-repository");
    }
    let version_files = ["package.json", "package-lock.json"]
        .map(|name| join(folder, name))
        .into_iter()
        .filter(|path| facts.has(path))
        .collect();
    Ok(Some(Extension {
        bundle: bundle(facts, folder).to_owned(),
        folder: folder.to_owned(),
        manifest,
        main,
        is_compiled,
        arguments,
        has_dependencies,
        version_files,
    }))
}

fn bundle(facts: &Facts, folder: &str) -> &'static str {
    let is_free = |name: &&&str| {
        let start = format!("{}/", join(folder, name));
        !facts.paths.iter().any(|path| path.starts_with(&start))
    };
    BUNDLES.iter().find(is_free).copied().unwrap_or(BUNDLES[2])
}

/// Whether something here writes `main`: a script, and sources for it. A manifest that was left
/// behind when the extension moved has neither.
fn compiles(facts: &Facts, folder: &str, manifest: &Value) -> bool {
    let scripts = manifest["scripts"].as_object();
    let words = ["compile", "build", "bundle", "package", "vscode:prepublish"];
    let has_script = scripts
        .into_iter()
        .flatten()
        .any(|(name, _)| words.contains(&name.as_str()) || name.starts_with("compile"));
    let source = format!("{}/", join(folder, "src"));
    let has_source = facts
        .paths
        .iter()
        .any(|path| path.starts_with(&source) && SOURCES.iter().any(|end| path.ends_with(end)));
    has_script && has_source
}

impl Extension {
    /// Patterns of what it needs at run time beside its manifest and the bundle, as they are
    /// named in its folder.
    pub fn needs(&self, facts: &Facts) -> Vec<String> {
        let exists = |name: &&str| facts.has(&join(&self.folder, name));
        let mut needs: Vec<String> = [
            "README.md",
            "CHANGELOG.md",
            "LICENSE",
            "LICENSE.txt",
            "LICENSE.md",
        ]
        .iter()
        .filter(|name| exists(name))
        .map(|name| (*name).to_owned())
        .collect();
        needs.extend(
            self.manifest["icon"]
                .as_str()
                .map(|icon| icon.trim_start_matches("./").to_owned()),
        );
        match self.main.rsplit_once('/') {
            Some((folder, _)) if self.is_compiled => needs.push(format!("{folder}/**/*.js")),
            _ => needs.push(self.main.clone()),
        }
        if self.has_dependencies {
            needs.push("node_modules/**".to_owned());
        }
        needs
    }
}
