//! The registry of MCP servers, which is told where a package is and never forgets a version.

use std::collections::BTreeMap;

use xtask::artifact::{Kind, seal};
use xtask::config;
use xtask::dist::Release;
use xtask::product::{pyproject, server_json};

use super::sample::{self, CONTENT, plan, publish, publishes, state};
use crate::registries::actions::Actions;
use crate::registries::front::{Fault, Front};
use crate::registries::mcp::{GITHUB_TOKEN, Mcp, Trouble};
use crate::repository::{CONFIGURATION, Repository};

pub const SERVER: &str = "[mcp]\nname = \"io.github.example/demo-server\"\n";
const PYPROJECT: &str = "[project]\nname = \"demo-server\"\ndescription = \"A sound server\"\n";
const GET: &str =
    "/v0.1/servers/io.github.example%2Fdemo-server/versions/1.0.0?include_deleted=true";

/// A release with its `server.json`, and the statement over all files.
pub fn described(content: &str) -> Release {
    let mut release = sample::release(content);
    let config = config::parse(&format!("{CONFIGURATION}{SERVER}"), "release.toml").unwrap();
    let project = pyproject::parse(PYPROJECT, "pyproject.toml").unwrap();
    let facts = server_json::facts(&config, &project, "pyproject.toml");
    let text = server_json::text(&facts.unwrap().unwrap(), &release.manifest).unwrap();
    let named = ("demo-server", "1.0.0");
    let bytes = text.into_bytes();
    let kind = Kind::ServerJson;
    let artifact = seal(kind, named, server_json::FILE, &bytes, BTreeMap::new());
    release.put(artifact, bytes);
    sample::finish(release)
}

/// A registry with a change to it, and the front before it.
pub fn registry(change: impl FnOnce(&mut Mcp)) -> Front<Mcp> {
    let mut registry = Mcp::default();
    let owners = vec!["example".to_owned()];
    registry.github = BTreeMap::from([(GITHUB_TOKEN.to_owned(), owners)]);
    registry.actions = Actions::of("example/demo", "release.yml", "release");
    change(&mut registry);
    Front::start(registry)
}

/// A repository whose release goes to a registry; who logs in is for the test to say.
fn repository(front: &Front<Mcp>, login: &str) -> Repository {
    let url = front.url();
    let repository = sample::repository(&format!(
        "{SERVER}[target.mcp]\nkind = \"mcp\"\nurl = \"{url}\"\nlogin = \"{login}\"\n\
         [profile.mcp]\ntargets = [\"mcp\"]\n"
    ));
    sample::put(&repository, &described(CONTENT));
    repository
}

/// With an access token.
fn with_token(front: &Front<Mcp>) -> Repository {
    let mut repository = repository(front, "github");
    let variable = ("MCP_GITHUB_TOKEN".to_owned(), GITHUB_TOKEN.to_owned());
    repository.environment.push(variable);
    repository
}

/// With the identity of a job.
fn with_identity(front: &Front<Mcp>) -> Repository {
    let mut repository = repository(front, "github-oidc");
    let variables = front.service().actions.environment(&front.url());
    repository.environment.extend(variables);
    repository
}

/// How many requests could have changed something.
fn changing(front: &Front<Mcp>) -> usize {
    front.count("POST", "/publish")
}

#[test]
fn a_version_gets_there_once_and_nothing_is_sent_again() {
    let front = registry(|_| {});
    let repository = with_identity(&front);
    assert_eq!(state(&plan(&repository, "mcp"), "mcp"), "absent");
    assert_eq!(front.log(), [format!("GET {GET}")]);
    publishes(&repository, "mcp");
    assert_eq!(front.stored(), ["io.github.example/demo-server 1.0.0"]);
    front.forget();
    publishes(&repository, "mcp");
    // One question tells that everything is there.
    assert_eq!(front.log(), [format!("GET {GET}")]);
    let verified = repository.succeeds(&["verify", "--from", "mcp"]);
    let said = "server.json: names the wheel sha256:";
    assert!(verified.stdout.contains(said), "{}", verified.stdout);
    assert_eq!(changing(&front), 0);
}

