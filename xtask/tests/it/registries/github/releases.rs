//! Releases: listed, found, made, changed, published, deleted.

use serde_json::{Value, json};

use super::super::message::{Asked, Reply};
use super::{Github, Release, error, invalid, missing};

/// How long the notes of a release may be, in characters.
const NOTES: usize = 125_000;

impl Github {
    pub(super) fn list(&self, asked: &Asked, writes: bool) -> Reply {
        let base = asked.base();
        let seen = self.releases.iter().rev();
        let seen = seen.filter(|release| writes || !release.draft);
        let all: Vec<Value> = seen.map(|release| self.shown(&base, release)).collect();
        paged(asked, "/repositories/1/releases", &all)
    }

    fn seen(&self, id: &str, writes: bool) -> Option<&Release> {
        let id: u64 = id.parse().ok()?;
        let mut releases = self.releases.iter();
        releases.find(|release| release.id == id && (writes || !release.draft))
    }

    pub(super) fn get(&self, asked: &Asked, id: &str, writes: bool) -> Reply {
        let found = self.seen(id, writes);
        found.map_or_else(missing, |release| {
            Reply::json(200, &self.shown(&asked.base(), release))
        })
    }

    /// A draft has no tag, whatever it says.
    pub(super) fn by_tag(&self, asked: &Asked, tag: &str) -> Reply {
        let mut releases = self.releases.iter();
        let found = releases.find(|release| release.tag == tag && !release.draft);
        found.map_or_else(missing, |release| {
            Reply::json(200, &self.shown(&asked.base(), release))
        })
    }

    pub(super) fn latest(&self, asked: &Asked) -> Reply {
        match self.latest {
            Some(id) => self.get(asked, &id.to_string(), false),
            None => missing(),
        }
    }

    pub(super) fn list_assets(&self, asked: &Asked, id: &str, writes: bool) -> Reply {
        let Some(release) = self.seen(id, writes) else {
            return missing();
        };
        let base = asked.base();
        let assets = release.assets.iter();
        let all: Vec<Value> = assets
            .map(|asset| self.shown_asset(&base, release, asset))
            .collect();
        paged(
            asked,
            &format!("/repositories/1/releases/{id}/assets"),
            &all,
        )
    }

    pub(super) fn create(&mut self, asked: &Asked) -> Reply {
        let body = asked.json();
        if !body.is_object() {
            return error(400, "Problems parsing JSON");
        }
        if body["tag_name"].as_str().unwrap_or_default().is_empty() {
            return invalid("Release", "missing_field", "tag_name", None);
        }
        let mut release = Release {
            id: 0,
            tag: String::new(),
            target: "main".to_owned(),
            name: None,
            body: None,
            draft: true,
            prerelease: false,
            immutable: false,
            assets: Vec::new(),
        };
        let draft = body["draft"].as_bool().unwrap_or(false);
        if let Err(reply) = self.changed(&mut release, &body, draft) {
            return reply;
        }
        release.id = self.number();
        self.stored.push(format!("release {}", release.tag));
        self.settle(&release, &body);
        let shown = self.shown(&asked.base(), &release);
        let address = shown["url"].as_str().unwrap_or_default().to_owned();
        self.releases.push(release);
        Reply::json(201, &shown).with("location", address)
    }

    pub(super) fn update(&mut self, asked: &Asked, id: &str) -> Reply {
        let body = asked.json();
        if !body.is_object() {
            return error(400, "Problems parsing JSON");
        }
        let Some(mut release) = self.seen(id, true).cloned() else {
            return missing();
        };
        let draft = body["draft"].as_bool().unwrap_or(release.draft);
        if let Err(reply) = self.changed(&mut release, &body, draft) {
            return reply;
        }
        self.settle(&release, &body);
        let shown = self.shown(&asked.base(), &release);
        let place = self.releases.iter_mut().find(|one| one.id == release.id);
        if let Some(place) = place {
            *place = release;
        }
        Reply::json(200, &shown)
    }

