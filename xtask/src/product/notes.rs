//! The release notes: the changelog's section of this version, and what was made. Pure.

use jiff::tz::TimeZone;

use crate::artifact::{Kind, Manifest};
use crate::changelog::Changelog;
use crate::printable;

/// How much of a commit's subject is shown.
const LONGEST: usize = 500;

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
    let day = jiff::Timestamp::from_second(source.source_date_epoch).unwrap_or_default();
    let day = day.to_zoned(TimeZone::UTC).date().to_string();
    let section = facts
        .changelog
        .and_then(|changelog| section(changelog, version, &day));
    let date = section.and_then(|(_, date)| date);
    let date = date.map_or_else(String::new, |date| format!(" - {date}"));
    let mut text = format!("# {name} {version}{date}\n\n");
    match section {
        Some((section, _)) => text.push_str(section),
        None => {
            let line = |subject: &String| format!("- {}\n", printable::line(subject, LONGEST));
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

/// The body of a version's section with its date, or what is under "Unreleased" with the day of
/// the commit when the version has no section yet (Keep a Changelog 1.1.0).
fn section<'text>(
    changelog: &'text str,
    version: &str,
    day: &'text str,
) -> Option<(&'text str, Option<&'text str>)> {
    let changelog = Changelog::parse(changelog);
    let own = changelog
        .section(version)
        .map(|section| (changelog.body(section), section.date));
    own.or_else(|| Some((changelog.coming()?, Some(day))))
        .filter(|(body, _)| !body.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGELOG: &str = "# Changelog\n\n## [Unreleased]\n\n- soon\n\n## [1.1.0] - 2026-01-02\n\n### Added\n- this\n\n## 1.0.0\n- first\n";

    #[test]
    fn the_section_of_the_version_is_found_in_either_spelling() {
        let check = |version: &str, expected: Option<(&str, Option<&str>)>| {
            assert_eq!(
                section(CHANGELOG, version, "2026-02-03"),
                expected,
                "{version}"
            );
        };
        check("1.1.0", Some(("### Added\n- this", Some("2026-01-02"))));
        check("1.0.0", Some(("- first", None)));
        check("2.0.0", Some(("- soon", Some("2026-02-03"))));
        assert_eq!(section("# no sections\n", "1.0.0", "2026-02-03"), None);
    }

    #[test]
    fn commits_stand_in_for_a_changelog_without_what_cannot_be_seen() {
        let manifest = Manifest {
            schema: 1,
            name: "demo".to_owned(),
            version: "1.0.0".to_owned(),
            source: crate::artifact::Source {
                commit: "c".repeat(40),
                dirty: false,
                source_date_epoch: 0,
            },
            artifacts: Vec::new(),
            proof: None,
        };
        let subjects = ["Plain".to_owned(), "a\u{202e}b".to_owned()];
        let facts = Facts {
            changelog: None,
            subjects: &subjects,
        };
        let text = text(&manifest, facts);
        assert!(
            text.contains("## Changes\n\n- Plain\n- a\\u{202e}b\n"),
            "{text}"
        );
    }
}
