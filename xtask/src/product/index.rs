//! A static package index over the files of `dist/`. Pure.
//!
//! Source: PyPA "Simple repository API" (PEP 503, 629, 691, 700). The HTML pages work from a
//! `file://` address; the JSON pages are for tools that read them as files.

use std::collections::BTreeMap;

use serde_json::json;

use super::wheel::inspect;
use crate::artifact::{Artifact, Digest};
use crate::error::Result;
use crate::name::normalize;

/// The repository version the pages declare (PEP 700).
const API_VERSION: &str = "1.1";

/// A file as an index lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub filename: String,
    /// Where it is, from the page of its project.
    pub url: String,
    /// The version it is of.
    pub version: String,
    /// Its digest.
    pub sha256: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// The range of Python versions that it names.
    pub requires_python: Option<String>,
}

/// The pages by path below `dist/`; the files themselves stay where they are.
///
/// # Errors
/// The wheel cannot be read.
pub fn pages(
    wheel: &Artifact,
    wheel_bytes: &[u8],
    sdist: Option<&Artifact>,
) -> Result<BTreeMap<String, Vec<u8>>> {
    let facts = inspect::wheel(&wheel.path, wheel_bytes)?;
    let files: Vec<Listed> = std::iter::once(wheel)
        .chain(sdist)
        .map(|file| Listed {
            filename: file.path.clone(),
            url: format!("../../{}", file.path),
            version: file.version.clone(),
            sha256: file.sha256.clone(),
            size: file.size,
            requires_python: facts.requires_python.clone(),
        })
        .collect();
    let project = normalize(&wheel.name);
    let mut pages = root_pages(std::slice::from_ref(&project));
    pages.extend(project_pages(&project, &files));
    Ok(pages)
}

/// The two pages of the projects, by path.
pub fn root_pages(projects: &[String]) -> BTreeMap<String, Vec<u8>> {
    let names: Vec<_> = projects
        .iter()
        .map(|name| json!({ "name": name }))
        .collect();
    let json = json!({ "meta": { "api-version": API_VERSION }, "projects": names });
    let link = |name: &String| format!("    <a href=\"{name}/\">{name}</a><br>\n");
    let html: String = projects.iter().map(link).collect();
    BTreeMap::from([
        ("index/index.html".to_owned(), page("Simple index", &html)),
        ("index/index.json".to_owned(), json_page(&json)),
    ])
}

/// The two pages of a project, by path.
pub fn project_pages(project: &str, files: &[Listed]) -> BTreeMap<String, Vec<u8>> {
    let links = files.iter().map(link).collect::<String>();
    let mut versions: Vec<&str> = files.iter().map(|file| file.version.as_str()).collect();
    versions.dedup();
    let json = json!({
        "meta": { "api-version": API_VERSION },
        "name": project,
        "versions": versions,
        "files": files.iter().map(entry).collect::<Vec<_>>(),
    });
    let title = format!("Links for {project}");
    BTreeMap::from([
        (format!("index/{project}/index.html"), page(&title, &links)),
        (format!("index/{project}/index.json"), json_page(&json)),
    ])
}

fn json_page(value: &serde_json::Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

fn page(title: &str, body: &str) -> Vec<u8> {
    format!(
        "<!DOCTYPE html>\n<html>\n  <head>\n    <meta charset=\"utf-8\">\n    \
         <meta name=\"pypi:repository-version\" content=\"{API_VERSION}\">\n    \
         <title>{title}</title>\n  </head>\n  <body>\n{body}  </body>\n</html>\n"
    )
    .into_bytes()
}

fn link(file: &Listed) -> String {
    let python = file
        .requires_python
        .as_deref()
        .map(|range| format!(" data-requires-python=\"{}\"", escape(range)))
        .unwrap_or_default();
    let (url, name, hash) = (escape(&file.url), escape(&file.filename), file.sha256.hex());
    format!("    <a href=\"{url}#sha256={hash}\"{python}>{name}</a><br>\n")
}

fn entry(file: &Listed) -> serde_json::Value {
    let mut entry = json!({
        "filename": file.filename,
        "url": file.url,
        "hashes": { "sha256": file.sha256.hex() },
        "size": file.size,
    });
    if let Some(range) = &file.requires_python {
        entry["requires-python"] = range.as_str().into();
    }
    entry
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
