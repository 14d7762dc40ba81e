//! `server.json` in a release: what is known of it before anything is built, the marker that the
//! built wheel must carry, and the finished document.

use super::{Work, build};
use crate::artifact::{Kind, seal};
use crate::config::Config;
use crate::dist::Release;
use crate::error::Result;
use crate::plan::{Inputs, with_tools};
use crate::product::pyproject::{self, Project};
use crate::product::server_json::{self, FILE, Facts, REVISION};
use crate::product::wheel::inspect;
use crate::source::{self, Checkout, Tree};
use crate::world::World;

/// What `release.toml` and the tree's `pyproject.toml` say; `None` without `[mcp]`.
///
/// # Errors
/// They do not say enough, or something that a registry refuses.
pub fn facts<'config>(
    world: &World,
    config: &'config Config,
    checkout: &Checkout,
    tree: Tree,
) -> Result<Option<Facts<'config>>> {
    if config.mcp.is_none() {
        return Ok(None);
    }
    let (project, path) = project(world, config, checkout, tree)?;
    server_json::facts(config, &project, &path)
}

fn project(
    world: &World,
    config: &Config,
    checkout: &Checkout,
    tree: Tree,
) -> Result<(Project, String)> {
    let path = config.server.path.join("pyproject.toml");
    let text = source::text(world, checkout, tree, &path)?;
    Ok((pyproject::parse(&text, path.as_str())?, path.into_string()))
}

/// What it is made from beside the files and the tools that it names.
pub fn inputs(commit: &str) -> Inputs {
    Inputs::from([
        ("commit".to_owned(), commit.to_owned()),
        ("revision".to_owned(), REVISION.to_owned()),
        ("tool".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
    ])
}

/// Requires that the release's own wheel says which server it is. Looked at before the proof, as
/// it takes no time.
///
/// # Errors
/// It does not; the hint is the line to write into the README.
pub fn require_marker(work: &Work<'_>, release: &Release) -> Result<()> {
    let Some(mcp) = &work.config.mcp else {
        return Ok(());
    };
    let (wheel, bytes) = release.only(Kind::Wheel)?;
    let description = inspect::wheel(&wheel.path, bytes)?.description;
    let (project, _) = project(work.world, work.config, work.checkout, work.tree)?;
    let readme = project.readme.as_deref().unwrap_or("README.md");
    let readme = work.config.server.path.join(readme);
    server_json::require_marker(&description, &mcp.name, &wheel.path, readme.as_str())
}

/// Puts the document in.
///
/// # Errors
/// It is not what the schema asks for.
pub fn put(world: &World, facts: &Facts<'_>, release: &mut Release) -> Result<()> {
    let text = server_json::text(facts, &release.manifest)?;
    let manifest = &release.manifest;
    let named = (manifest.name.clone(), manifest.version.clone());
    let inputs = with_tools(&inputs(&manifest.source.commit), manifest);
    let bytes = text.into_bytes();
    let artifact = seal(Kind::ServerJson, (&named.0, &named.1), FILE, &bytes, inputs);
    world
        .terminal
        .done("server.json", &build::describe(&artifact));
    release.put(artifact, bytes);
    Ok(())
}
