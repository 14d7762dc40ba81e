//! Moving what is under "Unreleased" below the heading of a version. Pure.

use super::link::Repository;
use super::{Changelog, Link, UNRELEASED};
use crate::error::{Error, Result};

/// The release that the text belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Release<'text> {
    /// Its version, as the changelog has it.
    pub version: &'text str,
    /// Its day, `2026-01-31`.
    pub date: &'text str,
    /// Its tag.
    pub tag: &'text str,
    /// The tag of the release before it.
    pub previous: Option<&'text str>,
    /// Where it lives.
    pub repository: Option<&'text Repository>,
}

/// The changelog with an empty "Unreleased" above the release's section; the same text when
/// nothing is coming and the section is there.
///
/// # Errors
/// There is no "Unreleased", or the version has a section already and something is coming too.
pub fn moved(changelog: &Changelog<'_>, release: Release<'_>, file: &str) -> Result<String> {
    let version = release.version;
    let known = changelog.section(version).is_some();
    let Some(unreleased) = changelog.unreleased().filter(|_| !known) else {
        return match (known, changelog.coming()) {
            (true, None) => Ok(changelog.text.to_owned()),
            (true, Some(_)) => Err(Error::conflict(format!(
                "{file}: there is a section {version} already, and text under Unreleased too"
            ))
            .hint(format!(
                "move the text by hand, or raise the version past {version}"
            ))),
            (false, _) => Err(Error::precondition(format!(
                "{file}: there is no section Unreleased"
            ))
            .hint("write one: ## [Unreleased]")
            .hint("or let it be made from the commits: cargo xtask changelog --write")),
        };
    };
    let newline = changelog.newline;
    let end = unreleased.heading.end;
    let (before, after) = changelog.text.split_at(end);
    let lead = if before.ends_with('\n') { "" } else { newline };
    let (open, close) = if unreleased.bracketed {
        ("[", "]")
    } else {
        ("", "")
    };
    let heading = format!("## {open}{version}{close} - {}{newline}", release.date);
    // An empty section keeps a line between its heading and what follows.
    let gap = match after.trim_start_matches([' ', '\t']) {
        rest if rest.starts_with("## ") || rest.starts_with('[') => newline,
        _ => "",
    };
    let text = format!("{before}{lead}{newline}{heading}{gap}{after}");
    Ok(linked(
        &Changelog::parse(&text),
        release,
        unreleased.bracketed,
    ))
}

