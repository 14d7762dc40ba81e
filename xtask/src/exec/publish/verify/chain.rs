//! What the files of a release say of each other: the extension carries the wheel, `server.json`
//! names it, and the statement names every file. Pure.

use serde::Serialize;

use super::{From, Standing, artifact};
use crate::artifact::{Artifact, Digest, Kind};
use crate::dist::Release;
use crate::error::Kind as ErrorKind;
use crate::product::vsix::container;
use crate::product::{provenance, server_json};
use crate::registry::Item;

/// One thing that a file says of others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// The file that says it, by its name in `dist/`.
    pub file: String,
    /// Whether that is so.
    pub held: bool,
    /// What it says, or what is wrong with it.
    pub detail: String,
    /// Whether nothing is wrong but that the file is not there.
    #[serde(skip)]
    pub is_missing: bool,
}

impl Link {
    fn held(file: &str, detail: impl Into<String>) -> Link {
        Link {
            file: file.to_owned(),
            held: true,
            detail: detail.into(),
            is_missing: false,
        }
    }

    fn broken(file: &str, detail: impl Into<String>) -> Link {
        Link {
            held: false,
            ..Link::held(file, detail)
        }
    }

    /// What is wrong with it, and what that means for the exit code.
    pub fn problem(&self) -> Option<(ErrorKind, String)> {
        let kind = match self.is_missing {
            true => ErrorKind::Failure,
            false => ErrorKind::Conflict,
        };
        (!self.held).then(|| (kind, format!("{}: {}", self.file, self.detail)))
    }
}

/// What an item that was downloaded says of other files.
pub fn of(release: &Release, item: &Item, bytes: &[u8]) -> Option<Link> {
    let artifact = artifact(release, item)?;
    let wheel = &release.manifest.find(Kind::Wheel)?.sha256;
    match artifact.kind {
        Kind::Vsix => Some(extension(artifact, bytes, wheel)),
        Kind::ServerJson => Some(server(artifact, bytes, wheel)),
        Kind::Provenance => Some(statement(release, artifact, bytes)),
        _ => None,
    }
}

/// What the files in `dist/` say of each other, whether or not a target has them.
pub fn within(release: &Release) -> Vec<Link> {
    let Ok((artifact, bytes)) = release.only(Kind::Provenance) else {
        let mut link = Link::broken(
            provenance::FILE,
            "dist/manifest.json names no statement of what the release was made from",
        );
        link.is_missing = true;
        return vec![link];
    };
    vec![statement(release, artifact, bytes)]
}

fn extension(artifact: &Artifact, bytes: &[u8], wheel: &Digest) -> Link {
    let file = &artifact.path;
    let entries = match container::read(bytes) {
        Ok(entries) => entries,
        Err(error) => return Link::broken(file, error.message),
    };
    let mut carried = entries.iter().filter(|(name, _)| name.ends_with(".whl"));
    match (carried.next(), carried.next()) {
        (Some((name, entry)), None) => {
            let found = Digest::of(&entry.content);
            match found == *wheel {
                true => Link::held(file, format!("carries the wheel {}", wheel.short())),
                false => Link::broken(
                    file,
                    format!("{name} in it is {found}, and the wheel of the manifest {wheel}"),
                ),
            }
        }
        (None, _) => Link::broken(file, "carries no wheel"),
        (Some(_), Some(_)) => Link::broken(file, "carries more than one wheel"),
    }
}

fn server(artifact: &Artifact, bytes: &[u8], wheel: &Digest) -> Link {
    let file = &artifact.path;
    let document = serde_json::from_slice(bytes).unwrap_or_default();
    match server_json::wheel_digest(&document) {
        Some(found) if found == wheel.hex() => {
            Link::held(file, format!("names the wheel {}", wheel.short()))
        }
        found => Link::broken(
            file,
            format!(
                "names {} as the wheel, and the manifest {wheel}",
                found.unwrap_or("nothing")
            ),
        ),
    }
}

fn statement(release: &Release, artifact: &Artifact, bytes: &[u8]) -> Link {
    let file = &artifact.path;
    let text = String::from_utf8_lossy(bytes);
    match provenance::require_complete(&text, &release.manifest, "it") {
        Ok(()) => {
            let count = provenance::subjects(&release.manifest).count();
            Link::held(file, format!("names the {count} files of the manifest"))
        }
        Err(error) => Link::broken(file, error.message),
    }
}

