//! `provenance.intoto.json`: what a release was made from, as a statement over each of its files.
//! Pure, and unsigned: CI signs it where somebody vouches for the builder.
//!
//! Source: in-toto attestation framework, Statement v1; SLSA provenance v1. It holds no time and
//! no machine, as the manifest does; `docs/provenance.md` says what each field means.

use serde_json::{Value, json};

use crate::artifact::{Artifact, Digest, Kind, Manifest};
use crate::error::{Error, Result};

/// Its name in `dist/`.
pub const FILE: &str = "provenance.intoto.json";

/// The type of the statement.
const STATEMENT: &str = "https://in-toto.io/Statement/v1";

/// The type of what it says.
pub const PREDICATE: &str = "https://slsa.dev/provenance/v1";

/// How a release is built; raised when its parameters mean something else.
pub const BUILD_TYPE: &str = "urn:mcp-shipyard:release:1";

/// Who built it: the tool, wherever it ran.
pub const BUILDER: &str = "urn:mcp-shipyard:cargo-xtask";

/// The statement over everything that a manifest names. `locks` are the lock files of the commit,
/// each with its digest.
pub fn statement(manifest: &Manifest, locks: &[(String, Digest)]) -> Value {
    let subject = |artifact: &Artifact| json!({ "name": artifact.path, "digest": { "sha256": artifact.sha256.hex() } });
    let subjects: Vec<Value> = subjects(manifest).map(subject).collect();
    json!({
        "_type": STATEMENT,
        "subject": subjects,
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "release": { "name": manifest.name, "version": manifest.version },
                },
                "internalParameters": {
                    "sourceDateEpoch": manifest.source.source_date_epoch,
                },
                "resolvedDependencies": dependencies(manifest, locks),
            },
            "runDetails": {
                "builder": {
                    "id": BUILDER,
                    "version": { "cargo-xtask": env!("CARGO_PKG_VERSION") },
                },
            },
        },
    })
}

/// Every file of a release but the statement itself.
pub fn subjects(manifest: &Manifest) -> impl Iterator<Item = &Artifact> {
    let artifacts = manifest.artifacts.iter();
    artifacts.filter(|artifact| artifact.kind != Kind::Provenance)
}

fn dependencies(manifest: &Manifest, locks: &[(String, Digest)]) -> Vec<Value> {
    let source = &manifest.source;
    let mut commit = json!({
        "name": "source",
        "digest": { "gitCommit": source.commit },
    });
    if source.dirty {
        commit["annotations"] = json!({ "dirty": true });
    }
    let file = |(path, digest): &(String, Digest)| json!({ "name": path, "digest": { "sha256": digest.hex() } });
    let wheel = manifest.find(Kind::Wheel);
    let tools = wheel.and_then(|wheel| wheel.inputs.get("build-requirements"));
    let tools = tools.and_then(|digest| Digest::parse(digest).ok());
    let tools = tools.map(|digest| ("build-requirements".to_owned(), digest));
    let mut dependencies = vec![commit];
    dependencies.extend(locks.iter().map(file));
    dependencies.extend(tools.iter().map(file));
    dependencies
}

