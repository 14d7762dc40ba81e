//! What was published is downloaded and held against the manifest, and its files fit together.

use std::collections::BTreeMap;

use serde_json::Value;
use xtask::artifact::{Kind, seal};

use super::sample::{self, CONTENT, publishes};
use crate::repository::Repository;

const WHEEL: &str = "index/demo-server/demo_server-1.0.0-py3-none-any.whl";

/// A second place beside the one that every repository has.
const BOTH: &str = "[target.more]\nkind = \"local\"\npath = \"target/more\"\n\
                    [profile.both]\ntargets = [\"local\", \"more\"]\n";

fn published(profile: &str) -> Repository {
    let repository = sample::repository(BOTH);
    sample::put(&repository, &sample::release(CONTENT));
    publishes(&repository, profile);
    repository
}

/// Runs the verb, expects an exit code and every text, and gives the report.
fn check(repository: &Repository, arguments: &[&str], code: i32, expected: &[&str]) -> Value {
    let before = repository.dist();
    let run = |format: &[&str]| repository.xtask(&[&["verify"], arguments, format].concat());
    let ended = run(&[]);
    let text = format!("{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.code, Some(code), "{text}");
    for part in expected {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    let json = run(&["--format", "json"]);
    assert_eq!(json.code, Some(code), "{}", json.stderr);
    assert_eq!(repository.dist(), before, "nothing is written");
    match code {
        2 | 5 => Value::Null,
        _ => serde_json::from_str(&json.stdout).unwrap(),
    }
}

#[test]
fn everything_that_was_published_is_what_was_made() {
    let repository = published("both");
    let said = [
        "✓ local",
        "✓ more",
        "the same bytes",
        "demo-1.0.0.vsix: carries the wheel sha256:",
        "the one that local and more gives",
        "provenance.intoto.json: names the 5 files of the manifest",
    ];
    let report = check(&repository, &["--to", "both"], 0, &said);
    assert_eq!(report["verified"], true);
    assert_eq!(report["schema"], 1);
    for from in report["from"].as_array().unwrap() {
        let items = from["items"].as_array().unwrap();
        assert!(items.len() > 5);
        for item in items {
            assert_eq!(item["state"], "same", "{item}");
        }
        let chain = from["chain"].as_array().unwrap();
        assert!(
            chain.iter().any(|link| link["file"] == "demo-1.0.0.vsix"),
            "{chain:?}"
        );
    }
    let report = check(&repository, &["--from", "more"], 0, &["✓ more"]);
    assert_eq!(report["from"].as_array().unwrap().len(), 1);
}

#[test]
fn other_bytes_are_a_conflict() {
    for file in [WHEEL, "extensions/demo-1.0.0.vsix"] {
        let repository = published("local");
        repository.write(&format!("target/published/{file}"), "tampered with");
        let said = ["✗ local", file, "other bytes: sha256:", "do not install it"];
        let report = check(&repository, &[], 4, &said);
        assert_eq!(report["verified"], false);
        let items = report["from"][0]["items"].as_array().unwrap();
        let found = items.iter().find(|item| item["key"] == *file).unwrap();
        assert_eq!(found["state"], "differs", "{found}");
        let same = |item: &&Value| item["state"] == "same";
        assert_eq!(items.iter().filter(same).count(), items.len() - 1);
    }
}

#[test]
fn what_is_missing_is_a_failure_and_other_bytes_weigh_more() {
    let repository = published("local");
    std::fs::remove_file(repository.root.join("target/published").join(WHEEL)).unwrap();
    let gone = format!("{WHEEL}: nothing is there");
    check(
        &repository,
        &[],
        1,
        &[&gone, "publish --to PROFILE --execute"],
    );
    repository.write("target/published/extensions/demo-1.0.0.vsix", "x");
    check(&repository, &[], 4, &[&gone, "other bytes"]);
    // Nothing was ever sent there.
    check(&repository, &["--from", "more"], 1, &["✗ more", "0 of"]);
}

#[test]
fn an_extension_with_another_wheel_breaks_the_chain() {
    let repository = sample::repository(BOTH);
    let mut release = sample::release(CONTENT);
    let other = sample::vsix(&sample::wheel("print('other')\n"), None);
    let named = ("demo-server", "1.0.0");
    let artifact = seal(
        Kind::Vsix,
        named,
        "demo-1.0.0.vsix",
        &other,
        BTreeMap::new(),
    );
    release.put(artifact, other);
    sample::put(&repository, &sample::finish(release));
    publishes(&repository, "local");
    let said =
        ["demo-1.0.0.vsix: extension/python_server/demo_server-1.0.0-py3-none-any.whl in it is"];
    check(&repository, &[], 4, &said);
}

#[test]
fn a_statement_that_does_not_fit_is_a_conflict_and_none_a_failure() {
    let repository = sample::repository(BOTH);
    publishes(&repository, "local");
    let mut without = sample::release(CONTENT);
    without.take_out(&[Kind::Provenance]);
    sample::put(&repository, &without);
    let ended = repository.xtask(&["verify"]);
    let text = format!("{}{}", ended.stdout, ended.stderr);
    assert!(text.contains("names no statement"), "{text}");
    let refused = sample::publish(&repository, "local");
    assert_eq!(refused.code, Some(6), "{}", refused.stderr);
    let mut release = sample::release(CONTENT);
    let notes = b"# other\n".to_vec();
    let kind = Kind::ReleaseNotes;
    let named = ("demo-server", "1.0.0");
    let artifact = seal(kind, named, "release-notes.md", &notes, BTreeMap::new());
    // By hand, past what takes the statement out.
    let at = release
        .manifest
        .artifacts
        .iter()
        .position(|one| one.kind == kind)
        .unwrap();
    release.manifest.artifacts[at] = artifact;
    release
        .contents
        .insert("release-notes.md".to_owned(), notes);
    sample::put(&repository, &release);
    check(
        &repository,
        &[],
        4,
        &["another digest for release-notes.md"],
    );
}

#[test]
fn what_cannot_be_verified_is_said_before_anything_is_asked() {
    let repository = published("local");
    let known = "unknown target `nowhere`; known: more, local";
    check(&repository, &["--from", "nowhere"], 2, &[known]);
    check(
        &repository,
        &["--to", "nowhere"],
        2,
        &["unknown profile `nowhere`"],
    );
    check(
        &repository,
        &["--to", "both", "--from", "more"],
        2,
        &["cannot be used with"],
    );
    repository.write("dist/requirements.txt", "# something else\n");
    let ended = repository.xtask(&["verify"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("is not the file that was made"),
        "{}",
        ended.stderr
    );
    std::fs::remove_dir_all(repository.root.join("dist")).unwrap();
    let ended = repository.xtask(&["verify"]);
    assert_eq!(ended.code, Some(5), "{}", ended.stderr);
}
