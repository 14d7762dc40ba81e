//! GitHub's interface for releases, their assets and the tags they make, of one repository.
//!
//! Sources: GitHub's REST reference on releases, release assets, git references and immutable
//! releases; error bodies as issue threads show them (concourse/github-release-resource#151,
//! github-community-projects/ospo-reusable-workflows#83).
//!
//! Reduced: one repository, whose commits a test names; a tag moves without a look at history, so
//! only `force` decides; whoever may not write gets 404 for every change, where GitHub sometimes
//! says 403; a new release is listed at once; uploads go to the same server under `/uploads`; there
//! are no rate limits but those that a fault plays.

mod assets;
mod refs;
mod releases;
mod show;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::front::Service;
use super::message::{Asked, Reply};

/// The token of somebody who may write, unless a test sets others.
pub const TOKEN: &str = "ghp_standInWriter";

/// The commit that `main` is at.
pub const COMMIT: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// What a token may do in the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    Read,
    Write,
}

/// A file of a release.
#[derive(Debug, Clone)]
pub struct Asset {
    pub id: u64,
    pub name: String,
    pub label: Option<String>,
    pub content_type: String,
    /// Whether all of it arrived; what broke off stays, without bytes.
    pub uploaded: bool,
    pub bytes: Vec<u8>,
}

/// A release; a draft is one that only writers see.
#[derive(Debug, Clone)]
pub struct Release {
    pub id: u64,
    pub tag: String,
    pub target: String,
    pub name: Option<String>,
    pub body: Option<String>,
    pub draft: bool,
    pub prerelease: bool,
    pub immutable: bool,
    pub assets: Vec<Asset>,
}

/// The repository.
#[derive(Debug)]
pub struct Github {
    /// `owner/name`.
    pub repository: String,
    pub private: bool,
    pub tokens: BTreeMap<String, Right>,
    /// Scopes of tokens, as `x-oauth-scopes` says them.
    pub scopes: Option<String>,
    /// When tokens end, as GitHub's header says it.
    pub expiration: Option<String>,
    /// Whether releases can't be changed once they are published.
    pub immutable: bool,
    pub releases: Vec<Release>,
    /// Tags and the object that each names.
    pub tags: BTreeMap<String, String>,
    /// Tags that are objects of their own, and the commit that each names.
    pub annotated: BTreeMap<String, String>,
    pub branches: BTreeMap<String, String>,
    pub commits: BTreeSet<String>,
    /// Tags of immutable releases, deleted ones too.
    pub locked: BTreeSet<String>,
    /// The release that is shown as the latest.
    pub latest: Option<u64>,
    /// How many uploads from now break off: they leave an empty asset and answer 502.
    pub broken_uploads: usize,
    /// Whether a download is answered with the place where the bytes are.
    pub redirects: bool,
    /// Whether digests of assets are told; those of old releases are not.
    pub digests: bool,
    /// Everything that was deleted, in order.
    pub deleted: Vec<String>,
    stored: Vec<String>,
    last: u64,
    requests: u64,
}

impl Github {
    pub fn of(repository: &str) -> Github {
        Github {
            repository: repository.to_owned(),
            private: false,
            tokens: BTreeMap::from([(TOKEN.to_owned(), Right::Write)]),
            scopes: Some("repo".to_owned()),
            expiration: None,
            immutable: false,
            releases: Vec::new(),
            tags: BTreeMap::new(),
            annotated: BTreeMap::new(),
            branches: BTreeMap::from([("main".to_owned(), COMMIT.to_owned())]),
            commits: BTreeSet::from([COMMIT.to_owned()]),
            locked: BTreeSet::new(),
            latest: None,
            broken_uploads: 0,
            redirects: true,
            digests: true,
            deleted: Vec::new(),
            stored: Vec::new(),
            last: 0,
            requests: 0,
        }
    }

    /// The release of a tag; of several, the newest.
    pub fn release(&self, tag: &str) -> Option<&Release> {
        self.releases
            .iter()
            .rev()
            .find(|release| release.tag == tag)
    }

    /// A number that nothing else has.
    fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// What the token of a request may do; nothing when there is no such token.
    fn right(&self, asked: &Asked) -> Option<Option<Right>> {
        if asked.header("authorization").is_none() {
            return Some(None);
        }
        let token = asked.credential("bearer").or(asked.credential("token"));
        self.tokens.get(token?).map(|right| Some(*right))
    }

