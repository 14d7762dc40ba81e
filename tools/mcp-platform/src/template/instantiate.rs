//! A template and a request → a specification. Pure; the random parts come in as values.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::model::{
    Companion, Exposure, Identity, ImageReference, NAME_LIMIT, Name, Peers, Probe, Provenance, Run,
    Secret, Secrets, Sessions, Spec, Transport, Volume,
};

use super::raw::{CompanionTable, ProbeTable, Template, TransportKind, VolumeTable};
use super::validate::{bytes, resources};

/// What a caller asks for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Request {
    /// The name; none: made from the template and the configuration, so that the same request
    /// again means the same server.
    pub name: Option<String>,
    /// The configuration.
    pub configuration: Map<String, Value>,
    /// How many instances; none: as many as there are, else as many as the template says.
    pub replicas: Option<u32>,
    /// Another image than the template's.
    pub image: Option<ImageReference>,
    /// For processes: another wheel than the template's, a path or `name==version`.
    pub wheel: Option<String>,
    /// How it is reached; none: within the cluster.
    pub exposure: Option<Exposure>,
}

/// Makes the specification.
///
/// `random` gives random words; it is asked for the passwords of companions and for the word of
/// the secrets. `present` are the secrets that the server already has: generated ones are kept,
/// and the word is kept when nothing secret changed.
///
/// # Errors
/// The configuration breaks the schema (each place is named), or a name does not fit.
pub fn instantiate(
    template: &Template,
    namespace: &Name,
    request: &Request,
    present: Option<&Secrets>,
    random: &mut dyn FnMut() -> String,
) -> Result<Spec> {
    let configuration = complete(template, &request.configuration)?;
    let name = match &request.name {
        Some(name) => Name::server(name)?,
        None => Name::server(&generated_name(template, namespace, &configuration))?,
    };
    let mut parts = assemble(template, &name, &configuration, present, random)?;
    let secret_keys: Vec<&str> = secret_keys(template);
    let mut environment = template.environment.clone();
    environment.append(&mut parts.environment);
    let mut arguments = template.run.arguments.clone();
    arguments.append(&mut parts.arguments);
    Ok(Spec {
        identity: Identity {
            namespace: namespace.clone(),
            name,
        },
        template: template.id.clone(),
        version: template.version.clone(),
        configuration: sorted(&request.configuration)
            .into_iter()
            .filter(|(key, _)| !secret_keys.contains(&key.as_str()))
            .collect(),
        run: Run {
            image: match (&request.image, &template.image.reference) {
                (Some(image), _) => Some(image.clone()),
                (None, Some(reference)) => Some(ImageReference::parse(reference)?),
                (None, None) => None,
            },
            command: template.run.command.clone(),
            arguments,
            wheel: request
                .wheel
                .clone()
                .or_else(|| template.process.wheel.clone()),
            process: template.process.command.clone(),
        },
        transport: transport(template),
        port: template.transport.port,
        bearer: template.transport.bearer.clone(),
        health: template.health.as_ref().map(probe),
        ready: template.ready.as_ref().map(probe),
        sessions: template.sessions.as_ref().map(|page| Sessions {
            path: page.path.clone(),
            pointer: page.pointer.clone(),
        }),
        environment,
        files: parts.files,
        secrets_id: parts.secrets.id.clone(),
        secrets: parts.secrets,
        resources: resources(&template.resources)?,
        volumes: template.volumes.iter().map(volume).collect::<Result<_>>()?,
        peers: Peers {
            ingress: template.peers.ingress.clone(),
            egress: template.peers.egress.clone(),
        },
        statefulness: template.statefulness,
        replicas: request.replicas.unwrap_or(template.replicas),
        manages_kernels: template.manages_kernels,
        exposure: request.exposure.clone().unwrap_or(Exposure::ClusterIp),
        grace_seconds: template.grace_seconds,
        drain_seconds: template.drain_seconds,
        companions: parts.companions,
        provenance: Provenance::default(),
    })
}

/// The configuration of a present server with changes laid over it (RFC 7396, "JSON Merge Patch");
/// its secret keys come from the secrets that it has, so they need not be given again.
pub fn reconfigure(
    template: &Template,
    present: &Spec,
    changes: &Map<String, Value>,
) -> Map<String, Value> {
    let mut configuration = present.configuration.clone();
    for setting in &template.configuration.settings {
        let kept = match (&setting.environment, &setting.file) {
            (Some(name), _) => present.secrets.environment.get(name),
            (_, Some(path)) => present.secrets.files.get(path),
            _ => None,
        };
        if let (true, Some(kept)) = (setting.secret, kept) {
            configuration.insert(
                setting.key.clone(),
                typed(template, &setting.key, kept.expose()),
            );
        }
    }
    for (key, value) in changes {
        if value.is_null() {
            configuration.remove(key);
        } else {
            configuration.insert(key.clone(), value.clone());
        }
    }
    configuration
}

