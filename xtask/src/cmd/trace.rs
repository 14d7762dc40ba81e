//! `trace`: from a file, a digest or something that runs back to the commit, and whether it is
//! the released one.

mod running;

use std::collections::BTreeMap;

use camino::Utf8Path;
use clap::Args;
use serde::Serialize;

use crate::artifact::{Artifact, BundleManifest, Digest, Kind, MANIFEST_FILE, Manifest};
use crate::dist;
use crate::error::{Error, Result};
use crate::product::vsix::container;
use crate::product::wheel::inspect;
use crate::world::{World, files};

/// Arguments of `trace`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A wheel, an sdist, a .vsix, an installed bundle folder, an image's archive, or a sha256; a pod,
    /// a Deployment or a container as JSON or YAML, `-` for standard input
    #[arg(value_name = "FILE|SHA256|-")]
    subject: String,
}

/// Everything that is known of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Trace {
    /// 1.
    pub schema: u32,
    /// The file as it was named, or the digest.
    pub subject: String,
    /// What it is: `wheel`, `vsix`, `bundle` and so on.
    pub kind: String,
    /// Its digest; a folder has none.
    pub sha256: Option<Digest>,
    /// The version it carries.
    pub version: Option<String>,
    /// The commit it was built from.
    pub commit: Option<String>,
    /// Whether it came from a working tree instead of a commit.
    pub dirty: Option<bool>,
    /// What it was built from, each by a digest or an exact version.
    pub inputs: BTreeMap<String, String>,
    /// The wheel it carries, with its digest as computed now.
    pub carries: Option<Digest>,
    /// `yes`, `no` or `unknown`.
    pub released: &'static str,
    /// Why.
    pub because: String,
}

/// Traces and prints.
///
/// # Errors
/// The file cannot be read, or nothing is known of the digest.
pub fn run(world: &World, arguments: &Arguments) -> Result<()> {
    let manifest = dist::manifest(world)?;
    if let Some(traces) = running::documents(world, &arguments.subject, manifest.as_ref())? {
        for trace in &traces {
            world.terminal.text(&text(trace));
        }
        match traces.as_slice() {
            [trace] => world.terminal.json(trace),
            traces => world
                .terminal
                .json(&serde_json::json!({ "schema": 1, "traces": traces })),
        }
        return Ok(());
    }
    let trace = trace(world, &arguments.subject, manifest.as_ref())?;
    world.terminal.text(&text(&trace));
    world.terminal.json(&trace);
    Ok(())
}

fn trace(world: &World, subject: &str, manifest: Option<&Manifest>) -> Result<Trace> {
    let path = world.resolve(Utf8Path::new(subject));
    if path.is_dir() {
        let folder = if path.join(MANIFEST_FILE).exists() {
            path
        } else {
            find_bundle(&path)?
        };
        return bundle_folder(subject, &folder, manifest);
    }
    if path.exists() {
        return file(world, subject, &files::read(&path)?, manifest);
    }
    let digest = Digest::parse(subject).map_err(|_| {
        Error::usage(format!("{subject:?} is neither a file nor a sha256"))
            .hint("name a wheel, a .vsix, a bundle folder, or 64 hexadecimal digits")
    })?;
    let found = manifest.and_then(|manifest| by_digest(manifest, &digest).map(|a| (manifest, a)));
    match found {
        Some((manifest, artifact)) => Ok(known(subject, manifest, artifact)),
        None => Err(Error::failure(format!(
            "nothing in dist/{MANIFEST_FILE} has the digest {digest}"
        ))
        .hint("check out the commit of that release and run: cargo xtask release")),
    }
}

fn by_digest<'manifest>(
    manifest: &'manifest Manifest,
    digest: &Digest,
) -> Option<&'manifest Artifact> {
    manifest
        .artifacts
        .iter()
        .find(|artifact| artifact.sha256 == *digest)
}

/// A file whose digest the manifest names.
fn known(subject: &str, manifest: &Manifest, artifact: &Artifact) -> Trace {
    let source = &manifest.source;
    let (released, because) = if source.dirty {
        (
            "no",
            "its bytes are in dist/, but it was built from a working tree".to_owned(),
        )
    } else {
        ("yes", format!("its bytes are dist/{}", artifact.path))
    };
    let carries = matches!(artifact.kind, Kind::Vsix | Kind::Image)
        .then(|| {
            manifest
                .only(Kind::Wheel)
                .ok()
                .map(|wheel| wheel.sha256.clone())
        })
        .flatten();
    Trace {
        schema: 1,
        subject: subject.to_owned(),
        kind: artifact.kind.word().to_owned(),
        sha256: Some(artifact.sha256.clone()),
        version: Some(artifact.version.clone()),
        commit: Some(source.commit.clone()),
        dirty: Some(source.dirty),
        inputs: artifact.inputs.clone(),
        carries,
        released,
        because,
    }
}

