//! All specifications as one document, and back. The document holds no secrets unless that was asked
//! for; restoring it again changes nothing.

use std::collections::BTreeMap;
use std::io::{BufReader, Read};

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::backend::Scope;
use crate::error::{Error, Kind, Result};
use crate::lifecycle::decide;
use crate::model::{Action, Goal, Identity, Name, Observed, Remember, Secrets, Spec};
use crate::template::{Request, instantiate, sound};

use super::wait::wait;
use super::{Progress, Service, Waiting};

/// The document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Backup {
    /// 1.
    #[serde(deserialize_with = "known_schema")]
    pub schema: u32,
    /// When it was made.
    pub created: Timestamp,
    /// The kind of back end that it was made of.
    pub backend: String,
    /// The servers, sorted by identity.
    pub servers: Vec<Saved>,
    /// Servers that this platform did not deploy, so that they cannot be restored.
    #[serde(default)]
    pub foreign: Vec<Identity>,
}

/// One server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Saved {
    /// Everything but the secrets.
    pub spec: Spec,
    /// How many instances were wanted; 0: it was stopped.
    pub desired: u32,
    /// How many `start` brings back.
    pub remembered: Option<u32>,
    /// The names of its secrets.
    #[serde(default)]
    pub secret_names: Vec<String>,
    /// Their values, when that was asked for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
}

/// Whether secrets are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithSecrets {
    /// Only their names.
    No,
    /// Their values, in the open.
    Yes,
}

/// Whether a restoration acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restoring {
    /// It only says what it would do.
    Plan,
    /// It acts, and waits for each.
    Act,
}

/// What came of one server.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Restored {
    /// Which.
    pub identity: Identity,
    /// What was done, or would be; empty when everything is as it was.
    pub actions: Vec<String>,
    /// Why it was not.
    pub error: Option<String>,
    /// The kind of that.
    pub kind: Option<Kind>,
    /// What to do about it.
    pub hints: Vec<String>,
}

fn known_schema<'de, D: Deserializer<'de>>(json: D) -> std::result::Result<u32, D::Error> {
    match u32::deserialize(json)? {
        1 => Ok(1),
        other => Err(D::Error::custom(format!(
            "schema {other} is not known; it is 1 in this version"
        ))),
    }
}

impl Backup {
    /// Reads a document as it comes, without holding its text.
    ///
    /// # Errors
    /// It is no JSON, or none of ours: then [`Backup::refusal`] says so.
    pub fn parse(
        text: impl Read,
    ) -> std::result::Result<Backup, serde_path_to_error::Error<serde_json::Error>> {
        let mut json = serde_json::Deserializer::from_reader(BufReader::new(text));
        let backup = serde_path_to_error::deserialize(&mut json)?;
        let track = serde_path_to_error::Track::new();
        json.end()
            .map_err(|error| serde_path_to_error::Error::new(track.path(), error))?;
        Ok(backup)
    }

    /// What is wrong with a document that is none of ours. No value of it is repeated: it may be a
    /// secret.
    pub fn refusal<E>(error: &serde_path_to_error::Error<E>) -> Error {
        let what = match error.path().to_string().as_str() {
            "." => "something is missing, or there is too much".to_owned(),
            place => format!("{place} is wrong"),
        };
        Error::invalid(format!("this is no backup of mcp-platform: {what}"))
            .hint("`mcp-platform backup FILE` makes one")
            .hint("restore it with the version of mcp-platform that wrote it")
    }

    /// Reads a document.
    ///
    /// # Errors
    /// It is none, or of a schema that we do not know; the message says where.
    pub fn read(document: serde_json::Value) -> Result<Backup> {
        if document.get("schema").is_some_and(|schema| *schema != 1) {
            return Err(
                Error::invalid("the backup is of a schema that is not known")
                    .detail("/schema", "it is 1 in this version")
                    .hint("restore it with the version of mcp-platform that wrote it"),
            );
        }
        if !document.is_object() {
            return Err(Error::invalid(
                "this is no backup of mcp-platform: it is no object",
            ));
        }
        serde_path_to_error::deserialize(document).map_err(|error| Backup::refusal(&error))
    }
}

impl Restored {
    /// What came of a server.
    pub fn of(identity: Identity, done: Result<Vec<Action>>) -> Restored {
        match done {
            Ok(actions) => Restored {
                identity,
                actions: actions.iter().map(Action::line).collect(),
                error: None,
                kind: None,
                hints: Vec::new(),
            },
            Err(error) => Restored {
                identity,
                actions: Vec::new(),
                error: Some(error.message),
                kind: Some(error.kind),
                hints: error.hints,
            },
        }
    }
}

impl Saved {
    /// The secrets in the document.
    fn given(&self) -> Option<Secrets> {
        let complete = self
            .secret_names
            .iter()
            .all(|name| self.secrets.contains_key(name));
        (!self.secrets.is_empty() && complete).then(|| Secrets::from_store(self.secrets.clone()))
    }
}

fn names(secrets: &Secrets) -> Vec<String> {
    secrets
        .to_store()
        .into_keys()
        .filter(|name| name != "id")
        .collect()
}

