//! Releases as GitHub describes them, and what is made of them.

use serde_json::{Value, json};

use super::*;
use crate::registry::Phase;

const OURS: &str = "Notes.\n\n<!-- mcp-shipyard: \
    919b2f6c8d41919b2f6c8d41919b2f6c8d41919b2f6c8d41919b2f6c8d41abcd -->\n";

fn asset(id: u64, name: &str, bytes: &[u8]) -> Value {
    let address = "https://example.org/a";
    json!({
        "url": address, "browser_download_url": address, "id": id, "node_id": "n", "name": name,
        "label": null, "state": "uploaded", "content_type": "application/octet-stream",
        "size": bytes.len(), "digest": Digest::of(bytes).to_string(), "download_count": 0,
        "created_at": "2026-01-02T03:04:05Z", "updated_at": "2026-01-02T03:04:05Z",
        "uploader": null,
    })
}

fn release(id: u64, body: &str, draft: bool, assets: &[Value]) -> Release {
    let address = format!("https://example.org/{id}");
    let described = json!({
        "url": address, "html_url": address, "assets_url": address,
        "upload_url": format!("{address}/assets{{?name,label}}"),
        "tarball_url": null, "zipball_url": null, "id": id, "node_id": "n", "tag_name": "v1",
        "target_commitish": "main", "name": "x 1", "body": body, "draft": draft,
        "prerelease": false, "created_at": "2026-01-02T03:04:05Z",
        "published_at": (!draft).then_some("2026-01-02T03:04:05Z"),
        "author": null, "assets": assets,
    });
    serde_json::from_value(described).unwrap()
}

fn item(key: &str, bytes: &[u8], phase: Phase) -> Item {
    Item {
        key: key.to_owned(),
        sha256: Digest::of(bytes),
        size: bytes.len() as u64,
        phase,
    }
}

fn files() -> Vec<Item> {
    vec![item("a", b"1", Phase::Main), item("b", b"2", Phase::Main)]
}

fn both() -> [Value; 2] {
    [asset(1, "a", b"1"), asset(2, "b", b"2")]
}

#[test]
fn ours_is_told_from_others() {
    let check = |releases: &[Release], expected: &str| {
        let found = match find(releases, &files()) {
            Found::Nothing => "nothing".to_owned(),
            Found::Draft(release) => format!("draft {}", release.id),
            Found::Foreign(release) => format!("foreign {}", release.id),
            Found::Published(release) => format!("published {}", release.id),
        };
        assert_eq!(found, expected);
    };
    let empty = |id| release(id, OURS, true, &[]);
    check(&[], "nothing");
    check(&[empty(7)], "draft 7");
    // The older one of two equals, in whatever order they come.
    check(&[empty(7), empty(9)], "draft 7");
    check(&[empty(9), empty(7)], "draft 7");
    // The one that has more, though it is younger; other bytes do not count.
    let fuller = release(9, OURS, true, &[asset(1, "a", b"1")]);
    let stale = release(7, OURS, true, &[asset(1, "a", b"0"), asset(2, "b", b"0")]);
    check(&[empty(7), fuller.clone()], "draft 9");
    check(&[fuller, stale], "draft 9");
    let foreign = release(3, "Somebody's notes", true, &[]);
    check(&[empty(7), foreign.clone()], "foreign 3");
    // Whoever published it: a published release counts by its bytes.
    let published = release(5, "", false, &[]);
    check(&[empty(7), foreign, published], "published 5");
}

#[test]
fn drafts_beside_ours_are_told_by_what_they_hold() {
    let releases = [
        release(1, OURS, true, &both()),
        release(2, OURS, true, &[]),
        release(3, OURS, true, &[asset(9, "a", b"0")]),
        release(4, "", true, &[]),
        release(5, OURS, false, &[]),
    ];
    let (empty, others) = spare(&releases, &releases[0]);
    let numbers = |found: Vec<&Release>| -> Vec<u64> { found.iter().map(|it| it.id.0).collect() };
    assert_eq!(numbers(empty), [2]);
    assert_eq!(numbers(others), [3]);
}

#[test]
fn an_asset_counts_by_its_digest() {
    let file = item("a", b"1", Phase::Main);
    let check = |change: &dyn Fn(&mut Value), expected: Has| {
        let mut one = asset(1, "a", b"1");
        change(&mut one);
        assert_eq!(has(&release(1, OURS, true, &[one]), &file), expected);
    };
    let other = |text: &str| Has::Other(text.to_owned());
    check(&|_| {}, Has::Same);
    check(&|asset| asset["name"] = "A".into(), Has::Nothing);
    let digest = Digest::of(b"0").to_string();
    check(
        &|asset| asset["digest"] = digest.as_str().into(),
        other(&digest),
    );
    let broken = other("an upload that broke off");
    check(&|asset| asset["state"] = "starter".into(), broken);
    check(
        &|asset| asset["digest"] = Value::Null,
        other("a file of 1 bytes"),
    );
    check(
        &|asset| asset["digest"] = "md5:1".into(),
        other("a file of 1 bytes"),
    );
}

