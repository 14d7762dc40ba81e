//! The image of a program that Cargo builds: the base and one layer with the program.

use serde_json::json;

use super::base::Found;
use super::cargo::{self, Package};
use super::{Made, add_user, bill, created};
use crate::artifact::{Digest, Kind, seal};
use crate::bom::image::Part;
use crate::config::Config;
use crate::config::program::Program;
use crate::dist::Release;
use crate::error::{Error, Result};
use crate::image::archive::{self, Built};
use crate::image::configuration::{self, About, Runs, Start};
use crate::image::layer::{self, Entries, Entry, Layer};
use crate::image::search;
use crate::image::{PROGRAMS, Platform, tag};
use crate::plan::Inputs;
use crate::source::{self, Checkout, Tree};
use crate::stage::Stage;
use crate::world::World;
use crate::world::terminal::size;

/// An image that is to be built.
#[derive(Debug)]
pub struct Order<'run> {
    /// The world.
    pub world: &'run World,
    /// The configuration.
    pub config: &'run Config,
    /// `[program.NAME]`.
    pub program: &'run Program,
    /// The release in `dist/`, whose commit it is built from.
    pub release: &'run Release,
    /// The base.
    pub base: Found<'run>,
    /// What it is built for.
    pub platforms: Vec<Platform>,
}

/// What is known of it before it is built.
#[derive(Debug)]
pub struct Facts {
    about: About,
    /// What it is made from.
    pub inputs: Inputs,
    compiler: String,
    found: cargo::Found,
    stage: Stage,
}

/// Exports the release's commit and looks at what is in it.
///
/// # Errors
/// The checkout is of another commit than the release, or the program is of another version.
pub fn facts(order: &Order<'_>) -> Result<Facts> {
    let Order { world, program, .. } = order;
    let manifest = &order.release.manifest;
    let tree = Tree::of(manifest.source.dirty);
    let checkout = source::observe(world)?;
    require_same(order, &checkout, tree)?;
    let stage = Stage::open(world, &checkout, tree)?;
    let found = cargo::find(world, program, &stage.root.join(&program.path))?;
    let package = &found.package;
    if package.version != manifest.version {
        return Err(Error::refused(format!(
            "the package {} has the version {}, and the release is {}",
            program.package, package.version, manifest.version
        ))
        .hint("let one place rule: list its Cargo.toml under [version] files in release.toml"));
    }
    let compiler = cargo::compiler(world)?;
    let about = about(order, package)?;
    let settings = json!({
        "labels": about.labels(),
        "start": format!("{:?}", start(program)),
        "package": program.package,
        "binary": program.binary,
        "path": program.path,
    });
    let platforms: Vec<&str> = order.platforms.iter().map(|one| one.word()).collect();
    let digest = |text: &str| Digest::of(text.as_bytes()).to_string();
    let inputs = Inputs::from(
        [
            ("commit", manifest.source.commit.clone()),
            ("base", order.base.digest().to_string()),
            ("compiler", digest(&compiler)),
            ("platforms", platforms.join(",")),
            ("settings", digest(&settings.to_string())),
            ("tool", env!("CARGO_PKG_VERSION").to_owned()),
        ]
        .map(|(key, value)| (key.to_owned(), value)),
    );
    Ok(Facts {
        about,
        inputs,
        compiler,
        found,
        stage,
    })
}

fn require_same(order: &Order<'_>, checkout: &Checkout, tree: Tree) -> Result<()> {
    let of_release = &order.release.manifest.source;
    if checkout.source(tree) != *of_release {
        return Err(Error::precondition(format!(
            "dist/ holds the release of {}, and this checkout is at {}",
            &of_release.commit[..12],
            &checkout.commit[..12]
        ))
        .hint("make the release of this commit first: cargo xtask release"));
    }
    Ok(())
}