#[test]
fn every_attempt_logs_in_anew_until_the_index_shows_the_package() {
    for trouble in [Trouble::Package, Trouble::Version] {
        let front = registry(|it| {
            it.failing = 2;
            it.trouble = trouble;
            it.uses = 1;
        });
        let repository = with_identity(&front);
        publishes(&repository, "mcp");
        assert_eq!(front.stored().len(), 1);
        assert_eq!(changing(&front), 3, "{trouble:?}");
        assert_eq!(front.service().actions.issued, 3);
        assert_eq!(front.service().logins.len(), 3);
    }
}

#[test]
fn a_package_that_stays_away_is_pending() {
    let front = registry(|it| it.failing = 100);
    let repository = with_token(&front);
    let ended = publish(&repository, "mcp");
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    let sentence = "exists, but version '1.0.0' was not found";
    assert!(ended.stderr.contains(sentence), "{}", ended.stderr);
    assert!(changing(&front) > 4, "it is waited for, not counted");
    assert!(front.stored().is_empty());
}

#[test]
fn any_other_refusal_is_final_and_quotes_the_registry() {
    let front = registry(|it| {
        it.failing = 100;
        it.trouble = Trouble::Marker;
    });
    let repository = with_token(&front);
    let ended = publish(&repository, "mcp");
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let sentence = "must appear as 'mcp-name: io.github.example/demo-server'";
    assert!(ended.stderr.contains(sentence), "{}", ended.stderr);
    assert_eq!(changing(&front), 1);
}

#[test]
fn other_documents_are_a_conflict_and_so_is_a_deleted_version() {
    let front = registry(|_| {});
    let repository = with_token(&front);
    publishes(&repository, "mcp");
    let check = |expected: &str| {
        front.forget();
        let ended = publish(&repository, "mcp");
        assert_eq!(ended.code, Some(4), "{}", ended.stderr);
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
        assert_eq!(changing(&front), 0);
        let ended = repository.xtask(&["verify", "--from", "mcp"]);
        assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    };
    sample::put(&repository, &described("print('other')\n"));
    check("io.github.example/demo-server@1.0.0 exists with other bytes: sha256:");
    sample::put(&repository, &described(CONTENT));
    front.service().versions[0].status = "deleted".to_owned();
    check("this version was deleted there, and its number stays taken");
    front.service().versions[0].status = "deprecated".to_owned();
    publishes(&repository, "mcp");
}

#[test]
fn whatever_happens_on_the_way_there_is_one_version() {
    let faults = [
        (Fault::Status(500, None), 2),
        (Fault::Status(429, Some("0".to_owned())), 2),
        (Fault::CutBefore, 2),
        (Fault::StatusAfter(502), 1),
        (Fault::CutAfter, 1),
        (Fault::CutBody(10), 1),
    ];
    for (fault, attempts) in faults {
        let front = registry(|_| {});
        let repository = with_token(&front);
        let named = format!("{fault:?}");
        front.fail(Some("POST"), "/publish", fault, 1);
        publishes(&repository, "mcp");
        assert_eq!(front.stored().len(), 1, "{named}");
        assert_eq!(changing(&front), attempts, "{named}");
    }
    for (method, part) in [("GET", "/servers/"), ("POST", "/auth/")] {
        let front = registry(|_| {});
        let repository = with_token(&front);
        front.fail(Some(method), part, Fault::Status(503, None), 1);
        publishes(&repository, "mcp");
        assert_eq!(front.stored().len(), 1, "{method} {part}");
    }
}

#[test]
fn what_is_not_visible_yet_is_waited_for() {
    let front = registry(|it| it.visible_after = 2);
    let repository = with_token(&front);
    publishes(&repository, "mcp");
    assert_eq!(changing(&front), 1);
}

