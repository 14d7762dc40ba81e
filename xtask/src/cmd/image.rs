//! `image`: the container image of the wheel in `dist/`, without a container engine.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::artifact::{Artifact, Digest, Kind, Manifest};
use crate::config::Config;
use crate::config::image::{Image, is_python};
use crate::dist::{self, Release};
use crate::error::{Error, Result};
use crate::exec;
use crate::exec::build::describe;
use crate::exec::image::Order;
use crate::github::output;
use crate::image::archive::{self, INDEX_FILE, Opened};
use crate::image::{Libc, Platform, reference, tag};
use crate::source::{self, Tree};
use crate::world::World;
use crate::world::lock::Lock;

/// Arguments of `image`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Build for this platform only; may be repeated [default: those of release.toml]
    #[arg(long, value_enum, value_name = "PLATFORM")]
    platform: Vec<Chosen>,
    /// Build on this base: an image by its digest, or an OCI layout on this disk
    #[arg(long, value_name = "NAME@DIGEST|oci:PATH")]
    base: Option<String>,
    /// The version of the interpreter in that base
    #[arg(long, value_name = "VERSION")]
    python: Option<String>,
    /// The C library of that base, such as glibc-2.36
    #[arg(long, value_name = "NAME-VERSION")]
    libc: Option<String>,
    /// Print one thing about the image and build nothing
    #[arg(long, value_enum, conflicts_with_all = ["platform", "base", "python", "libc"])]
    print: Option<Asked>,
}

/// What `--platform` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Chosen {
    /// Intel and AMD, 64 bits
    #[value(name = "linux/amd64")]
    Amd64,
    /// ARM, 64 bits
    #[value(name = "linux/arm64")]
    Arm64,
    /// Both
    All,
}

/// What `--print` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Asked {
    /// The short commit, `-dirty` for a working tree; outside of git the time
    BuildId,
    /// Every tag of the image in dist/, one a line
    Tags,
    /// The digest by which registries know the image in dist/
    Digest,
}

/// Builds the archive and seals it; does nothing when the same inputs have given what is there.
///
/// # Errors
/// No whole release in `dist/`, a base that is not named by a digest or is damaged, a dependency
/// without a wheel for the platform.
pub fn run(world: &World, arguments: &Arguments) -> Result<()> {
    if let Some(asked) = arguments.print {
        return print(world, asked);
    }
    let config = super::configuration(world)?;
    let image = &settings(&config, arguments)?;
    let place = reference::parse(arguments.base.as_ref().unwrap_or(&image.base))?;
    let folder = match arguments.base {
        Some(_) => &world.directory,
        None => &world.root,
    };
    let _lock = Lock::take(world, "image")?;
    let mut release = Release::load(world, dist::required_manifest(world)?)?;
    let order = Order {
        world,
        config: &config,
        image,
        release: &release,
        base: exec::image::base::find(world, &place, folder)?,
        platforms: platforms(&arguments.platform, image),
    };
    let facts = exec::image::facts(&order)?;
    let known = release.only(Kind::Image);
    if let Some((artifact, bytes)) = known.ok().filter(|(known, _)| known.inputs == facts.inputs) {
        world.terminal.same("image", &describe(artifact));
        return report(world, &release.manifest, artifact, bytes);
    }
    let (artifact, bytes) = exec::image::build(&order, &facts)?;
    let was_sealed = release.manifest.find(Kind::Provenance).is_some();
    release.put(artifact, bytes);
    if was_sealed {
        exec::image::reseal(world, &config, &mut release)?;
    }
    release.write(world)?;
    let (artifact, bytes) = release.only(Kind::Image)?;
    world.terminal.done("image", &describe(artifact));
    // The manifest is another than the one that `release` has stated.
    world.set_outputs(|| output::release(&release.manifest));
    report(world, &release.manifest, artifact, bytes)
}

