//! What an image is called: its build id, the version, and `latest`.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::artifact::{Manifest, Source};
use crate::product::oci;

/// How many digits of a commit name it.
const SHORT: usize = 12;

/// The tag that moves.
pub const LATEST: &str = "latest";

/// The short commit, with `-dirty` for a working tree; outside of git the time.
pub fn build_id(source: Option<&Source>, now: Timestamp) -> String {
    match source {
        Some(source) => {
            let short: String = source.commit.chars().take(SHORT).collect();
            let dirty = if source.dirty { "-dirty" } else { "" };
            format!("{short}{dirty}")
        }
        None => {
            let moment = now.to_zoned(TimeZone::UTC);
            moment.strftime("%Y%m%d%H%M%S").to_string()
        }
    }
}

/// The tags of a release's image that never move, in the order in which they are set.
pub fn fixed(manifest: &Manifest) -> Vec<String> {
    let build = build_id(Some(&manifest.source), Timestamp::UNIX_EPOCH);
    let mut tags = vec![build, oci::tag(&manifest.version)];
    tags.dedup();
    tags
}

/// All tags of a release's image.
pub fn all(manifest: &Manifest) -> Vec<String> {
    let mut tags = fixed(manifest);
    tags.push(LATEST.to_owned());
    tags
}

/// A name that engines take as that of a repository: lower case, words joined by one separator.
pub fn repository(name: &str) -> String {
    crate::name::normalize(name)
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect::<String>()
        .split('-')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_is_named_by_its_commit_or_by_the_time() {
        let check = |dirty: Option<bool>, expected: &str| {
            let source = dirty.map(|dirty| Source {
                commit: "0123456789abcdef0123456789abcdef01234567".to_owned(),
                dirty,
                source_date_epoch: 0,
            });
            let now = "2026-11-28T22:23:40Z".parse().unwrap();
            assert_eq!(build_id(source.as_ref(), now), expected);
        };
        check(Some(false), "0123456789ab");
        check(Some(true), "0123456789ab-dirty");
        check(None, "20261128222340");
    }

    #[test]
    fn a_repository_has_plain_words() {
        let check = |name: &str, expected: &str| assert_eq!(repository(name), expected);
        check("mcp-server-jupyter", "mcp-server-jupyter");
        check("My Server_2", "my-server-2");
        check("Straße-", "stra-e");
    }
}