/// A stored text as the type that the schema wants.
fn typed(template: &Template, key: &str, text: &str) -> Value {
    let kind = template
        .configuration
        .schema
        .get("properties")
        .and_then(|all| all.get(key))
        .and_then(|schema| schema.get("type"))
        .and_then(Value::as_str);
    match kind {
        None | Some("string") => Value::String(text.to_owned()),
        Some(_) => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())),
    }
}

/// Where each value of the configuration goes, and what companions add to it.
fn assemble(
    template: &Template,
    name: &Name,
    configuration: &Map<String, Value>,
    present: Option<&Secrets>,
    random: &mut dyn FnMut() -> String,
) -> Result<Parts> {
    let mut parts = Parts::default();
    for setting in &template.configuration.settings {
        if let Some(value) = configuration.get(&setting.key) {
            parts.set(setting, value);
        }
    }
    let mut companions = Vec::new();
    for table in &template.companions {
        let companion = companion(table, configuration)?;
        name.with(&companion.name)?;
        for generated in table.generated.values() {
            let kept = present
                .and_then(|present| present.generated.get(generated))
                .cloned();
            parts
                .secrets
                .generated
                .entry(generated.clone())
                .or_insert_with(|| kept.unwrap_or_else(|| Secret::new(random())));
        }
        companions.push(companion);
    }
    introduce(name, &mut companions)?;
    tell(template, name, &companions, &mut parts)?;
    seal(&mut parts.secrets, present, random);
    parts.companions = companions;
    Ok(parts)
}

#[derive(Default)]
struct Parts {
    companions: Vec<Companion>,
    environment: BTreeMap<String, String>,
    files: BTreeMap<String, String>,
    arguments: Vec<String>,
    secrets: Secrets,
}

impl Parts {
    fn set(&mut self, setting: &super::raw::SettingTable, value: &Value) {
        let text = plain(value);
        match (&setting.environment, &setting.file, &setting.argument) {
            (Some(name), _, _) if setting.secret => {
                self.secrets
                    .environment
                    .insert(name.clone(), Secret::new(text));
            }
            (Some(name), _, _) => {
                self.environment.insert(name.clone(), text);
            }
            (_, Some(path), _) if setting.secret => {
                self.secrets.files.insert(path.clone(), Secret::new(text));
            }
            (_, Some(path), _) => {
                self.files.insert(path.clone(), text);
            }
            (_, _, Some(argument)) => match value {
                Value::Bool(true) => self.arguments.push(argument.clone()),
                Value::Bool(false) => {}
                _ => self.arguments.extend([argument.clone(), text]),
            },
            (None, None, None) => {}
        }
    }
}

/// A string as it is, anything else as JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Keys in their order at every depth: the same request in another order is the same request.
fn sorted(map: &Map<String, Value>) -> Map<String, Value> {
    let mut pairs: Vec<(&String, &Value)> = map.iter().collect();
    pairs.sort_by_key(|(key, _)| *key);
    pairs
        .into_iter()
        .map(|(key, value)| (key.clone(), sorted_value(value)))
        .collect()
}

fn sorted_value(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(sorted(map)),
        Value::Array(all) => Value::Array(all.iter().map(sorted_value).collect()),
        other => other.clone(),
    }
}

/// The configuration with the schema's defaults, checked.
fn complete(template: &Template, given: &Map<String, Value>) -> Result<Map<String, Value>> {
    let mut configuration = sorted(given);
    let properties = template
        .configuration
        .schema
        .get("properties")
        .and_then(Value::as_object);
    for (key, schema) in properties.into_iter().flatten() {
        if let (false, Some(default)) = (configuration.contains_key(key), schema.get("default")) {
            configuration.insert(key.clone(), default.clone());
        }
    }
    let configuration = sorted(&configuration);
    let mut schema = template.configuration.schema.clone();
    schema.entry("type").or_insert_with(|| "object".into());
    schema
        .entry("additionalProperties")
        .or_insert(Value::Bool(false));
    let validator = jsonschema::draft202012::new(&Value::Object(schema))
        .map_err(|error| Error::internal(format!("the schema of {}: {error}", template.id)))?;
    let document = Value::Object(configuration);
    let mut problems = Error::invalid(format!(
        "the configuration breaks the schema of {}",
        template.id
    ));
    for error in validator.iter_errors(&document) {
        // `masked` leaves the value out: it may be a secret.
        problems = problems.detail(
            format!("/configuration{}", error.instance_path()),
            error.masked().to_string(),
        );
    }
    let Value::Object(configuration) = document else {
        return Err(Error::internal("a configuration is an object"));
    };
    if problems.details.is_empty() {
        Ok(configuration)
    } else {
        Err(problems.hint(format!(
            "see the schema with `mcp-platform template {}`",
            template.id
        )))
    }
}

