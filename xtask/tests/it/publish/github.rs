//! The releases of a GitHub repository, before a stand-in that keeps its documented rules.

mod access;
mod drafts;
mod faults;

use super::sample::{self, CONTENT, plan, publish, publishes, state};
use crate::registries::front::{Fault, Front};
use crate::registries::github::{Asset, COMMIT, Github, Release, TOKEN};
use crate::repository::Repository;

/// The tag of the release in `dist/`.
const TAG: &str = "v1.0.0";

/// A release in `dist/` and the place that it goes to.
struct Case {
    front: Front<Github>,
    repository: Repository,
}

/// The commit that the release in `dist/` was made from.
fn commit() -> String {
    sample::release(CONTENT).manifest.source.commit
}

/// Every file that a release has to hold, by name.
fn expected() -> Vec<(String, Vec<u8>)> {
    let release = sample::release(CONTENT);
    let files = release.files().unwrap().into_iter();
    files.filter(|(path, _)| !path.contains('/')).collect()
}

impl Case {
    fn new() -> Case {
        let front = Front::start(Github::of("owner/demo"));
        front.service().commits.insert(commit());
        let settings = format!(
            "[target.hub]\nkind = \"github\"\nrepository = \"owner/demo\"\napi = \"{}\"\n\
             [profile.all]\ntargets = [\"hub\"]\n",
            front.url()
        );
        let mut repository = sample::repository(&settings);
        let token = ("GITHUB_TOKEN".to_owned(), TOKEN.to_owned());
        repository.environment.push(token);
        Case { front, repository }
    }

    /// Publishes, and expects an exit code and a text.
    fn ends(&self, code: i32, text: &str) {
        let ended = publish(&self.repository, "all");
        let said = format!("{}\n{}", ended.stdout, ended.stderr);
        assert_eq!(ended.code, Some(code), "{said}");
        assert!(said.contains(text), "{text}: {said}");
        assert!(!said.contains(TOKEN), "{said}");
    }

    fn publishes(&self) {
        let ended = publishes(&self.repository, "all");
        let said = format!("{}\n{}", ended.stdout, ended.stderr);
        assert!(!said.contains(TOKEN), "{said}");
    }

    fn state(&self, step: &str) -> String {
        state(&plan(&self.repository, "all"), step)
    }

    /// How many requests changed something, or tried to.
    fn changes(&self) -> usize {
        let asked = self.front.asked();
        asked.iter().filter(|asked| asked.method != "GET").count()
    }

    /// Requires that there is one release, published, with each file once and nothing else.
    fn is_whole(&self) {
        let service = self.front.service();
        let releases: Vec<&Release> = service.releases.iter().collect();
        let [release] = releases.as_slice() else {
            panic!("{releases:#?}");
        };
        assert_eq!((release.tag.as_str(), release.draft), (TAG, false));
        let held = release.assets.iter();
        let mut held: Vec<_> = held
            .map(|asset| (asset.name.clone(), asset.bytes.clone()))
            .collect();
        held.sort();
        assert_eq!(held, expected());
        assert!(release.assets.iter().all(|asset| asset.uploaded));
        assert_eq!(service.tags[TAG], commit());
    }

    /// A release of this tag that is there before.
    fn put(&self, release: Release) {
        let mut service = self.front.service();
        if !release.draft {
            service.tags.insert(release.tag.clone(), commit());
        }
        service.releases.push(release);
    }
}

/// A release with all files of ours.
fn whole(id: u64, draft: bool) -> Release {
    let files = expected().into_iter().enumerate();
    let assets = files.map(|(at, (name, bytes))| asset(id * 100 + at as u64, &name, &bytes));
    Release {
        id,
        tag: TAG.to_owned(),
        target: "main".to_owned(),
        name: None,
        body: None,
        draft,
        prerelease: false,
        immutable: false,
        assets: assets.collect(),
    }
}

fn asset(id: u64, name: &str, bytes: &[u8]) -> Asset {
    Asset {
        id,
        name: name.to_owned(),
        label: None,
        content_type: "application/octet-stream".to_owned(),
        uploaded: true,
        bytes: bytes.to_vec(),
    }
}

