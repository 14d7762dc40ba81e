//! `image`: the container image of the wheel in `dist/`, or of a program that Cargo builds, without a
//! container engine.

use camino::Utf8Path;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::artifact::{Artifact, Digest, Kind, Manifest};
use crate::config::Config;
use crate::config::image::{Image, is_python};
use crate::config::program::Program;
use crate::dist::{self, Release};
use crate::error::{Error, Result};
use crate::exec;
use crate::exec::build::describe;
use crate::exec::image::{Made, Order};
use crate::github::output;
use crate::image::archive::{self, INDEX_FILE, Opened};
use crate::image::{Libc, Platform, reference, tag};
use crate::plan::Inputs;
use crate::source::{self, Tree};
use crate::world::World;
use crate::world::lock::Lock;

/// Arguments of `image`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Build the image of this program, which release.toml names as [program.NAME] [default: that of
    /// the server]
    #[arg(value_name = "PROGRAM", conflicts_with_all = ["python", "libc"])]
    program: Option<String>,
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
    let config = super::configuration(world);
    if let Some(asked) = arguments.print {
        let program = match &arguments.program {
            Some(name) => Some(program(&config?, name)?.name.clone()),
            None => None,
        };
        return print(world, asked, program.as_deref());
    }
    let config = config?;
    match &arguments.program {
        Some(name) => build_program(world, &config, program(&config, name)?, arguments),
        None => build_server(world, &config, arguments),
    }
}

/// Where a relative path to the base begins.
fn folder<'world>(world: &'world World, arguments: &Arguments) -> &'world Utf8Path {
    match arguments.base {
        Some(_) => &world.directory,
        None => &world.root,
    }
}

fn build_server(world: &World, config: &Config, arguments: &Arguments) -> Result<()> {
    let image = &settings(config, arguments)?;
    let place = reference::parse(arguments.base.as_ref().unwrap_or(&image.base))?;
    let _lock = Lock::take(world, "image")?;
    let mut release = Release::load(world, dist::required_manifest(world)?)?;
    let order = Order {
        world,
        config,
        image,
        release: &release,
        base: exec::image::base::find(world, &place, folder(world, arguments))?,
        platforms: platforms(&arguments.platform, &image.platforms),
    };
    let facts = exec::image::facts(&order)?;
    let manifest = &release.manifest;
    if let Some(artifact) = kept(manifest, manifest.find(Kind::Image), &facts.inputs) {
        world.terminal.same("image", &describe(artifact));
        return report(world, &release, artifact);
    }
    let made = exec::image::build(&order, &facts)?;
    let artifact = put(world, config, &mut release, made)?;
    report(world, &release, &artifact)
}

fn build_program(
    world: &World,
    config: &Config,
    program: &Program,
    arguments: &Arguments,
) -> Result<()> {
    let place = reference::parse(arguments.base.as_ref().unwrap_or(&program.base))?;
    let _lock = Lock::take(world, "image")?;
    let mut release = Release::load(world, dist::required_manifest(world)?)?;
    let order = exec::image::program::Order {
        world,
        config,
        program,
        release: &release,
        base: exec::image::base::find(world, &place, folder(world, arguments))?,
        platforms: platforms(&arguments.platform, &program.platforms),
    };
    let facts = exec::image::program::facts(&order)?;
    let manifest = &release.manifest;
    let known = manifest.named(Kind::ProgramImage, &program.name);
    // A working tree is never the same twice.
    let known = known.filter(|_| !manifest.source.dirty);
    if let Some(artifact) = kept(manifest, known, &facts.inputs) {
        world.terminal.same("image", &describe(artifact));
        return report(world, &release, artifact);
    }
    let made = exec::image::program::build(&order, &facts)?;
    let artifact = put(world, config, &mut release, made)?;
    report(world, &release, &artifact)
}

/// The image that is there, when the same inputs have made it and its bill is there, too.
fn kept<'release>(
    manifest: &'release Manifest,
    known: Option<&'release Artifact>,
    inputs: &Inputs,
) -> Option<&'release Artifact> {
    known.filter(|known| {
        known.inputs == *inputs && manifest.named(Kind::ImageBill, &known.name).is_some()
    })
}

/// Puts an image and its bill into `dist/`, and seals what names every file there.
fn put(
    world: &World,
    config: &Config,
    release: &mut Release,
    [image, bill]: [Made; 2],
) -> Result<Artifact> {
    let was_sealed = release.manifest.find(Kind::Provenance).is_some();
    let artifact = image.0.clone();
    let shown = [describe(&artifact), describe(&bill.0)];
    release.put(image.0, image.1);
    release.put(bill.0, bill.1);
    if was_sealed {
        exec::image::reseal(world, config, release)?;
    }
    release.write(world)?;
    world.terminal.done("image", &shown[0]);
    world.terminal.done("bill", &shown[1]);
    // The manifest is another than the one that `release` has stated.
    world.set_outputs(|| output::release(&release.manifest));
    Ok(artifact)
}

/// The program of this name.
fn program<'config>(config: &'config Config, name: &str) -> Result<&'config Program> {
    let found = config.programs.iter().find(|one| one.name == name);
    found.ok_or_else(|| {
        let known: Vec<&str> = config
            .programs
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        let error = Error::usage(format!("release.toml has no [program.{name}]"));
        match known.as_slice() {
            [] => {
                error.hint("add it with `base` and `package`; docs/configuration.md lists its keys")
            }
            known => error.hint(format!("known: {}", known.join(", "))),
        }
    })
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

fn platforms(chosen: &[Chosen], configured: &[Platform]) -> Vec<Platform> {
    let mut platforms: Vec<Platform> = chosen
        .iter()
        .flat_map(|one| match one {
            Chosen::Amd64 => vec![Platform::Amd64],
            Chosen::Arm64 => vec![Platform::Arm64],
            Chosen::All => Platform::ALL.to_vec(),
        })
        .collect();
    if chosen.is_empty() {
        platforms = configured.to_vec();
    }
    platforms.sort();
    platforms.dedup();
    platforms
}

/// Says under what names the image is known.
fn report(world: &World, release: &Release, artifact: &Artifact) -> Result<()> {
    let (manifest, bytes) = (&release.manifest, &release.contents[&artifact.path]);
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

fn print(world: &World, asked: Asked, program: Option<&str>) -> Result<()> {
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
            let artifact = match program {
                None => manifest
                    .only(Kind::Image)
                    .map_err(|error| error.hint("and the image: cargo xtask image")),
                Some(name) => manifest.named(Kind::ProgramImage, name).ok_or_else(|| {
                    Error::precondition(format!("dist/ has no image of {name}"))
                        .hint(format!("make it: cargo xtask image {name}"))
                }),
            }?;
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
