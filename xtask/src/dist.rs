//! `dist/`: the release on disk. It is read with every digest checked, changed only in memory,
//! and put in place whole.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::artifact::{
    Artifact, Digest, Kind, MANIFEST_FILE, MANIFEST_SCHEMA, Manifest, Proof, Source,
};
use crate::error::{Context, Error, Result};
use crate::ledger::LEDGER_FILE;
use crate::product::index;
use crate::world::World;
use crate::world::files::{self, Staged};

/// The file with one line per file of the release, as `sha256sum` writes and checks it.
pub const SUMS_FILE: &str = "SHA256SUMS";

/// A release in memory: the manifest and the bytes of every artifact it names.
#[derive(Debug, Clone)]
pub struct Release {
    /// What is in it.
    pub manifest: Manifest,
    /// The bytes of each artifact, by path below `dist/`.
    pub contents: BTreeMap<String, Vec<u8>>,
}

/// Reads `dist/manifest.json`, if there is one.
///
/// # Errors
/// The manifest cannot be read or understood.
pub fn manifest(world: &World) -> Result<Option<Manifest>> {
    let path = world.dist().join(MANIFEST_FILE);
    let exists = path.try_exists().doing(|| format!("look for {path}"))?;
    if !exists {
        return Ok(None);
    }
    Manifest::parse(&files::read_text(&path)?, world.show(&path).as_str()).map(Some)
}

/// Reads `dist/manifest.json`, which must be there.
///
/// # Errors
/// As [`manifest`], or there is none.
pub fn required_manifest(world: &World) -> Result<Manifest> {
    manifest(world)?.ok_or_else(|| {
        Error::precondition(format!("there is no dist/{MANIFEST_FILE}"))
            .hint("make a release first: cargo xtask release")
    })
}

/// Reads an artifact and requires that its bytes are those of the manifest.
///
/// # Errors
/// The file is missing or is not the one that was made.
pub fn bytes(world: &World, artifact: &Artifact) -> Result<Vec<u8>> {
    let path = world.dist().join(&artifact.path);
    let bytes =
        files::read(&path).map_err(|error| error.hint("make it anew: cargo xtask release"))?;
    let found = Digest::of(&bytes);
    if found == artifact.sha256 {
        return Ok(bytes);
    }
    Err(Error::conflict(format!(
        "dist/{} is not the file that was made: {} instead of {}",
        artifact.path,
        found.short(),
        artifact.sha256.short()
    ))
    .hint("something changed it; make it anew: cargo xtask release"))
}

impl Release {
    /// A release without artifacts.
    pub fn empty(name: &str, version: &str, source: Source) -> Release {
        let manifest = Manifest {
            schema: MANIFEST_SCHEMA,
            name: name.to_owned(),
            version: version.to_owned(),
            source,
            artifacts: Vec::new(),
            proof: None,
        };
        Release {
            manifest,
            contents: BTreeMap::new(),
        }
    }

    /// Everything a manifest names, each file held against its digest.
    ///
    /// # Errors
    /// A file is missing or is not the one that was made.
    pub fn load(world: &World, manifest: Manifest) -> Result<Release> {
        let mut contents = BTreeMap::new();
        for artifact in &manifest.artifacts {
            contents.insert(artifact.path.clone(), bytes(world, artifact)?);
        }
        Ok(Release { manifest, contents })
    }

    /// What `dist/` holds of exactly this source; everything else is left out. A working tree
    /// is never the same twice, so nothing is kept of it.
    ///
    /// # Errors
    /// `dist/` holds something that is not a release of this tool, and must not be replaced.
    pub fn resume(world: &World, source: &Source) -> Result<Option<Release>> {
        refuse_foreign(&world.dist())?;
        // A manifest that cannot be read is replaced like any other stale one.
        let Ok(Some(mut manifest)) = manifest(world) else {
            return Ok(None);
        };
        if manifest.source != *source || source.dirty {
            return Ok(None);
        }
        let mut contents = BTreeMap::new();
        manifest
            .artifacts
            .retain(|artifact| match bytes(world, artifact) {
                Ok(bytes) => contents.insert(artifact.path.clone(), bytes).is_none(),
                Err(_) => false,
            });
        let mut release = Release { manifest, contents };
        release.drop_unproved();
        Ok(Some(release))
    }

    /// Puts finished bytes in. Replacing the wheel or its requirements by other bytes takes out
    /// what was made from the old ones, and a statement over all files goes with any change.
    pub fn put(&mut self, artifact: Artifact, bytes: Vec<u8>) {
        let kind = artifact.kind;
        let old = self.manifest.older(&artifact);
        let old = old.map(|old| old.sha256.clone());
        let same = old.as_ref() == Some(&artifact.sha256);
        if old.is_some() && !same && matches!(kind, Kind::Wheel | Kind::Requirements) {
            self.take_out_made_from_wheel();
        }
        if !same {
            self.take_out(&[Kind::Provenance]);
        }
        self.contents.insert(artifact.path.clone(), bytes);
        self.manifest.put(artifact);
        self.drop_unproved();
        self.drop_unnamed();
    }

