//! The repository asked as `octocrab` asks it, and its answers read by the models of that crate.

use octocrab::models::repos::{Asset, Object, Ref, Release};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::super::client::ask;
use super::super::digest::sha256;
use super::super::front::Front;
use super::super::message::Reply;
use super::{COMMIT, Github, Right, TOKEN};

const REPO: &str = "/repos/owner/demo";

fn started() -> Front<Github> {
    Front::start(Github::of("owner/demo"))
}

fn send(front: &Front<Github>, method: &str, path: &str, body: &Value) -> Reply {
    let bearer = format!("Bearer {TOKEN}");
    let body = match body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    let headers = [("authorization", bearer.as_str())];
    ask(&front.url(), method, path, &headers, body.as_bytes())
}

fn get(front: &Front<Github>, path: &str) -> Reply {
    send(front, "GET", path, &Value::Null)
}

fn model<T: DeserializeOwned>(reply: &Reply) -> T {
    serde_json::from_slice(&reply.body).unwrap()
}

fn draft(front: &Front<Github>, tag: &str) -> Release {
    let body = json!({ "tag_name": tag, "draft": true, "target_commitish": COMMIT, "body": "b" });
    let reply = send(front, "POST", &format!("{REPO}/releases"), &body);
    assert_eq!(reply.status, 201);
    model(&reply)
}

fn upload(front: &Front<Github>, release: &Release, name: &str, bytes: &[u8]) -> Reply {
    let path = release.upload_url.strip_prefix(&front.url()).unwrap();
    let path = path.replace("{?name,label}", &format!("?name={name}"));
    let bearer = format!("token {TOKEN}");
    let kind = ("content-type", "application/octet-stream");
    let headers = [("authorization", bearer.as_str()), kind];
    ask(&front.url(), "POST", &path, &headers, bytes)
}

#[test]
fn a_draft_becomes_a_release_with_a_tag() {
    let front = started();
    let release = draft(&front, "v1.0.0");
    assert!(release.draft && release.html_url.path().contains("untagged-"));
    assert_eq!(
        get(&front, &format!("{REPO}/releases/tags/v1.0.0")).status,
        404
    );
    assert_eq!(
        get(&front, &format!("{REPO}/git/ref/tags/v1.0.0")).status,
        404
    );
    let reply = upload(&front, &release, "demo%20one.whl", b"wheel");
    assert_eq!(reply.status, 201);
    let asset: Asset = model(&reply);
    let digest = format!("sha256:{}", sha256(b"wheel"));
    let shown = (asset.name.as_str(), asset.digest, asset.state.as_str());
    assert_eq!(shown, ("demo.one.whl", Some(digest), "uploaded"));
    let again = upload(&front, &release, "demo.one.whl", b"other");
    let error = &again.value()["errors"][0];
    assert_eq!(
        (again.status, &error["code"]),
        (422, &json!("already_exists"))
    );
    let path = format!("{REPO}/releases/{}", release.id);
    let reply = send(&front, "PATCH", &path, &json!({ "draft": false }));
    let release: Release = model(&reply);
    assert!(!release.draft && release.immutable == Some(false));
    let reply = get(&front, &format!("{REPO}/git/ref/tags/v1.0.0"));
    let tag: Ref = model(&reply);
    assert!(matches!(tag.object, Object::Commit { sha, .. } if sha == COMMIT));
    for path in ["tags/v1.0.0", "latest"] {
        let found: Release = model(&get(&front, &format!("{REPO}/releases/{path}")));
        assert_eq!(found.id, release.id);
    }
    let expected = ["release v1.0.0", "asset v1.0.0/demo.one.whl", "tag v1.0.0"];
    assert_eq!(front.stored(), expected);
    let download = "/owner/demo/releases/download/v1.0.0/demo.one.whl";
    assert_eq!(ask(&front.url(), "GET", download, &[], b"").body, b"wheel");
    assert!(reply.header("x-github-request-id").is_some());
}

