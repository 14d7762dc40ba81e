//! `sbom`: the bill of materials of the release, or of the repository while there is none.

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::artifact::Artifact;
use crate::bom::{self, Bill, Development, Product};
use crate::config::Config;
use crate::dist;
use crate::error::{Error, Result};
use crate::exec::advisories::Wanted;
use crate::exec::{self, documents};
use crate::product::pyproject;
use crate::source::{self, Tree};
use crate::world::terminal::size;
use crate::world::{World, files};

/// Arguments of `sbom`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Which document
    #[arg(value_enum, default_value_t = Document::Cyclonedx)]
    document: Document,
    /// Leave out what only serves development; the document then says that it is incomplete
    #[arg(long)]
    without_development: bool,
    /// The file to write [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<Utf8PathBuf>,
}

/// The documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Document {
    /// A bill of materials, CycloneDX 1.6 JSON
    Cyclonedx,
    /// A bill of materials, SPDX 2.3 JSON
    Spdx,
    /// What the audit's findings mean for it, CycloneDX 1.6 VEX; needs the advisory database
    Vex,
}

/// Gathers, and prints or writes.
///
/// # Errors
/// A lock file that cannot be read, a file in dist/ that is not the one that was made, or for VEX
/// no advisories.
pub fn run(world: &World, arguments: &Arguments) -> Result<()> {
    let config = super::configuration(world)?;
    let subject = exec::audit::inventory(world, &config, &[])?;
    let licenses = exec::license::known(world, &config, &subject);
    let (product, artifacts) = made(world, &config)?;
    let bill = Bill {
        product,
        artifacts: &artifacts,
        embedded: &documents::EMBEDDED,
        locks: &documents::lock_files(&config, &subject),
        licenses: &licenses,
        development: match arguments.without_development {
            true => Development::LeftOut,
            false => Development::Marked,
        },
    };
    let document = match arguments.document {
        Document::Cyclonedx => bom::cyclonedx::document(&bill),
        Document::Spdx => bom::spdx::document(&bill),
        Document::Vex => {
            let wanted = Wanted::default();
            let report = exec::audit::audit(world, &config, wanted, &subject)?;
            bom::vex::document(&report, &bill)
        }
    };
    hand_over(world, arguments, &document)
}

fn hand_over(world: &World, arguments: &Arguments, document: &Value) -> Result<()> {
    let text = documents::text(document);
    let Some(output) = &arguments.output else {
        world.terminal.document(&text);
        return Ok(());
    };
    let output = world.resolve(output);
    files::write(&output, text.as_bytes())?;
    let shown = format!("{}  {}", world.show(&output), size(text.len() as u64));
    world.terminal.done("sbom", &shown);
    Ok(())
}

/// What the document is about: the release in dist/ when it is of this very commit, or else the
/// repository as it is, of which nothing was built.
fn made(world: &World, config: &Config) -> Result<(Product, Vec<Artifact>)> {
    let checkout = source::observe(world)?;
    let released =
        dist::manifest(world)?.filter(|manifest| manifest.source == checkout.source(Tree::Head));
    if let Some(manifest) = released {
        for artifact in &manifest.artifacts {
            dist::bytes(world, artifact)?;
        }
        let product = documents::product(&manifest.name, &manifest.version, &manifest.source);
        return Ok((product, documents::contents(&manifest.artifacts)));
    }
    world.terminal.warn(
        "dist/ holds no release of this commit, so the document names no built file: cargo xtask \
         release",
    );
    let path = config.server.path.join("pyproject.toml");
    let text = files::read_text(&world.root.join(&path))?;
    let project = pyproject::parse(&text, path.as_str())?;
    let version = project.version.ok_or_else(|| {
        Error::precondition(format!(
            "{path} states no version; its back end computes it"
        ))
        .hint("make a release first, which knows it: cargo xtask release")
    })?;
    let source = checkout.source(Tree::Working);
    Ok((
        documents::product(&config.name, &version, &source),
        Vec::new(),
    ))
}
