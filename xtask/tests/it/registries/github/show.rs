//! Everything as JSON, with every field that clients insist on.

use serde_json::{Value, json};

use super::super::digest::sha256;
use super::super::message::{Asked, Reply};
use super::{Asset, Github, Release, Right, error};

const TIME: &str = "2026-01-02T03:04:05Z";

impl Github {
    pub(super) fn user(&self, asked: &Asked, right: Option<Right>) -> Reply {
        match right {
            Some(_) => Reply::json(200, &author(&asked.base(), self.owner())),
            None => error(401, "Requires authentication"),
        }
    }

    pub(super) fn about(&self, asked: &Asked, writes: bool) -> Reply {
        let (base, repository) = (asked.base(), &self.repository);
        let name = repository.rsplit('/').next().unwrap_or_default();
        let mut value = json!({
            "id": 1,
            "node_id": "R_1",
            "name": name,
            "full_name": repository,
            "owner": author(&base, self.owner()),
            "private": self.private,
            "visibility": if self.private { "private" } else { "public" },
            "html_url": format!("{base}/{repository}"),
            "url": format!("{base}/repos/{repository}"),
            "default_branch": "main",
            "archived": false,
        });
        if asked.header("authorization").is_some() {
            value["permissions"] = json!({
                "admin": false, "maintain": false, "push": writes, "triage": writes, "pull": true,
            });
        }
        Reply::json(200, &value)
    }

    fn owner(&self) -> &str {
        self.repository.split('/').next().unwrap_or_default()
    }

    pub(super) fn shown(&self, base: &str, release: &Release) -> Value {
        let repository = &self.repository;
        let (id, tag) = (release.id, &release.tag);
        let own = format!("{base}/repos/{repository}/releases/{id}");
        let uploads = format!("{base}/uploads/repos/{repository}/releases/{id}/assets");
        let page = match release.draft {
            true => format!("untagged-{id:020x}"),
            false => tag.clone(),
        };
        let archive = |kind: &str| match release.draft {
            true => Value::Null,
            false => json!(format!("{base}/repos/{repository}/{kind}/{tag}")),
        };
        let assets = release.assets.iter();
        let assets = assets.map(|asset| self.shown_asset(base, release, asset));
        json!({
            "url": own,
            "assets_url": format!("{own}/assets"),
            "upload_url": format!("{uploads}{{?name,label}}"),
            "html_url": format!("{base}/{repository}/releases/tag/{page}"),
            "id": id,
            "author": author(base, self.owner()),
            "node_id": format!("RE_{id}"),
            "tag_name": tag,
            "target_commitish": release.target,
            "name": release.name,
            "draft": release.draft,
            "immutable": release.immutable,
            "prerelease": release.prerelease,
            "created_at": TIME,
            "updated_at": TIME,
            "published_at": (!release.draft).then_some(TIME),
            "assets": assets.collect::<Vec<_>>(),
            "tarball_url": archive("tarball"),
            "zipball_url": archive("zipball"),
            "body": release.body,
        })
    }

    pub(super) fn shown_asset(&self, base: &str, release: &Release, asset: &Asset) -> Value {
        let (repository, tag) = (&self.repository, &release.tag);
        let (id, name) = (asset.id, &asset.name);
        let digest = format!("sha256:{}", sha256(&asset.bytes));
        json!({
            "url": format!("{base}/repos/{repository}/releases/assets/{id}"),
            "id": id,
            "node_id": format!("RA_{id}"),
            "name": name,
            "label": asset.label,
            "uploader": author(base, self.owner()),
            "content_type": asset.content_type,
            "state": if asset.uploaded { "uploaded" } else { "starter" },
            "size": asset.bytes.len(),
            "digest": (asset.uploaded && self.digests).then_some(digest),
            "download_count": 0,
            "created_at": TIME,
            "updated_at": TIME,
            "browser_download_url":
                format!("{base}/{repository}/releases/download/{tag}/{name}"),
        })
    }
}

/// Somebody, in the form of every interface of GitHub.
fn author(base: &str, login: &str) -> Value {
    let mut value = json!({
        "login": login,
        "id": 2,
        "node_id": "U_2",
        "avatar_url": format!("{base}/avatars/2"),
        "gravatar_id": "",
        "url": format!("{base}/users/{login}"),
        "html_url": format!("{base}/{login}"),
        "type": "User",
        "user_view_type": "public",
        "site_admin": false,
    });
    let below = [
        "followers",
        "following",
        "gists",
        "starred",
        "subscriptions",
        "organizations",
        "repos",
        "events",
        "received_events",
    ];
    for name in below {
        value[format!("{name}_url")] = json!(format!("{base}/users/{login}/{name}"));
    }
    value
}
