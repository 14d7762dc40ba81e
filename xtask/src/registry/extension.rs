//! What the registries of editor extensions have in common: which files go there, under which
//! name, and how something is asked for by its address.

use serde_json::Value;

use super::{Answered, Attempt, Item, Opening, Phase, Trouble, trouble};
use crate::artifact::Kind;
use crate::error::{Error, Kind as ErrorKind, Result};
use crate::product::vsix::identity::{self, Identity};
use crate::world::World;
use crate::world::remote::{self, Answer, Method, Patience, Remote};

/// The largest extension that is read back.
pub const FILE_LIMIT: u64 = 1 << 30;

/// The largest answer that is no extension.
pub const ANSWER_LIMIT: u64 = 32 << 20;

/// One extension package of a release.
#[derive(Debug, Clone)]
pub struct Package {
    /// Its name below `dist/`.
    pub path: String,
    /// Who it says that it is.
    pub identity: Identity,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Every extension package of a release, one for each platform it was built for.
#[derive(Debug, Clone, Default)]
pub struct Extensions {
    /// What they are to a registry.
    pub items: Vec<Item>,
    /// Publisher and name of each extension; also before there is a release.
    pub names: Vec<(String, String)>,
    packages: Vec<Package>,
}

impl Extensions {
    /// Those of what is to be published. Before there is a release there are none, and
    /// credentials can be looked at.
    ///
    /// # Errors
    /// A release has none, one cannot be read, or two of them are the same to a registry.
    pub fn of(opening: &Opening<'_>) -> Result<Extensions> {
        let release = opening.release;
        let mut extensions = Extensions::default();
        let artifacts = release.manifest.artifacts.iter();
        for artifact in artifacts.filter(|artifact| artifact.kind == Kind::Vsix) {
            let path = &artifact.path;
            let bytes = release.contents.get(path).cloned().unwrap_or_default();
            let identity = identity::read(&bytes, path)?;
            let key = identity.to_string();
            if extensions.items.iter().any(|item| item.key == key) {
                return Err(Error::usage(format!("{path}: another file is {key}, too")));
            }
            extensions.items.push(Item {
                key,
                sha256: artifact.sha256.clone(),
                size: artifact.size,
                phase: Phase::Main,
            });
            extensions.name(&identity.publisher, &identity.name);
            extensions.packages.push(Package {
                path: path.clone(),
                identity,
                bytes,
            });
        }
        if extensions.items.is_empty() {
            if !release.manifest.artifacts.is_empty() {
                return Err(Error::precondition("the release has no extension package")
                    .hint("add `[extension]` to release.toml, then: cargo xtask release"));
            }
            extensions.name_from_source(opening);
        }
        Ok(extensions)
    }

    fn name(&mut self, publisher: &str, name: &str) {
        let named = (publisher.to_owned(), name.to_owned());
        if !self.names.contains(&named) {
            self.names.push(named);
        }
    }

    /// What the next release will be called. What is wrong with `package.json` is for others to
    /// say.
    fn name_from_source(&mut self, opening: &Opening<'_>) {
        let Some(extension) = &opening.config.extension else {
            return;
        };
        let file = extension.path.join("package.json");
        let text = std::fs::read(opening.world.root.join(file)).unwrap_or_default();
        let package: Value = serde_json::from_slice(&text).unwrap_or_default();
        if let (Some(publisher), Some(name)) =
            (package["publisher"].as_str(), package["name"].as_str())
        {
            self.name(publisher, name);
        }
    }

    /// Every publisher, once.
    pub fn publishers(&self) -> Vec<&str> {
        let mut publishers: Vec<&str> = self.names.iter().map(|(it, _)| it.as_str()).collect();
        publishers.sort_unstable();
        publishers.dedup();
        publishers
    }

    /// The package of an item.
    ///
    /// # Errors
    /// It is not of this target.
    pub fn package(&self, item: &Item) -> Result<&Package> {
        let mut packages = self.packages.iter();
        let found = packages.find(|package| package.identity.to_string() == item.key);
        found.ok_or_else(|| Error::failure(format!("{} is not of this target", item.key)))
    }
}

/// Asks an absolute address once, without any credential: a registry names where its files are,
/// and that may be anywhere.
///
/// # Errors
/// No address, or no answer.
pub fn get(world: &World, address: &str, limit: u64) -> Attempt<Answer> {
    let shown = remote::shown(address);
    let Some((base, path)) = remote::split(address) else {
        let what = format!("{shown}: no address");
        return Err(Trouble::last(ErrorKind::Failure, what));
    };
    let path = path.split('#').next().unwrap_or(path);
    let remote = Remote::new(world, base, "the registry's address", Patience::default())?;
    let headers = [
        ("accept", "*/*"),
        ("cache-control", "no-cache"),
        ("accept-encoding", "identity"),
    ];
    let answer = remote
        .send(Method::GET, path, &headers, None, limit)
        .map_err(|trouble| Trouble::of_network(&shown, trouble))?;
    Ok(answered(answer))
}

/// The bytes at an absolute address that a registry has named.
///
/// # Errors
/// As [`get`], or they are not there.
pub fn bytes(world: &World, address: &str, limit: u64) -> Attempt<Vec<u8>> {
    let answered = get(world, address, limit)?;
    let shown = remote::shown(address);
    match answered.value.status {
        200 => Ok(Answered {
            value: answered.value.bytes,
            status: answered.status,
            request: answered.request,
        }),
        // The registry says that it is there, so it will be.
        404 => Err(Trouble {
            status: Some(404),
            ..Trouble::not_yet(format!("{shown}: is listed and not there yet"))
        }),
        _ => Err(Trouble::of_answer(&shown, &answered.value, "", world.now())),
    }
}

/// An answer with what the ledger notes about it.
pub fn answered(answer: Answer) -> Answered<Answer> {
    Answered {
        status: Some(answer.status),
        request: trouble::request_id(&answer),
        value: answer,
    }
}
