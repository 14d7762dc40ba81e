//! The index asked as twine and pip ask it.

use base64::Engine as _;
use serde_json::{Value, json};

use super::super::actions::claims;
use super::super::client::ask;
use super::super::digest::sha256;
use super::super::front::Front;
use super::super::message::Reply;
use super::{TOKEN, Warehouse};

const JSON: &str = "application/vnd.pypi.simple.v1+json";
const WHEEL: &str = "demo_server-1.0.0-py3-none-any.whl";

/// Uploads to the index.
struct Uploader<'front> {
    front: &'front Front<Warehouse>,
    token: String,
    fields: Vec<(&'static str, String)>,
}

impl Uploader<'_> {
    fn of(front: &Front<Warehouse>) -> Uploader<'_> {
        let fields = [
            ("metadata_version", "2.4"),
            ("name", "demo-server"),
            ("version", "1.0.0"),
            ("filetype", "bdist_wheel"),
            ("pyversion", "py3"),
            (":action", "file_upload"),
            ("protocol_version", "1"),
        ];
        Uploader {
            front,
            token: TOKEN.to_owned(),
            fields: fields
                .map(|(name, value)| (name, value.to_owned()))
                .to_vec(),
        }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.fields.retain(|(field, _)| *field != name);
        self.fields.push((name, value.to_owned()));
        self
    }

    fn sends(&self, file: &str, bytes: &[u8]) -> Reply {
        let mut fields = self.fields.clone();
        if !fields.iter().any(|(name, _)| *name == "sha256_digest") {
            fields.push(("sha256_digest", sha256(bytes)));
        }
        let mut body = Vec::new();
        for (name, value) in fields {
            let head = format!("content-disposition: form-data; name=\"{name}\"");
            body.extend(format!("--limit\r\n{head}\r\n\r\n{value}\r\n").into_bytes());
        }
        let head = format!("form-data; name=\"content\"; filename=\"{file}\"");
        let kind = "Content-Type: application/octet-stream";
        let head = format!("--limit\r\nContent-Disposition: {head}\r\n{kind}\r\n\r\n");
        body.extend(head.into_bytes());
        body.extend(bytes);
        body.extend(b"\r\n--limit--\r\n");
        let engine = base64::engine::general_purpose::STANDARD;
        let basic = engine.encode(format!("__token__:{}", self.token));
        let headers = [
            ("authorization", format!("Basic {basic}")),
            (
                "content-type",
                "multipart/form-data; boundary=limit".to_owned(),
            ),
            (
                "accept",
                "application/json;q=0.9, text/plain;q=0.8".to_owned(),
            ),
        ];
        let headers = headers
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        ask(&self.front.url(), "POST", "/legacy/", &headers, &body)
    }
}

fn get(front: &Front<Warehouse>, path: &str) -> Reply {
    ask(&front.url(), "GET", path, &[("accept", JSON)], b"")
}

