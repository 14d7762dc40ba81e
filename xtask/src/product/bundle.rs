//! The bundle folder: what the extension carries. Exactly three files, swapped as one.

use std::collections::BTreeMap;

use camino::Utf8Path;

use crate::artifact::{BundleManifest, BundledFile, Kind, MANIFEST_FILE, MANIFEST_SCHEMA};
use crate::dist::Release;
use crate::error::Result;
use crate::world::files::{self, Staged};

/// The requirements' name, in the bundle and in `dist/`.
pub const REQUIREMENTS_FILE: &str = "requirements.txt";

/// The three files by name.
///
/// # Errors
/// The release lacks the wheel or the requirements.
pub fn contents(release: &Release, console_script: &str) -> Result<BTreeMap<String, Vec<u8>>> {
    let (wheel, wheel_bytes) = release.only(Kind::Wheel)?;
    let (requirements, requirements_bytes) = release.only(Kind::Requirements)?;
    let manifest = BundleManifest {
        schema: MANIFEST_SCHEMA,
        name: wheel.name.clone(),
        version: wheel.version.clone(),
        commit: release.manifest.source.commit.clone(),
        dirty: release.manifest.source.dirty,
        console_script: console_script.to_owned(),
        wheel: BundledFile {
            file: wheel.path.clone(),
            size: wheel.size,
            sha256: wheel.sha256.clone(),
        },
        requirements: BundledFile {
            file: REQUIREMENTS_FILE.to_owned(),
            size: requirements.size,
            sha256: requirements.sha256.clone(),
        },
    };
    Ok(BTreeMap::from([
        (wheel.path.clone(), wheel_bytes.to_vec()),
        (MANIFEST_FILE.to_owned(), manifest.text().into_bytes()),
        (REQUIREMENTS_FILE.to_owned(), requirements_bytes.to_vec()),
    ]))
}

/// Whether a folder holds exactly these files.
pub fn is_in_place(folder: &Utf8Path, contents: &BTreeMap<String, Vec<u8>>) -> bool {
    let Ok(entries) = folder.read_dir_utf8() else {
        return false;
    };
    let mut found = 0;
    for entry in entries {
        let same = entry.is_ok_and(|entry| {
            let expected = contents.get(entry.file_name());
            expected
                .is_some_and(|bytes| std::fs::read(entry.path()).is_ok_and(|found| found == *bytes))
        });
        if !same {
            return false;
        }
        found += 1;
    }
    found == contents.len()
}

/// Replaces a folder by exactly these files.
///
/// # Errors
/// The disk is full or read-only; the old folder then stays.
pub fn write(folder: &Utf8Path, contents: &BTreeMap<String, Vec<u8>>) -> Result<()> {
    let staged = Staged::beside(folder)?;
    for (name, bytes) in contents {
        files::write(&staged.path().join(name), bytes)?;
    }
    staged.swap()
}