/// Requires that a statement speaks of exactly the files that a manifest names, and of its
/// commit. `place` names it in errors.
///
/// # Errors
/// It is no such statement, or each file that it has otherwise, lacks or has beside them.
pub fn require_complete(text: &str, manifest: &Manifest, place: &str) -> Result<()> {
    let statement: Value = serde_json::from_str(text)
        .map_err(|cause| Error::conflict(format!("{place}: not JSON: {cause}")))?;
    let mut problems = Vec::new();
    for (key, expected) in [("_type", STATEMENT), ("predicateType", PREDICATE)] {
        if statement[key] != expected {
            problems.push(format!("{key} is {}, not {expected}", statement[key]));
        }
    }
    let named = statement["subject"].as_array().map(Vec::as_slice);
    let named = named.unwrap_or_default();
    for artifact in subjects(manifest) {
        let mut found = named.iter().filter(|one| one["name"] == *artifact.path);
        match (found.next(), found.next()) {
            (None, _) => problems.push(format!("it says nothing of {}", artifact.path)),
            (Some(one), None) if one["digest"]["sha256"] == artifact.sha256.hex() => {}
            _ => problems.push(format!("it has another digest for {}", artifact.path)),
        }
    }
    let known = |one: &&Value| !subjects(manifest).any(|artifact| one["name"] == *artifact.path);
    let unknown = named.iter().filter(known);
    problems.extend(unknown.map(|one| format!("it speaks of {}, too", one["name"])));
    let definition = &statement["predicate"]["buildDefinition"];
    let commit = &definition["resolvedDependencies"][0]["digest"]["gitCommit"];
    if *commit != manifest.source.commit {
        problems.push(format!(
            "it names commit {commit}, the manifest {}",
            manifest.source.commit
        ));
    }
    match problems.as_slice() {
        [] => Ok(()),
        problems => Err(Error::conflict(format!(
            "{place} does not fit the manifest:\n    {}",
            problems.join("\n    ")
        ))),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::artifact::{Source, seal};
    use crate::dist::Release;

    fn manifest() -> Manifest {
        let source = Source {
            commit: "c".repeat(40),
            dirty: false,
            source_date_epoch: 7,
        };
        let mut release = Release::empty("demo", "1.0", source);
        let tools = Digest::of(b"tools").to_string();
        let inputs = BTreeMap::from([("build-requirements".to_owned(), tools)]);
        for (kind, path) in [
            (Kind::Wheel, "demo.whl"),
            (Kind::ReleaseNotes, "notes.md"),
            (Kind::Provenance, FILE),
        ] {
            let bytes = path.as_bytes();
            let artifact = seal(kind, ("demo", "1.0"), path, bytes, inputs.clone());
            release.put(artifact, bytes.to_vec());
        }
        release.manifest
    }

    #[test]
    fn it_speaks_of_every_file_but_itself() {
        let locks = [("server/poetry.lock".to_owned(), Digest::of(b"lock"))];
        let statement = statement(&manifest(), &locks);
        let names: Vec<&Value> = statement["subject"].as_array().unwrap().iter().collect();
        let names: Vec<&str> = names
            .iter()
            .filter_map(|one| one["name"].as_str())
            .collect();
        assert_eq!(names, ["demo.whl", "notes.md"]);
        let definition = &statement["predicate"]["buildDefinition"];
        let dependencies = definition["resolvedDependencies"].as_array().unwrap();
        let names: Vec<&str> = dependencies
            .iter()
            .filter_map(|one| one["name"].as_str())
            .collect();
        assert_eq!(
            names,
            ["source", "server/poetry.lock", "build-requirements"]
        );
        assert_eq!(dependencies[0]["digest"]["gitCommit"], "c".repeat(40));
        assert_eq!(
            dependencies[1]["digest"]["sha256"],
            Digest::of(b"lock").hex()
        );
        assert!(dependencies.iter().all(|one| one["digest"].is_object()));
        assert!(require_complete(&statement.to_string(), &manifest(), "x").is_ok());
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let check = |change: fn(&mut Value), expected: &str| {
            let mut statement = statement(&manifest(), &[]);
            change(&mut statement);
            let error = require_complete(&statement.to_string(), &manifest(), "x").unwrap_err();
            assert_eq!(error.kind, crate::error::Kind::Conflict);
            assert!(error.message.contains(expected), "{}", error.message);
        };
        check(
            |it| it["subject"][0]["digest"]["sha256"] = "0".repeat(64).into(),
            "another digest for demo.whl",
        );
        check(
            |it| drop(it["subject"].as_array_mut().unwrap().pop()),
            "says nothing of notes.md",
        );
        check(
            |it| {
                let more = json!({ "name": "other.whl", "digest": { "sha256": "x" } });
                it["subject"].as_array_mut().unwrap().push(more);
            },
            "it speaks of \"other.whl\", too",
        );
        check(
            |it| {
                let twice = it["subject"][0].clone();
                it["subject"].as_array_mut().unwrap().push(twice);
            },
            "another digest for demo.whl",
        );
        check(
            |it| it["predicateType"] = "y".into(),
            "predicateType is \"y\"",
        );
        check(
            |it| {
                let definition = &mut it["predicate"]["buildDefinition"];
                definition["resolvedDependencies"][0]["digest"]["gitCommit"] = "d".into();
            },
            "names commit \"d\"",
        );
        let error = require_complete("{", &manifest(), "x").unwrap_err();
        assert!(
            error.message.starts_with("x: not JSON"),
            "{}",
            error.message
        );
    }
}