#[test]
fn drafts_are_for_writers_and_two_may_have_one_tag() {
    let front = started();
    let (first, second) = (draft(&front, "v1"), draft(&front, "v1"));
    assert_ne!(first.id, second.id);
    let list = |token: Option<&str>| {
        let header = token.map(|token| format!("Bearer {token}"));
        let header = header.as_deref().map(|value| ("authorization", value));
        let headers: Vec<_> = header.into_iter().collect();
        let path = format!("{REPO}/releases");
        ask(&front.url(), "GET", &path, &headers, b"")
    };
    let mut service = front.service();
    service.tokens.insert("reader".to_owned(), Right::Read);
    drop(service);
    assert_eq!(model::<Vec<Release>>(&list(Some(TOKEN))).len(), 2);
    assert!(model::<Vec<Release>>(&list(Some("reader"))).is_empty());
    assert!(model::<Vec<Release>>(&list(None)).is_empty());
    assert_eq!(list(Some("nobody")).value()["message"], "Bad credentials");
    front.service().private = true;
    assert_eq!(list(None).status, 404);
    let headers = [("authorization", "Bearer reader")];
    let path = format!("{REPO}/releases");
    let reply = ask(
        &front.url(),
        "POST",
        &path,
        &headers,
        b"{\"tag_name\":\"v2\"}",
    );
    assert_eq!(
        (reply.status, &reply.value()["message"]),
        (404, &json!("Not Found"))
    );
    let about = get(&front, REPO).value();
    assert_eq!(about["permissions"]["push"], true);
    assert_eq!(get(&front, "/user").value()["login"], "owner");
    let path = format!("{REPO}/releases/{}", first.id);
    assert_eq!(send(&front, "DELETE", &path, &Value::Null).status, 204);
    assert_eq!(front.service().deleted, ["draft v1"]);
}

#[test]
fn lists_come_in_pages() {
    let front = started();
    for number in 0..5 {
        draft(&front, &format!("v{number}"));
    }
    let mut path = format!("{REPO}/releases?per_page=2");
    let mut tags = Vec::new();
    loop {
        let reply = get(&front, &path);
        tags.extend(
            model::<Vec<Release>>(&reply)
                .into_iter()
                .map(|one| one.tag_name),
        );
        let links = reply.header("link").unwrap_or_default().split(", ");
        let mut next = links.filter(|link| link.ends_with("rel=\"next\""));
        let Some(next) = next.next() else { break };
        let address = next.split(['<', '>']).nth(1).unwrap();
        path = address.strip_prefix(&front.url()).unwrap().to_owned();
    }
    assert_eq!(tags, ["v4", "v3", "v2", "v1", "v0"]);
}

#[test]
fn immutable_releases_are_frozen_when_they_are_published() {
    let front = started();
    front.service().immutable = true;
    let release = draft(&front, "v1");
    let asset: Asset = model(&upload(&front, &release, "a", b"a"));
    let path = format!("{REPO}/releases/{}", release.id);
    let reply = send(&front, "PATCH", &path, &json!({ "draft": false }));
    assert_eq!(model::<Release>(&reply).immutable, Some(true));
    let reply = upload(&front, &release, "b", b"b");
    let text = "Cannot upload assets to an immutable release.";
    assert_eq!(
        (reply.status, &reply.value()["message"]),
        (422, &json!(text))
    );
    let path = format!("{REPO}/releases/assets/{}", asset.id);
    assert_eq!(send(&front, "DELETE", &path, &Value::Null).status, 422);
    let path = format!("{REPO}/git/refs/tags/v1");
    let moved = json!({ "sha": COMMIT, "force": true });
    assert_eq!(send(&front, "PATCH", &path, &moved).status, 422);
    assert_eq!(front.stored(), ["release v1", "asset v1/a", "tag v1"]);
}