fn file(world: &World, subject: &str, bytes: &[u8], manifest: Option<&Manifest>) -> Result<Trace> {
    let digest = Digest::of(bytes);
    if let Some(manifest) = manifest
        && let Some(artifact) = by_digest(manifest, &digest)
    {
        return Ok(known(subject, manifest, artifact));
    }
    let mut trace = unknown(subject, manifest);
    trace.sha256 = Some(digest);
    let name = Utf8Path::new(subject).file_name().unwrap_or(subject);
    if name.ends_with(".vsix") {
        "vsix".clone_into(&mut trace.kind);
        let entries = container::read(bytes)?;
        if let Some((folder, bundle)) = packed_bundle(&entries) {
            let digest = |file: &str| {
                let entry = entries.get(&format!("{folder}/{file}"))?;
                Some(Digest::of(&entry.content))
            };
            let carried = Carried {
                wheel: digest(&bundle.wheel.file),
                requirements: digest(&bundle.requirements.file),
            };
            take_bundle(&mut trace, &bundle, carried, manifest);
        }
    } else if name.ends_with(".whl") {
        "wheel".clone_into(&mut trace.kind);
        trace.version = Some(inspect::wheel(name, bytes)?.version);
    } else if name.ends_with(".tar")
        && let Some(image) = running::image(world, subject, bytes, manifest)?
    {
        trace = image;
    }
    Ok(trace)
}

/// The bundle's folder in a package, and its manifest: other folders of an extension may hold
/// a manifest.json too.
fn packed_bundle(entries: &BTreeMap<String, container::Entry>) -> Option<(&str, BundleManifest)> {
    entries.iter().find_map(|(name, entry)| {
        let folder = name.strip_suffix(MANIFEST_FILE)?.strip_suffix('/')?;
        let text = std::str::from_utf8(&entry.content).ok()?;
        let bundle = BundleManifest::parse(text, name).ok()?;
        (folder.matches('/').count() == 1).then_some((folder, bundle))
    })
}

fn unknown(subject: &str, manifest: Option<&Manifest>) -> Trace {
    let (released, because) = match manifest {
        Some(manifest) => (
            "no",
            format!(
                "its bytes are none of those in dist/ ({})",
                manifest.version
            ),
        ),
        None => (
            "unknown",
            format!("there is no dist/{MANIFEST_FILE} to compare it with"),
        ),
    };
    Trace {
        schema: 1,
        subject: subject.to_owned(),
        kind: "file".to_owned(),
        sha256: None,
        version: None,
        commit: None,
        dirty: None,
        inputs: BTreeMap::new(),
        carries: None,
        released,
        because,
    }
}

fn bundle_folder(subject: &str, folder: &Utf8Path, manifest: Option<&Manifest>) -> Result<Trace> {
    let place = folder.join(MANIFEST_FILE);
    let bundle = BundleManifest::parse(&files::read_text(&place)?, place.as_str())?;
    let mut trace = unknown(subject, manifest);
    "bundle".clone_into(&mut trace.kind);
    let digest = |file: &str| files::read(&folder.join(file)).map(|bytes| Digest::of(&bytes));
    let carried = Carried {
        wheel: Some(digest(&bundle.wheel.file)?),
        requirements: Some(digest(&bundle.requirements.file)?),
    };
    take_bundle(&mut trace, &bundle, carried, manifest);
    Ok(trace)
}

/// The digests of a bundle's files as computed now; none of a file that is not there.
struct Carried {
    wheel: Option<Digest>,
    requirements: Option<Digest>,
}

/// Takes over what a bundle manifest says, once the files beside it have been hashed.
fn take_bundle(
    trace: &mut Trace,
    bundle: &BundleManifest,
    carried: Carried,
    manifest: Option<&Manifest>,
) {
    trace.version = Some(bundle.version.clone());
    trace.commit = Some(bundle.commit.clone());
    trace.dirty = Some(bundle.dirty);
    trace.carries = carried.wheel;
    if trace.carries.as_ref() != Some(&bundle.wheel.sha256) {
        trace.released = "no";
        "the wheel in it is not the one its own manifest names".clone_into(&mut trace.because);
        return;
    }
    if carried.requirements.as_ref() != Some(&bundle.requirements.sha256) {
        trace.released = "no";
        "the requirements in it are not those its own manifest names"
            .clone_into(&mut trace.because);
        return;
    }
    let Some(manifest) = manifest else { return };
    let Some(wheel) = by_digest(manifest, &bundle.wheel.sha256) else {
        return;
    };
    trace.inputs.clone_from(&wheel.inputs);
    let place = &wheel.path;
    if by_digest(manifest, &bundle.requirements.sha256).is_none() {
        trace.because = format!("it carries dist/{place}, but other requirements than dist/");
    } else if trace.kind != "bundle" {
        trace.because = format!("it carries dist/{place}, but is not the .vsix in dist/");
    } else {
        trace.released = if manifest.source.dirty { "no" } else { "yes" };
        trace.because = format!("it carries dist/{place}");
    }
}