#[test]
fn without_a_credential_nothing_is_sent() {
    let front = registry(|_| {});
    for (login, expected) in [
        ("github", "MCP_GITHUB_TOKEN or GITHUB_TOKEN is not set"),
        ("github-oidc", "id-token: write"),
    ] {
        let repository = repository(&front, login);
        let ended = publish(&repository, "mcp");
        assert_eq!(ended.code, Some(5), "{}", ended.stderr);
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
        assert_eq!(front.count("POST", ""), 0);
    }
}

#[test]
fn a_credential_that_is_not_good_enough_is_a_missing_precondition() {
    let front = registry(|_| {});
    let mut repository = repository(&front, "github");
    let variable = ("GITHUB_TOKEN".to_owned(), "gho_secretButWrong".to_owned());
    repository.environment.push(variable);
    let ended = publish(&repository, "mcp");
    assert_eq!(ended.code, Some(5), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("Token exchange failed"),
        "{}",
        ended.stderr
    );
    assert!(!ended.stderr.contains("gho_secretButWrong"));
    assert_eq!(changing(&front), 0);

    front.service().github = BTreeMap::from([(GITHUB_TOKEN.to_owned(), vec!["two".to_owned()])]);
    let repository = with_token(&front);
    let ended = publish(&repository, "mcp");
    assert_eq!(ended.code, Some(5), "{}", ended.stderr);
    let sentence = "You have permission to publish: io.github.two/*";
    assert!(ended.stderr.contains(sentence), "{}", ended.stderr);

    front.service().audience = Some("https://elsewhere.example".to_owned());
    let repository = with_identity(&front);
    let ended = publish(&repository, "mcp");
    assert_eq!(ended.code, Some(5), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("must expect the audience"),
        "{}",
        ended.stderr
    );
    assert!(front.stored().is_empty());
}

#[test]
fn secrets_are_sent_and_shown_nowhere() {
    for with in [with_token, with_identity] {
        let front = registry(|it| it.failing = 1);
        let repository = with(&front);
        let ended = repository.xtask(&["publish", "--to", "mcp", "--execute", "--verbose"]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let doctor = repository.xtask(&["doctor", "--to", "mcp"]);
        let ledger = String::from_utf8(repository.read("dist/ledger.jsonl")).unwrap();
        let mut said = format!("{}{}{ledger}", ended.stdout, ended.stderr);
        said += &format!("{}{}", doctor.stdout, doctor.stderr);
        let mut secrets: Vec<String> = front.service().logins.keys().cloned().collect();
        assert!(secrets.len() > 1);
        secrets.push(GITHUB_TOKEN.to_owned());
        secrets.push(front.service().actions.request_token.clone());
        let identities = front.asked().into_iter().filter_map(|asked| {
            let identity = asked.json()["oidc_token"].as_str().map(str::to_owned);
            identity.filter(|_| asked.method == "POST")
        });
        secrets.extend(identities);
        for secret in secrets {
            assert!(!said.contains(&secret), "{secret} in {said}");
        }
    }
}

#[test]
fn doctor_says_who_would_publish_and_publishes_nothing() {
    let front = registry(|_| {});
    let repository = with_identity(&front);
    let ended = repository.xtask(&["doctor", "--to", "mcp"]);
    let audience = format!("must expect the audience {}", front.url());
    for part in [
        "\"repository_owner\":\"example\"",
        audience.as_str(),
        "expires: 2100-01-01",
    ] {
        assert!(ended.stdout.contains(part), "no {part} in {}", ended.stdout);
    }
    assert_eq!(changing(&front), 0);
}

#[test]
fn a_release_without_server_json_has_nothing_to_tell() {
    let front = registry(|_| {});
    let repository = with_token(&front);
    sample::put(&repository, &sample::release(CONTENT));
    let ended = publish(&repository, "mcp");
    assert_eq!(ended.code, Some(5), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("names no server-json"),
        "{}",
        ended.stderr
    );
    let settings = String::from_utf8(repository.read("release.toml")).unwrap();
    repository.write("release.toml", &settings.replace(SERVER, ""));
    let ended = publish(&repository, "mcp");
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("release.toml has no [mcp]"),
        "{}",
        ended.stderr
    );
    assert_eq!(front.requests(), 0);
}