#[test]
fn an_asset_that_broke_off_stays_until_it_is_deleted() {
    let front = started();
    front.service().broken_uploads = 1;
    let release = draft(&front, "v1");
    assert_eq!(upload(&front, &release, "a", b"a").status, 502);
    assert_eq!(upload(&front, &release, "a", b"a").status, 422);
    let reply = get(&front, &format!("{REPO}/releases/{}/assets", release.id));
    let assets: Vec<Asset> = model(&reply);
    let shown = (
        assets[0].state.as_str(),
        assets[0].digest.as_deref(),
        assets[0].size,
    );
    assert_eq!(shown, ("starter", None, 0));
    let path = format!("{REPO}/releases/assets/{}", assets[0].id);
    assert_eq!(send(&front, "DELETE", &path, &Value::Null).status, 204);
    let asset: Asset = model(&upload(&front, &release, "a", b"a"));
    assert_eq!(front.stored(), ["release v1", "asset v1/a"]);
    let path = format!("{REPO}/releases/assets/{}", asset.id);
    assert_eq!(model::<Asset>(&get(&front, &path)).name, "a");
    let bearer = format!("Bearer {TOKEN}");
    let accept = ("accept", "application/octet-stream");
    let headers = [("authorization", bearer.as_str()), accept];
    let reply = ask(&front.url(), "GET", &path, &headers, b"");
    let place = reply.header("location").unwrap().to_owned();
    let place = place.strip_prefix(&front.url()).unwrap();
    assert_eq!(ask(&front.url(), "GET", place, &headers, b"").status, 400);
    assert_eq!(ask(&front.url(), "GET", place, &[], b"").body, b"a");
}

#[test]
fn tags_are_made_and_moved() {
    let front = started();
    let other = "b".repeat(40);
    front.service().commits.insert(other.clone());
    let make = |tag: &str, id: &str| {
        let body = json!({ "ref": format!("refs/tags/{tag}"), "sha": id });
        send(&front, "POST", &format!("{REPO}/git/refs"), &body)
    };
    assert_eq!(make("v1", COMMIT).status, 201);
    assert_eq!(
        make("v1", &other).value()["message"],
        "Reference already exists"
    );
    assert_eq!(make("v2", "c").value()["message"], "Object does not exist");
    let path = format!("{REPO}/git/refs/tags/v1");
    let reply = send(&front, "PATCH", &path, &json!({ "sha": other }));
    assert_eq!(reply.value()["message"], "Update is not a fast forward");
    let body = json!({ "sha": other, "force": true });
    assert_eq!(send(&front, "PATCH", &path, &body).status, 200);
    assert_eq!(front.service().tags["v1"], other);
    let (object, name) = ("d".repeat(40), "v3".to_owned());
    let mut service = front.service();
    service.annotated.insert(object.clone(), COMMIT.to_owned());
    service.tags.insert(name, object.clone());
    drop(service);
    let tag: Ref = model(&get(&front, &format!("{REPO}/git/ref/tags/v3")));
    assert!(matches!(tag.object, Object::Tag { sha, .. } if sha == object));
    let tag = get(&front, &format!("{REPO}/git/tags/{object}")).value();
    assert_eq!(tag["object"]["sha"], COMMIT);
    let path = format!("{REPO}/git/commits/{other}");
    assert_eq!(get(&front, &path).value()["sha"], other);
    assert_eq!(
        send(
            &front,
            "DELETE",
            &format!("{REPO}/git/refs/tags/v1"),
            &json!(null)
        )
        .status,
        204
    );
}

#[test]
fn what_is_wrong_with_a_release_is_said() {
    let front = started();
    let post = |body: Value| send(&front, "POST", &format!("{REPO}/releases"), &body);
    let published = json!({ "tag_name": "v1", "make_latest": "false" });
    assert_eq!(post(published.clone()).status, 201);
    assert_eq!(get(&front, &format!("{REPO}/releases/latest")).status, 404);
    let long = "x".repeat(125_001);
    let cases = [
        (published, "already_exists", "tag_name"),
        (json!({ "name": "x" }), "missing_field", "tag_name"),
        (
            json!({ "tag_name": "v", "target_commitish": "x" }),
            "invalid",
            "target_commitish",
        ),
        (json!({ "tag_name": "v", "body": long }), "custom", "body"),
    ];
    for (body, code, field) in cases {
        let reply = post(body);
        let error = &reply.value()["errors"][0];
        assert_eq!((reply.status, &error["code"]), (422, &json!(code)));
        assert_eq!(error["field"], field);
    }
}
