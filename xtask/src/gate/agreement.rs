//! Whether the bundle is the one of the release: wheel, requirements and the bundle's own
//! manifest against `dist/manifest.json`, and the version against package.json. Pure.

use std::collections::{HashMap, HashSet};

use super::entry::{Entry, Kind};
use super::rules::{self, Rule};
use super::{EXTENSION, Expected, Finding, Form, Policy, Seen};
use crate::artifact::{BundleManifest, Digest};
use crate::version;

/// The files of a container that lie beside the extension (OPC, and vsce's own manifest).
pub const CONTAINER_MANIFESTS: [&str; 2] = ["[Content_Types].xml", "extension.vsixmanifest"];

/// Whether an entry's bytes are needed after it was looked into.
pub fn is_compared(name: &str, bundle: &str) -> bool {
    let inside = name.strip_prefix(EXTENSION);
    let bundled = inside
        .and_then(|inside| inside.strip_prefix(bundle))
        .and_then(|rest| rest.strip_prefix('/'));
    inside == Some("package.json")
        || CONTAINER_MANIFESTS.contains(&name)
        || matches!(bundled, Some("manifest.json" | "requirements.txt"))
}

/// The entries by name, with what was seen in them.
#[derive(Debug)]
pub struct Files<'a> {
    by_name: HashMap<&'a str, (&'a Entry<'a>, &'a Seen)>,
    folders: HashSet<&'a str>,
    form: Form,
}

impl<'a> Files<'a> {
    /// Of two entries with one name the first counts; the second is a finding anyway.
    pub(super) fn new(entries: &'a [Entry<'a>], seen: &'a [Seen], form: Form) -> Files<'a> {
        let mut files = Files {
            by_name: HashMap::new(),
            folders: HashSet::new(),
            form,
        };
        for (entry, seen) in entries.iter().zip(seen) {
            if entry.kind == Kind::Folder {
                continue;
            }
            files.by_name.entry(&entry.name).or_insert((entry, seen));
            let ends = entry
                .name
                .match_indices('/')
                .map(|(at, _)| &entry.name[..=at]);
            files.folders.extend(ends);
        }
        files
    }

    /// Whether there is a file of this name, in this spelling.
    pub fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// All names, in no order.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.by_name.keys().copied()
    }

    /// The bytes of one of the files that are compared, if they could be read.
    pub fn bytes(&self, name: &str) -> Option<&'a [u8]> {
        self.by_name.get(name)?.1.bytes.as_deref()
    }

    /// Whether the file could not be read, so that nothing more can be said about it.
    pub fn is_unreadable(&self, name: &str) -> bool {
        self.has(name) && self.bytes(name).is_none()
    }

    /// Whether a folder has files in it.
    pub fn is_folder_of_a_file(&self, name: &str) -> bool {
        self.folders.contains(name)
    }

    /// Whether an entry is a wheel, by name or by content.
    pub fn is_wheel(&self, name: &str) -> bool {
        let found = self.by_name.get(name);
        found.is_some_and(|(entry, seen)| {
            seen.wheel.is_some() || entry.name.to_lowercase().ends_with(".whl")
        })
    }

    fn digest(&self, name: &str) -> Option<&'a Digest> {
        self.by_name.get(name)?.1.wheel.as_ref()
    }

    /// A finding at a file that is there or should be, shown as its reader would look for it.
    pub fn finding(&self, rule: &'static Rule, name: &str, detail: impl Into<String>) -> Finding {
        let missing = match self.form {
            Form::Folder => name.strip_prefix(EXTENSION).unwrap_or(name),
            Form::Vsix => name,
        };
        let found = self.by_name.get(name);
        let shown = found.map_or(missing, |(entry, _)| &entry.shown);
        Finding::new(rule, shown, detail)
    }
}

/// Everything about the bundle.
pub fn judge(files: &Files<'_>, policy: &Policy, expected: Option<&Expected>) -> Vec<Finding> {
    let place = |file: &str| format!("{EXTENSION}{}/{file}", policy.bundle);
    let manifest_place = place("manifest.json");
    if expected.is_none() && !files.is_folder_of_a_file(&place("")) {
        let detail = "nothing has been bundled yet";
        return vec![files.finding(&rules::WHEEL_MISSING, &place(""), detail)];
    }
    let mut findings = Vec::new();
    let manifest = match bundle_manifest(files, &manifest_place) {
        Ok(manifest) => manifest,
        Err(detail) => {
            findings.push(files.finding(&rules::BUNDLE_MANIFEST, &manifest_place, detail));
            None
        }
    };
    let own = manifest.as_ref().map(own_measure);
    if expected.is_none() {
        let detail = "compared with its own manifest.json only";
        findings.push(files.finding(&rules::BUNDLE_UNVERIFIED, &manifest_place, detail));
    }
    let Some(measure) = expected.or(own.as_ref()) else {
        return findings;
    };
    let source = if expected.is_some() {
        "dist/manifest.json"
    } else {
        "the bundle's manifest.json"
    };
    findings.extend(wheels(files, &place, measure, source));
    findings.extend(requirements(
        files,
        &place("requirements.txt"),
        measure,
        source,
    ));
    findings.extend(versions(
        files,
        &place(&measure.wheel.file),
        measure,
        source,
    ));
    if let Some(detail) = manifest.and_then(|manifest| disagreement(&manifest, measure)) {
        findings.push(files.finding(&rules::BUNDLE_MANIFEST, &manifest_place, detail));
    }
    findings
}

