//! Folders on this machine: `index/` (a package index for pip), `extensions/` and `oci/` (an OCI
//! image layout). A real target with the contract of all others; it needs no credential.

mod layout;
mod listing;

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    Answered, Attempt, Item, Level, Opening, Phase, Presence, Registry, Statement, Trouble,
};
use crate::artifact::{Digest, Kind};
use crate::error::{Context, Error, Result};
use crate::name::normalize;
use crate::product::oci::{self, Package};
use crate::world::files;

/// The opened folders.
#[derive(Debug)]
pub struct Local {
    folder: Utf8PathBuf,
    project: String,
    package: Package,
    version_tag: String,
    items: Vec<Item>,
    contents: Vec<Content>,
}

/// What an item is made of.
#[derive(Debug)]
enum Content {
    /// A file that stands for itself.
    File(Vec<u8>),
    /// A file of the package index, which lists it, too.
    Listed(Vec<u8>),
    /// The entry of a tag in the layout's index; whether it may move.
    Tag { moves: bool },
}

impl Local {
    /// Opens the folders of a target.
    ///
    /// # Errors
    /// The release cannot be wrapped up.
    pub fn open(opening: Opening<'_>, path: &Utf8Path) -> Result<Local> {
        let release = opening.release;
        let package = oci::package(release)?;
        let version_tag = oci::tag(&release.manifest.version);
        let mut local = Local {
            folder: opening.world.root.join(path),
            project: String::new(),
            items: Vec::new(),
            contents: Vec::new(),
            package,
            version_tag,
        };
        for artifact in &release.manifest.artifacts {
            let bytes = release.contents.get(&artifact.path).cloned();
            let bytes = bytes.unwrap_or_default();
            match artifact.kind {
                Kind::Wheel | Kind::Sdist => {
                    local.project = normalize(&artifact.name);
                    let key = format!("index/{}/{}", local.project, artifact.path);
                    local.add(key, Content::Listed(bytes));
                }
                Kind::Vsix => {
                    local.add(
                        format!("extensions/{}", artifact.path),
                        Content::File(bytes),
                    );
                }
                _ => {}
            }
        }
        for (digest, bytes) in local.package.blobs.clone() {
            local.add(layout::blob(&digest), Content::File(bytes));
        }
        let manifest = local.package.manifest.clone();
        local.add(layout::blob(&local.package.digest), Content::File(manifest));
        let tag = format!("oci:{}", local.version_tag);
        local.add(tag, Content::Tag { moves: false });
        local.add("oci:latest".to_owned(), Content::Tag { moves: true });
        Ok(local)
    }

    fn add(&mut self, key: String, content: Content) {
        if self.items.iter().any(|item| item.key == key) {
            return;
        }
        let (sha256, size) = match &content {
            Content::File(bytes) | Content::Listed(bytes) => {
                (Digest::of(bytes), bytes.len() as u64)
            }
            Content::Tag { .. } => {
                let package = &self.package;
                (package.digest.clone(), package.manifest.len() as u64)
            }
        };
        let phase = match content {
            Content::Tag { moves: true } => Phase::Last,
            _ => Phase::Main,
        };
        self.items.push(Item {
            key,
            sha256,
            size,
            phase,
        });
        self.contents.push(content);
    }

    fn content(&self, item: &Item) -> Result<&Content> {
        let found = self.items.iter().position(|one| one.key == item.key);
        let content = found.and_then(|at| self.contents.get(at));
        content.ok_or_else(|| Error::failure(format!("{} is not of this target", item.key)))
    }

    fn found(&self, item: &Item) -> Result<Presence> {
        let content = self.content(item)?;
        let found = match content {
            Content::Tag { .. } => layout::tagged(&self.folder, tag_of(item))?,
            Content::File(_) | Content::Listed(_) => {
                let path = self.folder.join(&item.key);
                match std::fs::read(&path) {
                    Ok(bytes) => Some(Digest::of(&bytes)),
                    Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => None,
                    Err(cause) => return Err(cause).doing(|| format!("read {path}")),
                }
            }
        };
        let listed = match content {
            Content::Listed(_) => listing::lists(&self.folder, &self.project, item)?,
            Content::File(_) | Content::Tag { .. } => true,
        };
        Ok(match (found, content) {
            (None, _) => Presence::Absent,
            (Some(found), _) if found == item.sha256 && listed => Presence::Same {
                level: Level::Bytes,
            },
            // The file is there and the pages do not name it: a run was killed in between.
            (Some(found), _) if found == item.sha256 => Presence::Absent,
            (Some(found), Content::Tag { moves: true }) => Presence::Outdated {
                remote: found.to_string(),
            },
            (Some(found), _) => Presence::Differs {
                remote: found.to_string(),
            },
        })
    }
}

/// The tag that an item of the layout's index stands for.
fn tag_of(item: &Item) -> &str {
    item.key.strip_prefix("oci:").unwrap_or(&item.key)
}

impl Registry for Local {
    fn takes(&self) -> &[Item] {
        &self.items
    }

    fn presence(&self, items: &[&Item]) -> Attempt<Vec<Presence>> {
        let found = items.iter().map(|item| self.found(item));
        Ok(Answered::plain(found.collect::<Result<Vec<_>>>()?))
    }

    fn ready(&self) -> Result<()> {
        files::require_folder(&self.folder)
    }

    fn upload(&self, item: &Item) -> Attempt<()> {
        match self.content(item)? {
            Content::File(bytes) => files::write_synced(&self.folder.join(&item.key), bytes)?,
            Content::Listed(bytes) => {
                files::write_synced(&self.folder.join(&item.key), bytes)?;
                listing::renew(&self.folder, &self.project)?;
            }
            Content::Tag { .. } => {
                layout::set_tag(&self.folder, tag_of(item), &self.package)?;
            }
        }
        Ok(Answered::plain(()))
    }

    fn fetch(&self, item: &Item) -> Attempt<Option<Vec<u8>>> {
        let bytes = match self.content(item)? {
            Content::Tag { .. } => match layout::tagged(&self.folder, tag_of(item))? {
                Some(digest) => files::read(&self.folder.join(layout::blob(&digest)))?,
                None => return Err(Trouble::not_yet(format!("{}: is not there", item.key))),
            },
            Content::File(_) | Content::Listed(_) => files::read(&self.folder.join(&item.key))?,
        };
        Ok(Answered::plain(Some(bytes)))
    }

    fn simple_index(&self) -> Result<Option<String>> {
        let folder = self.folder.join("index");
        let url = url::Url::from_directory_path(&folder)
            .map_err(|()| Error::failure(format!("{folder} is no absolute path")))?;
        Ok(Some(url.into()))
    }

    fn identity(&self) -> Result<Vec<Statement>> {
        files::require_folder(&self.folder)?;
        let found = format!("{} needs no credential", self.folder);
        Ok(vec![Statement::good("identity", found)])
    }
}
