//! Looking: which releases and tags a repository has, and who asks.

use octocrab::models::repos::{GitTag, Object, Ref, Release};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::api::{Ask, JSON_LIMIT, Reply};
use super::{Github, Tried, draft};
use crate::artifact::Digest;
use crate::error::Kind;
use crate::registry::{Answered, Statement, Trouble};

/// GitHub gives no more at once.
const PAGE: usize = 100;

/// GitHub gives no more than ten thousand releases.
const PAGES: usize = 100;

/// A tag of a tag of a tag.
const DEEPEST: usize = 5;

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The release that was seen as ours, and everything only when there is none yet.
    Ours,
    /// All releases, and the tag.
    Everything,
}

/// What was seen at once.
#[derive(Debug)]
pub struct Look {
    /// The releases of our tag, drafts too.
    pub of_tag: Vec<Release>,
    /// The tags of all that is published and no pre-release.
    pub published: Vec<String>,
    /// The commit that the tag names; `None` when nobody asked, too.
    pub tagged: Option<String>,
    status: u16,
    request: Option<String>,
}

/// The part of a release that matters when it is none of ours.
#[derive(Deserialize)]
struct Head {
    tag_name: String,
    draft: bool,
    prerelease: bool,
}

impl Look {
    /// A value that was answered with this look.
    pub fn answered<T>(&self, value: T) -> Answered<T> {
        Answered {
            value,
            status: Some(self.status),
            request: self.request.clone(),
        }
    }

    fn nothing(reply: &Reply) -> Look {
        Look {
            of_tag: Vec::new(),
            published: Vec::new(),
            tagged: None,
            status: reply.status,
            request: reply.request(),
        }
    }
}

/// A value that was answered with this reply.
pub fn answered<T>(reply: &Reply, value: T) -> Answered<T> {
    Answered {
        value,
        status: Some(reply.status),
        request: reply.request(),
    }
}