    /// Takes out what is made from the wheel, and the bill of its image; those of programs stay.
    fn take_out_made_from_wheel(&mut self) {
        let images = self.manifest.artifacts.iter();
        let images = images.filter(|artifact| artifact.kind == Kind::Image);
        let names: BTreeSet<String> = images.map(|artifact| artifact.name.clone()).collect();
        let bill = |artifact: &Artifact| {
            artifact.kind == Kind::ImageBill && names.contains(&artifact.name)
        };
        self.manifest.artifacts.retain(|artifact| !bill(artifact));
        self.take_out(&[Kind::Vsix, Kind::Image, Kind::ServerJson]);
    }

    /// Takes out the artifacts of these kinds, and the statement over all files with them.
    pub fn take_out(&mut self, kinds: &[Kind]) {
        let artifacts = &mut self.manifest.artifacts;
        let before = artifacts.len();
        artifacts.retain(|artifact| !kinds.contains(&artifact.kind));
        if artifacts.len() < before {
            artifacts.retain(|artifact| artifact.kind != Kind::Provenance);
        }
        self.drop_unnamed();
    }

    /// Puts the proof in. When it saw other tools, what names them goes.
    pub fn put_proof(&mut self, proof: Proof) {
        let old = self.manifest.proof.replace(proof);
        let tools = |proof: &Option<Proof>| proof.as_ref().map(|proof| proof.tools.clone());
        if tools(&old) != tools(&self.manifest.proof) {
            self.take_out(&[Kind::ServerJson]);
        }
    }

    /// What the manifest does not name is in no release.
    fn drop_unnamed(&mut self) {
        let named: Vec<&str> = self
            .manifest
            .artifacts
            .iter()
            .map(|artifact| artifact.path.as_str())
            .collect();
        self.contents
            .retain(|path, _| named.contains(&path.as_str()));
    }

    /// The artifact of a kind with its bytes.
    ///
    /// # Errors
    /// There is none.
    pub fn only(&self, kind: Kind) -> Result<(&Artifact, &[u8])> {
        let artifact = self.manifest.only(kind)?;
        let bytes = self
            .contents
            .get(&artifact.path)
            .map(Vec::as_slice)
            .unwrap_or_default();
        Ok((artifact, bytes))
    }

    /// A proof counts only for the wheel and the requirements it names.
    fn drop_unproved(&mut self) {
        let digest = |kind| {
            let artifact = self.manifest.find(kind);
            artifact.map(|artifact| artifact.sha256.clone())
        };
        let (wheel, requirements) = (digest(Kind::Wheel), digest(Kind::Requirements));
        self.manifest.proof = self.manifest.proof.take().filter(|proof| {
            Some(&proof.wheel) == wheel.as_ref()
                && Some(&proof.requirements) == requirements.as_ref()
        });
    }

    /// Every file of `dist/` by path: the artifacts and what is derived from them.
    ///
    /// # Errors
    /// The wheel cannot be read for the index.
    pub fn files(&self) -> Result<BTreeMap<String, Vec<u8>>> {
        let mut files = self.contents.clone();
        if let Ok((artifact, bytes)) = self.only(Kind::Wheel) {
            let sdist = self.manifest.find(Kind::Sdist);
            files.extend(index::pages(artifact, bytes, sdist)?);
        }
        files.insert(MANIFEST_FILE.to_owned(), self.manifest.text().into_bytes());
        let line =
            |(path, bytes): (&String, &Vec<u8>)| format!("{}  {path}\n", Digest::of(bytes).hex());
        let sums: String = files.iter().map(line).collect();
        files.insert(SUMS_FILE.to_owned(), sums.into_bytes());
        Ok(files)
    }

    /// Whether `dist/` on disk is exactly this release, no file more or less.
    ///
    /// # Errors
    /// As [`Release::files`].
    pub fn is_in_place(&self, world: &World) -> Result<bool> {
        let mut expected = self.files()?;
        let dist = world.dist();
        for path in below(&dist) {
            let inside = path
                .strip_prefix(&dist)
                .unwrap_or(&path)
                .as_str()
                .replace('\\', "/");
            if inside == LEDGER_FILE {
                continue;
            }
            match expected.remove(&inside) {
                Some(bytes) if std::fs::read(&path).is_ok_and(|found| found == bytes) => {}
                _ => return Ok(false),
            }
        }
        Ok(expected.is_empty())
    }

    /// Puts the whole release in place of `dist/`.
    ///
    /// # Errors
    /// The disk is full or read-only; the old `dist/` then stays.
    pub fn write(&self, world: &World) -> Result<()> {
        refuse_foreign(&world.dist())?;
        let staged = Staged::beside(&world.dist())?;
        self.write_to(staged.path())?;
        keep_ledger(&world.dist(), staged.path())?;
        world.check_interrupted()?;
        staged.swap()
    }