    fn routed(&mut self, asked: &Asked) -> Reply {
        let Some(right) = self.right(asked) else {
            return error(401, "Bad credentials");
        };
        let segments = asked.segments();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (owner, name) = self.repository.split_once('/').unwrap_or_default();
        let writes = right == Some(Right::Write);
        let reads = right.is_some() || !self.private;
        let changes = !matches!(asked.method.as_str(), "GET" | "HEAD");
        let rest = match &segments[..] {
            ["user"] => return self.user(asked, right),
            ["storage", id] => return self.storage(asked, id),
            ["uploads", "repos", o, n, rest @ ..] if (*o, *n) == (owner, name) && writes => {
                return self.upload(asked, rest);
            }
            [o, n, "releases", "download", tag, file] if (*o, *n) == (owner, name) && reads => {
                return self.public_download(tag, file);
            }
            ["repos", o, n, rest @ ..] if (*o, *n) == (owner, name) => rest,
            ["repositories", "1", rest @ ..] => rest,
            _ => return missing(),
        };
        if (changes && !writes) || !reads {
            return missing();
        }
        self.repository_routes(asked, rest, writes)
    }

    fn repository_routes(&mut self, asked: &Asked, rest: &[&str], writes: bool) -> Reply {
        let method = match asked.method.as_str() {
            "HEAD" => "GET",
            method => method,
        };
        match (method, rest) {
            ("GET", []) => self.about(asked, writes),
            ("GET", ["releases"]) => self.list(asked, writes),
            ("POST", ["releases"]) => self.create(asked),
            ("GET", ["releases", "latest"]) => self.latest(asked),
            ("GET", ["releases", "tags", tag @ ..]) => self.by_tag(asked, &tag.join("/")),
            ("GET", ["releases", "assets", id]) => self.asset(asked, id, writes),
            ("DELETE", ["releases", "assets", id]) => self.delete_asset(id),
            ("GET", ["releases", id]) => self.get(asked, id, writes),
            ("PATCH", ["releases", id]) => self.update(asked, id),
            ("DELETE", ["releases", id]) => self.delete_release(id),
            ("GET", ["releases", id, "assets"]) => self.list_assets(asked, id, writes),
            ("GET", ["git", "ref", "tags", tag @ ..]) => self.tag(asked, &tag.join("/")),
            ("POST", ["git", "refs"]) => self.create_tag(asked),
            ("PATCH", ["git", "refs", "tags", tag @ ..]) => self.move_tag(asked, &tag.join("/")),
            ("DELETE", ["git", "refs", "tags", tag @ ..]) => self.delete_tag(&tag.join("/")),
            ("GET", ["git", "tags", id]) => self.tag_object(asked, id),
            ("GET", ["git", "commits", id]) => self.commit(asked, id),
            _ => missing(),
        }
    }
}

impl Service for Github {
    fn answer(&mut self, asked: &Asked) -> Reply {
        self.requests += 1;
        let mut reply = self.routed(asked);
        if let Some(scopes) = &self.scopes {
            reply = reply.with("x-oauth-scopes", scopes.as_str());
        }
        if let Some(expiration) = &self.expiration {
            let name = "github-authentication-token-expiration";
            reply = reply.with(name, expiration.as_str());
        }
        let left = 5000u64.saturating_sub(self.requests);
        reply
            .with("x-github-request-id", format!("C0DE:{:04X}", self.requests))
            .with("x-ratelimit-limit", "5000")
            .with("x-ratelimit-remaining", left.to_string())
    }

    fn stored(&self) -> Vec<String> {
        self.stored.clone()
    }
}

/// An error with nothing but a message.
fn error(status: u16, message: &str) -> Reply {
    let address = "https://docs.github.com/rest";
    let status_text = status.to_string();
    let value = json!({
        "message": message, "documentation_url": address, "status": status_text,
    });
    Reply::json(status, &value).with("content-type", "application/json; charset=utf-8")
}

fn missing() -> Reply {
    error(404, "Not Found")
}

/// An error that names what was wrong with the input.
fn invalid(resource: &str, code: &str, field: &str, message: Option<&str>) -> Reply {
    let mut one = json!({ "resource": resource, "code": code });
    if !field.is_empty() {
        one["field"] = json!(field);
    }
    if let Some(message) = message {
        one["message"] = json!(message);
    }
    let value: Value = json!({
        "message": "Validation Failed",
        "errors": [one],
        "documentation_url": "https://docs.github.com/rest",
        "status": "422",
    });
    Reply::json(422, &value)
}