impl Github<'_> {
    /// Looks at what there is. Nothing but the number of our release is kept for the next time.
    pub(super) fn look(&self, scope: Scope) -> Tried<Look> {
        let seen = match scope {
            Scope::Ours => self.ours()?,
            Scope::Everything => None,
        };
        let mut look = match seen {
            Some(look) => look,
            None => self.list()?,
        };
        if scope == Scope::Everything {
            look.tagged = self.tagged()?;
        }
        self.tell_digests(&mut look)?;
        let found = draft::find(&look.of_tag, &self.files);
        if let draft::Found::Draft(release) | draft::Found::Published(release) = found {
            self.remember(release.id.0);
        }
        Ok(look)
    }

    pub(super) fn remember(&self, number: u64) {
        if let Ok(mut known) = self.number.lock() {
            *known = Some(number);
        }
    }

    /// The release that was seen as ours, if it still is there under our tag.
    fn ours(&self) -> Tried<Option<Look>> {
        let Some(number) = self.number.lock().ok().and_then(|known| *known) else {
            return Ok(None);
        };
        let reply = self.ask(Ask::Get, &format!("/releases/{number}"), JSON_LIMIT)?;
        let reply = self.expect(reply, &[200, 404])?;
        if reply.status == 404 {
            return Ok(None);
        }
        let release: Release = reply.json()?;
        let look = Look {
            of_tag: vec![release],
            ..Look::nothing(&reply)
        };
        let same_tag = |release: &Release| release.tag_name == self.release.tag;
        Ok(look.of_tag.iter().all(same_tag).then_some(look))
    }

    /// Everything, page by page: a draft is seen nowhere else.
    fn list(&self) -> Tried<Look> {
        let mut look: Option<Look> = None;
        for page in 1..=PAGES {
            let path = format!("/releases?per_page={PAGE}&page={page}");
            let reply = self.ask(Ask::Get, &path, JSON_LIMIT)?;
            if reply.status == 404 {
                return Err(self.unseen(&reply));
            }
            let reply = self.expect(reply, &[200])?;
            // What is none of ours may be of any form.
            let entries: Vec<Box<RawValue>> = reply.json()?;
            let look = look.get_or_insert_with(|| Look::nothing(&reply));
            for entry in &entries {
                let bad = |cause: serde_json::Error| {
                    let what = format!("{}: not a release of GitHub: {cause}", reply.shown);
                    Trouble::last(Kind::Failure, what)
                };
                let head: Head = serde_json::from_str(entry.get()).map_err(bad)?;
                if head.tag_name == self.release.tag {
                    let release = serde_json::from_str(entry.get()).map_err(bad)?;
                    look.of_tag.push(release);
                }
                if !head.draft && !head.prerelease {
                    look.published.push(head.tag_name);
                }
            }
            let next = match reply.header("link") {
                Some(link) => link.contains("rel=\"next\""),
                None => entries.len() == PAGE,
            };
            if !next {
                break;
            }
        }
        look.ok_or_else(|| Trouble::last(Kind::Failure, "no page was asked for"))
    }

    /// The repository is not there for whoever asks, or may not be written to.
    pub(super) fn unseen(&self, reply: &Reply) -> Trouble {
        let trouble = Trouble {
            status: Some(reply.status),
            request: reply.request(),
            ..Trouble::last(
                Kind::Precondition,
                format!(
                    "{}: answers 404: no such repository, or no access",
                    reply.shown
                ),
            )
        };
        match self.token() {
            Ok(Some(token)) => trouble.hint(format!(
                "is it one that {} may see and whose contents it may write?",
                token.from
            )),
            _ => trouble.hint("a private repository is seen with a token only: set GITHUB_TOKEN"),
        }
    }

    /// The commit that the tag of the release names, if there is such a tag.
    pub(super) fn tagged(&self) -> Tried<Option<String>> {
        let path = format!("/git/ref/tags/{}", escaped(&self.release.tag));
        let reply = self.ask(Ask::Get, &path, JSON_LIMIT)?;
        // An empty repository answers 409.
        let reply = self.expect(reply, &[200, 404, 409])?;
        if reply.status != 200 {
            return Ok(None);
        }
        let mut tag = match reply.json::<Ref>()?.object {
            Object::Tag { sha, .. } => sha,
            // A tag of something else than a commit names something else than ours.
            Object::Commit { sha, .. } | Object::Tree { sha, .. } | Object::Blob { sha, .. } => {
                return Ok(Some(sha));
            }
            _ => return Ok(Some("unknown".to_owned())),
        };
        for _ in 0..DEEPEST {
            let reply = self.ask(Ask::Get, &format!("/git/tags/{tag}"), JSON_LIMIT)?;
            let named: GitTag = self.expect(reply, &[200])?.json()?;
            match named.object {
                Some(object) if object.r#type == "tag" => tag = object.sha,
                Some(object) => return Ok(Some(object.sha)),
                None => break,
            }
        }
        let what = format!("{}: the tag names no commit", self.release.tag);
        Err(Trouble::last(Kind::Failure, what))
    }

    /// Older servers tell no digests of what they have: then the bytes are fetched and hashed.
    fn tell_digests(&self, look: &mut Look) -> Tried<()> {
        for release in &mut look.of_tag {
            for file in &self.files {
                let untold = |asset: &_| draft::is_untold(asset, file);
                if !draft::asset(release, &file.key).is_some_and(untold) {
                    continue;
                }
                let bytes = self.download(release, file)?.value;
                let mut assets = release.assets.iter_mut();
                if let Some(asset) = assets.find(|asset| asset.name == file.key) {
                    asset.digest = Some(Digest::of(&bytes).to_string());
                }
            }
        }
        Ok(())
    }

    /// Whose token it is, what it may do here, and until when.
    pub(super) fn who(&self) -> Tried<Vec<Statement>> {
        let token = self.token()?;
        let from = token.map(|token| token.from.as_str()).unwrap_or_default();
        let reply = self.api.ask(token, Ask::Get, "/user", JSON_LIMIT)?;
        // The token of a job has no user.
        let reply = self.expect(reply, &[200, 403])?;
        let user: Value = serde_json::from_slice(&reply.bytes).unwrap_or_default();
        let login = user["login"].as_str().filter(|_| reply.status == 200);
        let mut said = vec![Statement::good(
            "identity",
            match login {
                Some(login) => format!("{login}, by {from}"),
                None => format!("an app or a GitHub Actions job, by {from}"),
            },
        )];
        let scopes = reply.header("x-oauth-scopes").map(str::to_owned);
        let repository = self.ask(Ask::Get, "", JSON_LIMIT)?;
        if repository.status == 404 {
            return Err(self.unseen(&repository));
        }
        let repository = self.expect(repository, &[200])?;
        let described: Value = repository.json()?;
        said.push(self.role(&described, login, scopes.as_deref()));
        let expiry = "github-authentication-token-expiration";
        said.push(match reply.header(expiry).or(repository.header(expiry)) {
            Some(time) => Statement::good("expires", time),
            None if login.is_none() => Statement::good("expires", "with the job"),
            None => Statement::good("expires", "not told: never, or with its session"),
        });
        Ok(said)
    }

    fn role(&self, described: &Value, login: Option<&str>, scopes: Option<&str>) -> Statement {
        let repository = &self.repository;
        let remedy = "give it write access to the contents of the repository; in GitHub Actions: \
                      permissions: contents: write";
        // A classic token has no more rights than its scopes, whatever its user has.
        let narrow = |scopes: &str| {
            let named = |scope: &str| matches!(scope.trim(), "repo" | "public_repo");
            !scopes.trim().is_empty() && !scopes.split(',').any(named)
        };
        let push = described["permissions"]["push"].as_bool();
        match (push, scopes) {
            (_, Some(scopes)) if narrow(scopes) => {
                let found = format!("its scopes, {scopes}, do not reach {repository}");
                Statement::bad("role", found, remedy)
            }
            (Some(true), _) => Statement::good("role", format!("may write to {repository}")),
            (_, _) if login.is_none() => Statement::good(
                "role",
                format!("not told for {repository}; the job needs permissions: contents: write"),
            ),
            (Some(false) | None, _) => {
                Statement::bad("role", format!("may not write to {repository}"), remedy)
            }
        }
    }
}

/// A tag as a part of an address; the slashes in it stay.
fn escaped(tag: &str) -> String {
    let mut escaped = String::new();
    for byte in tag.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                escaped.push(char::from(byte));
            }
            byte => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_stands_in_an_address() {
        assert_eq!(escaped("v1.0.0"), "v1.0.0");
        assert_eq!(escaped("a/v1.0.0+ü#?%"), "a/v1.0.0%2B%C3%BC%23%3F%25");
    }
}
