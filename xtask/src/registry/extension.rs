//! What the registries of editor extensions have in common: which files go there, under which
//! name, and how something is asked for by its address.

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

/// Every extension package of a release, one for each platform it was built for, and the items
/// that they are to a registry.
///
/// # Errors
/// There is none, one cannot be read, or two of them are the same to a registry.
pub fn packages(opening: &Opening<'_>) -> Result<(Vec<Package>, Vec<Item>)> {
    let release = opening.release;
    let (mut packages, mut items) = (Vec::new(), Vec::<Item>::new());
    let artifacts = release.manifest.artifacts.iter();
    for artifact in artifacts.filter(|artifact| artifact.kind == Kind::Vsix) {
        let path = &artifact.path;
        let bytes = release.contents.get(path).cloned().unwrap_or_default();
        let identity = identity::read(&bytes, path)?;
        let key = identity.to_string();
        if items.iter().any(|item| item.key == key) {
            return Err(Error::usage(format!("{path}: another file is {key}, too")));
        }
        items.push(Item {
            key,
            sha256: artifact.sha256.clone(),
            size: artifact.size,
            phase: Phase::Main,
        });
        packages.push(Package {
            path: path.clone(),
            identity,
            bytes,
        });
    }
    match items.is_empty() {
        true => Err(Error::precondition("the release has no extension package")
            .hint("make it: cargo xtask release, with `[extension]` in release.toml")),
        false => Ok((packages, items)),
    }
}

/// The package of an item.
///
/// # Errors
/// It is not of this target.
pub fn package<'packages>(
    packages: &'packages [Package],
    item: &Item,
) -> Result<&'packages Package> {
    let found = packages
        .iter()
        .find(|package| package.identity.to_string() == item.key);
    found.ok_or_else(|| Error::failure(format!("{} is not of this target", item.key)))
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