/// The bundle below an installed extension's folder.
fn find_bundle(folder: &Utf8Path) -> Result<camino::Utf8PathBuf> {
    let entries = folder
        .read_dir_utf8()
        .map_err(|cause| Error::failure(format!("list {folder}: {cause}")))?;
    let holds = |path: &camino::Utf8PathBuf| {
        let text = std::fs::read_to_string(path.join(MANIFEST_FILE)).unwrap_or_default();
        BundleManifest::parse(&text, "").is_ok()
    };
    entries
        .flatten()
        .map(camino::Utf8DirEntry::into_path)
        .find(holds)
        .ok_or_else(|| {
            Error::failure(format!(
                "{folder} holds no bundle: no {MANIFEST_FILE} in it or one below"
            ))
            .hint("name the bundle folder, or the extension's folder above it")
        })
}

fn text(trace: &Trace) -> String {
    let mut text = format!("{} ({})\n", trace.subject, trace.kind);
    let mut line = |key: &str, value: &str| text.push_str(&format!("  {key:<18} {value}\n"));
    if let Some(digest) = &trace.sha256 {
        line("sha256", digest.hex());
    }
    if let Some(version) = &trace.version {
        line("version", version);
    }
    if let Some(commit) = &trace.commit {
        let dirty = if trace.dirty == Some(true) {
            " with uncommitted changes"
        } else {
            ""
        };
        line("commit", &format!("{commit}{dirty}"));
    }
    if let Some(wheel) = &trace.carries {
        line("carries the wheel", wheel.hex());
    }
    for (key, value) in trace.inputs.iter().filter(|(key, _)| *key != "commit") {
        line(&format!("input {key}"), value);
    }
    line(
        "released",
        &format!("{}: {}", trace.released, trace.because),
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{BundledFile, MANIFEST_SCHEMA, Source, seal};

    const WHEEL: &str = "demo-1.0-py3-none-any.whl";
    const REQUIREMENTS: &str = "requirements.txt";

    pub fn released() -> Manifest {
        let named = ("demo", "1.0");
        let wheel = seal(Kind::Wheel, named, WHEEL, b"wheel", BTreeMap::new());
        let listed = seal(
            Kind::Requirements,
            named,
            REQUIREMENTS,
            b"a",
            BTreeMap::new(),
        );
        Manifest {
            schema: MANIFEST_SCHEMA,
            name: "demo".to_owned(),
            version: "1.0".to_owned(),
            source: Source {
                commit: "0".repeat(40),
                dirty: false,
                source_date_epoch: 0,
            },
            artifacts: vec![wheel, listed],
            proof: None,
        }
    }

    fn bundle(wheel: &[u8], requirements: &[u8]) -> BundleManifest {
        let file = |name: &str, bytes: &[u8]| BundledFile {
            file: name.to_owned(),
            size: bytes.len() as u64,
            sha256: Digest::of(bytes),
        };
        BundleManifest {
            schema: MANIFEST_SCHEMA,
            name: "demo".to_owned(),
            version: "1.0".to_owned(),
            commit: "0".repeat(40),
            dirty: false,
            console_script: "demo".to_owned(),
            wheel: file(WHEEL, wheel),
            requirements: file(REQUIREMENTS, requirements),
        }
    }

    #[test]
    fn a_bundle_is_released_when_all_its_files_are() {
        let check = |stated: &BundleManifest, requirements: &[u8], expected: (&str, &str)| {
            let folder = tempfile::tempdir().unwrap();
            let folder = Utf8Path::from_path(folder.path()).unwrap();
            let put = |name: &str, bytes: &[u8]| files::write(&folder.join(name), bytes).unwrap();
            put(MANIFEST_FILE, stated.text().as_bytes());
            put(WHEEL, b"wheel");
            put(REQUIREMENTS, requirements);
            let trace = bundle_folder("bundle", folder, Some(&released())).unwrap();
            assert_eq!(trace.released, expected.0, "{trace:?}");
            assert!(trace.because.contains(expected.1), "{trace:?}");
        };
        let sound = bundle(b"wheel", b"a");
        check(&sound, b"a", ("yes", "it carries dist/demo"));
        check(&sound, b"edited", ("no", "the requirements in it"));
        check(&bundle(b"wheel", b"b"), b"b", ("no", "other requirements"));
        check(&bundle(b"other", b"a"), b"a", ("no", "the wheel in it"));
    }

    #[test]
    fn another_manifest_in_the_package_is_not_the_bundle_s() {
        let entry = |text: String| container::Entry {
            content: text.into_bytes(),
            executable: false,
        };
        let entries = BTreeMap::from([
            (
                "extension/a/manifest.json".to_owned(),
                entry("{}".to_owned()),
            ),
            (
                "extension/server/manifest.json".to_owned(),
                entry(bundle(b"wheel", b"a").text()),
            ),
        ]);
        let (folder, found) = packed_bundle(&entries).unwrap();
        assert_eq!((folder, found.name.as_str()), ("extension/server", "demo"));
    }
}
