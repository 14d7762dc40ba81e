//! The VS Marketplace through the `vsce` that this repository pins: what is special about it
//! beside the contract of every target. Slow, because `vsce` is installed and Node.js is.

use std::sync::{Mutex, PoisonError};

use serde_json::json;

use super::sample::{self, plan, publish, publishes, state};
use crate::registries::front::{Fault, Front, Service};
use crate::registries::marketplace::{Marketplace, TOKEN};
use crate::registries::message::{Asked, Reply};
use crate::repository::{Ended, Repository, slow, workspace};

/// The settings of an extension.
pub const EXTENSION: &str = "[extension]\npath = \"extension\"\nbundle = \"python_server\"\n";

fn front() -> Front<Marketplace> {
    Front::start(Marketplace::with("example"))
}

/// A repository that publishes to an address, with more settings of its target.
fn repository_to(url: &str, more: &str) -> Repository {
    let target = format!("[target.it]\nkind = \"marketplace\"\nurl = \"{url}\"\n{more}");
    let settings = format!("{EXTENSION}{target}[profile.it]\ntargets = [\"it\"]\n");
    let repository = sample::repository(&settings);
    provide(&repository);
    repository
}

/// What `package-lock.json` of an extension says about `vsce`, and a place to install it.
pub fn provide(repository: &Repository) {
    for name in ["package.json", "package-lock.json", ".npmrc"] {
        let text = std::fs::read_to_string(workspace().join("vscode-extension").join(name));
        repository.write(&format!("extension/{name}"), &text.unwrap());
    }
    #[cfg(unix)]
    {
        // One folder for all tests: npm installs for half a minute.
        let shared = workspace().join("target/it-dependencies");
        let private = repository.root.join("target/xtask");
        std::fs::create_dir_all(&shared).unwrap();
        std::fs::create_dir_all(&private).unwrap();
        std::os::unix::fs::symlink(shared, private.join("dependencies")).unwrap();
    }
}

fn repository(front: &Front<Marketplace>) -> Repository {
    let mut repository = repository_to(&front.url(), "");
    let token = ("VSCE_PAT".to_owned(), TOKEN.to_owned());
    repository.environment.push(token);
    repository
}

/// The tests that install wait for each other.
pub fn alone() -> std::sync::MutexGuard<'static, ()> {
    static INSTALLING: Mutex<()> = Mutex::new(());
    INSTALLING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn sent(front: &Front<Marketplace>) -> usize {
    front.count("POST", "/_apis/gallery/extensions") + front.count("PUT", "/_apis/gallery/")
}

