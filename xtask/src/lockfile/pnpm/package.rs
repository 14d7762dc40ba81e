//! One entry of pnpm's `packages` as a package.

use super::super::json::{Json, Member, Object};
use super::super::node;
use super::super::shown::{shortened, without_secrets};
use super::{Generation, Input, Package, REMEDY, Scope, Source, without_peers};
use crate::error::Result;

/// The package of an entry, still without arrows.
pub fn package(input: &Input<'_>, generation: Generation, member: &Member<'_>) -> Result<Package> {
    let wrong = |problem: &str| {
        let problem = format!("{:?}: {problem}", shortened(&member.key));
        node::damaged(input, member.line, &problem, REMEDY)
    };
    let Json::Object(object) = &member.value else {
        return Err(wrong("not a mapping"));
    };
    let Some(resolution) = object.object("resolution") else {
        return Err(wrong("there is no `resolution`"));
    };
    let (key_name, key_version) = parts(generation, &member.key);
    let name = object.text("name").unwrap_or(key_name);
    let version = object.text("version").unwrap_or(key_version);
    let is_from_key = object.text("name").is_none() && !key_version.contains([':', '/']);
    let source = match is_from_key {
        true => Source::Registry { url: None },
        false => source(resolution, name, version),
    };
    if !node::is_name(name) {
        return Err(wrong("there is no name of a package in it"));
    }
    let is_checked = matches!(source, Source::Registry { .. });
    if !node::is_version(version) && (is_checked || !version.is_empty()) {
        return Err(wrong("there is no version in it"));
    }
    Ok(Package {
        name: name.to_owned(),
        alias: None,
        version: without_secrets(version),
        line: member.line,
        source,
        groups: Vec::new(),
        scope: match object.is_true("dev") {
            true => Scope::Development,
            false => Scope::Ships,
        },
        dependencies: Vec::new(),
        digests: node::integrity(resolution.text("integrity")),
        license: None,
    })
}

/// The name and the version, or the address in its place, that a key is made of.
fn parts(generation: Generation, key: &str) -> (&str, &str) {
    if generation == Generation::Nine {
        let (name, version) = node::name_and_range(without_peers(key));
        return (name, version.unwrap_or_default());
    }
    // Before the first slash there may be the host of another registry.
    let Some((_, path)) = key.split_once('/') else {
        return ("", "");
    };
    match generation {
        Generation::Five => {
            let (name, version) = path.rsplit_once('/').unwrap_or((path, ""));
            (name, version.split('_').next().unwrap_or(version))
        }
        _ => {
            let (name, version) = node::name_and_range(without_peers(path));
            (name, version.unwrap_or_default())
        }
    }
}

fn source(resolution: &Object<'_>, name: &str, version: &str) -> Source {
    if let Some(repository) = resolution.text("repo") {
        return Source::Git {
            url: without_secrets(repository),
            commit: resolution.text("commit").map(str::to_owned),
        };
    }
    if let Some(path) = resolution.text("directory") {
        return Source::Path {
            path: path.to_owned(),
        };
    }
    match resolution.text("tarball").or(resolution.text("url")) {
        Some(address) => node::source_of(address, name, version),
        // An address in the key without one here: a kind of resolution that is not known.
        None => Source::Url {
            url: without_secrets(version),
        },
    }
}
