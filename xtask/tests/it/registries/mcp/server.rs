//! Servers: checked, published once, read, and given another status.

use serde_json::{Map, Value, json};

use super::super::message::{Asked, Reply};
use super::{Mcp, OFFICIAL, Trouble, Version, because, missing, problem};

/// The only metadata that a publisher may write, and how large it may be.
const OWN: &str = "io.modelcontextprotocol.registry/publisher-provided";
const OWN_LIMIT: usize = 4096;

/// The schema that servers have to follow.
const SCHEMA: &str = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";

const FAILED: &str = "Failed to publish server";

impl Mcp {
    pub fn publish(&mut self, asked: &Asked) -> Reply {
        let server = asked.json();
        let errors = errors(&server);
        if !errors.is_empty() {
            return problem(422, "validation failed", &errors);
        }
        let name = server["name"].as_str().unwrap_or_default().to_owned();
        if let Err(reply) = self.granted(asked, &name) {
            return reply;
        }
        if let Err(message) = meaning(&server) {
            return because(400, FAILED, &message);
        }
        let version = server["version"].as_str().unwrap_or_default().to_owned();
        // Deleted versions count: a version is used once.
        if self.found(&name, &version).is_some() {
            let message = "invalid version: cannot publish duplicate version";
            return because(400, FAILED, message);
        }
        let packages = server["packages"].as_array();
        if let Some(package) = packages.and_then(|packages| packages.first())
            && self.failing > 0
        {
            self.failing -= 1;
            return because(400, FAILED, &self.refusal(&name, package));
        }
        let version_of_it = Version {
            server: written(&server),
            status: "active".to_owned(),
            hidden: self.visible_after,
        };
        let shown = self.shown(&version_of_it, true);
        self.stored.push(format!("{name} {version}"));
        self.versions.push(version_of_it);
        Reply::json(200, &shown)
    }

    /// Why a package is not taken.
    fn refusal(&self, name: &str, package: &Value) -> String {
        let text = |field: &str| package[field].as_str().unwrap_or_default();
        let (identifier, version) = (text("identifier"), text("version"));
        let what = match self.trouble {
            Trouble::Package => format!("PyPI package '{identifier}' not found (status: 404)"),
            Trouble::Version => format!(
                "PyPI package '{identifier}' exists, but version '{version}' was not found \
                 (status: 404). A newly published release can take a moment to appear on PyPI. \
                 Wait and retry"
            ),
            Trouble::Marker => format!(
                "PyPI package '{identifier}' ownership validation failed. The server name \
                 '{name}' must appear as 'mcp-name: {name}' in the package README"
            ),
        };
        format!("registry validation failed for package 0 ({identifier}): {what}")
    }

    fn found(&self, name: &str, version: &str) -> Option<usize> {
        self.versions
            .iter()
            .position(|one| one.server["name"] == name && one.server["version"] == version)
    }

    fn shown(&self, version: &Version, latest: bool) -> Value {
        let time = "2026-01-02T03:04:05.000000Z";
        json!({
            "server": version.server,
            "_meta": { OFFICIAL: {
                "status": version.status,
                "statusChangedAt": time,
                "publishedAt": time,
                "updatedAt": time,
                "isLatest": latest,
            } },
        })
    }

    pub fn get(&mut self, asked: &Asked, name: &str, version: &str) -> Reply {
        let last = self
            .versions
            .iter()
            .rposition(|one| one.server["name"] == name);
        let at = match version {
            "latest" => last,
            version => self.found(name, version),
        };
        let Some(at) = at else {
            return missing();
        };
        let one = &mut self.versions[at];
        if one.hidden > 0 {
            one.hidden -= 1;
            return missing();
        }
        let one = &self.versions[at];
        let deleted = asked.query("include_deleted").as_deref() == Some("true");
        if one.status == "deleted" && !deleted {
            return missing();
        }
        Reply::json(200, &self.shown(one, Some(at) == last))
    }

