//! Open VSX: what is special about it beside the contract of every target.

use super::sample::{self, plan, publish, publishes, state};
use crate::registries::front::{Fault, Front};
use crate::registries::open_vsx::{OpenVsx, TOKEN};
use crate::registries::warehouse::TrustedPublisher;
use crate::repository::{Ended, Repository};

fn front() -> Front<OpenVsx> {
    Front::start(OpenVsx::with("example"))
}

/// A repository that publishes to a registry, with a token when there is one.
fn repository(front: &Front<OpenVsx>, token: Option<&str>) -> Repository {
    let url = front.url();
    let target = format!("[target.it]\nkind = \"open-vsx\"\nurl = \"{url}\"\n");
    let mut repository = sample::repository(&format!("{target}[profile.it]\ntargets = [\"it\"]\n"));
    let token = token.map(|token| ("OVSX_PAT".to_owned(), token.to_owned()));
    repository.environment.extend(token);
    repository
}

fn sent(front: &Front<OpenVsx>) -> usize {
    front.count("POST", "/api/-/publish")
}

fn ends(ended: &Ended, code: i32, part: &str) {
    let all = format!("{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.code, Some(code), "{all}");
    assert!(all.contains(part), "no {part:?} in {all}");
}

/// The token is in no output and in no ledger.
fn is_hidden(repository: &Repository, ended: &Ended) {
    let ledger = String::from_utf8(repository.read("dist/ledger.jsonl")).unwrap();
    for text in [&ended.stdout, &ended.stderr, &ledger] {
        assert!(!text.contains(TOKEN), "{text}");
    }
}

#[test]
fn a_new_registry_gets_the_token_in_a_header() {
    let front = front();
    let repository = repository(&front, Some(TOKEN));
    let ended = repository.succeeds(&["publish", "--to", "it", "--execute", "--verbose"]);
    is_hidden(&repository, &ended);
    assert_eq!(sent(&front), 1);
    assert!(front.log().iter().all(|line| !line.contains("token=")));
    assert_eq!(front.stored(), ["example.demo 1.0.0"]);
    // The signature was read and checked.
    assert!(front.count("GET", ".sigzip") >= 1, "{:#?}", front.log());

    front.forget();
    publishes(&repository, "it");
    // The version and its digest, and where the registry keeps that.
    assert_eq!(front.requests(), 3, "{:#?}", front.log());
}

#[test]
fn an_old_registry_gets_it_in_the_address_which_nobody_sees() {
    let front = front();
    front.service().version = "v0.34.1".to_owned();
    front.fail(Some("POST"), "", Fault::StatusAfter(502), 1);
    let repository = repository(&front, Some(TOKEN));
    let ended = repository.succeeds(&["publish", "--to", "it", "--execute", "--verbose"]);
    assert_eq!(front.count("POST", &format!("publish?token={TOKEN}")), 1);
    is_hidden(&repository, &ended);

    let broken = self::front();
    broken.service().version = "v0.34.1".to_owned();
    broken.fail(Some("POST"), "", Fault::CutBefore, 9);
    let repository = self::repository(&broken, Some(TOKEN));
    let ended = publish(&repository, "it");
    ends(&ended, 1, "/api/-/publish");
    is_hidden(&repository, &ended);
    assert!(broken.stored().is_empty());
}

#[test]
fn a_busy_registry_is_not_taken_for_an_old_one() {
    let front = front();
    front.fail(None, "/api/version", Fault::Status(503, None), 9);
    let repository = repository(&front, Some(TOKEN));
    ends(&publish(&repository, "it"), 1, "/api/version: answers 503");
    assert!(!front.has_seen(TOKEN));
}

#[test]
fn what_was_taken_and_is_not_active_is_pending_and_sent_once() {
    let front = front();
    front.service().active_after = 1_000;
    let repository = repository(&front, Some(TOKEN));
    ends(&publish(&repository, "it"), 3, "not visible yet");
    assert_eq!(sent(&front), 1);
    // Only sending tells that it is there; nothing is stored a second time.
    assert_eq!(state(&plan(&repository, "it"), "it"), "absent");
    ends(&publish(&repository, "it"), 3, "not visible yet");
    assert_eq!(front.stored().len(), 1);
    front.service().versions[0].waiting = 0;
    publishes(&repository, "it");
    assert_eq!(front.stored().len(), 1);

    let soon = self::front();
    soon.service().active_after = 3;
    publishes(&self::repository(&soon, Some(TOKEN)), "it");
    assert_eq!(sent(&soon), 1);
}

#[test]
fn a_signature_that_fails_is_a_conflict() {
    let front = front();
    front.service().bad_signature = true;
    let repository = repository(&front, Some(TOKEN));
    ends(&publish(&repository, "it"), 4, "the signature");
}

#[test]
fn other_bytes_are_a_conflict_and_nothing_is_sent() {
    let front = front();
    let repository = repository(&front, Some(TOKEN));
    publishes(&repository, "it");
    front.service().wrong_digest = true;
    front.forget();
    ends(&publish(&repository, "it"), 4, "exists with other bytes");
    assert_eq!(sent(&front), 0);

    let removed = self::front();
    let repository = self::repository(&removed, Some(TOKEN));
    publishes(&repository, "it");
    removed.service().versions[0].bytes.push(0);
    removed.fail(Some("GET"), "/api/example", Fault::Status(404, None), 1);
    ends(&publish(&repository, "it"), 4, "exists with other bytes");
    assert_eq!(removed.stored().len(), 1);
}

#[test]
fn each_platform_is_a_file_of_its_own() {
    let front = front();
    let repository = repository(&front, Some(TOKEN));
    sample::put(&repository, &sample::matrix());
    // The first is taken, and the registry then fails: half a matrix.
    front.fail(Some("GET"), "/darwin-arm64/", Fault::Status(404, None), 1);
    front.fail(Some("GET"), "/darwin-arm64/", Fault::Status(500, None), 9);
    assert_eq!(publish(&repository, "it").code, Some(1));
    assert_eq!(front.stored(), ["example.demo 1.0.0 (linux-x64)"]);
    front.heal();
    assert_eq!(state(&plan(&repository, "it"), "it"), "partial");
    front.forget();
    publishes(&repository, "it");
    assert_eq!(sent(&front), 1);
    assert_eq!(front.stored().len(), 2);
    assert_eq!(state(&plan(&repository, "it"), "it"), "same");
}

#[test]
fn without_a_credential_nothing_is_sent() {
    let front = front();
    ends(&publish(&repository(&front, None), "it"), 5, "OVSX_PAT");
    let foreign = repository(&front, Some("ovsxat_foreign"));
    let ended = publish(&foreign, "it");
    ends(&ended, 5, "Invalid access token");
    assert!(!format!("{}{}", ended.stdout, ended.stderr).contains("ovsxat_foreign"));
    assert!(front.stored().is_empty());
}

#[test]
fn what_is_refused_says_how_to_go_on() {
    let nowhere = Front::start(OpenVsx::with("other"));
    let ended = publish(&repository(&nowhere, Some(TOKEN)), "it");
    ends(&ended, 5, "npx ovsx create-namespace example");
    let front = front();
    front.service().limit = 100;
    let ended = publish(&repository(&front, Some(TOKEN)), "it");
    ends(&ended, 1, "answers 413");
    ends(&ended, 1, "100 are taken");
    assert!(front.stored().is_empty());
}

#[test]
fn a_job_publishes_without_a_token() {
    let front = front();
    let mut repository = repository(&front, None);
    let variables = front.service().actions.environment(&front.url());
    repository.environment.extend(variables);
    let ended = publish(&repository, "it");
    ends(&ended, 5, "user-settings/trusted-publishers");
    ends(&ended, 5, "repo:owner/demo:environment:release");
    assert!(front.stored().is_empty());
    let publisher = TrustedPublisher {
        repository: "owner/demo".to_owned(),
        workflow: "release.yml".to_owned(),
        environment: None,
    };
    let key = ("example".to_owned(), "demo".to_owned());
    front.service().publishers.insert(key, publisher);
    let ended = publishes(&repository, "it");
    assert!(front.has_seen("ovsxat_trusted"));
    assert!(!ended.stdout.contains("ovsxat_trusted"));
    assert_eq!(front.stored().len(), 1);
}

#[test]
fn doctor_looks_at_credentials_and_publishes_nothing() {
    let front = front();
    let doctor = |repository: &Repository| {
        let ended = repository.xtask(&["doctor", "--to", "it"]);
        format!("{}{}", ended.stdout, ended.stderr)
    };
    let said = doctor(&repository(&front, Some(TOKEN)));
    assert!(said.contains("OVSX_PAT may publish as example"), "{said}");
    let said = doctor(&repository(&front, Some("ovsxat_foreign")));
    assert!(said.contains("OVSX_PAT may not publish"), "{said}");
    assert!(!said.contains("ovsxat_foreign"), "{said}");
    let mut job = repository(&front, None);
    job.environment
        .extend(front.service().actions.environment(&front.url()));
    let said = doctor(&job);
    assert!(said.contains("\"repository\":\"owner/demo\""), "{said}");
    assert!(said.contains("https://open-vsx.org"), "{said}");
    assert!(said.contains("No trusted publisher matches"), "{said}");
    assert!(front.stored().is_empty());
    assert_eq!(sent(&front), 0);
}
