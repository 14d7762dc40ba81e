//! The release notes: the changelog's section of this version, and what was made. Pure.

use crate::artifact::{Kind, Manifest};

/// What the notes are made from.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'text> {
    /// The changelog's text, if the repository has one.
    pub changelog: Option<&'text str>,
    /// Subjects of the commits since the last release tag, newest first.
    pub subjects: &'text [String],
}

/// The text of `release-notes.md`.
pub fn text(manifest: &Manifest, facts: Facts<'_>) -> String {
    let Manifest {
        name,
        version,
        source,
        ..
    } = manifest;
    let mut text = format!("# {name} {version}\n\n");
    let section = facts
        .changelog
        .and_then(|changelog| section(changelog, version));
    match section {
        Some(section) => text.push_str(section),
        None => {
            let line = |subject: &String| format!("- {subject}\n");
            text.push_str("## Changes\n\n");
            text.push_str(&facts.subjects.iter().map(line).collect::<String>());
        }
    }
    text.push_str("\n\n## Files\n\n| file | size in bytes | sha256 |\n|---|---:|---|\n");
    for artifact in manifest
        .artifacts
        .iter()
        .filter(|made| !matches!(made.kind, Kind::ReleaseNotes | Kind::Provenance))
    {
        let (path, size, hash) = (&artifact.path, artifact.size, artifact.sha256.hex());
        text.push_str(&format!("| `{path}` | {size} | `{hash}` |\n"));
    }
    let dirty = if source.dirty {
        ", with changes that are in no commit"
    } else {
        ""
    };
    text.push_str(&format!(
        "\nBuilt from commit `{}`{dirty}.\n",
        source.commit
    ));
    text
}

/// The body of a version's section, or of "Unreleased" when the version has none yet
/// (Keep a Changelog 1.1.0: `## [1.2.3] - 2026-01-31`).
fn section<'text>(changelog: &'text str, version: &str) -> Option<&'text str> {
    let named = |wanted: &str| {
        let mut offset = 0;
        let mut start = None;
        for line in changelog.split_inclusive('\n') {
            if let Some(title) = line.strip_prefix("## ") {
                if let Some(start) = start {
                    return Some(changelog[start..offset].trim());
                }
                let title = title.trim_start_matches('[').trim_start_matches('v');
                let end = title.find([']', ' ', '\n', '\r']).unwrap_or(title.len());
                if title[..end].eq_ignore_ascii_case(wanted) {
                    start = Some(offset + line.len());
                }
            }
            offset += line.len();
        }
        start.map(|start| changelog[start..].trim())
    };
    named(version)
        .or_else(|| named("Unreleased"))
        .filter(|body| !body.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGELOG: &str = "# Changelog\n\n## [Unreleased]\n\n- soon\n\n## [1.1.0] - 2026-01-02\n\n### Added\n- this\n\n## 1.0.0\n- first\n";

    #[test]
    fn the_section_of_the_version_is_found_in_either_spelling() {
        let check = |version: &str, expected: Option<&str>| {
            assert_eq!(section(CHANGELOG, version), expected, "{version}");
        };
        check("1.1.0", Some("### Added\n- this"));
        check("1.0.0", Some("- first"));
        check("2.0.0", Some("- soon"));
        assert_eq!(section("# no sections\n", "1.0.0"), None);
    }
}