impl Service {
    /// All specifications of a scope.
    ///
    /// # Errors
    /// What the back end says.
    pub async fn backup(&self, scope: &Scope, secrets: WithSecrets) -> Result<Backup> {
        let mut backup = Backup {
            schema: 1,
            created: (self.clock)(),
            backend: self.backend.kind().word().to_owned(),
            servers: Vec::new(),
            foreign: Vec::new(),
        };
        for listed in self.backend.list(scope).await? {
            // Lists may leave secrets out; one that went meanwhile is not there any more.
            let Some(observed) = self.backend.observe(&listed.identity).await? else {
                continue;
            };
            let Some(spec) = observed.spec else {
                backup.foreign.push(listed.identity.clone());
                continue;
            };
            backup.servers.push(Saved {
                desired: observed.desired,
                remembered: observed.remembered,
                secret_names: names(&spec.secrets),
                secrets: match secrets {
                    WithSecrets::Yes if !spec.secrets.is_empty() => spec.secrets.to_store(),
                    WithSecrets::Yes | WithSecrets::No => BTreeMap::new(),
                },
                spec: *spec,
            });
        }
        Ok(backup)
    }

    /// Makes the servers of a document run, or stand still, as they did; each for itself.
    pub async fn restore(
        &self,
        backup: &Backup,
        restoring: Restoring,
        progress: &dyn Progress,
    ) -> Vec<Restored> {
        let mut all = Vec::new();
        for saved in &backup.servers {
            let done = self.restore_one(saved, restoring, progress).await;
            let identity = saved.spec.identity.clone();
            all.push(Restored::of(identity, done));
        }
        all
    }

    /// Makes one server run, or stand still, as it did.
    ///
    /// # Errors
    /// Its secrets are not there, or what the operation says.
    pub async fn restore_one(
        &self,
        saved: &Saved,
        restoring: Restoring,
        progress: &dyn Progress,
    ) -> Result<Vec<Action>> {
        let identity = &saved.spec.identity;
        Name::server(identity.name.as_str())?;
        self.catalogue.get(&saved.spec.template)?;
        sound(&saved.spec)?;
        let present = self.backend.observe(identity).await?;
        let mut spec = self.with_secrets(saved, present.as_ref())?;
        if saved.desired > 0 {
            spec.replicas = saved.desired;
        }
        let actions = plan(&spec, saved, present.as_ref(), self)?;
        match restoring {
            Restoring::Plan => Ok(actions),
            Restoring::Act if actions.is_empty() => Ok(actions),
            Restoring::Act if saved.desired > 0 => {
                let goal = |_: Option<&Observed>| Ok(Goal::Deploy(Box::new(spec.clone())));
                let outcome = self.reach(identity, Waiting::Wait, progress, goal).await?;
                Ok(outcome.actions)
            }
            Restoring::Act => {
                for action in &actions {
                    progress.acting(identity, action);
                    self.backend.perform(identity, action).await?;
                }
                wait(self, identity, &Goal::Stop, self.patience, progress).await?;
                Ok(actions)
            }
        }
    }

    /// The specification with its secrets: those of the document, else those that the server has,
    /// else new ones where all of them are generated.
    fn with_secrets(&self, saved: &Saved, present: Option<&Observed>) -> Result<Spec> {
        let mut spec = saved.spec.clone();
        if saved.secret_names.is_empty() {
            return Ok(spec);
        }
        if let Some(secrets) = saved.given() {
            spec.secrets = secrets;
            sound(&spec)?;
            return Ok(spec);
        }
        let kept = present
            .and_then(|observed| observed.spec.as_ref())
            .filter(|here| {
                here.secrets_id == spec.secrets_id && names(&here.secrets) == saved.secret_names
            });
        if let Some(here) = kept {
            spec.secrets = here.secrets.clone();
            return Ok(spec);
        }
        self.regenerated(saved).ok_or_else(|| {
            Error::conflict(format!(
                "the secrets of {} are not in the backup: {}",
                spec.identity,
                saved.secret_names.join(", ")
            ))
            .hint("make the backup with `mcp-platform backup FILE --with-secrets`")
            .hint(format!(
                "or deploy it again with its secrets: `mcp-platform deploy {} --name {}`",
                spec.template, spec.identity.name
            ))
        })
    }

    /// The server out of its template, when that needs no secret of a person.
    fn regenerated(&self, saved: &Saved) -> Option<Spec> {
        let old = &saved.spec;
        let template = self.catalogue.get(&old.template).ok()?;
        let request = Request {
            name: Some(old.identity.name.to_string()),
            configuration: old.configuration.clone(),
            replicas: Some(old.replicas),
            image: old.run.image.clone(),
            wheel: old.run.wheel.clone(),
            exposure: Some(old.exposure.clone()),
        };
        let mut random = || (self.random)();
        let spec = instantiate(
            template,
            &old.identity.namespace,
            &request,
            None,
            &mut random,
        )
        .ok()?;
        (names(&spec.secrets) == saved.secret_names).then_some(Spec {
            provenance: old.provenance.clone(),
            ..spec
        })
    }
}

/// What a server needs to be as it was.
fn plan(
    spec: &Spec,
    saved: &Saved,
    present: Option<&Observed>,
    service: &Service,
) -> Result<Vec<Action>> {
    let goal = Goal::Deploy(Box::new(spec.clone()));
    let deploy = decide(&goal, present, service.limits)?;
    if saved.desired > 0 {
        return Ok(deploy);
    }
    let stopped = present.is_some_and(|observed| {
        observed.desired == 0
            && observed.revision.as_deref() == Some(spec.revision().as_str())
            && observed.remembered == saved.remembered
    });
    if stopped {
        return Ok(Vec::new());
    }
    Ok(vec![Action::Apply {
        spec: Box::new(spec.clone()),
        replicas: 0,
        remember: saved.remembered.map_or(Remember::Keep, Remember::Set),
        previous: None,
        expected: present.and_then(|observed| observed.token.clone()),
    }])
}

/// Whether every server of a restoration is as it was.
pub fn complete(all: &[Restored]) -> bool {
    all.iter().all(|restored| restored.error.is_none())
}
