//! The gate: what may be in the extension, and what is found there. Pure.
//!
//! [`judge`] takes entries (of a folder or of a finished container), the policy of
//! `release.toml` and what `dist/manifest.json` says, and returns a [`Report`]. It reads no
//! file and prints nothing; `cmd::check` does. It judges what is there, not what some list
//! of patterns would select.

mod agreement;
pub mod annotation;
pub mod container;
mod content;
pub mod entry;
pub(crate) mod extension;
mod names;
pub mod pattern;
pub mod report;
pub mod rules;
pub mod sarif;
mod secrets;
pub mod selection;
mod sniff;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::artifact::{BundledFile, Digest, Kind as ArtifactKind, Manifest};
use crate::error::Result;
use content::{Inspection, Item};
use entry::{Entry, Kind, Unpacker, Unreadable};
use names::Within;
use pattern::Pattern;
pub use report::{Accepted, Finding, Report};
pub use rules::{RULES, Rule};

/// The folder of a container that becomes the installed extension.
pub const EXTENSION: &str = "extension/";

/// What is judged.
#[derive(Debug)]
pub struct Subject<'bytes> {
    /// How reports name it: a path, from the repository's root where possible.
    pub name: String,
    /// What it is.
    pub form: Form,
    /// What is in it.
    pub entries: Vec<Entry<'bytes>>,
    /// What was found while reading it.
    pub findings: Vec<Finding>,
}

/// A folder that would be packaged, or the finished package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The extension's folder; entries carry the names they would have in the package.
    Folder,
    /// A `.vsix`.
    Vsix,
}

/// What is allowed, from `release.toml`.
#[derive(Debug)]
pub struct Policy {
    /// The folder inside the extension that carries the wheel.
    pub bundle: String,
    /// Files of the extension, without the leading `extension/`.
    pub allow: Vec<Pattern>,
    /// The most bytes one entry may have.
    pub entry_limit: u64,
    /// The most bytes all entries together may have.
    pub total_limit: u64,
    /// Findings that are accepted.
    pub exceptions: Vec<Exception>,
}

/// A finding that is accepted beforehand.
#[derive(Debug)]
pub struct Exception {
    /// The rule's id.
    pub rule: String,
    /// Paths inside the extension, nested ones like `a.zip!b/*`.
    pub path: Pattern,
    /// Why it is right.
    pub reason: String,
}

/// What the release says must be in the extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The one version of everything.
    pub version: String,
    /// The commit it was built from.
    pub commit: String,
    /// Whether the working tree was built instead of the commit.
    pub dirty: bool,
    /// The wheel.
    pub wheel: BundledFile,
    /// The requirements.
    pub requirements: BundledFile,
}

impl Expected {
    /// What a release's manifest says.
    ///
    /// # Errors
    /// The manifest names no wheel or no requirements, or several.
    pub fn of(manifest: &Manifest) -> Result<Expected> {
        let file = |kind| {
            let artifact = manifest.only(kind)?;
            let file = artifact.path.rsplit('/').next().unwrap_or(&artifact.path);
            Ok(BundledFile {
                file: file.to_owned(),
                size: artifact.size,
                sha256: artifact.sha256.clone(),
            })
        };
        Ok(Expected {
            version: manifest.version.clone(),
            commit: manifest.source.commit.clone(),
            dirty: manifest.source.dirty,
            wheel: file(ArtifactKind::Wheel)?,
            requirements: file(ArtifactKind::Requirements)?,
        })
    }
}

/// What looking into one entry gave.
#[derive(Debug, Default)]
struct Seen {
    findings: Vec<Finding>,
    /// The bytes of the few files that are compared with one another.
    bytes: Option<Vec<u8>>,
    /// Set for a wheel: the digest of its bytes.
    wheel: Option<Digest>,
}

/// Judges a folder or a package. `None` for `expected` means that there is no manifest of a
/// release to compare with, which is a finding of its own.
pub fn judge(subject: Subject<'_>, policy: &Policy, expected: Option<&Expected>) -> Report {
    let total: u64 = subject
        .entries
        .iter()
        .map(|entry| entry.size)
        .fold(0, u64::saturating_add);
    let mut findings = subject.findings;
    findings.extend(paths(&subject.entries));
    if total > policy.total_limit {
        let detail = format!("{total} bytes; the limit is {}", policy.total_limit);
        findings.push(Finding::new(&rules::TOTAL_TOO_LARGE, "", detail));
    } else {
        let seen = look(&subject.entries, policy);
        let files = agreement::Files::new(&subject.entries, &seen, subject.form);
        let broken = |finding: &Finding| finding.rule.id == rules::BROKEN_CONTAINER.id;
        if !findings.iter().any(broken) {
            // What a damaged container lacks says nothing about what was packaged.
            findings.extend(extension::judge(&files, subject.form));
            findings.extend(agreement::judge(&files, policy, expected));
        }
        findings.extend(not_allowed(
            &subject.entries,
            &seen,
            &files,
            policy,
            &findings,
        ));
        findings.extend(seen.into_iter().flat_map(|seen| seen.findings));
    }
    report::settle(
        subject.name,
        subject.form,
        (subject.entries.len(), total),
        findings,
        policy,
    )
}

