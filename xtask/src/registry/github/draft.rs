//! Which release of a listing is ours, what it has, and whether it may be published. Pure.
//!
//! A published release counts by its bytes, whoever made it. A draft is seen by nobody, so that
//! its bytes may change; ours is told from those of other people by a marker in its text.

use octocrab::models::repos::{Asset, Release};

use super::text::Marker;
use crate::artifact::Digest;
use crate::registry::{Item, Level, Phase, Presence};

/// The state of an asset whose bytes have all arrived. After an upload that broke off, an asset
/// stays with another one.
const UPLOADED: &str = "uploaded";

/// What a repository has under a tag.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Found<'listing> {
    /// Nothing.
    Nothing,
    /// A draft of ours.
    Draft(&'listing Release),
    /// A draft of somebody else.
    Foreign(&'listing Release),
    /// A release that everybody sees.
    Published(&'listing Release),
}

/// What one asset is to an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Has {
    /// There is none.
    Nothing,
    /// Its bytes.
    Same,
    /// What it is instead.
    Other(String),
}

/// Whether a release is a draft of ours.
fn is_ours(release: &Release) -> bool {
    release.draft && Marker::of(release.body.as_deref().unwrap_or_default()).is_some()
}

/// How much of what is wanted a release has.
fn fullness(release: &Release, files: &[Item]) -> usize {
    let same = |file: &&Item| has(release, file) == Has::Same;
    files.iter().filter(same).count()
}

/// What there is of the releases of one tag.
///
/// A creation that was answered with an error may have been done all the same, and shown only
/// after a second one: then there are two drafts of ours. The one that has most of the files is
/// taken, the older one of two equals, so that every run takes the same.
pub fn find<'listing>(of_tag: &'listing [Release], files: &[Item]) -> Found<'listing> {
    if let Some(release) = of_tag.iter().find(|release| !release.draft) {
        return Found::Published(release);
    }
    if let Some(release) = of_tag.iter().find(|release| !is_ours(release)) {
        return Found::Foreign(release);
    }
    let fullest = of_tag
        .iter()
        .max_by_key(|release| (fullness(release, files), std::cmp::Reverse(release.id.0)));
    fullest.map_or(Found::Nothing, Found::Draft)
}

/// The drafts of ours beside the one that is taken: those that hold nothing, and the others.
pub fn spare<'listing>(
    of_tag: &'listing [Release],
    taken: &Release,
) -> (Vec<&'listing Release>, Vec<&'listing Release>) {
    let beside = |release: &&Release| is_ours(release) && release.id != taken.id;
    of_tag
        .iter()
        .filter(beside)
        .partition(|release| release.assets.is_empty())
}

/// The asset of a name.
pub fn asset<'release>(release: &'release Release, key: &str) -> Option<&'release Asset> {
    release.assets.iter().find(|asset| asset.name == key)
}

/// Whether the bytes of an asset are there and only their digest is not told.
pub fn is_untold(asset: &Asset, file: &Item) -> bool {
    let size = u64::try_from(asset.size);
    asset.state == UPLOADED && asset.digest.is_none() && size == Ok(file.size)
}

/// What a release has of a file.
pub fn has(release: &Release, file: &Item) -> Has {
    let Some(asset) = asset(release, &file.key) else {
        return Has::Nothing;
    };
    if asset.state != UPLOADED {
        return Has::Other("an upload that broke off".to_owned());
    }
    let told = asset.digest.as_deref();
    match told.and_then(|digest| Digest::parse(digest).ok()) {
        Some(digest) if digest == file.sha256 => Has::Same,
        Some(digest) => Has::Other(digest.to_string()),
        None => Has::Other(format!("a file of {} bytes", asset.size)),
    }
}

/// The names of assets that are no files of this release.
fn strange<'release>(release: &'release Release, files: &[Item]) -> Vec<&'release str> {
    let known = |name: &str| files.iter().any(|file| file.key == name);
    let names = release.assets.iter().map(|asset| asset.name.as_str());
    names.filter(|name| !known(name)).collect()
}

/// What keeps the whole release from being sent, in a few words. `tagged` is the commit that the
/// tag names, `None` as long as nobody asked or there is no such tag.
///
/// Somebody may have put a file into our draft by hand. It would be published with ours, and
/// to delete it is not for us: a person has to look.
pub fn obstacle(
    found: Found<'_>,
    files: &[Item],
    tagged: Option<&str>,
    commit: &str,
) -> Option<String> {
    match (tagged, found) {
        (Some(tagged), _) if tagged != commit => {
            Some(format!("the tag is there and names commit {tagged:.12}"))
        }
        (_, Found::Foreign(draft)) => Some(format!(
            "somebody else's draft of this tag: {}",
            draft.html_url
        )),
        (_, Found::Draft(draft)) => match strange(draft, files).as_slice() {
            [] => None,
            names => Some(format!(
                "a draft that also holds {}: {}",
                names.join(", "),
                draft.html_url
            )),
        },
        (_, Found::Nothing | Found::Published(_)) => None,
    }
}

/// What there is of an item; `release` of the one that publishes the draft.
pub fn presence(item: &Item, found: Found<'_>, files: &[Item], tagged: Option<&str>) -> Presence {
    match item.phase {
        Phase::Main => file(item, found),
        Phase::Last => whole(found, files, tagged),
    }
}

fn file(item: &Item, found: Found<'_>) -> Presence {
    let level = Level::Digest;
    match found {
        Found::Nothing | Found::Foreign(_) => Presence::Absent,
        Found::Draft(draft) => match has(draft, item) {
            Has::Nothing => Presence::Absent,
            Has::Same => Presence::Same { level },
            Has::Other(remote) => Presence::Outdated { remote },
        },
        Found::Published(release) => match has(release, item) {
            Has::Nothing => Presence::Differs {
                remote: "a published release without it".to_owned(),
            },
            Has::Same => Presence::Same { level },
            Has::Other(remote) => Presence::Differs { remote },
        },
    }
}

/// Whether the release as a whole is published.
fn whole(found: Found<'_>, files: &[Item], tagged: Option<&str>) -> Presence {
    let Found::Published(release) = found else {
        return Presence::Absent;
    };
    let published_at = release.published_at.map(|time| time.to_rfc3339());
    match (lacking(release, files), strange(release, files), tagged) {
        (Some(lacking), _, _) => Presence::Differs {
            remote: format!("a published release {lacking}"),
        },
        (None, strange, _) if !strange.is_empty() => Presence::Differs {
            remote: format!("a published release with {}, too", strange.join(", ")),
        },
        (None, _, None) => Presence::Pending {
            since: published_at,
            why: "its tag is not visible yet".to_owned(),
        },
        (None, _, Some(_)) => Presence::Same {
            level: Level::Digest,
        },
    }
}

/// What a release lacks of its files, if anything.
pub fn lacking(release: &Release, files: &[Item]) -> Option<String> {
    files.iter().find_map(|file| match has(release, file) {
        Has::Same => None,
        Has::Nothing => Some(format!("without {}", file.key)),
        Has::Other(other) => Some(format!("with another {}: {other}", file.key)),
    })
}

#[cfg(test)]
mod tests;