#[test]
fn a_release_gets_there_once_and_its_draft_is_published_last() {
    let case = Case::new();
    assert_eq!(case.state("hub"), "absent");
    assert_eq!(case.state("hub:last"), "absent");
    assert_eq!(case.changes(), 0);
    case.publishes();
    case.is_whole();
    let log = case.front.log();
    let changes: Vec<&String> = log.iter().filter(|line| !line.starts_with("GET")).collect();
    assert_eq!(changes.len(), expected().len() + 2, "{log:#?}");
    assert_eq!(changes[0], "POST /repos/owner/demo/releases");
    let sent = |line: &str| line.split_once("name=").map(|(_, name)| name.to_owned());
    let sent: Vec<String> = changes.iter().filter_map(|line| sent(line)).collect();
    // What names all others comes after them.
    assert!(sent.ends_with(&["manifest.json".to_owned(), "SHA256SUMS".to_owned()]));
    let last = changes.last().unwrap();
    assert!(last.starts_with("PATCH /repos/owner/demo/releases/"));
    let service = case.front.service();
    let release = service.release(TAG).unwrap().clone();
    assert_eq!(release.name.as_deref(), Some("demo-server 1.0.0"));
    assert_eq!(release.target, commit());
    assert_eq!(service.latest, Some(release.id));
    let body = release.body.unwrap();
    assert!(
        body.starts_with("# 1.0.0\n\n- The first one.\n\n<!-- mcp-shipyard: "),
        "{body}"
    );
    drop(service);
    let ledger = String::from_utf8(case.repository.read("dist/ledger.jsonl")).unwrap();
    assert!(ledger.contains("\"C0DE:") && !ledger.contains(TOKEN));
    let verified = sample::ledger(&case.repository);
    let verified = verified.iter().filter(|line| line["act"] == "verified");
    assert_eq!(verified.count(), expected().len());

    case.front.forget();
    case.publishes();
    // One page of releases, and the tag.
    assert_eq!(case.front.requests(), 2, "{:#?}", case.front.log());
    assert_eq!(case.state("hub:last"), "same");
    case.is_whole();
}

#[test]
fn what_is_published_is_never_changed() {
    let check = |change: &dyn Fn(&mut Release), text: &str| {
        let case = Case::new();
        let mut release = whole(1, false);
        change(&mut release);
        case.put(release.clone());
        case.ends(4, text);
        assert_eq!(case.changes(), 0, "{:#?}", case.front.log());
        let service = case.front.service();
        assert_eq!(service.releases.len(), 1);
        assert_eq!(service.deleted, Vec::<String>::new());
    };
    check(
        &|release| release.assets[0].bytes = b"other".to_vec(),
        "SHA256SUMS exists with other bytes: sha256:",
    );
    check(
        &|release| drop(release.assets.remove(0)),
        "a published release without it",
    );
    check(
        &|release| release.assets[0].uploaded = false,
        "an upload that broke off",
    );
    check(
        &|release| release.assets.push(asset(99, "virus.exe", b"MZ")),
        "a published release with virus.exe, too",
    );
}

#[test]
fn a_release_counts_by_its_bytes_whoever_made_it() {
    let case = Case::new();
    case.put(whole(1, false));
    case.publishes();
    assert_eq!(case.changes(), 0);
    assert_eq!(case.front.requests(), 2);
    // A server that tells no digests is asked for the bytes.
    case.front.service().digests = false;
    case.publishes();
    assert_eq!(case.changes(), 0);
    let storage = case.front.count("GET", "/storage/");
    assert_eq!(storage, expected().len());
}

#[test]
fn a_tag_of_another_commit_is_refused_and_an_annotated_one_is_followed() {
    let case = Case::new();
    let object = "d".repeat(40);
    let mut service = case.front.service();
    service.tags.insert(TAG.to_owned(), object.clone());
    let other = COMMIT.to_owned();
    service.annotated.insert(object.clone(), other);
    drop(service);
    case.ends(4, "the tag is there and names commit aaaaaaaaaaaa");
    assert_eq!(case.changes(), 0);
    assert!(case.front.service().releases.is_empty());

    case.front.service().annotated.insert(object, commit());
    case.publishes();
    let service = case.front.service();
    assert!(!service.release(TAG).unwrap().draft);
    // The tag that was there stays what it is.
    assert_eq!(service.tags[TAG], "d".repeat(40));
}

#[test]
fn a_tag_that_moves_in_between_keeps_the_draft_from_being_published() {
    let case = Case::new();
    case.front.fail(
        Some("PATCH"),
        "/releases/",
        Fault::Status(500, None),
        usize::MAX,
    );
    case.ends(1, "answers 500");
    case.front.heal();
    let other = COMMIT.to_owned();
    case.front.service().tags.insert(TAG.to_owned(), other);
    case.front.forget();
    case.ends(4, "the tag is there and names commit");
    assert_eq!(case.changes(), 0);
    assert!(case.front.service().release(TAG).unwrap().draft);
}

#[test]
fn a_commit_that_was_not_pushed_is_missed_before_anything_is_made() {
    let case = Case::new();
    case.front.service().commits.remove(&commit());
    case.ends(5, "git push");
    assert_eq!(case.changes(), 0);
}

#[test]
fn an_older_line_does_not_become_the_latest() {
    let case = Case::new();
    let mut newer = whole(7, false);
    newer.tag = "v2.0.0".to_owned();
    case.put(newer);
    case.front.service().latest = Some(7);
    case.publishes();
    assert_eq!(case.front.service().latest, Some(7));
}

#[test]
fn releases_are_found_on_every_page() {
    let case = Case::new();
    case.put(whole(1, false));
    for number in 0..230_u64 {
        let mut other = whole(number + 10, false);
        other.tag = format!("v0.0.{number}");
        other.assets.clear();
        case.put(other);
    }
    assert_eq!(case.state("hub"), "same");
    // Three pages, and the tag.
    assert_eq!(case.front.requests(), 4, "{:#?}", case.front.log());
}
