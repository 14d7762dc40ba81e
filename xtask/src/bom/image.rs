//! The bill of a container image as CycloneDX 1.6 JSON: for each platform the base and every wheel, or
//! the program with every crate in it. What is in the base its own publisher must say, so its part is
//! marked as incomplete. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::cyclonedx::{numbered, properties, tools};
use super::purl::Purl;
use crate::artifact::Digest;
use crate::lockfile::Ecosystem;

/// An image that was built.
#[derive(Debug, Clone)]
pub struct Image<'input> {
    /// What engines call it.
    pub name: &'input str,
    /// Its version.
    pub version: &'input str,
    /// The digest of its list of platforms.
    pub digest: &'input Digest,
    /// The full commit it was built from.
    pub commit: &'input str,
    /// The commit's time.
    pub date: Timestamp,
    /// What it stands on.
    pub base: Base<'input>,
    /// What is in it, for each platform.
    pub platforms: &'input [Platform],
}

/// What an image stands on.
#[derive(Debug, Clone)]
pub struct Base<'input> {
    /// Its name in a registry, with its tag; one from a disk has none.
    pub name: Option<&'input str>,
    /// Its digest.
    pub digest: &'input Digest,
}

/// What is in an image for one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// `linux/amd64`.
    pub word: &'static str,
    /// The digest of its manifest.
    pub digest: Digest,
    /// What was put on the base, in any order.
    pub parts: Vec<Part>,
}

/// A thing that was put on the base.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// Whose package it is; `None` for the program itself.
    pub ecosystem: Option<Ecosystem>,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The name of the file that was unpacked.
    pub file: Option<String>,
    /// The digest of that file, or of the package that was compiled.
    pub sha256: Option<Digest>,
}

/// The bill as a document.
pub fn document(image: &Image<'_>) -> Value {
    let base = base(&image.base);
    let base_reference = base["bom-ref"].clone();
    let mut components = BTreeMap::from([(base_reference.to_string(), base)]);
    let mut arrows = vec![json!({ "ref": base_reference, "dependsOn": [] })];
    let mut whole = Vec::new();
    let mut leaves = BTreeMap::new();
    for platform in image.platforms {
        let own = container(image, platform);
        let reference = own["bom-ref"].clone();
        let mut below = vec![base_reference.clone()];
        for part in &platform.parts {
            let part = component(part);
            let reference = part["bom-ref"].clone();
            leaves.insert(reference.to_string(), reference.clone());
            below.push(reference.clone());
            components.insert(reference.to_string(), part);
        }
        below.sort_by_key(Value::to_string);
        below.dedup();
        arrows.push(json!({ "ref": reference, "dependsOn": below }));
        components.insert(reference.to_string(), own);
        whole.push(reference);
    }
    arrows.push(json!({ "ref": "image", "dependsOn": whole }));
    arrows.sort_by_key(|arrow| arrow["ref"].to_string());
    whole.push("image".into());
    let mut compositions = vec![
        json!({ "aggregate": "complete", "dependencies": whole }),
        json!({ "aggregate": "incomplete", "dependencies": [base_reference] }),
    ];
    if !leaves.is_empty() {
        // What they need of each other the release's own bill says.
        let leaves: Vec<Value> = leaves.into_values().collect();
        compositions.push(json!({ "aggregate": "not_specified", "dependencies": leaves }));
    }
    numbered(json!({
        "metadata": {
            "timestamp": super::moment(image.date),
            "lifecycles": [{ "phase": "build" }],
            "tools": tools(),
            "component": head(image),
        },
        "components": components.into_values().collect::<Vec<Value>>(),
        "dependencies": arrows,
        "compositions": compositions,
    }))
}

fn sha256(digest: &Digest) -> Value {
    json!([{ "alg": "SHA-256", "content": digest.hex() }])
}

fn head(image: &Image<'_>) -> Value {
    json!({
        "type": "container",
        "bom-ref": "image",
        "name": image.name,
        "version": image.version,
        "purl": Purl::new("oci", image.name, &image.digest.to_string()).to_string(),
        "hashes": sha256(image.digest),
        "properties": properties([("commit", image.commit.to_owned())]),
    })
}

fn container(image: &Image<'_>, platform: &Platform) -> Value {
    let architecture = platform.word.rsplit('/').next().unwrap_or_default();
    let purl = Purl::new("oci", image.name, &platform.digest.to_string());
    json!({
        "type": "container",
        "bom-ref": format!("image:{}", platform.word),
        "name": image.name,
        "version": image.version,
        "purl": purl.with("arch", architecture).to_string(),
        "hashes": sha256(&platform.digest),
        "properties": properties([("platform", platform.word.to_owned())]),
    })
}

/// The name of a base without its tag, which may have moved on; the tag is a qualifier.
fn base(base: &Base<'_>) -> Value {
    let digest = base.digest.to_string();
    let mut component = json!({
        "type": "container",
        "bom-ref": format!("base:{digest}"),
        "name": "base",
        "version": digest,
        "hashes": sha256(base.digest),
    });
    if let Some(name) = base.name {
        let (repository, tag) = match name.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
            _ => (name, None),
        };
        let last = repository.rsplit('/').next().unwrap_or_default();
        let mut purl = Purl::new("oci", last, &digest).with("repository_url", repository);
        if let Some(tag) = tag {
            purl = purl.with("tag", tag);
        }
        component["name"] = repository.into();
        component["purl"] = purl.to_string().into();
    }
    component
}

fn component(part: &Part) -> Value {
    let mut purl = match part.ecosystem {
        Some(ecosystem) => Purl::new(ecosystem.purl_type(), &part.name, &part.version),
        None => Purl::new(super::purl::GENERIC, &part.name, &part.version),
    };
    if let Some(file) = &part.file {
        purl = purl.with("file_name", file);
    }
    let purl = purl.canonical().to_string();
    let kind = match part.ecosystem {
        Some(_) => "library",
        None => "application",
    };
    // The program is another file on each platform.
    let reference = match (&part.ecosystem, &part.sha256) {
        (None, Some(digest)) => format!("program:{digest}"),
        _ => purl.clone(),
    };
    let mut component = json!({
        "type": kind,
        "bom-ref": reference,
        "name": part.name,
        "version": part.version,
        "purl": purl,
        "scope": "required",
    });
    if let Some(digest) = &part.sha256 {
        component["hashes"] = sha256(digest);
    }
    component
}