#[test]
fn only_bytes_that_may_be_the_same_are_fetched_to_be_hashed() {
    let file = item("a", b"1", Phase::Main);
    let check = |change: &dyn Fn(&mut Value), expected: bool| {
        let mut one = asset(1, "a", b"1");
        one["digest"] = Value::Null;
        change(&mut one);
        let release = release(1, OURS, true, &[one]);
        assert_eq!(is_untold(&release.assets[0], &file), expected);
    };
    check(&|_| {}, true);
    check(&|asset| asset["size"] = 2.into(), false);
    check(&|asset| asset["state"] = "starter".into(), false);
    check(&|asset| asset["digest"] = "sha256:0".into(), false);
}

#[test]
fn a_draft_may_change_and_what_is_published_may_not() {
    let check = |release: &Release, key: &str, bytes: &[u8], expected: &str| {
        let found = match release.draft {
            true => Found::Draft(release),
            false => Found::Published(release),
        };
        let seen = match presence(&item(key, bytes, Phase::Main), found, &files(), None) {
            Presence::Absent => "absent",
            Presence::Outdated { .. } => "outdated",
            Presence::Pending { .. } => "pending",
            Presence::Same { .. } => "same",
            Presence::Differs { .. } => "differs",
        };
        assert_eq!(seen, expected, "{} {key}", release.draft);
    };
    for draft in [true, false] {
        let told = |draft_word, published| if draft { draft_word } else { published };
        let release = release(1, OURS, draft, &[asset(1, "a", b"1")]);
        check(&release, "a", b"1", "same");
        check(&release, "a", b"0", told("outdated", "differs"));
        check(&release, "b", b"2", told("absent", "differs"));
    }
}

#[test]
fn a_release_is_there_when_it_is_published_whole_and_tagged() {
    let last = item("release v1", b"sums", Phase::Last);
    let check = |draft, assets: &[Value], tagged: Option<&str>, expected: &str| {
        let release = release(1, OURS, draft, assets);
        let found = match draft {
            true => Found::Draft(&release),
            false => Found::Published(&release),
        };
        let seen = match presence(&last, found, &files(), tagged) {
            Presence::Differs { remote } => remote,
            Presence::Pending { since, why } => format!("{since:?} {why}"),
            Presence::Same { level } => format!("{level:?}"),
            other => format!("{other:?}"),
        };
        assert_eq!(seen, expected);
    };
    check(true, &both(), None, "Absent");
    check(false, &both(), Some("c"), "Digest");
    let since = r#"Some("2026-01-02T03:04:05+00:00")"#;
    let pending = format!("{since} its tag is not visible yet");
    check(false, &both(), None, &pending);
    check(false, &[], Some("c"), "a published release without a");
    let [a, b] = both();
    let other = asset(3, "a", b"0");
    let told = format!("a published release with another a: {}", Digest::of(b"0"));
    check(false, &[other, b.clone()], Some("c"), &told);
    let more = [a, b, asset(3, "c", b"3")];
    check(false, &more, Some("c"), "a published release with c, too");
}

#[test]
fn what_is_in_the_way_stops_everything() {
    let check = |found: Found<'_>, tagged: Option<&str>, expected: Option<&str>| {
        let said = obstacle(found, &files(), tagged, "0123456789abcdef");
        assert_eq!(said.as_deref(), expected);
    };
    let own = "0123456789abcdef";
    let elsewhere = "the tag is there and names commit fedcba987654";
    let draft = release(1, OURS, true, &both());
    let published = release(2, "", false, &[]);
    for found in [
        Found::Nothing,
        Found::Draft(&draft),
        Found::Published(&published),
    ] {
        check(found, None, None);
        check(found, Some(own), None);
        check(found, Some("fedcba9876543210"), Some(elsewhere));
    }
    let foreign = release(3, "Notes", true, &[]);
    let said = "somebody else's draft of this tag: https://example.org/3";
    check(Found::Foreign(&foreign), Some(own), Some(said));
    let mixed = release(4, OURS, true, &[asset(1, "a", b"1"), asset(3, "c", b"3")]);
    let said = "a draft that also holds c: https://example.org/4";
    check(Found::Draft(&mixed), None, Some(said));
}

#[test]
fn a_draft_lacks_what_is_missing_or_other() {
    let check = |assets: &[Value], expected: Option<&str>| {
        let release = release(1, OURS, true, assets);
        assert_eq!(lacking(&release, &files()).as_deref(), expected);
    };
    let [a, b] = both();
    check(&[a.clone(), b.clone()], None);
    check(&[a], Some("without b"));
    let mut broken = asset(1, "a", b"1");
    broken["state"] = "starter".into();
    check(
        &[broken, b],
        Some("with another a: an upload that broke off"),
    );
}