/// Brings the references up to date: what is coming is compared with this release, and this
/// release with the one before.
fn linked(changelog: &Changelog<'_>, release: Release<'_>, bracketed: bool) -> String {
    let Release { version, tag, .. } = release;
    let newline = changelog.newline;
    let text = changelog.text;
    let is_unreleased = |link: &&Link<'_>| link.label.eq_ignore_ascii_case(UNRELEASED);
    if changelog.links.iter().any(|link| link.label == version) {
        return text.to_owned();
    }
    if let Some(link) = changelog.links.iter().find(is_unreleased) {
        // `…/compare/v1.0.0...HEAD`
        let Some((start, to)) = link.address.rsplit_once("...") else {
            return text.to_owned();
        };
        let Some((base, from)) = start.rsplit_once('/') else {
            return text.to_owned();
        };
        let line = &text[link.line.clone()];
        let coming = line.replace(link.address, &format!("{base}/{tag}...{to}"));
        let coming = coming.trim_end_matches(['\r', '\n']);
        let own = line.replace(link.address, &format!("{base}/{from}...{tag}"));
        let own = own.replacen(&format!("[{}]", link.label), &format!("[{version}]"), 1);
        let (before, after) = (&text[..link.line.start], &text[link.line.end..]);
        return format!("{before}{coming}{newline}{own}{after}");
    }
    let Some(repository) = release.repository.filter(|_| bracketed) else {
        return text.to_owned();
    };
    let own = match release.previous {
        Some(previous) => repository.compare(previous, tag),
        None => repository.release(tag),
    };
    let coming = repository.compare(tag, "HEAD");
    let lines = format!("[{UNRELEASED}]: {coming}{newline}[{version}]: {own}{newline}");
    match changelog.links.first() {
        Some(link) => {
            let (before, after) = text.split_at(link.line.start);
            format!("{before}{lines}{after}")
        }
        None => {
            let gap = match text.ends_with('\n') {
                true => newline.to_owned(),
                false => newline.repeat(2),
            };
            format!("{text}{gap}{lines}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(repository: Option<&Repository>) -> Release<'_> {
        Release {
            version: "1.1.0",
            date: "2026-01-31",
            tag: "v1.1.0",
            previous: Some("v1.0.0"),
            repository,
        }
    }

    fn check(before: &str, expected: &str) {
        for newline in ["\n", "\r\n"] {
            let before = before.replace('\n', newline);
            let found = moved(&Changelog::parse(&before), release(None), "C.md").unwrap();
            assert_eq!(found, expected.replace('\n', newline));
            let again = moved(&Changelog::parse(&found), release(None), "C.md").unwrap();
            assert_eq!(again, found);
        }
    }

    #[test]
    fn the_text_moves_below_its_version() {
        check(
            "# C\n\n## [Unreleased]\n\n### Added\n\n- x\n\n## [1.0.0] - 2026-01-01\n\n[Unreleased]: https://x/compare/v1.0.0...HEAD\n\
             [1.0.0]: https://x/releases/tag/v1.0.0\n",
            "# C\n\n## [Unreleased]\n\n## [1.1.0] - 2026-01-31\n\n### Added\n\n- x\n\n## [1.0.0] - 2026-01-01\n\n\
             [Unreleased]: https://x/compare/v1.1.0...HEAD\n[1.1.0]: https://x/compare/v1.0.0...v1.1.0\n\
             [1.0.0]: https://x/releases/tag/v1.0.0\n",
        );
        check(
            "## Unreleased\n- x\n",
            "## Unreleased\n\n## 1.1.0 - 2026-01-31\n- x\n",
        );
        check(
            "## [unreleased]\n- x\n\n[unreleased]: https://x/compare/v1.0.0...main",
            "## [unreleased]\n\n## [1.1.0] - 2026-01-31\n- x\n\n[unreleased]: https://x/compare/v1.1.0...main\n\
             [1.1.0]: https://x/compare/v1.0.0...v1.1.0",
        );
    }

    #[test]
    fn a_heading_alone_gets_an_end() {
        let found = moved(&Changelog::parse("## [Unreleased]"), release(None), "C.md").unwrap();
        assert_eq!(found, "## [Unreleased]\n\n## [1.1.0] - 2026-01-31\n");
    }

    #[test]
    fn references_begin_where_the_repository_is_known() {
        let repository = Repository::parse("github:o/n").unwrap();
        let before = "## [Unreleased]\n\n- x\n";
        let found = moved(
            &Changelog::parse(before),
            release(Some(&repository)),
            "C.md",
        )
        .unwrap();
        let expected = "## [Unreleased]\n\n## [1.1.0] - 2026-01-31\n\n- x\n\n\
                        [Unreleased]: https://github.com/o/n/compare/v1.1.0...HEAD\n\
                        [1.1.0]: https://github.com/o/n/compare/v1.0.0...v1.1.0\n";
        assert_eq!(found, expected);
    }

    #[test]
    fn what_cannot_be_moved_is_said() {
        let check = |text: &str, code: u8, said: &str| {
            let error = moved(&Changelog::parse(text), release(None), "C.md").unwrap_err();
            assert_eq!(error.kind.exit_code(), code);
            assert!(error.message.contains(said), "{error}");
        };
        check(
            "## [Unreleased]\n- x\n## [1.1.0]\n- y\n",
            4,
            "C.md: there is a section 1.1.0 already",
        );
        check("# C\n", 5, "C.md: there is no section Unreleased");
    }
}
