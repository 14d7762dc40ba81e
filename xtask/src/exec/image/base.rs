//! Where the bytes of a base come from: a registry, a folder, or an archive. They are judged in
//! `image/base`; what a registry gave once is kept in the tool's private folder and hashed anew.

use camino::{Utf8Path, Utf8PathBuf};

use crate::artifact::Digest;
use crate::error::{Error, Result};
use crate::image::Platform;
use crate::image::archive::{self, INDEX_FILE, LAYOUT_FILE, Opened};
use crate::image::base::{self, Base, Descriptor, INDEX_TYPES, MANIFEST_TYPES};
use crate::image::reference::{Place, Remote};
use crate::registry::oci::pull;
use crate::world::{World, files};

/// A base that has been found.
#[derive(Debug)]
pub struct Found<'run> {
    world: &'run World,
    origin: Origin<'run>,
    /// How errors name it.
    shown: String,
    /// Its name in a registry.
    pub name: Option<String>,
    top: Descriptor,
}

#[derive(Debug)]
enum Origin<'run> {
    Registry(pull::Source<'run>),
    Folder(Utf8PathBuf),
    Archive(Vec<u8>),
}

/// Finds a base; a path in it starts at `folder`.
///
/// # Errors
/// It has no digest, or is not where it is said to be.
pub fn find<'run>(
    world: &'run World,
    place: &'run Place,
    folder: &Utf8Path,
) -> Result<Found<'run>> {
    match place {
        Place::Registry(remote) => in_registry(world, remote),
        Place::Layout { path, digest } => on_disk(world, &folder.join(path), digest.as_ref()),
    }
}

fn in_registry<'run>(world: &'run World, remote: &'run Remote) -> Result<Found<'run>> {
    let source = pull::Source::open(world, remote)?;
    let Some(digest) = &remote.digest else {
        return Err(without_digest(&source, remote));
    };
    Ok(Found {
        world,
        shown: remote.name(),
        name: Some(remote.name()),
        top: Descriptor {
            media_type: INDEX_TYPES[0].to_owned(),
            digest: digest.clone(),
            // Nobody has said it.
            size: 0,
        },
        origin: Origin::Registry(source),
    })
}

/// A tag may name another image tomorrow.
fn without_digest(source: &pull::Source<'_>, remote: &Remote) -> Error {
    let name = remote.name();
    let error = Error::usage(format!("the base {name} is named by a tag, which can move"));
    let tag = remote.tag.as_deref().unwrap_or("latest");
    match source.digest_of(tag) {
        Ok(digest) => error.hint(format!("it names now: {name}@{digest}")),
        Err(cause) => error
            .hint(format!("add its digest: {name}@sha256:…"))
            .hint(format!("it could not be asked for: {}", cause.message)),
    }
}

fn on_disk<'run>(
    world: &'run World,
    path: &Utf8Path,
    digest: Option<&Digest>,
) -> Result<Found<'run>> {
    let shown = world.show(path).to_string();
    let absent = |what: &str| {
        Error::precondition(format!("the base {shown}: {what}"))
            .hint(
                "an OCI layout is a folder or a tar archive with oci-layout, index.json and blobs/",
            )
            .hint(format!(
                "skopeo makes one: skopeo copy docker://NAME@sha256:… oci:{shown}"
            ))
    };
    let origin = match path {
        path if path.is_dir() => Origin::Folder(path.to_owned()),
        path if path.is_file() => Origin::Archive(files::read(path)?),
        _ => return Err(absent("there is no such folder or archive")),
    };
    let index = match &origin {
        Origin::Folder(folder) => match folder.join(LAYOUT_FILE).is_file() {
            true => files::read(&folder.join(INDEX_FILE))?,
            false => return Err(absent("is no OCI layout")),
        },
        Origin::Archive(bytes) => {
            let opened = Opened::read(bytes, &shown)?;
            let marked = opened.get(LAYOUT_FILE).is_some();
            let index = opened.get(INDEX_FILE).filter(|_| marked);
            index.ok_or_else(|| absent("is no OCI layout"))?.to_vec()
        }
        Origin::Registry(_) => Vec::new(),
    };
    Ok(Found {
        world,
        top: archive::top(&index, digest, &shown)?,
        origin,
        shown,
        name: None,
    })
}

impl Found<'_> {
    /// The digest that it is named by.
    pub fn digest(&self) -> &Digest {
        &self.top.digest
    }

    /// How people know it.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The base for a platform.
    ///
    /// # Errors
    /// As [`base::read`].
    pub fn read(&self, platform: Platform) -> Result<Base> {
        match &self.origin {
            Origin::Registry(source) => {
                let fetch = |wanted: &Descriptor| self.pulled(source, wanted);
                base::read(&self.top, platform, &self.shown, &fetch)
            }
            Origin::Folder(folder) => {
                let fetch = |wanted: &Descriptor| {
                    let path = folder.join(archive::blob_path(&wanted.digest));
                    files::read(&path).map_err(|error| {
                        Error::refused(format!("{}: {}", self.shown, error.message))
                    })
                };
                base::read(&self.top, platform, &self.shown, &fetch)
            }
            Origin::Archive(bytes) => {
                let opened = Opened::read(bytes, &self.shown)?;
                let fetch = |wanted: &Descriptor| {
                    let blob = opened.blob(wanted, &self.shown)?;
                    Ok(blob.to_vec())
                };
                base::read(&self.top, platform, &self.shown, &fetch)
            }
        }
    }

    fn pulled(&self, source: &pull::Source<'_>, wanted: &Descriptor) -> Result<Vec<u8>> {
        let kept = self
            .world
            .private()
            .join("image/blobs")
            .join(wanted.digest.hex());
        if let Ok(bytes) = std::fs::read(&kept)
            && Digest::of(&bytes) == wanted.digest
        {
            return Ok(bytes);
        }
        self.world.check_interrupted()?;
        let media_type = wanted.media_type.as_str();
        let is_manifest = INDEX_TYPES.contains(&media_type) || MANIFEST_TYPES.contains(&media_type);
        let bytes = match is_manifest {
            true => source.manifest(&wanted.digest)?,
            false => source.blob(&wanted.digest)?,
        };
        if Digest::of(&bytes) == wanted.digest {
            files::write(&kept, &bytes)?;
        }
        Ok(bytes)
    }
}
