//! What the index shows: the pages of a project, a release and a project as JSON, and provenance.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::message::{Asked, Reply};
use super::{File, Warehouse, is_of, missing, normalize};

const JSON: &str = "application/vnd.pypi.simple.v1+json";
const INTEGRITY: &str = "application/vnd.pypi.integrity.v1+json";

impl Warehouse {
    /// The files of a project that this read shows. Each read brings the others nearer.
    fn visible(&mut self, project: &str) -> Vec<File> {
        let mut shown = Vec::new();
        for file in self.files.iter_mut().filter(|file| is_of(file, project)) {
            match file.hidden {
                0 => shown.push(file.clone()),
                _ => file.hidden -= 1,
            }
        }
        shown
    }

    pub fn simple(&mut self, asked: &Asked, name: &str) -> Reply {
        let normal = normalize(name);
        let path = format!("/simple/{normal}/");
        if asked.path() != path {
            return Reply::new(301, "").with("location", path);
        }
        let files = self.visible(name);
        if files.is_empty() {
            return missing(asked);
        }
        let base = asked.base();
        let accept = asked.header("accept").unwrap_or_default();
        let reply = match accept.contains(JSON) {
            true => Reply::json(200, &listed(&base, &normal, &files)).with("content-type", JSON),
            false => Reply::new(200, page(&base, &normal, &files))
                .with("content-type", "text/html; charset=UTF-8"),
        };
        reply
            .with("cache-control", "max-age=600, public")
            .with("vary", "Accept")
            .with("x-pypi-last-serial", self.files.len().to_string())
    }

    /// A release as JSON.
    pub fn json(&mut self, asked: &Asked, name: &str, version: &str) -> Reply {
        let mut files = self.visible(name);
        files.retain(|file| file.version == version);
        match described(&asked.base(), &files) {
            Some(value) => Reply::json(200, &value).with("cache-control", "max-age=900, public"),
            None => Reply::json(404, &json!({ "message": "Not Found" })),
        }
    }

    /// A project as JSON: its last release, and the files of them all.
    pub fn project(&mut self, asked: &Asked, name: &str) -> Reply {
        let base = asked.base();
        let files = self.visible(name);
        let Some(last) = files.last() else {
            return Reply::json(404, &json!({ "message": "Not Found" }));
        };
        let mut releases: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for file in &files {
            releases
                .entry(&file.version)
                .or_default()
                .push(url(&base, file));
        }
        let of_last = files.iter().filter(|file| file.version == last.version);
        let of_last: Vec<File> = of_last.cloned().collect();
        let mut value = described(&base, &of_last).unwrap_or_default();
        value["releases"] = json!(releases);
        Reply::json(200, &value).with("cache-control", "max-age=900, public")
    }

    pub fn provenance(&self, asked: &Asked, name: &str, version: &str, file: &str) -> Reply {
        let accept = asked.header("accept").unwrap_or("*/*");
        if !["*/*", "application/json", INTEGRITY]
            .iter()
            .any(|one| accept.contains(one))
        {
            return Reply::json(406, &json!({ "message": "Request not acceptable" }));
        }
        let found = self
            .files
            .iter()
            .find(|one| is_of(one, name) && one.version == version && one.name == file);
        let Some(found) = found else {
            return missing(asked);
        };
        let Some(attestations) = &found.attestations else {
            let text = format!("No provenance available for {}", found.name);
            return Reply::json(404, &json!({ "message": text }));
        };
        let publisher = self.publisher.as_ref().map(|publisher| {
            json!({
                "kind": "GitHub",
                "repository": publisher.repository,
                "workflow": publisher.workflow,
                "environment": publisher.environment,
                "claims": null,
            })
        });
        let value = json!({
            "version": 1,
            "attestation_bundles": [{ "publisher": publisher, "attestations": attestations }],
        });
        Reply::json(200, &value).with("content-type", INTEGRITY)
    }
}

/// A release with these files.
fn described(base: &str, files: &[File]) -> Option<Value> {
    let first = files.first()?;
    // The form of the first file is what the release says of itself.
    let field = |name: &str| {
        let found = first.form.iter().find(|(field, _)| field == name);
        found.map_or(Value::Null, |(_, value)| json!(value))
    };
    Some(json!({
        "info": {
            "name": first.project,
            "version": first.version,
            "summary": field("summary"),
            "description": field("description"),
            "description_content_type": field("description_content_type"),
            "requires_python": field("requires_python"),
            "yanked": false,
            "yanked_reason": null,
        },
        "last_serial": files.len(),
        "urls": files.iter().map(|file| url(base, file)).collect::<Vec<_>>(),
        "vulnerabilities": [],
    }))
}

fn address(base: &str, file: &File) -> String {
    format!("{base}{}", Warehouse::place(file))
}

fn listed(base: &str, project: &str, files: &[File]) -> Value {
    let entry = |file: &File| {
        let provenance = file.attestations.as_ref().map(|_| {
            let (version, name) = (&file.version, &file.name);
            format!("{base}/integrity/{project}/{version}/{name}/provenance")
        });
        json!({
            "filename": file.name,
            "url": address(base, file),
            "hashes": { "sha256": file.sha256 },
            "requires-python": null,
            "size": file.bytes.len(),
            "upload-time": "2026-01-02T03:04:05.000000Z",
            "yanked": false,
            "core-metadata": false,
            "data-dist-info-metadata": false,
            "provenance": provenance,
        })
    };
    let mut versions: Vec<&str> = files.iter().map(|file| file.version.as_str()).collect();
    versions.sort_unstable();
    versions.dedup();
    json!({
        "meta": { "api-version": "1.4", "_last-serial": files.len() },
        "name": project,
        "versions": versions,
        "files": files.iter().map(entry).collect::<Vec<_>>(),
        "alternate-locations": [],
        "project-status": { "status": "active" },
    })
}

fn page(base: &str, project: &str, files: &[File]) -> String {
    let link = |file: &File| {
        let (address, sha256, name) = (address(base, file), &file.sha256, &file.name);
        format!("<a href=\"{address}#sha256={sha256}\" >{name}</a><br />\n")
    };
    let links: String = files.iter().map(link).collect();
    format!(
        "<!DOCTYPE html>\n<html>\n  <head>\n    \
         <meta name=\"pypi:repository-version\" content=\"1.4\">\n    \
         <title>Links for {project}</title>\n  </head>\n  <body>\n    \
         <h1>Links for {project}</h1>\n{links}</body>\n</html>\n"
    )
}

fn url(base: &str, file: &File) -> Value {
    json!({
        "filename": file.name,
        "url": address(base, file),
        "digests": { "sha256": file.sha256, "blake2b_256": file.blake2 },
        "packagetype": file.kind,
        "size": file.bytes.len(),
        "yanked": false,
        "yanked_reason": null,
    })
}
