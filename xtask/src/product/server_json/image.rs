//! The entry for the container image in `server.json`. The targets of `release.toml` alone say where it
//! is, so that it cannot name another place than the one that is published to. Pure.
//!
//! Source: the registry's own checks of packages of the type `oci`: the tag is part of the identifier,
//! there is no version beside it, and the image must carry the label that every image of this tool has.

use serde_json::{Value, json};

use super::variable;
use crate::config::Config;
use crate::config::Http;
use crate::config::image::Image;
use crate::config::mcp::{Mcp, Variable};
use crate::config::publish::{MCP_REGISTRY, Place, Profile, Takes};
use crate::product::oci;

/// The registries that the public registry of MCP servers looks into, and the ends of their names.
const HOSTS: [&str; 4] = ["docker.io", "ghcr.io", "quay.io", "mcr.microsoft.com"];
const ENDS: [&str; 2] = [".pkg.dev", ".azurecr.io"];

/// Where an image of the server is, and how it is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Published<'config> {
    repository: &'config str,
    image: &'config Image,
    http: Option<&'config Http>,
}

/// The repositories that the server's image goes to together with what a registry is told.
pub(super) fn published(config: &Config) -> Vec<Published<'_>> {
    let Some(image) = &config.image else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for target in &config.publish.targets {
        let Place::Oci {
            repository, takes, ..
        } = &target.place
        else {
            continue;
        };
        let mut profiles = config.publish.profiles.iter();
        let is_told = |profile: &Profile| {
            goes_to(profile, &target.name) && tells(config, profile, repository)
        };
        if *takes == Takes::Image && profiles.any(is_told) {
            found.push(Published {
                repository,
                image,
                http: config.prove.http.as_ref(),
            });
        }
    }
    found
}

fn goes_to(profile: &Profile, name: &str) -> bool {
    let is_listed = profile.targets.iter().any(|target| target == name);
    is_listed && !profile.skips.iter().any(|skip| skip.target == name)
}

/// Whether a profile tells a registry that looks into where the image is. Others than the public one
/// may look anywhere.
fn tells(config: &Config, profile: &Profile, repository: &str) -> bool {
    let host = repository.split('/').next().unwrap_or_default();
    let is_public = HOSTS.contains(&host) || ENDS.iter().any(|end| host.ends_with(end));
    let mut targets = config.publish.targets.iter();
    targets.any(|target| match &target.place {
        Place::Mcp { url, .. } => {
            goes_to(profile, &target.name) && (is_public || url != MCP_REGISTRY)
        }
        _ => false,
    })
}

/// The package.
pub(super) fn package(published: &Published<'_>, mcp: &Mcp, version: &str) -> Value {
    let Published {
        repository,
        image,
        http,
    } = published;
    let mut package = json!({
        "registryType": "oci",
        "identifier": format!("{repository}:{}", oci::tag(version)),
        "runtimeHint": "docker",
        "transport": { "type": "stdio" },
    });
    let mut variables: Vec<Value> = mcp.environment.iter().map(variable).collect();
    if let (Some(http), Some(port)) = (http, image.port) {
        let url = format!("http://localhost:{port}{}", http.endpoint);
        package["transport"] = json!({ "type": "streamable-http", "url": url });
        let value = format!("127.0.0.1:{port}:{port}");
        package["runtimeArguments"] =
            json!([{ "type": "named", "name": "--publish", "value": value }]);
        if let Some(name) = token(http) {
            package["transport"]["headers"] = json!([header(name)]);
            if mcp.environment.iter().all(|known| known.name != name) {
                variables.push(variable(&secret(name)));
            }
        }
    }
    if !variables.is_empty() {
        package["environmentVariables"] = variables.into();
    }
    package
}

/// The variable in which the server is told the token that its clients send.
fn token(http: &Http) -> Option<&str> {
    let variables = http.launch.environment.iter();
    let mut named = variables.filter(|(_, value)| value.contains("{token}"));
    named.next().map(|(name, _)| name.as_str())
}

fn secret(name: &str) -> Variable {
    Variable {
        name: name.to_owned(),
        description: Some("What clients must send as their bearer token".to_owned()),
        default: None,
        format: Some("string".to_owned()),
        choices: Vec::new(),
        required: true,
        secret: true,
    }
}

fn header(name: &str) -> Value {
    json!({
        "name": "Authorization",
        "value": "Bearer {token}",
        "isRequired": true,
        "isSecret": true,
        "variables": { "token": {
            "description": format!("The value of {name}"),
            "isRequired": true,
            "isSecret": true,
        }},
    })
}
