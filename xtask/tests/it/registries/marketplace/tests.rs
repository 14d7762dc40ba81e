//! The marketplace asked by hand, and by the `vsce` that this repository pins.

use base64::Engine as _;
use serde_json::{Value, json};

use super::super::client::ask;
use super::super::front::Front;
use super::super::message::Reply;
use super::super::vsix;
use super::{Marketplace, TOKEN};
use crate::repository::{Ended, Repository, ended, slow, workspace};

const OWN: &str = "/_apis/gallery/publishers/acme/extensions/tiny";
const PACKAGE: &str = "/_apis/public/gallery/publishers/acme/vsextensions/tiny/1.0.0/vspackage";

fn send(front: &Front<Marketplace>, method: &str, path: &str, token: &str, body: &[u8]) -> Reply {
    let engine = base64::engine::general_purpose::STANDARD;
    let basic = format!("Basic {}", engine.encode(format!("OAuth:{token}")));
    let headers = [("authorization", basic.as_str())];
    ask(&front.url(), method, path, &headers, body)
}

fn create(front: &Front<Marketplace>, bytes: &[u8]) -> Reply {
    send(front, "POST", "/_apis/gallery/extensions", TOKEN, bytes)
}

/// The versions that everybody sees.
fn seen(front: &Front<Marketplace>) -> Value {
    let criteria = json!([{ "filterType": 7, "value": "acme.tiny" }]);
    let filters = json!([{ "criteria": criteria, "pageNumber": 1, "pageSize": 1 }]);
    let body = json!({ "filters": filters, "flags": 1 | 2 | 16 | 128 }).to_string();
    let path = "/_apis/public/gallery/extensionquery";
    let reply = ask(&front.url(), "POST", path, &[], body.as_bytes());
    reply.value()["results"][0]["extensions"][0]["versions"].clone()
}

fn own(front: &Front<Marketplace>) -> Value {
    send(front, "GET", &format!("{OWN}?flags=1"), TOKEN, b"").value()["versions"][0].clone()
}

fn download(front: &Front<Marketplace>, query: &str) -> Reply {
    ask(&front.url(), "GET", &format!("{PACKAGE}{query}"), &[], b"")
}

#[test]
fn what_is_accepted_is_not_yet_published() {
    let front = Front::start(Marketplace::with("acme"));
    front.service().validated_after = 2;
    let bytes = vsix::package("acme", "tiny", "1.0.0", "universal");
    assert_eq!(send(&front, "GET", OWN, TOKEN, b"").status, 404);
    assert_eq!(create(&front, &bytes).status, 201);
    assert_eq!(seen(&front), Value::Null);
    assert_eq!(own(&front)["flags"], "none");
    assert_eq!(own(&front)["flags"], "validated");
    assert_eq!(seen(&front)[0]["version"], "1.0.0");
    assert_eq!(download(&front, "").body, bytes);
    assert_eq!(create(&front, &bytes).status, 409);
    assert_eq!(send(&front, "PUT", OWN, TOKEN, &bytes).status, 409);
    let linux = vsix::package("acme", "tiny", "1.0.0", "linux-x64");
    assert_eq!(send(&front, "PUT", OWN, TOKEN, &linux).status, 200);
    assert_eq!(download(&front, "?targetPlatform=linux-x64").status, 404);
    let mut service = front.service();
    service.validated_after = 0;
    service.validation_failure = Some("VirusScanStep failed".to_owned());
    drop(service);
    let next = vsix::package("acme", "tiny", "1.0.1", "universal");
    assert_eq!(send(&front, "PUT", OWN, TOKEN, &next).status, 200);
    assert_eq!(
        own(&front)["validationResultMessage"],
        "VirusScanStep failed"
    );
    assert_eq!(seen(&front)[0]["version"], "1.0.0");
    let stored = [
        "acme.tiny 1.0.0",
        "acme.tiny 1.0.0 (linux-x64)",
        "acme.tiny 1.0.1",
    ];
    assert_eq!(front.stored(), stored);
}

