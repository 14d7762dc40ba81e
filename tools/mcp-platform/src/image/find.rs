//! Looks where an image is, chooses, and makes it so that the back end can run it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::backend::{Backend, Kind as BackendKind};
use crate::error::{Error, Kind, Result};
use crate::model::{ImageReference, Provenance, Spec};
use crate::template::ImageTable;

use super::archive::{Layout, locate};
use super::choose::{Choice, Published, choose, qualified};
use super::{Held, Settings, provenance, registry};

/// How many of a build's last lines are shown when it fails.
const LINES: usize = 20;

/// An image, and what is known of its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What to run.
    pub reference: ImageReference,
    /// What it is.
    pub provenance: Provenance,
}

impl Found {
    /// Writes it into a specification. The same bytes are the same, wherever they were found: for
    /// the image that runs already, what is known of it stays.
    pub fn put(&self, spec: &mut Spec, present: Option<&Spec>) {
        spec.run.image = Some(self.reference.clone());
        spec.provenance = match present {
            Some(present) if present.run.image.as_ref() == Some(&self.reference) => {
                present.provenance.clone()
            }
            _ => self.provenance.clone(),
        };
    }
}

/// Finds the image of a template, or the one that the caller gave. `say` hears which it is and why;
/// `present` is what runs now.
///
/// # Errors
/// There is none; every way that was tried is named.
pub async fn find(
    backend: &dyn Backend,
    settings: &Settings,
    table: &ImageTable,
    given: Option<&ImageReference>,
    present: Option<&Spec>,
    say: &(dyn Fn(&str) + Send + Sync),
) -> Result<Option<Found>> {
    if let Some(given) = given {
        return Ok(Some(as_given(backend, settings, given).await?));
    }
    let Some(reference) = &table.reference else {
        return Ok(None);
    };
    let wanted = qualified(
        &ImageReference::parse(reference)?,
        settings.registry.as_deref(),
    )?;
    let published = match &wanted.digest {
        Some(digest) => Published::Digest(digest.clone()),
        None => registry::published(settings, &wanted).await?,
    };
    if let (Published::No(why), Some(kept)) = (&published, kept(&wanted, present)) {
        say(&format!(
            "{wanted} is not published now ({why}); keeps {}",
            kept.reference
        ));
        return Ok(Some(kept));
    }
    let archive = match &table.archive {
        Some(pattern) => locate(&settings.folder, pattern)?,
        None => None,
    };
    let held = match (&published, &archive) {
        (Published::No(_), None) => backend.held_image(&wanted).await?,
        _ => None,
    };
    let build = !table.build.is_empty();
    let (choice, line) = choose(
        &wanted,
        &published,
        archive.is_some(),
        build,
        held.is_some(),
    )?;
    say(&line);
    Ok(Some(match choice {
        Choice::Published(reference) => {
            let labels = registry::labels(settings, &reference).await;
            Found {
                provenance: provenance(&labels, "published"),
                reference,
            }
        }
        Choice::Held => known(held.unwrap_or_else(|| unlabelled(&wanted)), "given"),
        Choice::Archive => match archive {
            Some(archive) => take(backend, settings, &archive, &wanted, "archive").await?,
            None => return Ok(None),
        },
        Choice::Build => {
            let archive = build_archive(settings, table).await?;
            take(backend, settings, &archive, &wanted, "built").await?
        }
    }))
}

/// The published image that the server runs already, when the template still names it.
fn kept(wanted: &ImageReference, present: Option<&Spec>) -> Option<Found> {
    let present = present?;
    let reference = present.run.image.clone()?;
    let published = present.provenance.image_source.as_deref() == Some("published");
    (published && reference.name() == wanted.name()).then(|| Found {
        reference,
        provenance: present.provenance.clone(),
    })
}

/// What a caller gave is taken as it is; only its labels are looked up where that is possible.
async fn as_given(
    backend: &dyn Backend,
    settings: &Settings,
    given: &ImageReference,
) -> Result<Found> {
    let reference = qualified(given, settings.registry.as_deref())?;
    if let Some(held) = backend.held_image(&reference).await? {
        return Ok(known(held, "given"));
    }
    // A name without a registry means what the engine makes of it: nobody is asked before it is.
    let labels = match &reference.registry {
        Some(_) => registry::labels(settings, &reference).await,
        None => std::collections::HashMap::new(),
    };
    Ok(Found {
        reference,
        provenance: provenance(&labels, "given"),
    })
}

fn known(held: Held, source: &str) -> Found {
    Found {
        provenance: provenance(&held.labels, source),
        reference: held.reference,
    }
}

fn unlabelled(reference: &ImageReference) -> Held {
    Held {
        reference: reference.clone(),
        labels: std::collections::HashMap::new(),
    }
}

/// Gives an archive to an engine, or to the registry that a cluster pulls from.
async fn take(
    backend: &dyn Backend,
    settings: &Settings,
    archive: &Path,
    wanted: &ImageReference,
    source: &str,
) -> Result<Found> {
    if backend.kind() != BackendKind::Kubernetes {
        let held = backend.load_image(archive, wanted).await?;
        return Ok(known(held, source));
    }
    let Some(target) = &settings.registry else {
        return Err(Error::precondition(format!(
            "{} is on this machine only, and the cluster cannot pull it from here",
            archive.display()
        ))
        .hint("set MCP_IMAGE_REGISTRY to a registry that the cluster pulls from; the image is pushed there"));
    };
    let last = wanted.repository.rsplit('/').next().unwrap_or_default();
    let target = ImageReference::parse(&format!("{target}/{last}"))?;
    let path = archive.to_owned();
    let layout = tokio::task::spawn_blocking(move || Layout::open(&path))
        .await
        .map_err(|error| Error::internal(format!("reading the archive: {error}")))??;
    let digest = registry::push(settings, &layout, &target).await?;
    let reference = target.at(&digest);
    let labels = registry::labels(settings, &reference).await;
    Ok(Found {
        provenance: provenance(&labels, source),
        reference,
    })
}

/// Runs the template's command; gives the archive that is there afterwards.
async fn build_archive(settings: &Settings, table: &ImageTable) -> Result<PathBuf> {
    let command = table.build.join(" ");
    let (Some(program), Some(pattern)) = (table.build.first(), &table.archive) else {
        return Err(Error::invalid(format!(
            "the template says how to build its image ({command}), and not where the archive is then"
        ))
        .hint("add `archive` to [image] in its template.toml"));
    };
    let built = tokio::process::Command::new(program)
        .args(&table.build[1..])
        .current_dir(&settings.folder)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| {
            Error::precondition(format!("{command}: {error}"))
                .hint(format!("install {program}, or give an image with --image"))
        })?;
    if !built.status.success() {
        let text = String::from_utf8_lossy(&built.stderr);
        let lines: Vec<&str> = text.lines().collect();
        let last = lines[lines.len().saturating_sub(LINES)..].join("\n");
        return Err(Error::new(
            Kind::Failed,
            format!(
                "{command} in {} ended with {}: {last}",
                settings.folder.display(),
                built.status
            ),
        ));
    }
    locate(&settings.folder, pattern)?.ok_or_else(|| {
        Error::new(
            Kind::Failed,
            format!(
                "{command} succeeded, and there is no {pattern} in {}",
                settings.folder.display()
            ),
        )
    })
}
