//! What is special about Python package indexes, against the stand-in of the main one.

use xtask::artifact::Kind;

use super::places::twine;
use super::sample::{self, publish, publishes};
use crate::registries::digest::{blake2_256, sha256};
use crate::registries::front::{Fault, Front};
use crate::registries::warehouse::{File, TOKEN, Warehouse};
use crate::repository::{Ended, Repository, slow};

/// An index, and a repository that publishes to it with this token.
fn index(token: Option<&str>) -> (Front<Warehouse>, Repository) {
    let front = Front::start(Warehouse::default());
    let mut repository = sample::repository(&format!(
        "[target.it]\nkind = \"pypi\"\nurl = \"{}/legacy/\"\n[profile.it]\ntargets = [\"it\"]\n",
        front.url()
    ));
    let keyring = "keyring.backends.null.Keyring".to_owned();
    let variables = match token {
        Some(token) => twine("__token__", token),
        None => vec![("PYTHON_KEYRING_BACKEND", keyring)],
    };
    for (name, value) in variables {
        repository.environment.push((name.to_owned(), value));
    }
    // Nobody's own settings of twine.
    let home = repository.root.join("home").into_string();
    std::fs::create_dir(&home).unwrap();
    repository.environment.push(("HOME".to_owned(), home));
    (front, repository)
}

fn ends(ended: &Ended, code: i32, expected: &str) {
    assert_eq!(ended.code, Some(code), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains(expected), "{}", ended.stderr);
}

#[test]
fn a_stale_index_is_waited_for_and_not_sent_to_again() {
    if !slow() {
        return;
    }
    let (front, repository) = index(Some(TOKEN));
    front.service().visible_after = 3;
    publishes(&repository, "it");
    assert_eq!(front.stored().len(), 2);
    assert_eq!(front.count("POST", "/legacy/"), 2);

    let (front, repository) = index(Some(TOKEN));
    front.service().visible_after = 1_000_000;
    let ended = publish(&repository, "it");
    ends(&ended, 3, "it was taken, and is not visible yet");
    assert_eq!(front.stored().len(), 1);
    // The next run cannot see what the last one sent; what it sends again is stored once.
    ends(&publish(&repository, "it"), 3, "not visible yet");
    assert_eq!(front.stored().len(), 1);
}

#[test]
fn bytes_that_come_back_changed_are_a_conflict() {
    if !slow() {
        return;
    }
    let (front, repository) = index(Some(TOKEN));
    front.fail(Some("GET"), "/packages/", Fault::WrongBytes, 1);
    publishes(&repository, "it");

    let (front, repository) = index(Some(TOKEN));
    front.fail(Some("GET"), "/packages/", Fault::WrongBytes, 9);
    ends(&publish(&repository, "it"), 4, "exists with other bytes");
    let ledger = sample::ledger(&repository);
    let wrong =
        |line: &&serde_json::Value| line["outcome"].as_str().unwrap().starts_with("other bytes");
    assert_eq!(ledger.iter().filter(wrong).count(), 2);
}

#[test]
fn a_name_that_was_used_once_is_used_for_ever() {
    if !slow() {
        return;
    }
    let (front, repository) = index(Some(TOKEN));
    front.service().delete("demo_server-1.0.0-py3-none-any.whl");
    ends(&publish(&repository, "it"), 4, "raise the version");
    assert!(front.stored().is_empty());
}

#[test]
fn without_the_right_token_nothing_is_sent() {
    if !slow() {
        return;
    }
    let (front, repository) = index(None);
    ends(&publish(&repository, "it"), 5, "TWINE_PASSWORD");
    assert_eq!(front.count("POST", ""), 0);

    let (front, repository) = index(Some("pypi-not-the-right-one"));
    let ended = publish(&repository, "it");
    ends(&ended, 5, "answers 403");
    assert!(!ended.stderr.contains("pypi-not-the-right-one"));
    assert!(front.stored().is_empty());
}

#[test]
fn what_trusted_publishing_needs_is_said_when_it_is_refused() {
    if !slow() {
        return;
    }
    // twine mints tokens for the two indexes that it knows alone, so here is none to use.
    let (front, mut repository) = index(None);
    let variables = front.service().actions.environment(&front.url());
    repository.environment.extend(variables);
    let ended = publish(&repository, "it");
    ends(&ended, 5, "trusted publishing");
    assert_eq!(front.count("POST", ""), 0);
}

#[test]
fn a_name_that_twine_does_not_know_is_answered_with_those_it_knows() {
    if !slow() {
        return;
    }
    let (_front, repository) = index(None);
    let settings = "[target.other]\nkind = \"pypi\"\nrepository = \"nowhere\"\n[profile.other]\n\
                    targets = [\"other\"]\n";
    let text = String::from_utf8(repository.read("release.toml")).unwrap();
    repository.write("release.toml", &format!("{text}{settings}"));
    let ended = repository.xtask(&["doctor", "--to", "other"]);
    assert!(
        ended.stdout.contains("known: "),
        "{}{}",
        ended.stdout,
        ended.stderr
    );
    let ended = repository.xtask(&["plan", "--to", "other"]);
    ends(&ended, 2, "known: ");
}

#[test]
fn every_request_is_on_record_with_its_status() {
    if !slow() {
        return;
    }
    let (_front, repository) = index(Some(TOKEN));
    publishes(&repository, "it");
    let ledger = sample::ledger(&repository);
    let statuses = |act: &str| -> Vec<u64> {
        let lines = ledger.iter().filter(|line| line["act"] == act);
        lines.filter_map(|line| line["status"].as_u64()).collect()
    };
    assert_eq!(statuses("sent"), [200, 200]);
    assert_eq!(statuses("verified"), [200, 200]);
    assert!(statuses("read").contains(&404));
}

/// The release as an earlier run has left it.
fn has_been_published(front: &Front<Warehouse>) {
    let release = sample::release(sample::CONTENT);
    let artifacts = release.manifest.artifacts.iter();
    for artifact in artifacts.filter(|it| matches!(it.kind, Kind::Wheel | Kind::Sdist)) {
        let bytes = release.contents[&artifact.path].clone();
        front.service().files.push(File {
            project: "demo-server".to_owned(),
            version: "1.0.0".to_owned(),
            name: artifact.path.clone(),
            kind: String::new(),
            sha256: sha256(&bytes),
            blake2: blake2_256(&bytes),
            bytes,
            form: Vec::new(),
            attestations: None,
            hidden: 0,
        });
    }
}

#[test]
fn what_is_there_is_seen_without_python() {
    let (front, mut repository) = index(Some(TOKEN));
    has_been_published(&front);
    for (name, value) in [
        ("XTASK_TOOLS_DIR", "nowhere"),
        ("XTASK_PYTHON", "no-python"),
    ] {
        repository
            .environment
            .push((name.to_owned(), value.to_owned()));
    }
    publishes(&repository, "it");
    assert_eq!(front.log(), ["GET /simple/demo-server/"]);

    // Before anything is called absent, twine is asked whether the index is elsewhere.
    front.service().files.clear();
    ends(&publish(&repository, "it"), 5, "no-python");
    assert_eq!(front.count("POST", ""), 0);

    // Unless release.toml says where it is.
    let text = String::from_utf8(repository.read("release.toml")).unwrap();
    let simple = format!("/legacy/\"\nsimple = \"{}/simple/\"", front.url());
    repository.write("release.toml", &text.replace("/legacy/\"", &simple));
    assert_eq!(
        sample::state(&sample::plan(&repository, "it"), "it"),
        "absent"
    );
}