#[test]
fn downloads_may_be_another_archive_of_the_same() {
    let front = Front::start(Marketplace::with("acme"));
    let bytes = vsix::package("acme", "tiny", "1.0.0", "universal");
    create(&front, &bytes);
    let sorted = |bytes: &[u8]| {
        let mut entries = vsix::entries(bytes);
        entries.sort();
        entries
    };
    front.service().recontained = true;
    let other = download(&front, "").body;
    assert!(other != bytes && sorted(&other) == sorted(&bytes));
    front.service().wrong_payload = true;
    assert!(sorted(&download(&front, "").body) != sorted(&bytes));
}

#[test]
fn tokens_and_identities_are_checked() {
    let front = Front::start(Marketplace::with("acme"));
    let bytes = vsix::package("other", "tiny", "1.0.0", "universal");
    assert_eq!(create(&front, &bytes).status, 403);
    let reply = send(&front, "GET", OWN, "other", b"");
    assert_eq!((reply.status, reply.body.len()), (401, 0));
    let exchange = |audience: &str| {
        let identity = front.service().actions.identity(audience);
        let header = format!("FederatedToken {identity}");
        let path = "/_apis/gallery/token?api-version=7.2-preview.1";
        let headers = [("authorization", header.as_str())];
        ask(
            &front.url(),
            "POST",
            path,
            &headers,
            b"{\"publisherName\":\"acme\"}",
        )
    };
    assert_eq!(exchange("other").status, 401);
    let reply = exchange(super::AUDIENCE).value();
    let token = reply["credential"].as_str().unwrap();
    let bytes = vsix::package("acme", "tiny", "1.0.0", "universal");
    let reply = send(&front, "POST", "/_apis/gallery/extensions", token, &bytes);
    assert_eq!(reply.status, 201);
    front.service().oidc = false;
    assert_eq!(exchange(super::AUDIENCE).status, 404);
}

/// The pinned `vsce` in a folder of its own.
fn installed() -> Repository {
    let repository = Repository::folder("vsce");
    for name in ["package.json", "package-lock.json"] {
        let text = std::fs::read_to_string(workspace().join("vscode-extension").join(name));
        repository.write(name, &text.unwrap());
    }
    let mut install = repository.command("npm");
    let done = ended(install.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]));
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    repository
}

fn vsce(repository: &Repository, front: &Front<Marketplace>, bytes: &[u8]) -> Ended {
    std::fs::write(repository.root.join("tiny.vsix"), bytes).unwrap();
    let mut command = repository.command("node");
    let program = "node_modules/@vscode/vsce/vsce";
    command
        .args([program, "publish", "--packagePath", "tiny.vsix"])
        .env("VSCE_MARKETPLACE_URL", front.url())
        .env("VSCE_PAT", TOKEN)
        .env("NO_PROXY", "127.0.0.1");
    ended(&mut command)
}

#[test]
fn the_real_vsce_publishes() {
    if !slow() {
        return;
    }
    let repository = installed();
    let front = Front::start(Marketplace::with("acme"));
    let universal = vsix::package("acme", "tiny", "1.0.0", "universal");
    let linux = vsix::package("acme", "tiny", "1.0.0", "linux-x64");
    for bytes in [&universal, &linux] {
        let done = vsce(&repository, &front, bytes);
        assert_eq!(done.code, Some(0), "{}{}", done.stdout, done.stderr);
        let done = vsce(&repository, &front, bytes);
        assert_eq!(done.code, Some(1), "{}", done.stdout);
        assert!(done.stderr.contains("already exists."), "{}", done.stderr);
    }
    let stored = ["acme.tiny 1.0.0", "acme.tiny 1.0.0 (linux-x64)"];
    assert_eq!(front.stored(), stored, "{:?}", front.log());
    assert_eq!(download(&front, "").body, universal);
    assert_eq!(download(&front, "?targetPlatform=linux-x64").body, linux);
    let mut service = front.service();
    service.tokens.clear();
    drop(service);
    let next = vsix::package("acme", "tiny", "1.0.1", "universal");
    let done = vsce(&repository, &front, &next);
    assert!(
        done.stderr.contains("Failed request: (401)"),
        "{}",
        done.stderr
    );
}
