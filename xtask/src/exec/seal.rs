//! What is written last into a release, over everything else: the notes, and the statement of
//! what all files were made from.

use super::{Work, documents};
use crate::artifact::{Kind, seal};
use crate::audit::examine::Scanned;
use crate::dist::Release;
use crate::error::Result;
use crate::plan::Inputs;
use crate::product::{notes, provenance};
use crate::source;
use crate::version::tag;

/// The name of the release notes in `dist/`.
const NOTES_FILE: &str = "release-notes.md";

/// Puts the notes in.
///
/// # Errors
/// The changelog or the commits cannot be read.
pub fn notes(work: &Work<'_>, release: &mut Release) -> Result<()> {
    let Work {
        world,
        config,
        checkout,
        tree,
        ..
    } = *work;
    let changelog = config
        .changelog
        .as_deref()
        .map(|path| source::text(world, checkout, tree, path))
        .transpose()?;
    let tags = tag::glob(&config.version.tag);
    let subjects = source::subjects_since_tag(world, &checkout.commit, &tags)?;
    let facts = notes::Facts {
        changelog: changelog.as_deref(),
        subjects: &subjects,
    };
    let text = notes::text(&release.manifest, facts);
    put(work, Kind::ReleaseNotes, NOTES_FILE, text, release);
    Ok(())
}

/// Puts the statement in. Nothing may be put in after it: it names every other file.
pub fn provenance(work: &Work<'_>, release: &mut Release) {
    let lock = |one: &Scanned| (one.path.clone(), one.sha256.clone());
    let locks: Vec<_> = work.locks.scanned.iter().map(lock).collect();
    let statement = provenance::statement(&release.manifest, &locks);
    let text = documents::text(&statement);
    put(work, Kind::Provenance, provenance::FILE, text, release);
}

fn put(work: &Work<'_>, kind: Kind, file: &str, text: String, release: &mut Release) {
    let manifest = &release.manifest;
    let named = (manifest.name.clone(), manifest.version.clone());
    let inputs = Inputs::from([("commit".to_owned(), work.checkout.commit.clone())]);
    let bytes = text.into_bytes();
    let artifact = seal(kind, (&named.0, &named.1), file, &bytes, inputs);
    release.put(artifact, bytes);
}