    pub fn list(&mut self, asked: &Asked, name: &str) -> Reply {
        let deleted = asked.query("include_deleted").as_deref() == Some("true");
        let last = self
            .versions
            .iter()
            .rposition(|one| one.server["name"] == name);
        let seen = self.versions.iter().enumerate().rev().filter(|(_, one)| {
            let active = one.status != "deleted" || deleted;
            one.server["name"] == name && one.hidden == 0 && active
        });
        let servers: Vec<Value> = seen
            .map(|(at, one)| self.shown(one, Some(at) == last))
            .collect();
        match servers.is_empty() {
            true => missing(),
            false => {
                let count = servers.len();
                Reply::json(
                    200,
                    &json!({ "servers": servers, "metadata": { "count": count } }),
                )
            }
        }
    }

    pub fn set_status(&mut self, asked: &Asked, name: &str, version: &str) -> Reply {
        if let Err(reply) = self.granted(asked, name) {
            return reply;
        }
        let body = asked.json();
        let status = body["status"].as_str().unwrap_or_default();
        if !["active", "deprecated", "deleted"].contains(&status) {
            let error = json!({
                "message": "expected value to be one of \"active, deprecated, deleted\"",
                "location": "body.status",
                "value": status,
            });
            return problem(422, "validation failed", &[error]);
        }
        let Some(at) = self.found(name, version) else {
            return missing();
        };
        self.versions[at].status = status.to_owned();
        Reply::json(200, &self.shown(&self.versions[at], true))
    }
}

/// What is wrong with the form of a server.
fn errors(server: &Value) -> Vec<Value> {
    let mut errors = Vec::new();
    if !server.is_object() {
        return vec![json!({ "message": "expected object", "location": "body", "value": server })];
    }
    let known = [
        "$schema",
        "_meta",
        "description",
        "icons",
        "name",
        "packages",
        "remotes",
        "repository",
        "title",
        "version",
        "websiteUrl",
    ];
    for (key, value) in server.as_object().into_iter().flatten() {
        if !known.contains(&key.as_str()) {
            let location = format!("body.{key}");
            errors.push(json!({
                "message": "unexpected property", "location": location, "value": value,
            }));
        }
    }
    for (name, least, most) in [
        ("name", 3, 200),
        ("description", 1, 100),
        ("version", 1, 255),
    ] {
        let location = format!("body.{name}");
        let value = &server[name];
        let message = match value {
            Value::Null => format!("expected required property {name} to be present"),
            Value::String(text) if text.chars().count() < least => {
                format!("expected length >= {least}")
            }
            Value::String(text) if text.chars().count() > most => {
                format!("expected length <= {most}")
            }
            Value::String(_) => continue,
            _ => "expected string".to_owned(),
        };
        errors.push(json!({ "message": message, "location": location, "value": value }));
    }
    errors
}

/// What is wrong with the meaning of a server whose form is sound.
fn meaning(server: &Value) -> Result<(), String> {
    let name = server["name"].as_str().unwrap_or_default();
    let version = server["version"].as_str().unwrap_or_default();
    if server["$schema"] != SCHEMA {
        return Err("schema version is not supported; use the current schema".to_owned());
    }
    if name.split('/').count() != 2 || name.split('/').any(str::is_empty) {
        let what = "server name must be in format 'dns-namespace/name'";
        return Err(format!("{what} (e.g., 'com.example.api/server')"));
    }
    if version == "latest" || version.starts_with(['^', '~', '>', '<']) {
        return Err(format!(
            "version must be a specific version, not a range: \"{version}\""
        ));
    }
    if let Some(meta) = server["_meta"].as_object() {
        for (key, value) in meta {
            if key != OWN {
                return Err(format!(
                    "invalid _meta key: only {OWN} is allowed, got {key}"
                ));
            }
            let size = value.to_string().len();
            if size > OWN_LIMIT {
                return Err(format!(
                    "{key} exceeds the 4KB limit ({size} bytes, limit {OWN_LIMIT})"
                ));
            }
        }
    }
    Ok(())
}

/// A value as the registry writes it again: without what is empty, false or nothing.
fn written(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields
                .iter()
                .map(|(key, value)| (key.clone(), written(value)));
            let kept: Map<String, Value> = kept.filter(|(_, value)| !is_empty(value)).collect();
            Value::Object(kept)
        }
        Value::Array(items) => Value::Array(items.iter().map(written).collect()),
        other => other.clone(),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}
