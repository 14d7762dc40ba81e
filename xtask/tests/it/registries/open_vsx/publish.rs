//! Publishing and deleting, with everything that is checked, in the registry's order.

use std::collections::BTreeSet;

use serde_json::json;

use super::super::message::{Asked, Reply};
use super::super::vsix::{self, Listed, Package};
use super::{OpenVsx, TARGETS, Version, failure, named};

impl OpenVsx {
    pub fn publish(&mut self, asked: &Asked) -> Reply {
        let package = match self.checked(asked) {
            Ok(package) => package,
            Err((status, message)) => return failure(status, &message),
        };
        let line = named(&package);
        let version = Version {
            package,
            signature: self.key.archive(&asked.body, self.bad_signature),
            bytes: asked.body.clone(),
            waiting: self.active_after,
            removed: false,
        };
        let base = asked.base();
        let mut shown = self.shown(&base, &version);
        shown["success"] =
            json!("It can take a couple minutes before the extension version is available");
        let address = Self::address(&base, &version.package);
        self.stored.push(line);
        self.versions.push(version);
        Reply::json(201, &shown).with("location", address)
    }

    fn checked(&self, asked: &Asked) -> Result<Package, (u16, String)> {
        let bad = |message: &str| (400, message.to_owned());
        if asked.body.len() > self.limit {
            let limit = size(self.limit);
            let text = format!("The extension package exceeds the size limit of {limit}.");
            return Err((413, text));
        }
        let package = vsix::read(&asked.body).map_err(|message| (400, message))?;
        let Some(allowed) = self.tokens.get(&Self::token(asked)) else {
            return Err((401, "Invalid access token.".to_owned()));
        };
        let publisher = &package.publisher;
        if !self.namespaces.contains(publisher) {
            return Err((
                400,
                format!(
                    "Unknown publisher: {publisher}\nUse the 'create-namespace' command to create \
                     a namespace corresponding to your publisher name."
                ),
            ));
        }
        if !allowed.contains(publisher) {
            let text = format!("Insufficient access rights for publisher: {publisher}");
            return Err((400, text));
        }
        if let Some(version) = self
            .versions
            .iter()
            .find(|one| same(&one.package, &package))
        {
            let end = match version.waiting == 0 && !version.removed {
                true => ".",
                false => ", but currently isn't active and therefore not visible.",
            };
            let text = format!("Extension {} is already published{end}", named(&package));
            return Err((400, text));
        }
        let entries = vsix::listed(&asked.body).ok_or_else(|| bad("Could not read zip file"))?;
        let findings = findings(&entries);
        if !findings.is_empty() {
            return Err((400, findings.join("\n")));
        }
        if !TARGETS.contains(&package.target.as_str()) {
            let text = format!("Unsupported target platform '{}'", package.target);
            return Err((400, text));
        }
        if !is_version(&package.version) {
            let text = format!("Version '{}' is not valid.", package.version);
            return Err((400, text));
        }
        let has_file = entries.iter().any(|entry| {
            let name = entry.name.to_ascii_lowercase();
            name.starts_with("extension/license")
        });
        if package.manifest["license"].as_str().is_none() && !has_file {
            return Err(bad(
                "This extension cannot be accepted because it has no license.",
            ));
        }
        Ok(package)
    }

    pub fn delete(&mut self, asked: &Asked, namespace: &str, name: &str) -> Reply {
        let allowed = self.tokens.get(&Self::token(asked));
        if !allowed.is_some_and(|allowed| allowed.contains(namespace)) {
            return failure(400, "Invalid access token.");
        }
        let body = asked.json();
        let wanted = body.as_array().cloned().unwrap_or_default();
        let mut lines = Vec::new();
        for version in &mut self.versions {
            let package = &version.package;
            let asked_for = wanted.iter().any(|one| {
                one["version"] == package.version.as_str()
                    && one["targetPlatform"] == package.target.as_str()
            });
            if package.publisher == namespace && package.name == name && asked_for {
                version.removed = true;
                lines.push(format!("Deleted {}", named(package)));
            }
        }
        match lines.is_empty() {
            true => failure(404, &format!("Extension not found: {namespace}.{name}")),
            false => Reply::json(200, &json!({ "success": lines.join("\n") })),
        }
    }
}

fn same(one: &Package, other: &Package) -> bool {
    one.publisher == other.publisher
        && one.name == other.name
        && one.version == other.version
        && one.target == other.target
}

/// What is wrong with the entries of a zip.
fn findings(entries: &[Listed]) -> Vec<&'static str> {
    let mut findings = Vec::new();
    if entries.iter().any(|entry| entry.extra) {
        findings.push("extension file contains zip entries with potentially harmful extra fields");
    }
    let mut seen = BTreeSet::new();
    if !entries.iter().all(|entry| seen.insert(normal(&entry.name))) {
        findings.push("extension file contains duplicate zip entries after path normalization");
    }
    let unsafe_path = |name: &str| {
        let mut parts = name.split(['/', '\\']);
        name.starts_with('/') || parts.any(|part| part == "..")
    };
    if entries.iter().any(|entry| unsafe_path(&entry.name)) {
        findings.push("extension file contains zip entries with a suspicious path");
    }
    findings
}

/// A path as it is after the registry has made all ways to write it one.
fn normal(name: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in name.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn is_version(text: &str) -> bool {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let numbers: Vec<&str> = core.split('.').collect();
    numbers.len() == 3 && numbers.iter().all(|number| number.parse::<u32>().is_ok())
}

fn size(bytes: usize) -> String {
    match bytes {
        bytes if bytes >= 1 << 20 => format!("{} MB", bytes >> 20),
        bytes if bytes >= 1 << 10 => format!("{} KB", bytes >> 10),
        bytes => format!("{bytes} bytes"),
    }
}
