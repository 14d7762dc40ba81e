//! A static package index over the files of `dist/`. Pure.
//!
//! Source: PyPA "Simple repository API" (PEP 503, 629, 691, 700). The HTML pages work from a
//! `file://` address; the JSON pages are for tools that read them as files.

use std::collections::BTreeMap;

use serde_json::json;

use super::wheel::inspect;
use crate::artifact::Artifact;
use crate::error::Result;
use crate::name::normalize;

/// The repository version the pages declare (PEP 700).
const API_VERSION: &str = "1.1";

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
    let project = normalize(&wheel.name);
    let requires_python = facts.requires_python.as_deref();
    let files: Vec<&Artifact> = std::iter::once(wheel).chain(sdist).collect();
    let title = format!("Links for {project}");
    let links = files
        .iter()
        .map(|file| link(file, requires_python))
        .collect::<String>();
    let project_json = json!({
        "meta": { "api-version": API_VERSION },
        "name": project,
        "versions": [wheel.version],
        "files": files.iter().map(|file| entry(file, requires_python)).collect::<Vec<_>>(),
    });
    let root_json =
        json!({ "meta": { "api-version": API_VERSION }, "projects": [{ "name": project }] });
    let root = format!("    <a href=\"{project}/\">{project}</a><br>\n");
    Ok(BTreeMap::from([
        ("index/index.html".to_owned(), page("Simple index", &root)),
        ("index/index.json".to_owned(), json_page(&root_json)),
        (format!("index/{project}/index.html"), page(&title, &links)),
        (
            format!("index/{project}/index.json"),
            json_page(&project_json),
        ),
    ]))
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

fn link(file: &Artifact, requires_python: Option<&str>) -> String {
    let python = requires_python
        .map(|range| format!(" data-requires-python=\"{}\"", escape(range)))
        .unwrap_or_default();
    let (path, hash) = (escape(&file.path), file.sha256.hex());
    format!("    <a href=\"../../{path}#sha256={hash}\"{python}>{path}</a><br>\n")
}

fn entry(file: &Artifact, requires_python: Option<&str>) -> serde_json::Value {
    let mut entry = json!({
        "filename": file.path,
        "url": format!("../../{}", file.path),
        "hashes": { "sha256": file.sha256.hex() },
        "size": file.size,
    });
    if let Some(range) = requires_python {
        entry["requires-python"] = range.into();
    }
    entry
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
