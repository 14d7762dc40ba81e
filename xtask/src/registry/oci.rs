//! An OCI registry, through `oci-client`. Everything is sent by its digest, read back and hashed;
//! only then the tag of the version is set, which is never moved, and `latest` last of all.

mod credential;
mod failure;
mod place;
pub mod pull;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use oci_client::errors::OciDistributionError;
use oci_client::manifest::OciDescriptor;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference, RegistryOperation};

use super::{
    Answered, Attempt, Item, Level, Opening, Phase, Presence, Registry, Statement, Trouble,
};
use crate::artifact::{Digest, Kind as Artifact};
use crate::config::publish::Takes;
use crate::dist::Release;
use crate::error::{Error, Kind, Result};
use crate::image::tag::LATEST;
use crate::image::{archive, tag};
use crate::product::oci::{self, MANIFEST_TYPE, Package};
use crate::world::World;
use crate::world::remote;
use crate::world::runtime::Runtime;
use credential::Credential;
use failure::is_missing;

/// How long an answer to a question may take as a whole.
const LOOKING: Duration = Duration::from_secs(60);

/// How long a registry that says that it is busy is left alone.
const BUSY: Duration = Duration::from_secs(10);

/// How long a blob may take to be sent.
const SENDING: Duration = Duration::from_secs(15 * 60);

/// The opened repository of a registry.
pub struct Oci<'run> {
    world: &'run World,
    runtime: Runtime<'run>,
    client: Client,
    host: String,
    path: String,
    /// How long a busy registry is left alone.
    busy: Duration,
    credential: Result<Option<Credential>>,
    package: Package,
    items: Vec<Item>,
    roles: Vec<Role>,
}

/// What an item is to a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Blob,
    Manifest,
    Tag { moves: bool },
}

type Outcome<T> = std::result::Result<T, OciDistributionError>;