    /// Puts into a release what a body says of it, and publishes it when that is asked.
    fn changed(&mut self, release: &mut Release, body: &Value, draft: bool) -> Result<(), Reply> {
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        let tag = text("tag_name").unwrap_or_else(|| release.tag.clone());
        if release.immutable && (tag != release.tag || draft) {
            let what = "tag_name cannot be changed on an immutable release";
            return Err(invalid("Release", "custom", "tag_name", Some(what)));
        }
        release.tag = tag;
        if let Some(target) = text("target_commitish") {
            if !self.commits.contains(&target) && !self.branches.contains_key(&target) {
                return Err(invalid("Release", "invalid", "target_commitish", None));
            }
            release.target = target;
        }
        if let Some(notes) = text("body") {
            if notes.chars().count() > NOTES {
                let what = format!("body is too long (maximum is {NOTES} characters)");
                return Err(invalid("Release", "custom", "body", Some(&what)));
            }
            release.body = Some(notes);
        }
        release.name = text("name").or(release.name.take());
        release.prerelease = body["prerelease"].as_bool().unwrap_or(release.prerelease);
        if release.draft && !draft {
            self.published(release)?;
        }
        release.draft = draft;
        Ok(())
    }

    /// What becomes of a draft: its tag is made where it aims, unless there is one.
    fn published(&mut self, release: &mut Release) -> Result<(), Reply> {
        if self.locked.contains(&release.tag) {
            let what = "tag_name was used by an immutable release";
            return Err(invalid("Release", "custom", "tag_name", Some(what)));
        }
        let mut others = self.releases.iter().filter(|one| one.id != release.id);
        if others.any(|one| one.tag == release.tag && !one.draft) {
            return Err(invalid("Release", "already_exists", "tag_name", None));
        }
        if !self.tags.contains_key(&release.tag) {
            let branch = self.branches.get(&release.target);
            let commit = branch.unwrap_or(&release.target).clone();
            self.stored.push(format!("tag {}", release.tag));
            self.tags.insert(release.tag.clone(), commit);
        }
        release.immutable = self.immutable;
        if release.immutable {
            self.locked.insert(release.tag.clone());
        }
        Ok(())
    }

    /// Which release is the latest one after this one was changed.
    fn settle(&mut self, release: &Release, body: &Value) {
        let wanted = match &body["make_latest"] {
            Value::String(wanted) => wanted == "true",
            // Without a word it is the newest, which here is the one that was changed.
            _ => body["draft"] == json!(false) || self.latest == Some(release.id),
        };
        if wanted && !release.draft && !release.prerelease {
            self.latest = Some(release.id);
        } else if self.latest == Some(release.id) && body["make_latest"] == "false" {
            self.latest = None;
        }
    }

    pub(super) fn delete_release(&mut self, id: &str) -> Reply {
        let Some(release) = self.seen(id, true).cloned() else {
            return missing();
        };
        let kind = if release.draft { "draft" } else { "release" };
        self.deleted.push(format!("{kind} {}", release.tag));
        self.releases.retain(|one| one.id != release.id);
        Reply::new(204, "")
    }
}

/// A page of a list, and where the others are.
fn paged(asked: &Asked, path: &str, all: &[Value]) -> Reply {
    let number = |name: &str, otherwise: usize| {
        let value = asked.query(name).and_then(|value| value.parse().ok());
        value.unwrap_or(otherwise).max(1)
    };
    let size = number("per_page", 30).min(100);
    let page = number("page", 1);
    let last = all.len().div_ceil(size).max(1);
    let items: Vec<&Value> = all.iter().skip((page - 1) * size).take(size).collect();
    let reply = Reply::json(200, &json!(items));
    let mut links = Vec::new();
    let base = asked.base();
    let mut link = |to: usize, name: &str| {
        let query = format!("per_page={size}&page={to}");
        links.push(format!("<{base}{path}?{query}>; rel=\"{name}\""));
    };
    if page > 1 {
        link(page - 1, "prev");
        link(1, "first");
    }
    if page < last {
        link(page + 1, "next");
        link(last, "last");
    }
    match links.is_empty() {
        true => reply,
        false => reply.with("link", links.join(", ")),
    }
}
