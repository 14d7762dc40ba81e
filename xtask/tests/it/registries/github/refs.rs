//! Tags as git knows them, and the commits they name.

use serde_json::{Value, json};

use super::super::message::{Asked, Reply};
use super::{Github, error, missing};

impl Github {
    fn reference(&self, base: &str, tag: &str, id: &str) -> Value {
        let repository = &self.repository;
        let kind = match self.annotated.contains_key(id) {
            true => "tag",
            false => "commit",
        };
        json!({
            "ref": format!("refs/tags/{tag}"),
            "node_id": format!("REF_{tag}"),
            "url": format!("{base}/repos/{repository}/git/refs/tags/{tag}"),
            "object": {
                "sha": id,
                "type": kind,
                "url": format!("{base}/repos/{repository}/git/{kind}s/{id}"),
            },
        })
    }

    pub(super) fn tag(&self, asked: &Asked, tag: &str) -> Reply {
        let found = self.tags.get(tag);
        found.map_or_else(missing, |id| {
            Reply::json(200, &self.reference(&asked.base(), tag, id))
        })
    }

    pub(super) fn tag_object(&self, asked: &Asked, id: &str) -> Reply {
        let Some(commit) = self.annotated.get(id) else {
            return missing();
        };
        let name = self.tags.iter().find(|(_, object)| *object == id);
        let (base, repository) = (asked.base(), &self.repository);
        let value = json!({
            "node_id": format!("TAG_{id}"),
            "tag": name.map(|(name, _)| name),
            "sha": id,
            "url": format!("{base}/repos/{repository}/git/tags/{id}"),
            "message": "a tag",
            "object": {
                "sha": commit,
                "type": "commit",
                "url": format!("{base}/repos/{repository}/git/commits/{commit}"),
            },
        });
        Reply::json(200, &value)
    }

    pub(super) fn commit(&self, asked: &Asked, id: &str) -> Reply {
        if !self.commits.contains(id) {
            return missing();
        }
        let url = format!(
            "{}/repos/{}/git/commits/{id}",
            asked.base(),
            self.repository
        );
        let value = json!({ "sha": id, "node_id": format!("C_{id}"), "url": url, "parents": [] });
        Reply::json(200, &value)
    }

    fn exists(&self, id: &str) -> bool {
        self.commits.contains(id) || self.annotated.contains_key(id)
    }

    pub(super) fn create_tag(&mut self, asked: &Asked) -> Reply {
        let body = asked.json();
        let tag = body["ref"].as_str().unwrap_or_default();
        let Some(tag) = tag.strip_prefix("refs/tags/") else {
            return error(
                422,
                "Reference name must start with 'refs/' and contain two slashes",
            );
        };
        let id = body["sha"].as_str().unwrap_or_default();
        if !self.exists(id) {
            return error(422, "Object does not exist");
        }
        if self.tags.contains_key(tag) {
            return error(422, "Reference already exists");
        }
        if self.locked.contains(tag) {
            return protected("create");
        }
        self.stored.push(format!("tag {tag}"));
        self.tags.insert(tag.to_owned(), id.to_owned());
        Reply::json(201, &self.reference(&asked.base(), tag, id))
    }

    pub(super) fn move_tag(&mut self, asked: &Asked, tag: &str) -> Reply {
        let body = asked.json();
        let id = body["sha"].as_str().unwrap_or_default();
        let Some(old) = self.tags.get(tag) else {
            return error(422, "Reference does not exist");
        };
        if !self.exists(id) {
            return error(422, "Object does not exist");
        }
        if self.locked.contains(tag) {
            return protected("update");
        }
        if old != id && body["force"] != true {
            return error(422, "Update is not a fast forward");
        }
        self.stored.push(format!("tag {tag}"));
        self.tags.insert(tag.to_owned(), id.to_owned());
        Reply::json(200, &self.reference(&asked.base(), tag, id))
    }

    pub(super) fn delete_tag(&mut self, tag: &str) -> Reply {
        if self.locked.contains(tag) {
            return protected("delete");
        }
        if self.tags.remove(tag).is_none() {
            return error(422, "Reference does not exist");
        }
        self.deleted.push(format!("tag {tag}"));
        Reply::new(204, "")
    }
}

fn protected(what: &str) -> Reply {
    let message =
        format!("Repository rule violations found\n\nCannot {what} this protected ref.\n\n");
    error(422, &message)
}