fn ends(ended: &Ended, code: i32, part: &str) {
    let all = format!("{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.code, Some(code), "{all}");
    assert!(all.contains(part), "no {part:?} in {all}");
    assert!(!all.contains(TOKEN), "{all}");
}

#[test]
fn taken_is_not_published() {
    if !slow() {
        return;
    }
    let _alone = alone();
    let front = front();
    front.service().validated_after = 4;
    let mut repository = repository(&front);
    // None of these may change what vsce does.
    for (name, value) in [
        ("VSCE_STORE", "file"),
        ("VSCE_MARKETPLACE_URL", "http://127.0.0.1:1"),
        ("NODE_OPTIONS", "--no-such-option"),
        ("VSCE_TESTS", "1"),
        ("FORCE_COLOR", "3"),
    ] {
        repository
            .environment
            .push((name.to_owned(), value.to_owned()));
    }
    let ended = repository.succeeds(&["publish", "--to", "it", "--execute", "--verbose"]);
    ends(&ended, 0, "the same bytes");
    let ledger = String::from_utf8(repository.read("dist/ledger.jsonl")).unwrap();
    assert!(ledger.contains("is being validated"), "{ledger}");
    assert!(!ledger.contains(TOKEN));
    assert_eq!(sent(&front), 1, "{:#?}", front.log());
    assert_eq!(front.stored(), ["example.demo 1.0.0"]);

    front.forget();
    publishes(&repository, "it");
    // The versions, and the package itself.
    assert_eq!(front.requests(), 2, "{:#?}", front.log());
}

#[test]
fn what_is_not_validated_in_time_is_pending_and_what_fails_is_quoted() {
    if !slow() {
        return;
    }
    let _alone = alone();
    let front = front();
    front.service().validated_after = 1_000;
    let repository = repository(&front);
    ends(&publish(&repository, "it"), 3, "is being validated");
    assert_eq!(state(&plan(&repository, "it"), "it"), "pending");
    ends(&publish(&repository, "it"), 3, "validated");
    assert_eq!(sent(&front), 1);

    let failing = self::front();
    failing.service().validation_failure = Some("VirusScanStep failed".to_owned());
    let repository = self::repository(&failing);
    ends(&publish(&repository, "it"), 1, "VirusScanStep failed");
    ends(&publish(&repository, "it"), 1, "VirusScanStep failed");
    assert_eq!(sent(&failing), 1);
}

#[test]
fn another_container_is_the_same_and_other_contents_are_not() {
    if !slow() {
        return;
    }
    let _alone = alone();
    let front = front();
    front.service().recontained = true;
    let repository = repository(&front);
    let ended = publishes(&repository, "it");
    ends(&ended, 0, "other container, the same contents");
    assert_eq!(state(&plan(&repository, "it"), "it"), "same");
    front.service().wrong_payload = true;
    front.forget();
    ends(&publish(&repository, "it"), 4, "exists with other bytes");
    assert_eq!(sent(&front), 0);
}

#[test]
fn half_a_matrix_is_finished_by_running_again() {
    if !slow() {
        return;
    }
    let _alone = alone();
    let front = front();
    let repository = repository(&front);
    sample::put(&repository, &sample::matrix());
    // The first is a new extension, the second a version of it.
    front.fail(Some("PUT"), "", Fault::Status(400, None), 9);
    assert_eq!(publish(&repository, "it").code, Some(1));
    assert_eq!(front.stored(), ["example.demo 1.0.0 (darwin-arm64)"]);
    front.heal();
    assert_eq!(state(&plan(&repository, "it"), "it"), "partial");
    front.forget();
    publishes(&repository, "it");
    assert_eq!(sent(&front), 1);
    assert_eq!(front.stored().len(), 2);
}

#[test]
fn whatever_fails_on_the_way_it_is_there_once() {
    if !slow() {
        return;
    }
    let _alone = alone();
    for fault in [
        Fault::Status(500, None),
        Fault::CutBefore,
        Fault::StatusAfter(502),
        Fault::CutAfter,
    ] {
        let front = front();
        front.fail(Some("POST"), "/_apis/gallery/extensions", fault.clone(), 1);
        let repository = repository(&front);
        publishes(&repository, "it");
        if let Fault::Status(status, _) | Fault::StatusAfter(status) = fault {
            // vsce shows no status; what was answered to it is in the ledger all the same.
            let ledger = sample::ledger(&repository);
            assert!(ledger.iter().any(|line| line["status"] == status));
        }
        assert_eq!(front.stored(), ["example.demo 1.0.0"], "{:#?}", front.log());
    }
}

#[test]
fn a_job_publishes_with_its_identity() {
    if !slow() {
        return;
    }
    let _alone = alone();
    let front = front();
    front.service().validated_after = 3;
    let mut repository = repository_to(&front.url(), "credential = \"oidc\"\n");
    ends(&publish(&repository, "it"), 5, "id-token: write");
    let variables = front.service().actions.environment(&front.url());
    repository.environment.extend(variables);
    // A token of the user does not get in the way of what is configured.
    let token = ("VSCE_PAT".to_owned(), TOKEN.to_owned());
    repository.environment.push(token);
    ends(&publish(&repository, "it"), 0, "the same bytes");
    assert_eq!(front.stored().len(), 1);
    front.service().publisher = None;
    let refused = self::front();
    refused.service().publisher = None;
    let mut repository = repository_to(&refused.url(), "credential = \"oidc\"\n");
    let variables = refused.service().actions.environment(&refused.url());
    repository.environment.extend(variables);
    ends(&publish(&repository, "it"), 5, "No trust policy");
    assert!(refused.stored().is_empty());
    let said = doctor(&repository);
    assert!(said.contains("\"repository\":\"owner/demo\""), "{said}");
    assert!(said.contains("No trust policy"), "{said}");
}

#[test]
fn without_a_credential_nothing_is_sent() {
    let front = front();
    let without = repository_to(&front.url(), "");
    ends(&publish(&without, "it"), 5, "2026-12-01");
    assert_eq!(sent(&front), 0);
    if !slow() {
        return;
    }
    let _alone = alone();
    let mut foreign = repository_to(&front.url(), "");
    let token = ("VSCE_PAT".to_owned(), "a-foreign-token".to_owned());
    foreign.environment.push(token);
    let ended = publish(&foreign, "it");
    ends(&ended, 5, "answers 401");
    ends(&ended, 5, "2026-12-01");
    assert!(!format!("{}{}", ended.stdout, ended.stderr).contains("a-foreign-token"));
    assert!(front.stored().is_empty());
}

fn doctor(repository: &Repository) -> String {
    let ended = repository.xtask(&["doctor", "--to", "it"]);
    format!("{}{}", ended.stdout, ended.stderr)
}

/// The roles of a publisher, and nothing else.
struct Roles(&'static str);

impl Service for Roles {
    fn answer(&mut self, asked: &Asked) -> Reply {
        let assignment = json!({
            "identity": { "displayName": "Some One" },
            "role": { "name": self.0 },
        });
        match asked
            .path()
            .ends_with("/gallery.publisher/roleassignments/resources/example")
        {
            true => Reply::json(200, &json!({ "count": 1, "value": [assignment] })),
            false => Reply::json(403, &json!({ "message": "Access Denied" })),
        }
    }

    fn stored(&self) -> Vec<String> {
        Vec::new()
    }
}

#[test]
fn doctor_tells_a_reader_from_a_contributor() {
    let check = |role: &'static str, good: bool| {
        let front = Front::start(Roles(role));
        let mut repository = repository_to(&front.url(), "");
        let token = ("VSCE_PAT".to_owned(), TOKEN.to_owned());
        repository.environment.push(token);
        let said = doctor(&repository);
        let mark = if good { "✓" } else { "✗" };
        let line = said
            .lines()
            .find(|line| line.contains("the roles for example"));
        let line = line.unwrap_or_else(|| panic!("{said}"));
        assert!(line.starts_with(mark), "{line}");
        assert!(line.contains(&format!("Some One: {role}")), "{line}");
        assert!(said.contains("2026-12-01"), "{said}");
        assert!(!said.contains(TOKEN), "{said}");
    };
    check("Contributor", true);
    check("Reader", false);
}
