//! The tag of a release: made last, once, and never under another commit.

use xtask::artifact::Kind;

use super::with_identity;
use crate::publish::sample::{self, CONTENT, ledger, publish, publishes};
use crate::registries::front::Front;
use crate::registries::github::{Github, TOKEN};
use crate::repository::{CONFIGURATION, Repository};

const SITE: &str = "[profile.site]\ntargets = [\"local\"]\ntag = true\n";

/// A repository whose `dist/` holds a release of its commit.
fn repository(settings: &str) -> Repository {
    let repository = sample::repository(settings);
    repository.write(".gitignore", "/dist/\n/target/\n/home/\n/origin/\n");
    repository.commit();
    // Nobody's own settings of git.
    let home = repository.root.join("home").into_string();
    std::fs::create_dir(&home).unwrap();
    let mut repository = repository;
    repository.environment.push(("HOME".to_owned(), home));
    repository.git(&["config", "user.useConfigOnly", "true"]);
    put_release(&repository);
    repository
}

fn head(repository: &Repository) -> String {
    repository.git(&["rev-parse", "HEAD"]).trim().to_owned()
}

fn put_release(repository: &Repository) {
    let mut release = sample::release(CONTENT);
    release.take_out(&[Kind::Provenance]);
    release.manifest.source.commit = head(repository);
    sample::put(repository, &sample::finish(release));
}

fn tags(repository: &Repository) -> String {
    repository.git(&["tag", "--list"])
}

/// A bare repository that is called `origin`, and the tag is pushed to it.
fn with_origin(repository: &Repository) {
    let pushed = CONFIGURATION.replace("[version]\n", "[version]\npush-tag = \"origin\"\n");
    let text = String::from_utf8(repository.read("release.toml")).unwrap();
    repository.write("release.toml", &text.replace(CONFIGURATION, &pushed));
    repository.commit();
    put_release(repository);
    let origin = repository.root.join("origin");
    repository.git(&["init", "--quiet", "--bare", origin.as_str()]);
    repository.git(&["remote", "add", "origin", origin.as_str()]);
    repository.git(&["push", "--quiet", "origin", "HEAD:refs/heads/main"]);
}

#[test]
fn a_tag_carries_the_notes_and_is_made_once() {
    let repository = repository(SITE);
    with_identity(&repository);
    let first = publishes(&repository, "site");
    assert!(first.stdout.contains("✓ tag"), "{}", first.stdout);
    assert!(
        first.stdout.contains("git push origin v1.0.0"),
        "{}",
        first.stdout
    );
    assert_eq!(repository.git(&["cat-file", "-t", "v1.0.0"]), "tag\n");
    assert_eq!(
        repository.git(&["rev-parse", "v1.0.0^{commit}"]).trim(),
        head(&repository)
    );
    let object = repository.git(&["cat-file", "tag", "v1.0.0"]);
    let notes = String::from_utf8(repository.read("dist/release-notes.md")).unwrap();
    let (_, message) = object.split_once("\n\n").unwrap();
    assert_eq!(message, notes);
    let lines = ledger(&repository);
    assert_eq!(lines.last().unwrap()["act"], "tagged");
    assert_eq!(lines.last().unwrap()["item"], "v1.0.0");
    let again = publishes(&repository, "site");
    assert!(again.stdout.contains("= tag"), "{}", again.stdout);
    assert_eq!(repository.git(&["cat-file", "tag", "v1.0.0"]), object);
    let json = repository.succeeds(&["publish", "--to", "site", "--execute", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["tag"]["made"], "same");
}

#[test]
fn what_is_only_tried_gets_no_tag() {
    let repository = repository("[profile.it]\ntargets = [\"local\"]\n");
    publishes(&repository, "it");
    publishes(&repository, "local");
    assert_eq!(tags(&repository), "");
}

#[test]
fn without_anybody_to_sign_it_the_tag_has_no_text() {
    let repository = repository(SITE);
    let ended = publishes(&repository, "site");
    assert!(
        ended.stdout.contains("git knows nobody who makes it"),
        "{}",
        ended.stdout
    );
    assert_eq!(repository.git(&["cat-file", "-t", "v1.0.0"]), "commit\n");
}

#[test]
fn a_release_that_is_not_everywhere_gets_no_tag() {
    let repository = repository(SITE);
    with_identity(&repository);
    publishes(&repository, "local");
    let mut other = sample::release("print('two')\n");
    other.take_out(&[Kind::Provenance]);
    other.manifest.source.commit = head(&repository);
    sample::put(&repository, &sample::finish(other));
    let ended = publish(&repository, "site");
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    assert_eq!(tags(&repository), "");
}

#[test]
fn another_commit_under_the_tag_is_said_before_anything_is_sent() {
    let repository = repository(SITE);
    with_identity(&repository);
    with_origin(&repository);
    let check = |code: i32, said: &str| {
        let ended = publish(&repository, "site");
        assert_eq!(ended.code, Some(code), "{}", ended.stderr);
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
        assert!(!repository.root.join("target/published").exists());
    };
    repository.git(&["tag", "v1.0.0", "HEAD~1"]);
    check(4, "the tag v1.0.0 names commit");
    repository.git(&["push", "--quiet", "origin", "v1.0.0"]);
    repository.git(&["tag", "--delete", "v1.0.0"]);
    check(4, "at origin, and dist/ was made from");
    repository.git(&["remote", "set-url", "origin", "/nowhere"]);
    check(5, "version.push-tag names origin, which must answer");
    assert_eq!(tags(&repository), "");
}

#[test]
fn a_tag_is_pushed_where_that_is_asked_for_and_fetched_where_it_is() {
    let repository = repository(SITE);
    with_identity(&repository);
    with_origin(&repository);
    let ended = publishes(&repository, "site");
    assert!(
        ended.stdout.contains("pushed to origin"),
        "{}",
        ended.stdout
    );
    let own = repository.git(&["rev-parse", "v1.0.0"]);
    let listed = repository.git(&["ls-remote", "--tags", "origin", "v1.0.0"]);
    assert!(listed.starts_with(own.trim()), "{listed}");
    // Another machine publishes the same: the tag is the one that is there.
    repository.git(&["tag", "--delete", "v1.0.0"]);
    let again = publishes(&repository, "site");
    assert!(again.stdout.contains("fetched"), "{}", again.stdout);
    assert_eq!(repository.git(&["rev-parse", "v1.0.0"]), own);
    let third = publishes(&repository, "site");
    assert!(third.stdout.contains("= tag"), "{}", third.stdout);
}

#[test]
fn github_makes_the_tag_with_its_release() {
    let front = Front::start(Github::of("owner/demo"));
    let mut repository = repository(&format!(
        "[target.hub]\nkind = \"github\"\nrepository = \"owner/demo\"\napi = \"{}\"\n\
         [profile.all]\ntargets = [\"hub\"]\n",
        front.url()
    ));
    with_identity(&repository);
    front.service().commits.insert(head(&repository));
    let token = ("GITHUB_TOKEN".to_owned(), TOKEN.to_owned());
    repository.environment.push(token);
    let ended = publishes(&repository, "all");
    assert!(ended.stdout.contains("made by GitHub"), "{}", ended.stdout);
    assert!(
        ended.stdout.contains("git fetch origin tag v1.0.0"),
        "{}",
        ended.stdout
    );
    assert_eq!(tags(&repository), "");
}
