//! `trace` of what runs: a pod, a Deployment, a container, or an image's archive. What they say of
//! themselves is held against the release in `dist/` and against the tags of the repository.

use camino::Utf8Path;
use serde_json::Value;

use super::{Trace, by_digest, unknown};
use crate::artifact::{Digest, Kind, Manifest};
use crate::error::{Error, Result};
use crate::image::archive::{self, INDEX_FILE, Opened};
use crate::image::base::{Descriptor, whole};
use crate::image::running::{self, Running};
use crate::image::{COMMIT, WHEEL};
use crate::source;
use crate::world::{World, files};

/// The subject that stands for standard input.
pub const INPUT: &str = "-";

/// Everything that a document speaks of, from standard input or from a file that is JSON or YAML;
/// `None` when the subject is something else, or a file of the release itself.
///
/// # Errors
/// Standard input says nothing of a commit or a wheel.
pub fn documents(
    world: &World,
    subject: &str,
    manifest: Option<&Manifest>,
) -> Result<Option<Vec<Trace>>> {
    let text = if subject == INPUT {
        files::read_input()?
    } else {
        let path = world.resolve(Utf8Path::new(subject));
        let is_document = matches!(path.extension(), Some("json" | "yaml" | "yml"));
        if !is_document || !path.is_file() {
            return Ok(None);
        }
        let bytes = files::read(&path)?;
        let is_ours = manifest.is_some_and(|it| by_digest(it, &Digest::of(&bytes)).is_some());
        match String::from_utf8(bytes) {
            Ok(text) if !is_ours => text,
            _ => return Ok(None),
        }
    };
    let found = running::read(&text).unwrap_or_default();
    let says = |one: &Running| {
        !one.commits.is_empty() || !one.wheels.is_empty() || !one.oddities.is_empty()
    };
    match found.iter().any(says) {
        true => Ok(Some(
            found.iter().map(|one| of(world, one, manifest)).collect(),
        )),
        false if subject == INPUT => Err(Error::failure(format!(
            "standard input names neither a commit ({COMMIT}) nor a wheel ({WHEEL})"
        ))
        .hint("kubectl get pod NAME --output json | cargo xtask trace -")
        .hint("docker inspect NAME | cargo xtask trace -")),
        false => Ok(None),
    }
}

/// What the archive of an image says of itself, if it is one.
pub fn image(
    world: &World,
    subject: &str,
    bytes: &[u8],
    manifest: Option<&Manifest>,
) -> Result<Option<Trace>> {
    let Ok(opened) = Opened::read(bytes, subject) else {
        return Ok(None);
    };
    let Some(index) = opened.get(INDEX_FILE) else {
        return Ok(None);
    };
    let top = archive::top(index, None, subject)?;
    let fetch = |wanted: &Descriptor| opened.blob(wanted, subject).map(<[u8]>::to_vec);
    let list = whole(&top, subject, &fetch)?;
    let value: Value = serde_json::from_slice(&list)
        .map_err(|cause| Error::refused(format!("{subject}: not JSON: {cause}")))?;
    let said = Running {
        name: subject.to_owned(),
        ..running::of(&value)
    };
    let mut trace = of(world, &said, manifest);
    "image".clone_into(&mut trace.kind);
    trace.sha256 = Some(Digest::of(bytes));
    // Labels are easily written; of a file the bytes are known, and they are not those in dist/.
    let ours = manifest.and_then(|manifest| manifest.find(Kind::Image));
    if trace.released == "yes" {
        let (released, what) = match ours {
            Some(ours) => ("no", format!("but is not dist/{}", ours.path)),
            None => (
                "unknown",
                "and there is no image in dist/ to compare it with".to_owned(),
            ),
        };
        trace.released = released;
        trace.because = format!("{}, {what}", trace.because);
    }
    Ok(Some(trace))
}

fn of(world: &World, said: &Running, manifest: Option<&Manifest>) -> Trace {
    let mut trace = unknown(&said.name, manifest);
    "running".clone_into(&mut trace.kind);
    trace.version.clone_from(&said.version);
    let commit = said.commits.first();
    trace.dirty = commit.map(|commit| commit.ends_with("-dirty"));
    trace.commit = commit.map(|commit| commit.trim_end_matches("-dirty").to_owned());
    trace.carries = said.wheels.first().cloned();
    let (released, because) = judge(said, &trace, manifest);
    trace.released = released;
    trace.because = match trace.commit.as_ref().and_then(|commit| tag(world, commit)) {
        Some(tag) => format!("{because}; its commit has the tag {tag}"),
        None => because,
    };
    trace
}