/// Looks into all entries, the largest first, on as many threads as the machine has.
fn look(entries: &[Entry<'_>], policy: &Policy) -> Vec<Seen> {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(entries[*index].size));
    let next = AtomicUsize::new(0);
    let work = || {
        let mut unpacker = Unpacker::default();
        let mut seen = Vec::new();
        while let Some(&index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            seen.push((index, look_into(&entries[index], policy, &mut unpacker)));
        }
        seen
    };
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(entries.len());
    let mut all: Vec<(usize, Seen)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut seen = work();
        for other in others {
            match other.join() {
                Ok(more) => seen.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        seen
    });
    all.sort_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, seen)| seen).collect()
}

fn look_into(entry: &Entry<'_>, policy: &Policy, unpacker: &mut Unpacker) -> Seen {
    let mut inspection = Inspection::new(policy.total_limit);
    let inside = entry.name.strip_prefix(EXTENSION).unwrap_or(&entry.name);
    let bundled = inside
        .strip_prefix(&policy.bundle)
        .and_then(|rest| rest.strip_prefix('/'));
    let wheel_place = bundled.is_some_and(|file| !file.contains('/') && file.ends_with(".whl"));
    let folded = names::fold(inside);
    let mut item = Item {
        shown: &entry.shown,
        folded: &folded,
        within: if wheel_place {
            Within::Wheel
        } else {
            Within::Extension
        },
    };
    if bundled != Some("requirements.txt") {
        inspection.name(item);
    }
    let mut seen = Seen::default();
    if entry.kind == Kind::File {
        match unpacker.read(entry, policy.entry_limit) {
            Ok(bytes) => {
                let compared = agreement::is_compared(&entry.name, &policy.bundle);
                seen.bytes = compared.then(|| bytes.to_vec());
                if wheel_place || folded.ends_with(".whl") || is_wheel(bytes) {
                    item.within = Within::Wheel;
                    seen.wheel = Some(Digest::of(bytes));
                }
                if wheel_place || seen.wheel.is_none() {
                    inspection.content(item, bytes, 0);
                }
            }
            Err(cause) => inspection.findings.extend(unreadable(&entry.shown, cause)),
        }
    }
    seen.findings = inspection.findings;
    seen
}

fn is_wheel(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK") && content::is_wheel(&container::read(bytes).entries)
}

fn unreadable(shown: &str, cause: Unreadable) -> Option<Finding> {
    let (rule, detail) = match cause {
        Unreadable::Known => return None,
        Unreadable::TooLarge(detail) => (&rules::ENTRY_TOO_LARGE, detail),
        Unreadable::Bomb(detail) => (&rules::COMPRESSION_BOMB, detail),
        Unreadable::Corrupt(detail) => (&rules::CORRUPT_ENTRY, detail),
    };
    Some(Finding::new(rule, shown, detail))
}

/// Names that cannot be unpacked safely, and names that fall together.
fn paths(entries: &[Entry<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut exact: HashMap<&str, usize> = HashMap::new();
    let mut folded: HashMap<String, &str> = HashMap::new();
    for entry in entries {
        let name = entry.name.as_str();
        if entry.kind == Kind::Special {
            let detail = "a symbolic link, device or pipe";
            findings.push(Finding::new(&rules::SYMLINK, &entry.shown, detail));
        }
        let count = exact.entry(name).or_default();
        *count += 1;
        if *count == 2 {
            let detail = "there is more than one entry of this name";
            findings.push(Finding::new(&rules::DUPLICATE_ENTRY, &entry.shown, detail));
        }
        if *count > 1 {
            continue;
        }
        let spelled = names::fold(name);
        // A trailing dot is spelling; a file whose spelling hides Python is judged as Python.
        let telling = names::classify(&spelled, Within::Extension).is_some();
        if let Some(detail) = names::unsafe_path(name).filter(|_| !telling || names::escapes(name))
        {
            findings.push(Finding::new(&rules::UNSAFE_PATH, &entry.shown, detail));
        } else if let Some(other) = folded.insert(spelled, name) {
            let detail = format!("is the same file as `{other}` on some systems");
            findings.push(Finding::new(&rules::COLLIDING_NAMES, &entry.shown, detail));
        }
    }
    findings
}

/// What is not on the allow-list and was not found out more precisely.
fn not_allowed(
    entries: &[Entry<'_>],
    seen: &[Seen],
    files: &agreement::Files<'_>,
    policy: &Policy,
    known: &[Finding],
) -> Vec<Finding> {
    let known: HashSet<&str> = known.iter().map(|finding| finding.path.as_str()).collect();
    let unknown = entries.iter().zip(seen).filter(|(entry, seen)| {
        seen.findings.is_empty()
            && !known.contains(entry.shown.as_str())
            && !is_allowed(entry, policy, files)
    });
    let detail = "neither part of the bundle nor named in `allow`";
    unknown
        .map(|(entry, _)| Finding::new(&rules::NOT_ALLOWED, &entry.shown, detail))
        .collect()
}

fn is_allowed(entry: &Entry<'_>, policy: &Policy, files: &agreement::Files<'_>) -> bool {
    let Some(inside) = entry.name.strip_prefix(EXTENSION) else {
        return agreement::CONTAINER_MANIFESTS.contains(&entry.name.as_str());
    };
    if entry.kind == Kind::Folder {
        // A folder is as welcome as what lies in it.
        return files.is_folder_of_a_file(&entry.name);
    }
    let bundled = inside
        .strip_prefix(&policy.bundle)
        .and_then(|rest| rest.strip_prefix('/'));
    inside == "package.json"
        || matches!(bundled, Some("manifest.json" | "requirements.txt"))
        || files.is_wheel(&entry.name)
        || policy.allow.iter().any(|pattern| pattern.matches(inside))
}
