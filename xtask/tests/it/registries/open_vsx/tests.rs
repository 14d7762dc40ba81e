//! The registry asked as `ovsx` asks it.

use base64::Engine as _;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::{Value, json};

use super::super::client::ask;
use super::super::digest::sha256;
use super::super::front::Front;
use super::super::message::Reply;
use super::super::vsix;
use super::super::warehouse::TrustedPublisher;
use super::{OpenVsx, TOKEN};

fn started() -> Front<OpenVsx> {
    Front::start(OpenVsx::with("acme"))
}

fn publish(front: &Front<OpenVsx>, token: &str, bytes: &[u8]) -> Reply {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    ask(&front.url(), "POST", "/api/-/publish", &headers, bytes)
}

fn get(front: &Front<OpenVsx>, path: &str) -> Reply {
    ask(&front.url(), "GET", path, &[], b"")
}

/// Follows the address of a file to its bytes.
fn fetch(front: &Front<OpenVsx>, address: &Value) -> Vec<u8> {
    let own = |address: &str| address.strip_prefix(&front.url()).unwrap().to_owned();
    let reply = get(front, &own(address.as_str().unwrap()));
    match reply.header("location") {
        Some(place) => get(front, &own(place)).body,
        None => reply.body,
    }
}

fn error(reply: &Reply) -> String {
    reply.value()["error"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// Whether the registry's signature is of these bytes.
fn signed(front: &Front<OpenVsx>, files: &Value, bytes: &[u8]) -> bool {
    let pem = String::from_utf8(fetch(front, &files["publicKey"])).unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::engine::general_purpose::STANDARD
        .decode(body)
        .unwrap();
    let archive = vsix::entries(&fetch(front, &files["signature"]));
    let (_, signature) = archive
        .iter()
        .find(|(name, _)| name == ".signature.sig")
        .unwrap();
    let key = UnparsedPublicKey::new(&ED25519, &der[der.len() - 32..]);
    key.verify(bytes, signature).is_ok()
}

#[test]
fn a_published_version_comes_back_signed() {
    let front = started();
    let bytes = vsix::package("acme", "tiny", "1.0.0", "universal");
    let reply = publish(&front, TOKEN, &bytes);
    assert_eq!(reply.status, 201);
    let address = format!("{}/api/acme/tiny/1.0.0", front.url());
    assert_eq!(reply.header("location"), Some(address.as_str()));
    for path in [
        "/api/acme/tiny",
        "/api/acme/tiny/1.0.0",
        "/api/acme/tiny/universal/1.0.0",
    ] {
        let files = &get(&front, path).value()["files"];
        assert_eq!(fetch(&front, &files["download"]), bytes, "{path}");
        let digest = sha256(&bytes);
        assert_eq!(fetch(&front, &files["sha256"]), digest.as_bytes());
        assert!(signed(&front, files, &bytes));
    }
    assert_eq!(
        error(&get(&front, "/api/acme/tiny/1.0.1")),
        "Extension not found: acme.tiny 1.0.1"
    );
    let again = publish(&front, TOKEN, &bytes);
    let expected = (
        400,
        "Extension acme.tiny 1.0.0 is already published.".to_owned(),
    );
    assert_eq!((again.status, error(&again)), expected);
    assert_eq!(front.stored(), ["acme.tiny 1.0.0"]);
    front.service().bad_signature = true;
    front.service().wrong_digest = true;
    let linux = vsix::package("acme", "tiny", "1.0.0", "linux-x64");
    assert_eq!(publish(&front, TOKEN, &linux).status, 201);
    let files = &get(&front, "/api/acme/tiny/linux-x64/1.0.0").value()["files"];
    assert!(!signed(&front, files, &linux));
    assert_ne!(fetch(&front, &files["sha256"]), sha256(&linux).as_bytes());
    assert_eq!(fetch(&front, &files["download"]), linux);
    assert_eq!(
        get(&front, "/api/acme/tiny/1.0.0").value()["targetPlatform"],
        "universal"
    );
}

#[test]
fn a_version_is_not_active_at_once() {
    let front = started();
    front.service().active_after = 2;
    let bytes = vsix::package("acme", "tiny", "1.0.0", "linux-x64");
    assert_eq!(publish(&front, TOKEN, &bytes).status, 201);
    let path = "/api/acme/tiny/linux-x64/1.0.0";
    assert_eq!(get(&front, path).status, 404);
    let text = "Extension acme.tiny 1.0.0 (linux-x64) is already published, but currently isn't \
                active and therefore not visible.";
    assert_eq!(error(&publish(&front, TOKEN, &bytes)), text);
    assert_eq!(get(&front, path).status, 404);
    assert_eq!(get(&front, path).status, 200);
    let body = json!([{ "targetPlatform": "linux-x64", "version": "1.0.0" }]).to_string();
    let headers = [("authorization", "Bearer ovsxat_stand-in")];
    let delete = "/api/acme/tiny/delete";
    let reply = ask(&front.url(), "POST", delete, &headers, body.as_bytes());
    assert_eq!(
        reply.value()["success"],
        "Deleted acme.tiny 1.0.0 (linux-x64)"
    );
    assert_eq!(get(&front, path).status, 404);
    assert_eq!(error(&publish(&front, TOKEN, &bytes)), text);
    assert_eq!(front.stored().len(), 1);
}

#[test]
fn what_the_registry_does_not_take_is_said() {
    let front = started();
    let entries = vsix::tiny("acme", "tiny", "1.0.0", "universal");
    let mut twice = entries.clone();
    twice.push(("extension/./readme.md".to_owned(), Vec::new()));
    let mut outside = entries.clone();
    outside.push(("extension/../../x".to_owned(), Vec::new()));
    let mut unlicensed = entries.clone();
    let manifest = String::from_utf8(unlicensed[2].1.clone()).unwrap();
    unlicensed[2].1 = manifest
        .replace("\"license\"", "\"unlicensed\"")
        .into_bytes();
    let cases = [
        (
            vsix::with_extra_field(vsix::archive(&entries)),
            "zip entries with potentially harmful extra fields",
        ),
        (
            vsix::archive(&twice),
            "duplicate zip entries after path normalization",
        ),
        (
            vsix::archive(&outside),
            "zip entries with a suspicious path",
        ),
        (
            vsix::archive(&unlicensed),
            "This extension cannot be accepted because it has no",
        ),
        (
            vsix::package("other", "tiny", "1.0.0", "universal"),
            "Unknown publisher: other\nUse the",
        ),
        (
            vsix::package("acme", "tiny", "1.0", "universal"),
            "Version '1.0' is not valid.",
        ),
        (
            vsix::package("acme", "tiny", "1.0.0", "amiga"),
            "Unsupported target platform 'amiga'",
        ),
        (b"no zip".to_vec(), "Could not read zip file"),
    ];
    for (bytes, expected) in cases {
        let reply = publish(&front, TOKEN, &bytes);
        assert_eq!(reply.status, 400);
        assert!(error(&reply).contains(expected), "{}", error(&reply));
    }
    let bytes = vsix::archive(&entries);
    let reply = publish(&front, "other", &bytes);
    assert_eq!(
        (reply.status, error(&reply)),
        (401, "Invalid access token.".to_owned())
    );
    front.service().limit = 100;
    let reply = publish(&front, TOKEN, &bytes);
    let text = "The extension package exceeds the size limit of 100 bytes.".to_owned();
    assert_eq!((reply.status, error(&reply)), (413, text));
    assert!(front.stored().is_empty());
}

#[test]
fn namespaces_are_made_once_and_tokens_are_checked() {
    let front = started();
    let create = |name: &str| {
        let body = json!({ "name": name }).to_string();
        let path = format!("/api/-/namespace/create?token={TOKEN}");
        ask(&front.url(), "POST", &path, &[], body.as_bytes())
    };
    assert_eq!(create("next").status, 201);
    assert_eq!(error(&create("next")), "Namespace already exists: next");
    let verify = |namespace: &str, token: &str| {
        let path = format!("/api/{namespace}/verify-pat?token={token}");
        get(&front, &path)
    };
    assert_eq!(verify("next", TOKEN).value()["success"], "Valid token");
    assert_eq!(verify("next", "x").status, 401);
    assert_eq!(verify("none", TOKEN).status, 404);
    front.service().namespaces.insert("foreign".to_owned());
    assert_eq!(verify("foreign", TOKEN).status, 403);
    let bytes = vsix::package("foreign", "tiny", "1.0.0", "universal");
    let text = "Insufficient access rights for publisher: foreign";
    assert_eq!(error(&publish(&front, TOKEN, &bytes)), text);
    assert_eq!(get(&front, "/api/next").value()["name"], "next");
    assert_eq!(get(&front, "/api/version").value()["version"], "1.3.2");
    assert_eq!(front.stored(), ["namespace next"]);
}

#[test]
fn an_identity_is_exchanged_for_a_token() {
    let front = started();
    let exchange = |identity: &str| {
        let body = json!({ "namespace": "acme", "extension": "tiny", "token": identity });
        let path = "/api/-/trusted-publishing/token";
        ask(&front.url(), "POST", path, &[], body.to_string().as_bytes())
    };
    let identity = || front.service().actions.identity("https://open-vsx.org");
    let reply = exchange(&identity());
    let text = "No trusted publisher matches the presented token.".to_owned();
    assert_eq!((reply.status, error(&reply)), (403, text));
    let publisher = TrustedPublisher {
        repository: "owner/demo".to_owned(),
        workflow: "release.yml".to_owned(),
        environment: None,
    };
    let key = ("acme".to_owned(), "tiny".to_owned());
    front.service().publishers.insert(key, publisher);
    let reply = exchange(&identity());
    assert_eq!(reply.status, 201);
    let value = reply.value();
    let bytes = vsix::package("acme", "tiny", "1.0.0", "universal");
    assert_eq!(
        publish(&front, value["value"].as_str().unwrap(), &bytes).status,
        201
    );
    let other = front.service().actions.identity("other");
    assert_eq!(exchange(&other).status, 403);
    front.service().audience = None;
    assert_eq!(exchange(&identity()).status, 404);
}