/// Whether what it says is what was released.
fn judge(said: &Running, trace: &Trace, manifest: Option<&Manifest>) -> (&'static str, String) {
    if let Some(oddity) = said.oddities.first() {
        return ("no", oddity.clone());
    }
    if said.commits.len() > 1 || said.wheels.len() > 1 {
        return ("no", "it names several commits or wheels".to_owned());
    }
    let Some(wheel) = &trace.carries else {
        return ("unknown", format!("it names no wheel ({WHEEL})"));
    };
    let Some(manifest) = manifest else {
        let because = "there is no dist/manifest.json to compare it with".to_owned();
        return ("unknown", because);
    };
    let ours = by_digest(manifest, wheel).filter(|artifact| artifact.kind == Kind::Wheel);
    let Some(ours) = ours else {
        let because = format!(
            "its wheel is none of those in dist/ ({} from {:.12})",
            manifest.version, manifest.source.commit
        );
        return ("no", because);
    };
    let place = &ours.path;
    let (source, dirty) = (&manifest.source, trace.dirty == Some(true));
    match &trace.commit {
        // A wheel may come out the same from two commits; the release is made from one.
        Some(commit) if !source.commit.starts_with(commit.as_str()) => (
            "no",
            format!("it says that it runs dist/{place}, but names another commit"),
        ),
        _ if source.dirty || dirty => (
            "no",
            format!("it says that it runs dist/{place}, which was built from a working tree"),
        ),
        _ => ("yes", format!("it says that it runs dist/{place}")),
    }
}

/// The tag of a commit that is in this repository.
fn tag(world: &World, commit: &str) -> Option<String> {
    let asked = source::git(world)
        .args(["tag", "--points-at", commit])
        .output();
    let output = asked.ok().filter(|output| output.status.success())?;
    output.stdout.lines().next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::tests::released;
    use super::*;

    fn said(commit: &str, wheel: &[u8]) -> Running {
        Running {
            name: "Pod mcp/demo-0".to_owned(),
            commits: vec![commit.to_owned()],
            wheels: vec![Digest::of(wheel)],
            version: None,
            oddities: Vec::new(),
        }
    }

    #[test]
    fn what_runs_is_the_release_when_wheel_and_commit_are() {
        let check = |said: &Running, manifest: Option<&Manifest>, expected: (&str, &str)| {
            let mut trace = unknown(&said.name, manifest);
            let commit = said.commits.first();
            trace.dirty = commit.map(|commit| commit.ends_with("-dirty"));
            trace.commit = commit.map(|commit| commit.trim_end_matches("-dirty").to_owned());
            trace.carries = said.wheels.first().cloned();
            let (released, because) = judge(said, &trace, manifest);
            assert_eq!(released, expected.0, "{because}");
            assert!(because.contains(expected.1), "{because}");
        };
        let manifest = released();
        let commit = "0".repeat(40);
        let sound = said(&commit, b"wheel");
        check(
            &sound,
            Some(&manifest),
            ("yes", "it says that it runs dist/demo"),
        );
        check(
            &said("0000000", b"wheel"),
            Some(&manifest),
            ("yes", "it says that it runs"),
        );
        check(&sound, None, ("unknown", "there is no dist/"));
        check(
            &said(&commit, b"other"),
            Some(&manifest),
            ("no", "none of those"),
        );
        check(
            &said("1111111", b"wheel"),
            Some(&manifest),
            ("no", "another commit"),
        );
        let dirty = format!("{commit}-dirty");
        check(
            &said(&dirty, b"wheel"),
            Some(&manifest),
            ("no", "a working tree"),
        );
        // The requirements are in dist/ too, but nothing runs them.
        check(
            &said(&commit, b"a"),
            Some(&manifest),
            ("no", "none of those"),
        );
        let mut torn = sound.clone();
        torn.wheels.push(Digest::of(b"other"));
        check(&torn, Some(&manifest), ("no", "several"));
        let mut bare = sound.clone();
        bare.wheels.clear();
        check(&bare, Some(&manifest), ("unknown", "it names no wheel"));
        let mut odd = sound;
        odd.oddities.push("odd".to_owned());
        check(&odd, Some(&manifest), ("no", "odd"));
    }
}
