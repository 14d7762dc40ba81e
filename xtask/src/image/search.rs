//! What is looked for in the layers of a base: its interpreter and its users.
//!
//! Source: OCI image specification 1.1, "Image layer filesystem changeset" (whiteouts).

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Read};

use flate2::read::MultiGzDecoder;
use sha2::{Digest as _, Sha256};

use super::base::{Base, BaseLayer, LAYER_TYPES};
use crate::artifact::Digest;
use crate::error::{Error, Result};

/// Where programs are looked for when a base says nothing.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Files that are kept while looking, and how large one may be.
const KEPT: [&str; 2] = ["etc/passwd", "etc/group"];
const KEPT_LIMIT: u64 = 1 << 20;

/// What a base has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// Every path that ends in the name of an interpreter, without a slash in front.
    pub interpreters: BTreeSet<String>,
    /// `etc/passwd` and `etc/group`, where there are any.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Whether its C library is musl.
    pub is_musl: bool,
}

impl Found {
    /// The interpreter of a version, as the base's own search path finds it.
    pub fn interpreter(&self, path: &str, version: &str) -> Option<String> {
        let minor: Vec<&str> = version.split('.').take(2).collect();
        let name = format!("python{}", minor.join("."));
        let places = path.split(':').chain(PATH.split(':'));
        let mut candidates = places.map(|folder| format!("{}/{name}", folder.trim_matches('/')));
        let found = candidates.find(|path| self.interpreters.contains(path))?;
        Some(format!("/{found}"))
    }

    /// The versions that there are, for messages.
    pub fn versions(&self) -> Vec<String> {
        let names = self.interpreters.iter();
        let names: BTreeSet<&str> = names.filter_map(|path| path.rsplit('/').next()).collect();
        names.into_iter().map(str::to_owned).collect()
    }
}

/// Looks through all layers, and holds each against the digest of its plain archive.
///
/// # Errors
/// A layer is no archive, or not the one that the configuration names.
pub fn search(base: &Base, place: &str) -> Result<Found> {
    let mut found = Found::default();
    for layer in &base.layers {
        let plain: Box<dyn Read + '_> = match layer.descriptor.media_type == LAYER_TYPES[0] {
            true => Box::new(MultiGzDecoder::new(layer.bytes.as_slice())),
            false => Box::new(layer.bytes.as_slice()),
        };
        let mut hashing = Hashing {
            inner: BufReader::with_capacity(1 << 17, plain),
            digest: Sha256::new(),
        };
        let read = look(&mut hashing, &mut found);
        let broken = |cause: std::io::Error| {
            let digest = layer.descriptor.digest.short();
            Error::refused(format!("{place}: the layer {digest}: {cause}"))
        };
        read.map_err(broken)?;
        require_plain(layer, hashing.digest, place)?;
    }
    Ok(found)
}

fn require_plain(layer: &BaseLayer, digest: Sha256, place: &str) -> Result<()> {
    let hex: String = digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if hex == layer.diff_id.hex() {
        return Ok(());
    }
    let (layer, named) = (layer.descriptor.digest.short(), layer.diff_id.short());
    let found = Digest::parse(&hex).map(|digest| digest.short());
    Err(Error::refused(format!(
        "{place}: the layer {layer} holds {}, and the configuration names {named}",
        found.unwrap_or_default()
    )))
}

/// Goes through one layer to its very end.
fn look(reader: &mut Hashing<impl Read>, found: &mut Found) -> std::io::Result<()> {
    let mut archive = tar::Archive::new(&mut *reader);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let path = path.trim_start_matches("./").trim_matches('/').to_owned();
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
        if name == ".wh..wh..opq" {
            forget(found, folder, Depth::Below);
        } else if let Some(gone) = name.strip_prefix(".wh.") {
            let gone = match folder {
                "" => gone.to_owned(),
                _ => format!("{folder}/{gone}"),
            };
            forget(found, &gone, Depth::Whole);
        } else if KEPT.contains(&path.as_str()) {
            let mut bytes = Vec::new();
            (&mut entry).take(KEPT_LIMIT).read_to_end(&mut bytes)?;
            found.files.insert(path, bytes);
        } else if is_interpreter(name) && !entry.header().entry_type().is_dir() {
            found.interpreters.insert(path);
        } else if name.starts_with("ld-musl-") {
            found.is_musl = true;
        }
    }
    std::io::copy(reader, &mut std::io::sink()).map(drop)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    Whole,
    Below,
}