fn code(reply: &Reply) -> String {
    reply.value()["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn a_file_name_is_used_once_for_ever() {
    let front = Front::start(Warehouse::default());
    let uploader = Uploader::of(&front);
    assert_eq!(uploader.sends(WHEEL, b"one").status, 200);
    assert_eq!(uploader.sends(WHEEL, b"one").status, 200);
    assert_eq!(front.stored(), [WHEEL]);
    let other = uploader.sends(WHEEL, b"two");
    assert!(code(&other).starts_with(&format!("400 File already exists ('{WHEEL}', with")));
    assert_eq!(other.reason.as_deref(), code(&other).strip_prefix("400 "));
    // The same bytes under another name are no new file either.
    let name = "demo_server-1.0.0-py2-none-any.whl";
    assert!(code(&uploader.sends(name, b"one")).contains("File already exists"));
    front.service().delete(WHEEL);
    let gone = uploader.sends(WHEEL, b"one");
    assert!(code(&gone).starts_with("400 This filename was previously used by a file that has"));
    assert_eq!(front.stored(), [WHEEL]);
}

#[test]
fn what_is_wrong_with_an_upload_is_said() {
    let front = Front::start(Warehouse::default());
    let mut uploader = Uploader::of(&front);
    uploader.token = "pypi-other".to_owned();
    let reply = uploader.sends(WHEEL, b"one");
    assert!(code(&reply).starts_with("403 Invalid or non-existent authentication information."));
    let start = "Access was denied to this resource.\n\n\nInvalid";
    assert!(
        reply.value()["message"]
            .as_str()
            .unwrap()
            .starts_with(start)
    );
    let cases = [
        (
            Uploader::of(&front).with("name", ""),
            "400 '' is an invalid value for Name.",
        ),
        (
            Uploader::of(&front).with("sha256_digest", "00"),
            "400 The digest supplied does not match a digest calculated",
        ),
        (
            Uploader::of(&front).with("attestations", "[{}]"),
            "400 Invalid attestations supplied during upload: Attestations are only supported",
        ),
        (
            Uploader::of(&front).with("name", "other"),
            "400 Start filename for 'other' with 'other'.",
        ),
    ];
    for (uploader, expected) in cases {
        let reply = uploader.sends(WHEEL, b"one");
        assert!(code(&reply).starts_with(expected), "{}", code(&reply));
    }
    let reply = ask(&front.url(), "POST", "/legacy", &[], b"");
    assert_eq!(
        (reply.status, reply.header("location")),
        (308, Some("/legacy/"))
    );
    assert!(front.stored().is_empty());
}

#[test]
fn old_releases_are_closed_but_for_what_they_have() {
    let front = Front::start(Warehouse::default());
    assert_eq!(Uploader::of(&front).sends(WHEEL, b"one").status, 200);
    front.service().old = true;
    assert_eq!(Uploader::of(&front).sends(WHEEL, b"one").status, 200);
    let sdist = Uploader::of(&front).with("filetype", "sdist");
    let reply = sdist.sends("demo_server-1.0.0.tar.gz", b"sdist");
    let text = "400 Uploading new files to releases older than 14 days is not allowed.";
    assert_eq!(code(&reply), text);
    let next = Uploader::of(&front).with("version", "1.0.1");
    let reply = next.sends("demo_server-1.0.1-py3-none-any.whl", b"next");
    assert_eq!(reply.status, 200);
    assert_eq!(front.stored().len(), 2);
}

#[test]
fn pages_show_the_state_of_a_while_ago() {
    let front = Front::start(Warehouse::default());
    assert_eq!(get(&front, "/simple/demo-server/").status, 404);
    front.service().visible_after = 2;
    Uploader::of(&front).sends(WHEEL, b"one");
    assert_eq!(get(&front, "/simple/demo-server/").status, 404);
    assert_eq!(get(&front, "/pypi/demo-server/1.0.0/json").status, 404);
    let reply = get(&front, "/simple/demo-server/");
    assert_eq!(reply.header("content-type"), Some(JSON));
    let file = &reply.value()["files"][0];
    assert_eq!(file["hashes"]["sha256"], sha256(b"one"));
    let place = file["url"]
        .as_str()
        .unwrap()
        .strip_prefix(&front.url())
        .unwrap();
    assert_eq!(get(&front, place).body, b"one");
    let release = get(&front, "/pypi/Demo.Server/1.0.0/json").value();
    assert_eq!(
        release["urls"][0]["digests"]["sha256"],
        file["hashes"]["sha256"]
    );
    assert_eq!(release["info"]["name"], "demo-server");
    let project = get(&front, "/pypi/demo-server/json").value();
    assert_eq!(project["releases"]["1.0.0"], release["urls"]);
    assert_eq!(get(&front, "/pypi/other/json").status, 404);
    let page = ask(&front.url(), "GET", "/simple/demo-server/", &[], b"");
    let link = format!("{place}#sha256={}\" >{WHEEL}</a>", sha256(b"one"));
    assert!(String::from_utf8(page.body).unwrap().contains(&link));
    let reply = get(&front, "/simple/Demo_Server/");
    assert_eq!(
        (reply.status, reply.header("location")),
        (301, Some("/simple/demo-server/"))
    );
}

#[test]
fn an_identity_mints_one_token_and_brings_attestations() {
    let front = Front::start(Warehouse::default());
    let audience = get(&front, "/_/oidc/audience").value();
    assert_eq!(audience, json!({ "audience": "pypi" }));
    let identity = |audience: &str| {
        let path = format!("/actions/token?api-version=2.0&audience={audience}");
        let headers = [("authorization", "bearer runner-request-token")];
        let reply = ask(&front.url(), "GET", &path, &headers, b"");
        reply.value()["value"].as_str().unwrap().to_owned()
    };
    let mint = |token: &str| {
        let body = json!({ "token": token }).to_string();
        let reply = ask(
            &front.url(),
            "POST",
            "/_/oidc/mint-token",
            &[],
            body.as_bytes(),
        );
        (reply.status, reply.value())
    };
    let failure = |token: &str| {
        let (status, value) = mint(token);
        assert_eq!(
            (status, &value["message"]),
            (422, &json!("Token request failed"))
        );
        value["errors"][0]["code"].as_str().unwrap().to_owned()
    };
    let good = identity("pypi");
    assert_eq!(claims(&good).unwrap()["repository"], "owner/demo");
    let (status, value) = mint(&good);
    assert_eq!((status, &value["success"]), (200, &json!(true)));
    assert_eq!(failure(&good), "invalid-reuse-token");
    assert_eq!(failure(&identity("testpypi")), "invalid-token");
    assert_eq!(failure("nothing"), "invalid-payload");
    let mut uploader = Uploader::of(&front).with("attestations", "[{\"version\":1}]");
    uploader.token = value["token"].as_str().unwrap().to_owned();
    assert_eq!(uploader.sends(WHEEL, b"one").status, 200);
    let place = format!("/integrity/demo-server/1.0.0/{WHEEL}/provenance");
    let provenance: Value = ask(&front.url(), "GET", &place, &[], b"").value();
    let bundle = &provenance["attestation_bundles"][0];
    assert_eq!(bundle["attestations"], json!([{ "version": 1 }]));
    assert_eq!(bundle["publisher"]["workflow"], "release.yml");
    front.service().actions.claims["repository"] = json!("other/demo");
    assert_eq!(failure(&identity("pypi")), "invalid-publisher");
    front.service().audience = None;
    assert_eq!(get(&front, "/_/oidc/audience").status, 403);
    let refused = ask(&front.url(), "GET", "/actions/token", &[], b"");
    assert_eq!(refused.status, 401);
}