/// Says of every extension that carries the wheel which targets gave that same wheel.
pub fn join(from: &mut [From], wheel: &Digest) {
    let has = |one: &From| {
        let same = |standing: &Standing| matches!(standing, Standing::Same { .. });
        let mut items = one.items.iter();
        items.any(|it| it.item.sha256 == *wheel && same(&it.standing))
    };
    let given: Vec<String> = from
        .iter()
        .filter(|one| has(one))
        .map(|one| one.target.clone())
        .collect();
    if given.is_empty() {
        return;
    }
    let links = from.iter_mut().flat_map(|one| &mut one.chain);
    for link in links.filter(|link| link.held && link.file.ends_with(".vsix")) {
        link.detail = format!(
            "{}, the one that {} gives",
            link.detail,
            given.join(" and ")
        );
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::artifact::{Source, seal};
    use crate::product::vsix::container::Entry;
    use crate::registry::{Level, Phase};

    fn release() -> Release {
        let source = Source {
            commit: "c".repeat(40),
            dirty: false,
            source_date_epoch: 0,
        };
        let mut release = Release::empty("demo", "1.0", source);
        let wheel = seal(
            Kind::Wheel,
            ("demo", "1.0"),
            "demo.whl",
            b"one",
            BTreeMap::new(),
        );
        release.put(wheel, b"one".to_vec());
        release
    }

    fn put(release: &mut Release, kind: Kind, path: &str, bytes: &[u8]) -> Item {
        let artifact = seal(kind, ("demo", "1.0"), path, bytes, BTreeMap::new());
        let item = Item {
            key: format!("somewhere/{path}"),
            sha256: artifact.sha256.clone(),
            size: artifact.size,
            phase: Phase::Main,
        };
        release.put(artifact, bytes.to_vec());
        item
    }

    fn vsix(wheels: &[(&str, &str)]) -> Vec<u8> {
        let entry = |(name, text): &(&str, &str)| {
            let content = text.as_bytes().to_vec();
            let executable = false;
            (
                (*name).to_owned(),
                Entry {
                    content,
                    executable,
                },
            )
        };
        container::write(&wheels.iter().map(entry).collect(), 0).unwrap()
    }

    #[test]
    fn an_extension_carries_the_one_wheel() {
        let check = |wheels: &[(&str, &str)], held: bool, expected: &str| {
            let mut release = release();
            let bytes = vsix(wheels);
            let item = put(&mut release, Kind::Vsix, "demo.vsix", &bytes);
            let link = of(&release, &item, &bytes).unwrap();
            assert_eq!(link.held, held);
            assert!(link.detail.contains(expected), "{}", link.detail);
        };
        check(
            &[("a/demo.whl", "one"), ("a/b", "")],
            true,
            "carries the wheel",
        );
        check(&[("a/demo.whl", "two")], false, "a/demo.whl in it is");
        check(&[("a/b", "")], false, "carries no wheel");
        let two = [("a/demo.whl", "one"), ("b/demo.whl", "one")];
        check(&two, false, "carries more than one wheel");
    }

    #[test]
    fn server_json_names_the_wheel() {
        let check = |digest: &str, held: bool| {
            let mut release = release();
            let provided = serde_json::json!({ "buildInfo": { "wheelSha256": digest } });
            let text = serde_json::json!({ "_meta": { server_json::PUBLISHER: provided } });
            let bytes = text.to_string().into_bytes();
            let item = put(&mut release, Kind::ServerJson, "server.json", &bytes);
            let link = of(&release, &item, &bytes).unwrap();
            assert_eq!(link.held, held, "{}", link.detail);
        };
        check(Digest::of(b"one").hex(), true);
        check(Digest::of(b"two").hex(), false);
        check("", false);
    }

    #[test]
    fn a_statement_names_every_file() {
        let mut release = release();
        let missing = within(&release).remove(0);
        assert_eq!(missing.problem().unwrap().0, ErrorKind::Failure);
        let text = provenance::statement(&release.manifest, &[]).to_string();
        let item = put(&mut release, Kind::Provenance, "p.json", text.as_bytes());
        assert!(of(&release, &item, text.as_bytes()).unwrap().held);
        assert!(within(&release).remove(0).held);
        // What is put in by hand after it is in no statement.
        let notes = seal(
            Kind::ReleaseNotes,
            ("demo", "1.0"),
            "n",
            b"n",
            BTreeMap::new(),
        );
        release.manifest.artifacts.push(notes);
        let link = within(&release).remove(0);
        assert_eq!(link.problem().unwrap().0, ErrorKind::Conflict);
        assert!(link.detail.contains("says nothing of n"), "{}", link.detail);
    }

    #[test]
    fn it_is_said_who_gives_the_same_wheel() {
        let release = release();
        let wheel = release.manifest.find(Kind::Wheel).unwrap().sha256.clone();
        let item = |sha256: &Digest| super::super::Verified {
            item: Item {
                key: "k".to_owned(),
                sha256: sha256.clone(),
                size: 1,
                phase: Phase::Main,
            },
            standing: Standing::Same {
                level: Level::Bytes,
            },
        };
        let from = |target: &str, items, chain| From {
            target: target.to_owned(),
            kind: "local",
            items,
            chain,
        };
        let link = Link::held("demo.vsix", "carries it");
        let mut both = [
            from("index", vec![item(&wheel)], Vec::new()),
            from("shop", vec![item(&Digest::of(b"x"))], vec![link]),
        ];
        join(&mut both, &wheel);
        let detail = &both[1].chain[0].detail;
        assert_eq!(detail, "carries it, the one that index gives");
    }
}