/// `<template>-<eight digits>`, from everything that the request says.
fn generated_name(
    template: &Template,
    namespace: &Name,
    configuration: &Map<String, Value>,
) -> String {
    // Without the secrets: a name is public, and a part of a digest allows guessing.
    let secret = secret_keys(template);
    let open: BTreeMap<&String, &Value> = configuration
        .iter()
        .filter(|(key, _)| !secret.contains(&key.as_str()))
        .collect();
    let text = serde_json::to_string(&(&template.id, namespace, open)).unwrap_or_default();
    let digest = Sha256::digest(text.as_bytes());
    let word: String = digest.iter().take(4).map(|b| format!("{b:02x}")).collect();
    let id: String = template.id.chars().take(NAME_LIMIT - 9).collect();
    format!("{}-{word}", id.trim_end_matches('-'))
}

fn secret_keys(template: &Template) -> Vec<&str> {
    template
        .configuration
        .settings
        .iter()
        .filter(|setting| setting.secret)
        .map(|setting| setting.key.as_str())
        .collect()
}

fn transport(template: &Template) -> Transport {
    let path = template
        .transport
        .path
        .clone()
        .unwrap_or_else(|| "/mcp".to_owned());
    match template.transport.kind {
        TransportKind::Stdio => Transport::Stdio,
        TransportKind::StreamableHttp => Transport::StreamableHttp { path },
        TransportKind::Websocket => Transport::Websocket { path },
    }
}

fn probe(table: &ProbeTable) -> Probe {
    Probe {
        path: table.path.clone(),
        initial_seconds: table.initial_seconds,
        period_seconds: table.period_seconds.max(1),
        failures: table.failures.max(1),
    }
}

fn volume(table: &VolumeTable) -> Result<Volume> {
    Ok(Volume {
        name: table.name.clone(),
        path: table.path.clone(),
        size: table.size.as_deref().map_or(Ok(0), bytes)?,
        storage_class: table.storage_class.clone(),
        variable: table.variable.clone(),
    })
}

fn companion(table: &CompanionTable, configuration: &Map<String, Value>) -> Result<Companion> {
    let asked = table
        .enabled_by
        .as_ref()
        .and_then(|key| configuration.get(key))
        .and_then(Value::as_bool);
    Ok(Companion {
        name: table.name.clone(),
        image: ImageReference::parse(&table.image)?,
        port: table.port,
        enabled: asked.unwrap_or(table.enabled),
        environment: table.environment.clone(),
        generated: table.generated.clone(),
        volume: table.volume.as_ref().map(volume).transpose()?,
        resources: resources(&table.resources)?,
        reaches: table.reaches.clone(),
        user: table.user,
    })
}

/// Tells each companion where the others are.
fn introduce(name: &Name, companions: &mut [Companion]) -> Result<()> {
    let all = companions.to_vec();
    for text in companions
        .iter_mut()
        .flat_map(|companion| companion.environment.values_mut())
    {
        *text = with_hosts(text, name, &all)?;
    }
    Ok(())
}

/// A text with host names for `{companion.NAME.host}`.
fn with_hosts(pattern: &str, name: &Name, companions: &[Companion]) -> Result<String> {
    let mut text = pattern.to_owned();
    for other in companions {
        let host = name.with(&other.name)?;
        text = text.replace(&format!("{{companion.{}.host}}", other.name), host.as_str());
    }
    Ok(text)
}

/// What the server is told of its companions: host names in the open, passwords as secrets.
fn tell(
    template: &Template,
    name: &Name,
    companions: &[Companion],
    parts: &mut Parts,
) -> Result<()> {
    for (table, companion) in template.companions.iter().zip(companions) {
        if !companion.enabled {
            continue;
        }
        for (variable, pattern) in &table.tells {
            let mut text = with_hosts(pattern, name, companions)?;
            let open = text.clone();
            for (key, secret) in &parts.secrets.generated {
                text = text.replace(&format!("{{secret:{key}}}"), secret.expose());
            }
            if text == open {
                parts.environment.insert(variable.clone(), text);
            } else {
                parts
                    .secrets
                    .environment
                    .insert(variable.clone(), Secret::new(text));
            }
        }
    }
    Ok(())
}

/// Gives the secrets their word: the present one when nothing changed.
fn seal(secrets: &mut Secrets, present: Option<&Secrets>, random: &mut dyn FnMut() -> String) {
    secrets.id = match present {
        Some(present) if present.same_values(secrets) => present.id.clone(),
        _ if secrets.is_empty() => String::new(),
        _ => random().chars().take(10).collect(),
    };
}