impl<'run> Oci<'run> {
    /// Opens a repository such as `ghcr.io/owner/name`.
    ///
    /// # Errors
    /// It is no repository, or is to be spoken to without TLS on another machine.
    pub fn open(
        opening: Opening<'run>,
        repository: &str,
        takes: &Takes,
        plain_http: bool,
    ) -> Result<Oci<'run>> {
        let world = opening.world;
        let (host, path) = place::parse(repository)?;
        if plain_http && !remote::is_loopback(host) {
            return Err(Error::usage(format!(
                "{repository}: plain-http would show everything to the network; only this \
                 machine is spoken to without TLS"
            )));
        }
        let client = place::client(world, host, plain_http)?;
        let (package, tags) = wrapped(opening.release, takes)?;
        let mut oci = Oci {
            world,
            runtime: Runtime::new(world)?,
            client,
            host: host.to_owned(),
            path: path.to_owned(),
            busy: BUSY.min(opening.config.publish.patience.wait / 10),
            credential: credential::find(world, host),
            items: Vec::new(),
            roles: Vec::new(),
            package,
        };
        oci.list(&tags);
        Ok(oci)
    }

    fn list(&mut self, tags: &[String]) {
        let manifest = self.package.digest.clone();
        let size = self.package.manifest.len() as u64;
        let mut entries: Vec<(String, Digest, u64, Role)> = Vec::new();
        for (digest, bytes) in &self.package.blobs {
            let known = entries.iter().any(|(_, other, _, _)| other == digest);
            if !known {
                let size = bytes.len() as u64;
                entries.push((digest.to_string(), digest.clone(), size, Role::Blob));
            }
        }
        // A registry takes a list after what it names.
        for (digest, bytes) in &self.package.parts {
            let size = bytes.len() as u64;
            entries.push((digest.to_string(), digest.clone(), size, Role::Manifest));
        }
        let by_digest = manifest.to_string();
        entries.push((by_digest, manifest.clone(), size, Role::Manifest));
        for tag in tags {
            let fixed = Role::Tag { moves: false };
            entries.push((tag.clone(), manifest.clone(), size, fixed));
        }
        let moving = Role::Tag { moves: true };
        entries.push((LATEST.to_owned(), manifest, size, moving));
        for (key, sha256, size, role) in entries {
            let phase = match role {
                Role::Tag { moves: true } => Phase::Last,
                _ => Phase::Main,
            };
            self.items.push(Item {
                key,
                sha256,
                size,
                phase,
            });
            self.roles.push(role);
        }
    }

    fn role(&self, item: &Item) -> Result<Role> {
        let found = self.items.iter().position(|one| one.key == item.key);
        let role = found.and_then(|at| self.roles.get(at).copied());
        role.ok_or_else(|| Error::failure(format!("{} is not of this target", item.key)))
    }

    fn tagged(&self, tag: &str) -> Reference {
        Reference::with_tag(self.host.clone(), self.path.clone(), tag.to_owned())
    }

    fn by_digest(&self, digest: &Digest) -> Reference {
        Reference::with_digest(self.host.clone(), self.path.clone(), digest.to_string())
    }

    fn auth(&self) -> std::result::Result<RegistryAuth, Trouble> {
        match &self.credential {
            Ok(Some(credential)) => Ok(RegistryAuth::Basic(
                credential.username.clone(),
                credential.password.reveal().to_owned(),
            )),
            Ok(None) => Ok(RegistryAuth::Anonymous),
            Err(error) => Err(error.clone().into()),
        }
    }

    /// Has the client do something. It gives up by a panic on answers that no registry should
    /// give; that is trouble like any other.
    fn call<T>(
        &self,
        what: &str,
        work: impl Future<Output = Outcome<T>>,
    ) -> std::result::Result<Outcome<T>, Trouble> {
        let limit = match what {
            "send" | "fetch" => SENDING,
            _ => LOOKING,
        };
        // An answer without an end is one that no registry gives, too.
        let limited = async { tokio::time::timeout(limit, work).await };
        let waited = catch_unwind(AssertUnwindSafe(|| self.runtime.wait(limited)));
        match waited {
            Ok(outcome) => outcome?.map_err(|_| {
                let seconds = limit.as_secs();
                Trouble::passing(format!("{}: no whole answer in {seconds} s", self.shown()))
            }),
            Err(_) => Err(Trouble::last(
                Kind::Failure,
                format!("{}: {what}: an answer that no registry gives", self.shown()),
            )),
        }
    }

    fn shown(&self) -> String {
        format!("{}/{}", self.host, self.path)
    }

    /// The digest that a reference names, if there is such a thing.
    fn digest_of(&self, reference: &Reference) -> std::result::Result<Option<Digest>, Trouble> {
        let auth = self.auth()?;
        let asked = self.client.fetch_manifest_digest(reference, &auth);
        match self.call("look", asked)? {
            Ok(digest) => Digest::parse(&digest).map(Some).map_err(|error| {
                let what = format!("{}: its digest {}", self.shown(), error.message);
                Trouble::last(Kind::Failure, what)
            }),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(self.trouble(error)),
        }
    }

    fn presence_of(&self, item: &Item) -> std::result::Result<Presence, Trouble> {
        let level = Level::Digest;
        let role = self.role(item)?;
        let found = match role {
            Role::Blob => {
                let auth = self.auth()?;
                let reference = self.tagged(LATEST);
                let digest = item.sha256.to_string();
                let asked = async {
                    let registry = reference.resolve_registry();
                    self.client.store_auth_if_needed(registry, &auth).await;
                    self.client.blob_exists(&reference, &digest).await
                };
                match self.call("look", asked)? {
                    Ok(true) => Some(item.sha256.clone()),
                    Ok(false) => None,
                    Err(error) => return Err(self.trouble(error)),
                }
            }
            Role::Manifest => self.digest_of(&self.by_digest(&item.sha256))?,
            Role::Tag { .. } => self.digest_of(&self.tagged(&item.key))?,
        };
        Ok(match (found, role) {
            (None, _) => Presence::Absent,
            (Some(digest), _) if digest == item.sha256 => Presence::Same { level },
            (Some(digest), Role::Tag { moves: true }) => Presence::Outdated {
                remote: digest.to_string(),
            },
            (Some(digest), _) => Presence::Differs {
                remote: digest.to_string(),
            },
        })
    }

    fn trouble(&self, error: OciDistributionError) -> Trouble {
        let secret = match &self.credential {
            Ok(Some(credential)) => Some(&credential.password),
            _ => None,
        };
        failure::trouble(&self.shown(), secret, self.busy, error)
    }
}

