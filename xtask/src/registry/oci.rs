//! An OCI registry, through `oci-client`. Everything is sent by its digest, read back and hashed;
//! only then the tag of the version is set, which is never moved, and `latest` last of all.

mod credential;
mod failure;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use oci_client::manifest::OciDescriptor;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference, RegistryOperation};

use super::{
    Answered, Attempt, Item, Level, Opening, Phase, Presence, Registry, Statement, Trouble,
};
use crate::artifact::Digest;
use crate::error::{Error, Kind, Result};
use crate::product::oci::{self, MANIFEST_TYPE, Package};
use crate::world::World;
use crate::world::remote;
use crate::world::runtime::{self, Runtime};
use credential::Credential;
use failure::is_missing;

/// The tag that names the current release.
const LATEST: &str = "latest";

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
    pub fn open(opening: Opening<'run>, repository: &str, plain_http: bool) -> Result<Oci<'run>> {
        let world = opening.world;
        let wrong = |what: &str| {
            Error::usage(format!("{repository}: {what}"))
                .hint("write it as host/path, such as ghcr.io/owner/name, without a tag")
        };
        let (host, path) = repository
            .split_once('/')
            .ok_or_else(|| wrong("names no registry"))?;
        if !is_host(host) || !is_name(path) {
            return Err(wrong("is no repository of a registry"));
        }
        if plain_http && !remote::is_loopback(host) {
            return Err(Error::usage(format!(
                "{repository}: plain-http would show everything to the network; only this \
                 machine is spoken to without TLS"
            )));
        }
        let roots = runtime::trust(world)?.into_iter();
        let certificate = |data| oci_client::client::Certificate {
            encoding: oci_client::client::CertificateEncoding::Der,
            data,
        };
        let client = Client::try_from(ClientConfig {
            protocol: match plain_http {
                true => ClientProtocol::Http,
                false => ClientProtocol::Https,
            },
            use_monolithic_push: true,
            extra_root_certificates: roots.map(certificate).collect(),
            // The time of sending counts as silence.
            read_timeout: Some(SENDING),
            connect_timeout: Some(runtime::CONNECT),
            user_agent: remote::USER_AGENT,
            ..ClientConfig::default()
        })
        .map_err(|cause| Error::failure(format!("make a client for {host}: {cause}")))?;
        let package = oci::package(opening.release)?;
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
        oci.list(&oci::tag(&opening.release.manifest.version));
        Ok(oci)
    }

    fn list(&mut self, version: &str) {
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
        let by_digest = manifest.to_string();
        entries.push((by_digest, manifest.clone(), size, Role::Manifest));
        let fixed = Role::Tag { moves: false };
        entries.push((version.to_owned(), manifest.clone(), size, fixed));
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

/// Whether this is a host, perhaps with a port, as Docker tells it from the first word of a path.
fn is_host(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) => (name, port.parse::<u16>().is_ok()),
        None => (host, host == "localhost" || host.contains('.')),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
    port && !name.is_empty() && name.chars().all(plain)
}

/// Whether a path is a repository's name: lower-case words joined by separators, in parts
/// (OCI distribution specification, "Pulling manifests").
fn is_name(path: &str) -> bool {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let word = |part: &str| {
        part.starts_with(letter)
            && part.ends_with(letter)
            && part.chars().all(|c| letter(c) || "._-".contains(c))
            && !part.contains("..")
    };
    path.split('/').all(word)
}

impl Registry for Oci<'_> {
    fn takes(&self) -> &[Item] {
        &self.items
    }

    /// When the tag of the version names our manifest, the registry has all that belongs to it:
    /// it takes no manifest before its blobs.
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
            let moves = self.role(item)? == Role::Tag { moves: true };
            found.push(match complete && !moves {
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
                let bytes = self.package.manifest.clone();
                let media_type = reqwest::header::HeaderValue::from_static(MANIFEST_TYPE);
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
                let accepted = [MANIFEST_TYPE];
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

#[cfg(test)]
mod tests {
    use super::{is_host, is_name};

    #[test]
    fn a_host_has_a_dot_or_a_port_and_no_user() {
        for host in [
            "ghcr.io",
            "localhost",
            "localhost:5000",
            "127.0.0.1:1",
            "[::1]:5000",
        ] {
            assert!(is_host(host), "{host}");
        }
        for host in [
            "owner",
            "",
            "a b.io",
            "u:p@ghcr.io",
            "127.0.0.1:99999",
            ":5000",
        ] {
            assert!(!is_host(host), "{host}");
        }
    }

    #[test]
    fn a_name_has_no_tag_and_no_capitals() {
        for name in ["a", "a/b-c.d/e_f", "owner/name"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "a/", "A", "a:1", "a@sha256", "-a", "a b"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