/// `[image]` with what the arguments say otherwise.
fn settings(config: &Config, arguments: &Arguments) -> Result<Image> {
    let mut image = config.image.clone().ok_or_else(|| {
        Error::usage("release.toml has no [image], so this verb has nothing to build")
            .hint("add `[image]` with `base` and `python`; docs/configuration.md lists its keys")
    })?;
    if let Some(python) = &arguments.python {
        if !is_python(python) {
            return Err(Error::usage(format!(
                "--python {python:?} is no version such as 3.13"
            )));
        }
        image.python.clone_from(python);
    }
    if let Some(libc) = &arguments.libc {
        image.libc = Libc::parse(libc).ok_or_else(|| {
            Error::usage(format!(
                "--libc {libc:?} is neither glibc-2.x, 2.17 or newer, nor musl-1.x"
            ))
        })?;
    }
    Ok(image)
}

fn platforms(chosen: &[Chosen], image: &Image) -> Vec<Platform> {
    let mut platforms: Vec<Platform> = chosen
        .iter()
        .flat_map(|one| match one {
            Chosen::Amd64 => vec![Platform::Amd64],
            Chosen::Arm64 => vec![Platform::Arm64],
            Chosen::All => Platform::ALL.to_vec(),
        })
        .collect();
    if chosen.is_empty() {
        platforms.clone_from(&image.platforms);
    }
    platforms.sort();
    platforms.dedup();
    platforms
}

/// Says under what names the image is known.
fn report(world: &World, manifest: &Manifest, artifact: &Artifact, bytes: &[u8]) -> Result<()> {
    let digest = digest(artifact, bytes)?;
    let tags = tag::all(manifest);
    world.terminal.text(&format!(
        "digest  {digest}\ntags    {}\nload    docker load --input dist/{}",
        tags.join(" "),
        artifact.path
    ));
    world.terminal.json(&json!({
        "schema": 1,
        "image": artifact,
        "digest": digest.to_string(),
        "buildId": tag::build_id(Some(&manifest.source), world.now()),
        "tags": tags,
    }));
    Ok(())
}

/// The digest of the list of platforms.
fn digest(artifact: &Artifact, bytes: &[u8]) -> Result<Digest> {
    let opened = Opened::read(bytes, &artifact.path)?;
    let index = opened.get(INDEX_FILE).unwrap_or_default();
    Ok(archive::top(index, None, &artifact.path)?.digest)
}

fn print(world: &World, asked: Asked) -> Result<()> {
    let manifest = dist::manifest(world)?;
    let (text, value): (String, Value) = match asked {
        Asked::BuildId => {
            let id = build_id(world, manifest.as_ref());
            (id.clone(), json!({ "schema": 1, "buildId": id }))
        }
        Asked::Tags => {
            let manifest = dist::required_manifest(world)?;
            let tags = tag::all(&manifest);
            (tags.join("\n"), json!({ "schema": 1, "tags": tags }))
        }
        Asked::Digest => {
            let manifest = dist::required_manifest(world)?;
            let artifact = manifest
                .only(Kind::Image)
                .map_err(|error| error.hint("and the image: cargo xtask image"))?;
            let digest = digest(artifact, &dist::bytes(world, artifact)?)?.to_string();
            (digest.clone(), json!({ "schema": 1, "digest": digest }))
        }
    };
    world.terminal.text(&text);
    world.terminal.json(&value);
    Ok(())
}

/// That of the release in `dist/`; without one that of the checkout; without git the time.
fn build_id(world: &World, manifest: Option<&Manifest>) -> String {
    if let Some(manifest) = manifest {
        return tag::build_id(Some(&manifest.source), world.now());
    }
    let checkout = source::observe(world).ok();
    let source = checkout.map(|checkout| {
        let dirty = !checkout.modified.is_empty() || !checkout.untracked.is_empty();
        checkout.source(Tree::of(dirty))
    });
    tag::build_id(source.as_ref(), world.now())
}
