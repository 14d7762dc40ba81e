//! Collecting licenses from metadata that are really there: lock files that hold them, the
//! sources that cargo has fetched, distributions that are installed.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use crate::artifact::Kind;
use crate::audit;
use crate::audit::examine::{Scanned, Subject};
use crate::audit::license::{Declared, Known, of_metadata};
use crate::config::Config;
use crate::dist::{self, Release};
use crate::error::{Error, Result};
use crate::lockfile::Ecosystem;
use crate::name::normalize;
use crate::world::{World, files};

/// Everything that is known on this machine about the licenses of what was scanned. What is
/// missing stays unknown; the policy decides about that.
pub fn known(world: &World, config: &Config, subject: &Subject) -> Known {
    let mut known = from_dist(world).unwrap_or_default();
    for scanned in &subject.scanned {
        from_lock(scanned, &mut known);
    }
    let has = |ecosystem| {
        let mut scanned = subject.scanned.iter();
        scanned.any(|one| one.lock.ecosystem == ecosystem)
    };
    if has(Ecosystem::Pypi) {
        for folder in environments(world, config) {
            from_distributions(&folder, &mut known);
        }
    }
    // What only serves development is not judged, and without a manifest cargo knows nothing.
    let of_cargo = |one: &&Scanned| {
        let manifest = world.root.join(&one.path).with_file_name("Cargo.toml");
        one.lock.ecosystem == Ecosystem::CratesIo
            && !config.audit.is_development(&one.path)
            && manifest.is_file()
    };
    for scanned in subject.scanned.iter().filter(of_cargo) {
        from_cargo(world, &scanned.path, &mut known);
    }
    known
}

/// The file of a release that holds the licenses of what it installs.
pub const FILE: &str = "licenses.json";

/// What a release knows: its lock files, and what was seen when its requirements were installed.
/// Nothing of the machine is in it, so that two machines write the same documents.
pub fn of_release(subject: &Subject, release: &Release) -> Known {
    let mut known = Known::new();
    if let Ok((_, bytes)) = release.only(Kind::Licenses)
        && let Ok(installed) = audit::license::read(bytes, FILE)
    {
        known.extend(installed);
    }
    for scanned in &subject.scanned {
        from_lock(scanned, &mut known);
    }
    known
}

/// What the release in `dist/` has seen, if there is one that is whole.
fn from_dist(world: &World) -> Option<Known> {
    let manifest = dist::manifest(world).ok()??;
    let bytes = dist::bytes(world, manifest.find(Kind::Licenses)?).ok()?;
    audit::license::read(&bytes, FILE).ok()
}

/// The licenses of what is installed in an environment and locked by one of the lock files; the
/// environment's own tools are left out.
pub fn installed(environment: &Utf8Path, subject: &Subject) -> Known {
    let mut known = Known::new();
    for folder in site_packages(environment) {
        from_distributions(&folder, &mut known);
    }
    let python = subject
        .scanned
        .iter()
        .filter(|one| one.lock.ecosystem == Ecosystem::Pypi);
    let locked: BTreeSet<(&str, &str)> = python
        .flat_map(|one| &one.lock.packages)
        .map(|package| (package.name.as_str(), package.version.as_str()))
        .collect();
    known.retain(|(_, name, version), _| locked.contains(&(name.as_str(), version.as_str())));
    known
}

fn from_lock(scanned: &Scanned, known: &mut Known) {
    for package in &scanned.lock.packages {
        if let Some(text) = &package.license {
            let named = (
                scanned.lock.ecosystem,
                package.name.clone(),
                package.version.clone(),
            );
            known.entry(named).or_insert_with(|| Declared {
                text: text.clone(),
                origin: scanned.path.clone(),
            });
        }
    }
}

/// Virtual environments in which the server's packages may be installed.
fn environments(world: &World, config: &Config) -> Vec<Utf8PathBuf> {
    let server = world.root.join(&config.server.path);
    let mut places = vec![server.join(".venv"), world.root.join(".venv")];
    places.extend(world.variable("VIRTUAL_ENV").map(Utf8PathBuf::from));
    places.extend(folders(&world.tools()));
    places
        .iter()
        .flat_map(|place| site_packages(place))
        .collect()
}

fn site_packages(environment: &Utf8Path) -> Vec<Utf8PathBuf> {
    let mut packages = vec![environment.join("Lib/site-packages")];
    for python in folders(&environment.join("lib")) {
        packages.push(python.join("site-packages"));
    }
    packages.retain(|folder| folder.is_dir());
    packages
}

fn folders(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let entries = folder.read_dir_utf8().into_iter().flatten().flatten();
    let mut found: Vec<Utf8PathBuf> = entries.map(|entry| entry.path().to_owned()).collect();
    found.retain(|path| path.is_dir());
    found.sort();
    found
}

/// Reads `*.dist-info/METADATA` (PyPA "Recording installed projects").
pub fn from_distributions(site_packages: &Utf8Path, known: &mut Known) {
    let information = |folder: &Utf8PathBuf| folder.extension() == Some("dist-info");
    for folder in folders(site_packages).into_iter().filter(information) {
        let Some((name, version)) = folder.file_stem().and_then(|stem| stem.split_once('-')) else {
            continue;
        };
        let Ok(text) = files::read_text(&folder.join("METADATA")) else {
            continue;
        };
        if let Some(license) = of_metadata(&text) {
            let named = (Ecosystem::Pypi, normalize(name), version.to_owned());
            known.entry(named).or_insert(Declared {
                text: license,
                origin: "METADATA of the installed distribution".to_owned(),
            });
        }
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Crate>,
}

#[derive(Deserialize)]
struct Crate {
    name: String,
    version: String,
    license: Option<String>,
}

/// Asks cargo, which reads the manifests of the crates it has fetched. When it has not fetched
/// those of other platforms, it is asked about this one alone; the others stay unknown.
fn from_cargo(world: &World, lock: &str, known: &mut Known) {
    let manifest = world.root.join(lock).with_file_name("Cargo.toml");
    let answer = metadata(world, &manifest, None).or_else(|_| {
        let host = world
            .command("rustc")
            .args(["--print", "host-tuple"])
            .run()?;
        metadata(world, &manifest, Some(host.stdout.trim()))
    });
    match answer {
        Ok(metadata) => known.extend(crates(metadata)),
        Err(error) => world.terminal.warn(&format!(
            "cargo could not say what licenses the packages of {lock} have: {}; fetch them with \
             `cargo fetch --locked`",
            error.message.lines().next().unwrap_or_default()
        )),
    }
}

fn metadata(world: &World, manifest: &Utf8Path, platform: Option<&str>) -> Result<Metadata> {
    let mut command = world
        .command("cargo")
        .args(["metadata", "--format-version=1", "--locked", "--offline"])
        .args(["--manifest-path", manifest.as_str()]);
    if let Some(platform) = platform {
        command = command.args(["--filter-platform", platform]);
    }
    let output = command.run()?.stdout;
    serde_json::from_str(&output)
        .map_err(|cause| Error::failure(format!("read the answer of cargo metadata: {cause}")))
}

fn crates(metadata: Metadata) -> BTreeMap<(Ecosystem, String, String), Declared> {
    let known = |package: Crate| {
        let license = Declared {
            text: package.license?,
            origin: "cargo metadata".to_owned(),
        };
        Some((
            (Ecosystem::CratesIo, package.name, package.version),
            license,
        ))
    };
    metadata.packages.into_iter().filter_map(known).collect()
}