fn bundle_manifest(files: &Files<'_>, place: &str) -> Result<Option<BundleManifest>, String> {
    let Some(bytes) = files.bytes(place) else {
        return if files.has(place) {
            Ok(None)
        } else {
            Err("missing".to_owned())
        };
    };
    let text = std::str::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())?;
    let manifest = BundleManifest::parse(text, "manifest.json").map_err(|error| error.message)?;
    Ok(Some(manifest))
}

fn own_measure(manifest: &BundleManifest) -> Expected {
    Expected {
        version: manifest.version.clone(),
        commit: manifest.commit.clone(),
        dirty: manifest.dirty,
        wheel: manifest.wheel.clone(),
        requirements: manifest.requirements.clone(),
    }
}

fn wheels(
    files: &Files<'_>,
    place: &dyn Fn(&str) -> String,
    measure: &Expected,
    source: &str,
) -> Vec<Finding> {
    let right = place(&measure.wheel.file);
    let mut wheels: Vec<&str> = files.names().filter(|name| files.is_wheel(name)).collect();
    wheels.sort_unstable();
    let bundle = place("");
    let (inside, outside): (Vec<&str>, Vec<&str>) = wheels
        .into_iter()
        .partition(|name| name.starts_with(&bundle));
    let mut findings = Vec::new();
    let mut surplus = outside;
    if inside.contains(&right.as_str()) {
        let digest = files.digest(&right);
        if let Some(digest) = digest.filter(|digest| **digest != measure.wheel.sha256) {
            let detail = format!(
                "{}, but {source} says {}",
                digest.short(),
                measure.wheel.sha256.short()
            );
            findings.push(files.finding(&rules::WHEEL_DIFFERS, &right, detail));
        }
        surplus.extend(inside.iter().filter(|name| **name != right));
    } else if let [only] = inside[..] {
        let detail = format!("{source} names `{}`", measure.wheel.file);
        findings.push(files.finding(&rules::WHEEL_DIFFERS, only, detail));
    } else {
        let detail = format!("{source} names it");
        findings.push(files.finding(&rules::WHEEL_MISSING, &right, detail));
        surplus.extend(inside);
    }
    for name in surplus {
        let detail = format!("not the wheel of {source}, `{}`", measure.wheel.file);
        findings.push(files.finding(&rules::SEVERAL_WHEELS, name, detail));
    }
    findings
}

fn requirements(
    files: &Files<'_>,
    place: &str,
    measure: &Expected,
    source: &str,
) -> Option<Finding> {
    let stated = &measure.requirements.sha256;
    let detail = match files.bytes(place).map(Digest::of) {
        Some(digest) if digest == *stated => return None,
        None if files.is_unreadable(place) => return None,
        Some(digest) => format!("{}, but {source} says {}", digest.short(), stated.short()),
        None => "missing".to_owned(),
    };
    Some(files.finding(&rules::REQUIREMENTS_DIFFER, place, detail))
}

fn versions(files: &Files<'_>, wheel: &str, measure: &Expected, source: &str) -> Option<Finding> {
    let package = format!("{EXTENSION}package.json");
    let json: Option<serde_json::Value> = files
        .bytes(&package)
        .and_then(|bytes| serde_json::from_slice(bytes).ok());
    let stated = json.as_ref().and_then(|json| json.get("version")?.as_str());
    if let Some(stated) = stated.filter(|stated| !version::is_carried_by(&measure.version, stated))
    {
        let detail = format!("version {stated}, but {source} says {}", measure.version);
        return Some(files.finding(&rules::VERSION_DIFFERS, &package, detail));
    }
    let stated = measure.wheel.file.split('-').nth(1)?;
    (stated != measure.version.replace('-', "_")).then(|| {
        let detail = format!(
            "a wheel of version {stated} in an extension of version {}",
            measure.version
        );
        files.finding(&rules::VERSION_DIFFERS, wheel, detail)
    })
}

/// The first thing in which the bundle's manifest differs from the measure.
fn disagreement(manifest: &BundleManifest, measure: &Expected) -> Option<String> {
    let name = measure.wheel.file.split('-').next().unwrap_or_default();
    let wheel = (&manifest.wheel, &measure.wheel);
    let requirements = (&manifest.requirements, &measure.requirements);
    let pairs = [
        ("name", normal_name(&manifest.name), normal_name(name)),
        ("version", manifest.version.clone(), measure.version.clone()),
        ("commit", manifest.commit.clone(), measure.commit.clone()),
        (
            "dirty",
            manifest.dirty.to_string(),
            measure.dirty.to_string(),
        ),
        ("wheel.file", wheel.0.file.clone(), wheel.1.file.clone()),
        (
            "wheel.size",
            wheel.0.size.to_string(),
            wheel.1.size.to_string(),
        ),
        (
            "wheel.sha256",
            wheel.0.sha256.to_string(),
            wheel.1.sha256.to_string(),
        ),
        // In dist/ the requirements may have another name.
        (
            "requirements.file",
            requirements.0.file.clone(),
            "requirements.txt".to_owned(),
        ),
        (
            "requirements.size",
            requirements.0.size.to_string(),
            requirements.1.size.to_string(),
        ),
        (
            "requirements.sha256",
            requirements.0.sha256.to_string(),
            requirements.1.sha256.to_string(),
        ),
    ];
    let (field, found, stated) = pairs
        .into_iter()
        .find(|(_, found, stated)| found != stated)?;
    Some(format!(
        "`{field}` is {found:?}, but the release says {stated:?}"
    ))
}

/// A distribution's name as PyPA's "names and normalization" compares it.
fn normal_name(name: &str) -> String {
    let parts = name.split(['-', '_', '.']).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-").to_lowercase()
}
