//! The files of releases: uploaded, read, deleted.

use serde_json::json;

use super::super::message::{Asked, Reply};
use super::{Asset, Github, Release, error, invalid, missing};

impl Github {
    pub(super) fn upload(&mut self, asked: &Asked, rest: &[&str]) -> Reply {
        let ("POST", ["releases", id, "assets"]) = (asked.method.as_str(), rest) else {
            return missing();
        };
        let Ok(id) = id.parse::<u64>() else {
            return missing();
        };
        let Some(at) = self.releases.iter().position(|one| one.id == id) else {
            return missing();
        };
        if self.releases[at].immutable {
            return frozen("Cannot upload assets to an immutable release.");
        }
        let name = renamed(&asked.query("name").unwrap_or_default());
        if name.is_empty() {
            return invalid("ReleaseAsset", "missing_field", "name", None);
        }
        let Some(content_type) = asked.header("content-type") else {
            return error(400, "Missing content type");
        };
        if asked.body.is_empty() {
            let what = "size must be greater than or equal to 1";
            return invalid("ReleaseAsset", "custom", "size", Some(what));
        }
        if self.releases[at].assets.iter().any(|one| one.name == name) {
            return invalid("ReleaseAsset", "already_exists", "name", None);
        }
        let broken = self.broken_uploads > 0;
        self.broken_uploads = self.broken_uploads.saturating_sub(1);
        let asset = Asset {
            id: self.number(),
            label: asked.query("label"),
            content_type: content_type.to_owned(),
            uploaded: !broken,
            bytes: if broken {
                Vec::new()
            } else {
                asked.body.clone()
            },
            name,
        };
        let release = &self.releases[at];
        let shown = self.shown_asset(&asked.base(), release, &asset);
        if !broken {
            let stored = format!("asset {}/{}", release.tag, asset.name);
            self.stored.push(stored);
        }
        self.releases[at].assets.push(asset);
        match broken {
            true => Reply::new(502, "<html>Bad Gateway</html>").with("content-type", "text/html"),
            false => {
                let address = shown["url"].as_str().unwrap_or_default().to_owned();
                Reply::json(201, &shown).with("location", address)
            }
        }
    }

    fn found(&self, id: &str) -> Option<(&Release, &Asset)> {
        let id: u64 = id.parse().ok()?;
        self.releases.iter().find_map(|release| {
            let asset = release.assets.iter().find(|asset| asset.id == id)?;
            Some((release, asset))
        })
    }

    pub(super) fn asset(&self, asked: &Asked, id: &str, writes: bool) -> Reply {
        let found = self.found(id);
        let Some((release, asset)) = found.filter(|(release, _)| writes || !release.draft) else {
            return missing();
        };
        let accept = asked.header("accept").unwrap_or_default();
        if !accept.contains("application/octet-stream") {
            return Reply::json(200, &self.shown_asset(&asked.base(), release, asset));
        }
        match self.redirects {
            true => {
                let place = format!("{}/storage/{id}?signature=stand-in", asked.base());
                Reply::new(302, "").with("location", place)
            }
            false => Reply::bytes(&asset.bytes),
        }
    }

    /// The storage knows nobody: its address is the credential, and no other may come with it.
    pub(super) fn storage(&self, asked: &Asked, id: &str) -> Reply {
        if asked.header("authorization").is_some() {
            return Reply::new(400, "<Error><Code>InvalidAuthenticationInfo</Code></Error>");
        }
        let found = self.found(id);
        found.map_or_else(missing, |(_, asset)| Reply::bytes(&asset.bytes))
    }

    pub(super) fn public_download(&self, tag: &str, name: &str) -> Reply {
        let releases = self.releases.iter();
        let mut releases = releases.filter(|release| release.tag == tag && !release.draft);
        let assets = releases.next().map(|release| release.assets.iter());
        let found = assets.and_then(|mut assets| assets.find(|asset| asset.name == name));
        found.map_or_else(missing, |asset| Reply::bytes(&asset.bytes))
    }

    pub(super) fn delete_asset(&mut self, id: &str) -> Reply {
        let Some((release, asset)) = self.found(id) else {
            return missing();
        };
        if release.immutable {
            return frozen("Cannot delete asset from an immutable release.");
        }
        let kind = if release.draft {
            "draft's asset"
        } else {
            "asset"
        };
        let (line, id) = (format!("{kind} {}/{}", release.tag, asset.name), asset.id);
        self.deleted.push(line);
        for release in &mut self.releases {
            release.assets.retain(|asset| asset.id != id);
        }
        Reply::new(204, "")
    }
}

fn frozen(message: &str) -> Reply {
    let value = json!({
        "message": message,
        "request_id": "C0DE:F00D",
        "documentation_url": "https://docs.github.com/rest",
    });
    Reply::json(422, &value)
}

/// A name as GitHub keeps it: other characters become dots.
fn renamed(name: &str) -> String {
    let kept = |character: char| character.is_ascii_alphanumeric() || "._-+@".contains(character);
    let name = name.replace(|character| !kept(character), ".");
    name.trim_matches('.').to_owned()
}
