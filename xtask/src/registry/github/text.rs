//! The texts of a release: its tag, its notes with our marker, and whether it is the latest. Pure.

use crate::artifact::{Digest, Manifest};
use crate::pep440::Version;

/// GitHub takes no longer text.
const LONGEST: usize = 125_000;

/// What the marker begins with; a comment is not shown.
const BEFORE: &str = "<!-- mcp-shipyard: ";
const AFTER: &str = " -->";

/// The mark by which a draft is known as ours: the digest of what names a release, which is its
/// name, version and commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker(String);

impl Marker {
    /// The marker of a release.
    pub fn for_release(manifest: &Manifest) -> Marker {
        let (name, version) = (&manifest.name, &manifest.version);
        let named = format!("{name}\n{version}\n{}\n", manifest.source.commit);
        Marker(Digest::of(named.as_bytes()).hex().to_owned())
    }

    /// The marker that a text holds.
    pub fn of(text: &str) -> Option<Marker> {
        // Notes may speak of markers; ours is the last one.
        let (_, rest) = text.rsplit_once(BEFORE)?;
        let (hex, _) = rest.split_once(AFTER)?;
        let digest = Digest::parse(hex).ok()?;
        Some(Marker(digest.hex().to_owned()))
    }
}

/// The text of a release: its notes and the marker. Notes that are too long end with a sentence
/// that names the file that has all of them.
pub fn body(notes: &str, notes_file: &str, marker: &Marker) -> String {
    let end = format!("{BEFORE}{}{AFTER}\n", marker.0);
    let notes = notes.trim_end();
    if notes.is_empty() {
        return end;
    }
    let whole = format!("{notes}\n\n{end}");
    if whole.chars().count() <= LONGEST {
        return whole;
    }
    let rest = format!("\n\nThe rest is in {notes_file}.\n\n{end}");
    let room = LONGEST.saturating_sub(rest.chars().count());
    let head: String = notes.chars().take(room).collect();
    // Half a line could be half a link.
    let head = head
        .rsplit_once('\n')
        .map_or(head.as_str(), |(head, _)| head);
    format!("{}{rest}", head.trim_end())
}

/// Whether a version is one before a release (PEP 440).
pub fn is_unstable(version: &str) -> bool {
    Version::parse(version).is_ok_and(|version| version.is_unstable())
}

/// Whether a version becomes the latest one: it is no pre-release, and no higher one is
/// published, as it is when an older line gets a correction. `published` are the tags of what
/// is published, `pattern` the form of our tags.
pub fn is_latest<'tag>(
    version: &str,
    pattern: &str,
    published: impl IntoIterator<Item = &'tag str>,
) -> bool {
    let Ok(version) = Version::parse(version) else {
        return true;
    };
    let (before, after) = pattern.split_once("{version}").unwrap_or((pattern, ""));
    let higher = |tag: &str| {
        let text = tag.strip_prefix(before);
        let text = text.and_then(|rest| rest.strip_suffix(after));
        let other = text.and_then(|text| Version::parse(text).ok());
        other.is_some_and(|other| other > version)
    };
    !version.is_unstable() && !published.into_iter().any(higher)
}

/// Whether GitHub keeps the name of a file: it puts a dot in place of most other characters, and
/// takes dots from both ends.
pub fn is_kept(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.+@".contains(c);
    !name.is_empty() && name.chars().all(plain) && !name.starts_with('.') && !name.ends_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::Source;
    use crate::dist::Release;

    fn marker(name: &str, version: &str, commit: &str) -> Marker {
        let source = Source {
            commit: commit.to_owned(),
            dirty: false,
            source_date_epoch: 0,
        };
        Marker::for_release(&Release::empty(name, version, source).manifest)
    }

    #[test]
    fn a_marker_names_one_release() {
        let ours = marker("a", "1", "c");
        assert_eq!(ours, marker("a", "1", "c"));
        for other in [
            marker("b", "1", "c"),
            marker("a", "2", "c"),
            marker("a", "1", "d"),
        ] {
            assert_ne!(ours, other);
        }
    }

    #[test]
    fn a_marker_is_found_again_in_the_text() {
        let ours = marker("a", "1", "c");
        let check = |notes: &str| {
            let text = body(notes, "notes.md", &ours);
            assert_eq!(Marker::of(&text), Some(ours.clone()), "{notes}");
            // GitHub gives line breaks as they were sent, or as forms send them.
            let sent_by_form = text.replace('\n', "\r\n");
            assert_eq!(Marker::of(&sent_by_form), Some(ours.clone()), "{notes}");
        };
        check("");
        check("# Notes\n\n- One.\n");
        check("A marker is <!-- mcp-shipyard: x -->.");
        check(&"ü".repeat(200_000));
        for foreign in [
            "",
            "# Notes",
            "<!-- mcp-shipyard: -->",
            "<!-- mcp-shipyard: abc -->",
        ] {
            assert_eq!(Marker::of(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn long_notes_end_with_a_line_and_the_name_of_the_file() {
        let ours = marker("a", "1", "c");
        let text = body(&"- Ünïcode.\n".repeat(20_000), "notes.md", &ours);
        assert!(text.chars().count() <= LONGEST);
        assert!(text.chars().count() > LONGEST - 20);
        assert!(text.contains("- Ünïcode.\n\nThe rest is in notes.md.\n\n<!-- mcp-shipyard: "));
        let short = body("- One.\n", "notes.md", &ours);
        assert!(short.starts_with("- One.\n\n<!-- mcp-shipyard: "));
    }

    #[test]
    fn the_latest_is_the_highest_of_those_that_are_no_pre_releases() {
        let check = |version: &str, published: &[&str], expected: bool| {
            let found = is_latest(version, "v{version}", published.iter().copied());
            assert_eq!(found, expected, "{version} {published:?}");
        };
        check("1.0.0", &[], true);
        check("1.0.0", &["v0.9.0", "v1.0.0"], true);
        check("1.0.1", &["v1.0.0", "v2.0.0"], false);
        check("1.10.0", &["v1.9.0"], true);
        check("2.0.0rc1", &["v1.0.0"], false);
        check("1.0.0.post1", &["v1.0.0"], true);
        // Tags of something else in the same repository do not count.
        check(
            "1.0.0",
            &["2.0.0", "other-v2.0.0", "v2.0.0-x", "nightly"],
            true,
        );
    }

    #[test]
    fn names_that_github_would_change_are_known() {
        for kept in ["a-1.0.0+b_c.whl", "SHA256SUMS", "a@b"] {
            assert!(is_kept(kept), "{kept}");
        }
        for changed in ["", "a b", "ä", ".a", "a.", "a~1", "a(1)", "a%"] {
            assert!(!is_kept(changed), "{changed}");
        }
    }
}