fn about(order: &Order<'_>, package: &Package) -> Result<About> {
    let manifest = &order.release.manifest;
    let Package {
        license,
        description,
        repository,
        ..
    } = package.clone();
    Ok(About {
        title: order.program.name.clone(),
        version: manifest.version.clone(),
        commit: manifest.source.commit.clone(),
        dirty: manifest.source.dirty,
        created: created(manifest)?,
        source: repository.or_else(|| super::github(order.config)),
        license,
        description,
        base_name: order.base.name.clone(),
        base_digest: Some(order.base.digest().clone()),
        server_name: None,
        wheel: None,
        labels: order.program.labels.clone(),
    })
}

fn start(program: &Program) -> Start {
    Start {
        runs: Runs::Program {
            name: program.name.clone(),
            health: program.health.clone(),
        },
        arguments: program.arguments.clone(),
        environment: program.environment.clone(),
        port: program.port,
        user: program.user,
    }
}

/// Builds the program, the archive, and the bill of what is in it.
///
/// # Errors
/// It does not compile, or the base is missing, damaged, or not for the platform.
pub fn build(order: &Order<'_>, facts: &Facts) -> Result<[Made; 2]> {
    let (manifest, name) = (&order.release.manifest, &order.program.name);
    let (mut images, mut parts) = (Vec::new(), Vec::new());
    for platform in &order.platforms {
        order.world.check_interrupted()?;
        let (image, contents) = for_platform(order, facts, *platform)?;
        images.push(image);
        parts.push((*platform, contents));
    }
    let tags = tag::all(manifest);
    let archive = archive::write(&images, &facts.about.labels(), name, &tags)?;
    let file = format!("{name}-{}-image.oci.tar", manifest.version);
    let named = (name.as_str(), manifest.version.as_str());
    let inputs = facts.inputs.clone();
    let artifact = seal(Kind::ProgramImage, named, &file, &archive.bytes, inputs);
    let bill = bill::bill(manifest, &artifact, &archive, &order.base, parts)?;
    Ok([(artifact, archive.bytes), bill])
}

fn for_platform(
    order: &Order<'_>,
    facts: &Facts,
    platform: Platform,
) -> Result<(Built, Vec<Part>)> {
    let Order { world, program, .. } = order;
    let base = order.base.read(platform)?;
    let contents = search::search(&base, order.base.shown())?;
    let what = format!("compiling {} for {}", program.name, platform.word());
    let step = world.terminal.step("image", &what);
    let folder = facts.stage.root.join(&program.path);
    let place = (folder.as_path(), &facts.found);
    let bytes = cargo::build(world, program, place, platform, &facts.compiler)?;
    let length = bytes.len() as u64;
    let mut parts = cargo::crates(world, program, &folder, platform)?;
    parts.push(Part {
        ecosystem: None,
        name: program.name.clone(),
        version: order.release.manifest.version.clone(),
        file: None,
        sha256: Some(Digest::of(&bytes)),
    });
    let layer = layer(order, &contents, bytes)?;
    let what = format!("{} {}", program.name, order.release.manifest.version);
    let layers = [(&layer, what.as_str())];
    let (about, start) = (&facts.about, start(program));
    let configuration = configuration::text(&base.configuration, platform, about, &start, &layers);
    step.done(&format!(
        "{}  {} {}  in its layer {}",
        platform.word(),
        program.name,
        size(length),
        size(layer.bytes.len() as u64)
    ));
    let built = Built {
        platform,
        base,
        configuration,
        layers: vec![layer],
    };
    Ok((built, parts))
}

/// The only layer. Folders of the base are not in it: they would get new permissions.
fn layer(order: &Order<'_>, contents: &search::Found, bytes: Vec<u8>) -> Result<Layer> {
    let mut entries = Entries::new();
    add_user(&mut entries, contents, order.program.user);
    let path = format!("{PROGRAMS}/{}", order.program.name);
    entries.insert(path, Entry::program(bytes));
    let epoch = order.release.manifest.source.source_date_epoch;
    layer::write(&entries, u64::try_from(epoch).unwrap_or(0))
}