    /// Writes every file below a folder.
    ///
    /// # Errors
    /// The disk is full or read-only.
    pub fn write_to(&self, folder: &Utf8Path) -> Result<()> {
        for (path, bytes) in self.files()? {
            files::write(&folder.join(path), &bytes)?;
        }
        Ok(())
    }
}

/// What was published from an older release stays on record.
fn keep_ledger(dist: &Utf8Path, staged: &Utf8Path) -> Result<()> {
    let ledger = dist.join(LEDGER_FILE);
    if !ledger.is_file() {
        return Ok(());
    }
    let kept = std::fs::copy(&ledger, staged.join(LEDGER_FILE));
    kept.map(drop).doing(|| format!("keep {ledger}"))
}

/// A `dist/` that is not ours may hold what the user needs, and so may a file that somebody put
/// beside our own: both would be lost, because the folder is replaced as a whole.
fn refuse_foreign(dist: &Utf8Path) -> Result<()> {
    files::require_folder(dist)?;
    let found = below(dist);
    if found.is_empty() {
        return Ok(());
    }
    let Some(own) = own_files(dist) else {
        return Err(Error::precondition(format!(
            "{dist} holds files, but no {MANIFEST_FILE} of this tool"
        ))
        .hint("it would be replaced as a whole: move those files elsewhere first"));
    };
    let inside = |path: &Utf8PathBuf| path.strip_prefix(dist).map(slashes).unwrap_or_default();
    match found.iter().map(inside).find(|path| !own.contains(path)) {
        None => Ok(()),
        Some(path) => Err(Error::precondition(format!(
            "dist/{path} belongs to no release of this tool, and would be lost"
        ))
        .hint(format!("move it elsewhere, or remove it: rm dist/{path}"))),
    }
}

/// What a release in `dist/` consists of, or `None` when there is none. Web applications have a
/// `manifest.json` too, so the name alone says nothing. The manifest and the checksums each name
/// the files; when one of them is damaged, the other still tells.
fn own_files(dist: &Utf8Path) -> Option<BTreeSet<String>> {
    let read = |name: &str| std::fs::read_to_string(dist.join(name)).unwrap_or_default();
    let manifest: Value = serde_json::from_str(&read(MANIFEST_FILE)).unwrap_or_default();
    let artifacts = manifest["artifacts"]
        .as_array()
        .filter(|_| manifest["schema"].is_u64());
    let sums = read(SUMS_FILE);
    let listed = sums
        .lines()
        .filter_map(|line| line.split_once("  "))
        .map(|(_, path)| path);
    let mut own: BTreeSet<String> = listed.map(str::to_owned).collect();
    if artifacts.is_none() && !own.contains(MANIFEST_FILE) {
        return None;
    }
    let paths = artifacts
        .into_iter()
        .flatten()
        .filter_map(|artifact| artifact["path"].as_str());
    own.extend(paths.map(str::to_owned));
    let index = below(&dist.join("index"));
    own.extend(
        index
            .iter()
            .filter_map(|path| path.strip_prefix(dist).ok())
            .map(slashes),
    );
    own.extend([MANIFEST_FILE, SUMS_FILE, LEDGER_FILE].map(str::to_owned));
    Some(own)
}

fn slashes(path: &Utf8Path) -> String {
    path.as_str().replace('\\', "/")
}

/// All files below a folder; none when it does not exist.
fn below(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let Ok(entries) = folder.read_dir_utf8() else {
        return Vec::new();
    };
    entries
        .flatten()
        .flat_map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => below(entry.path()),
            _ => vec![entry.into_path()],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::seal;

    #[test]
    fn another_wheel_takes_out_what_is_made_from_it_and_leaves_programs_alone() {
        let source = Source {
            commit: "c".repeat(40),
            dirty: false,
            source_date_epoch: 0,
        };
        let mut release = Release::empty("server", "1.0.0", source);
        let mut put = |kind, name, path: &str, bytes: &[u8]| {
            let artifact = seal(kind, (name, "1.0.0"), path, bytes, BTreeMap::new());
            release.put(artifact, bytes.to_vec());
        };
        put(Kind::Wheel, "server", "server.whl", b"old");
        put(Kind::Image, "server", "server.tar", b"image");
        put(Kind::ImageBill, "server", "server.cdx.json", b"bill");
        put(Kind::ProgramImage, "fleet", "fleet.tar", b"program");
        put(Kind::ImageBill, "fleet", "fleet.cdx.json", b"bill");
        put(Kind::Wheel, "server", "server.whl", b"new");
        let left: Vec<&str> = release.contents.keys().map(String::as_str).collect();
        assert_eq!(left, ["fleet.cdx.json", "fleet.tar", "server.whl"]);
    }
}