fn forget(found: &mut Found, path: &str, depth: Depth) {
    let stays = |known: &str| {
        let itself = known == path && depth == Depth::Whole;
        let below = match path {
            "" => true,
            _ => known
                .strip_prefix(path)
                .is_some_and(|rest| rest.starts_with('/')),
        };
        !itself && !below
    };
    found.interpreters.retain(|known| stays(known));
    found.files.retain(|known, _| stays(known));
}

/// `python3.13`, and not `python3.13-config`.
fn is_interpreter(name: &str) -> bool {
    let minor = name.strip_prefix("python3.");
    minor.is_some_and(|minor| !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Hashes what is read through it.
struct Hashing<R> {
    inner: R,
    digest: Sha256,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.digest.update(&buffer[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::layer::{Entries, Entry, FIXED_TIME, with_parents, write};

    fn base(layers: &[&[&str]]) -> Base {
        let layer = |paths: &&[&str]| {
            let entries: Entries = paths
                .iter()
                .map(|path| ((*path).to_owned(), Entry::program(path.as_bytes().to_vec())))
                .collect();
            let layer = write(&with_parents(entries), FIXED_TIME).unwrap();
            BaseLayer {
                descriptor: crate::image::base::Descriptor {
                    media_type: LAYER_TYPES[0].to_owned(),
                    digest: layer.digest,
                    size: layer.bytes.len() as u64,
                },
                diff_id: layer.diff_id,
                bytes: layer.bytes,
            }
        };
        Base {
            configuration: serde_json::json!({}),
            layers: layers.iter().map(layer).collect(),
        }
    }

    #[test]
    fn the_interpreter_is_the_first_on_the_path_of_its_version() {
        let check = |layers: &[&[&str]], path: &str, expected: Option<&str>| {
            let found = search(&base(layers), "base").unwrap();
            assert_eq!(
                found.interpreter(path, "3.13.2").as_deref(),
                expected,
                "{found:?}"
            );
        };
        let slim = [
            "usr/local/bin/python3.13",
            "usr/bin/python3.13",
            "usr/bin/python3.13-config",
        ];
        check(&[&slim], PATH, Some("/usr/local/bin/python3.13"));
        check(
            &[&slim],
            "/usr/bin:/usr/local/bin",
            Some("/usr/bin/python3.13"),
        );
        check(&[&slim], "", Some("/usr/local/bin/python3.13"));
        check(&[&["usr/bin/python3.11"]], PATH, None);
        check(
            &[&slim, &["usr/local/bin/.wh.python3.13"]],
            PATH,
            Some("/usr/bin/python3.13"),
        );
        check(&[&slim, &["usr/.wh..wh..opq"]], PATH, None);
        check(
            &[&slim, &[".wh.usr"], &["usr/bin/python3.13"]],
            PATH,
            Some("/usr/bin/python3.13"),
        );
    }

    #[test]
    fn a_layer_that_is_not_the_named_one_is_refused() {
        let mut base = base(&[&["etc/passwd"]]);
        assert_eq!(
            search(&base, "base").unwrap().files["etc/passwd"],
            b"etc/passwd"
        );
        base.layers[0].diff_id = Digest::of(b"other");
        assert!(
            search(&base, "base")
                .unwrap_err()
                .message
                .contains("the configuration names")
        );
        base.layers[0].bytes.truncate(30);
        assert!(
            search(&base, "base")
                .unwrap_err()
                .message
                .contains("the layer sha256:")
        );
    }
}