/// What of a release is sent, and under which tags that stay.
fn wrapped(release: &Release, takes: &Takes) -> Result<(Package, Vec<String>)> {
    let manifest = &release.manifest;
    match takes {
        Takes::Release => Ok((oci::package(release)?, vec![oci::tag(&manifest.version)])),
        Takes::Image => {
            let (artifact, bytes) = release
                .only(Artifact::Image)
                .map_err(|error| error.hint("and the image: cargo xtask image"))?;
            Ok((
                archive::package(bytes, &artifact.path)?,
                tag::fixed(manifest),
            ))
        }
        Takes::Program(name) => {
            let artifact = manifest
                .named(Artifact::ProgramImage, name)
                .ok_or_else(|| {
                    Error::precondition(format!("dist/ has no image of {name}"))
                        .hint(format!("make it: cargo xtask image {name}"))
                })?;
            let bytes = release.contents.get(&artifact.path);
            let bytes = bytes.map(Vec::as_slice).unwrap_or_default();
            Ok((
                archive::package(bytes, &artifact.path)?,
                tag::fixed(manifest),
            ))
        }
    }
}

impl Registry for Oci<'_> {
    fn takes(&self) -> &[Item] {
        &self.items
    }

    /// When a tag that stays names our manifest, the registry has all that belongs to it: it takes
    /// no manifest before its blobs. Every tag is asked for by itself.
    fn presence(&self, items: &[&Item]) -> Attempt<Vec<Presence>> {
        let fixed = |item: &&&Item| {
            let role = self.role(item);
            role.is_ok_and(|role| role == Role::Tag { moves: false })
        };
        let complete = match items.iter().find(fixed) {
            Some(tag) if items.len() > 1 => {
                self.digest_of(&self.tagged(&tag.key))? == Some(tag.sha256.clone())
            }
            _ => false,
        };
        let mut found = Vec::new();
        for item in items {
            let is_tag = matches!(self.role(item)?, Role::Tag { .. });
            found.push(match complete && !is_tag {
                true => Presence::Same {
                    level: Level::Digest,
                },
                false => self.presence_of(item)?,
            });
        }
        Ok(Answered::plain(found))
    }

    fn ready(&self) -> Result<()> {
        match &self.credential {
            Ok(Some(_)) => Ok(()),
            // A registry on this machine may be open to everybody.
            Ok(None) if remote::is_loopback(&self.host) => Ok(()),
            Ok(None) => Err(
                Error::precondition(format!("no credential for {}", self.host))
                    .hint(format!("docker login {}", self.host))
                    .hint("or name a folder with a config.json: DOCKER_CONFIG=…"),
            ),
            Err(error) => Err(error.clone()),
        }
    }

    fn upload(&self, item: &Item) -> Attempt<()> {
        let auth = self.auth()?;
        let role = self.role(item)?;
        let sent = match role {
            Role::Blob => {
                let blobs = self.package.blobs.iter();
                let bytes = blobs.into_iter().find(|(digest, _)| *digest == item.sha256);
                let bytes = bytes.map(|(_, bytes)| bytes.clone()).unwrap_or_default();
                let (reference, digest) = (self.tagged(LATEST), item.sha256.to_string());
                let work = async {
                    let registry = reference.resolve_registry();
                    self.client.store_auth_if_needed(registry, &auth).await;
                    self.client.push_blob(&reference, bytes, &digest).await
                };
                self.call("send", work)?
            }
            Role::Manifest | Role::Tag { .. } => {
                let reference = match role {
                    Role::Tag { .. } => self.tagged(&item.key),
                    _ => self.by_digest(&item.sha256),
                };
                let parts = self.package.parts.iter();
                let part = parts.into_iter().find(|(digest, _)| *digest == item.sha256);
                let (bytes, media_type) = match part {
                    Some((_, bytes)) => (bytes.clone(), MANIFEST_TYPE),
                    None => (self.package.manifest.clone(), self.package.media_type),
                };
                let media_type = reqwest::header::HeaderValue::from_static(media_type);
                let work = async {
                    let registry = reference.resolve_registry();
                    self.client.store_auth_if_needed(registry, &auth).await;
                    self.client
                        .push_manifest_raw(&reference, bytes, media_type)
                        .await
                };
                self.call("send", work)?
            }
        };
        sent.map(|_| Answered::plain(()))
            .map_err(|error| self.trouble(error))
    }

    fn fetch(&self, item: &Item) -> Attempt<Option<Vec<u8>>> {
        let auth = self.auth()?;
        let role = self.role(item)?;
        let mut bytes = Vec::new();
        let fetched = match role {
            Role::Blob => {
                let reference = self.tagged(LATEST);
                let descriptor = OciDescriptor {
                    digest: item.sha256.to_string(),
                    ..OciDescriptor::default()
                };
                let work = async {
                    let registry = reference.resolve_registry();
                    self.client.store_auth_if_needed(registry, &auth).await;
                    self.client
                        .pull_blob(&reference, &descriptor, &mut bytes)
                        .await
                };
                self.call("fetch", work)?
            }
            Role::Manifest | Role::Tag { .. } => {
                let reference = match role {
                    Role::Tag { .. } => self.tagged(&item.key),
                    _ => self.by_digest(&item.sha256),
                };
                let accepted = [MANIFEST_TYPE, self.package.media_type];
                let work = self.client.pull_manifest_raw(&reference, &auth, &accepted);
                self.call("fetch", work)?
                    .map(|(manifest, _)| bytes = manifest.to_vec())
            }
        };
        match fetched {
            // The client has compared; what it was given is for us to judge.
            Ok(()) | Err(OciDistributionError::DigestError(_)) => Ok(Answered::plain(Some(bytes))),
            Err(error) => Err(self.trouble(error)),
        }
    }

    fn identity(&self) -> Result<Vec<Statement>> {
        self.ready()?;
        let found = match &self.credential {
            Ok(Some(credential)) => format!("{} from {}", credential.username, credential.from),
            _ => "nobody in particular".to_owned(),
        };
        let auth = self.auth().map_err(|trouble| trouble.into_error(1))?;
        let reference = self.tagged(LATEST);
        let asked = async {
            self.client
                .auth(&reference, &auth, RegistryOperation::Push)
                .await?;
            // A name and a password alone are not looked at before something is asked for.
            match self.client.fetch_manifest_digest(&reference, &auth).await {
                Err(error) if !is_missing(&error) => Err(error),
                _ => Ok(()),
            }
        };
        let outcome = self
            .call("log in", asked)
            .map_err(|trouble| trouble.into_error(1))?;
        let mut said = vec![Statement::good("identity", found)];
        said.push(match outcome {
            Ok(()) => Statement::good(
                "role",
                format!("may read {}, and ask to push", self.shown()),
            ),
            Err(error) => {
                let trouble = self.trouble(error);
                let remedy = format!("docker login {}", self.host);
                Statement::bad("role", trouble.what, remedy)
            }
        });
        Ok(said)
    }
}

impl std::fmt::Debug for Oci<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Oci({}, {:?})", self.shown(), self.world.root)
    }
}
