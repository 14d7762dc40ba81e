//! Building the image: the base, the wheels for each platform and the wheel of the release become
//! one archive in `dist/`. No container engine takes part, and nothing of the image is run.

pub mod base;
pub mod bill;
pub mod cargo;
pub mod program;
pub mod wheels;

use serde_json::json;

use self::base::Found;
use self::wheels::Target;
use super::{Work, seal};
use crate::artifact::{Artifact, Digest, Kind, Manifest, seal as sealed};
use crate::bom::image::Part;
use crate::config::Config;
use crate::config::image::Image;
use crate::config::publish::Place;
use crate::dist::Release;
use crate::error::{Error, Result};
use crate::image::archive::{self, Built};
use crate::image::configuration::{self, About, Runs, Start};
use crate::image::layer::{self, Content, Entries, Entry, FIXED_TIME, Layer};
use crate::image::search::{self, Found as Contents};
use crate::image::{HOME, Libc, Platform, SITE_PACKAGES, requirement, tag, unpack};
use crate::marker::Surroundings;
use crate::plan::Inputs;
use crate::product::bundle::REQUIREMENTS_FILE;
use crate::product::wheel::inspect;
use crate::source::{self, Tree};
use crate::world::World;
use crate::world::terminal::size;

/// An image that is to be built.
#[derive(Debug)]
pub struct Order<'run> {
    /// The world.
    pub world: &'run World,
    /// The configuration.
    pub config: &'run Config,
    /// `[image]`.
    pub image: &'run Image,
    /// The release in `dist/`, every file held against its digest.
    pub release: &'run Release,
    /// The base.
    pub base: Found<'run>,
    /// What it is built for.
    pub platforms: Vec<Platform>,
}

/// What is known of an image before it is built.
#[derive(Debug)]
pub struct Facts {
    /// The labels.
    pub about: About,
    /// What it is made from.
    pub inputs: Inputs,
}

/// Looks at the wheel and at the settings.
///
/// # Errors
/// `dist/` has no wheel or no requirements, or the wheel lacks the console script.
pub fn facts(order: &Order<'_>) -> Result<Facts> {
    let manifest = &order.release.manifest;
    let (wheel, bytes) = order.release.only(Kind::Wheel)?;
    let (requirements, _) = order.release.only(Kind::Requirements)?;
    let facts = inspect::wheel(&wheel.path, bytes)?;
    let script = &order.config.server.console_script;
    if !facts.scripts.contains_key(script) {
        return Err(
            Error::refused(format!("{}: it has no console script {script}", wheel.path))
                .hint("server.console-script in release.toml names one of [project.scripts]"),
        );
    }
    let about = about(order, &metadata(&wheel.path, bytes)?)?;
    let settings = json!({
        "labels": about.labels(),
        "start": format!("{:?}", start(order, String::new())),
        "python": order.image.python,
        "libc": order.image.libc.word(),
        "name": name(order),
    });
    let platforms: Vec<&str> = order.platforms.iter().map(|one| one.word()).collect();
    let inputs = Inputs::from(
        [
            ("commit", manifest.source.commit.clone()),
            ("wheel", wheel.sha256.to_string()),
            ("requirements", requirements.sha256.to_string()),
            ("base", order.base.digest().to_string()),
            ("platforms", platforms.join(",")),
            (
                "settings",
                Digest::of(settings.to_string().as_bytes()).to_string(),
            ),
            ("tool", env!("CARGO_PKG_VERSION").to_owned()),
        ]
        .map(|(key, value)| (key.to_owned(), value)),
    );
    Ok(Facts { about, inputs })
}

/// What engines call the image.
fn name(order: &Order<'_>) -> String {
    let manifest = &order.release.manifest;
    tag::repository(order.image.name.as_ref().unwrap_or(&manifest.name))
}

fn metadata(file: &str, bytes: &[u8]) -> Result<String> {
    let entries = unpack::unpack(file, bytes, "python3")?;
    let found = entries.iter().find_map(|(path, entry)| {
        let inside = path.strip_prefix(SITE_PACKAGES)?.strip_prefix('/')?;
        match &entry.content {
            Content::File(bytes) if inside.ends_with(".dist-info/METADATA") => {
                Some(String::from_utf8_lossy(bytes).into_owned())
            }
            _ => None,
        }
    });
    Ok(found.unwrap_or_default())
}

/// The commit's time.
fn created(manifest: &Manifest) -> Result<String> {
    jiff::Timestamp::from_second(manifest.source.source_date_epoch)
        .map(|moment| moment.to_string())
        .map_err(|cause| Error::failure(format!("dist/manifest.json: the commit's time: {cause}")))
}

fn about(order: &Order<'_>, metadata: &str) -> Result<About> {
    let Order { config, image, .. } = order;
    let manifest = &order.release.manifest;
    let header = |field: &str| inspect::header(metadata, field);
    let mcp = config.mcp.as_ref();
    Ok(About {
        title: mcp
            .and_then(|mcp| mcp.title.clone())
            .unwrap_or_else(|| manifest.name.clone()),
        version: manifest.version.clone(),
        commit: manifest.source.commit.clone(),
        dirty: manifest.source.dirty,
        created: created(manifest)?,
        source: mcp
            .and_then(|mcp| mcp.repository.clone())
            .or_else(|| stated_source(metadata))
            .or_else(|| github(config)),
        license: header("License-Expression")
            .or_else(|| header("License").filter(|text| text.len() <= 60)),
        description: mcp
            .and_then(|mcp| mcp.description.clone())
            .or_else(|| header("Summary")),
        base_name: order.base.name.clone(),
        base_digest: Some(order.base.digest().clone()),
        server_name: mcp.map(|mcp| mcp.name.clone()),
        wheel: Some(manifest.only(Kind::Wheel)?.sha256.clone()),
        labels: image.labels.clone(),
    })
}

/// The address of the source as core metadata have it: `Project-URL: Repository, https://…`.
fn stated_source(metadata: &str) -> Option<String> {
    inspect::headers(metadata, "Project-URL").find_map(|line| {
        let (label, address) = line.split_once(',')?;
        let label = label.trim().to_ascii_lowercase();
        let is_source = ["repository", "source", "source code", "github"].contains(&label.as_str());
        is_source.then(|| address.trim().to_owned())
    })
}

fn github(config: &Config) -> Option<String> {
    config
        .publish
        .targets
        .iter()
        .find_map(|target| match &target.place {
            Place::Github { repository, .. } => Some(format!("https://github.com/{repository}")),
            _ => None,
        })
}

fn start(order: &Order<'_>, interpreter: String) -> Start {
    let Order { config, image, .. } = order;
    Start {
        runs: Runs::Script {
            interpreter,
            script: config.server.console_script.clone(),
            health: image.health.clone(),
        },
        arguments: image.arguments.clone(),
        environment: image.environment.clone(),
        port: image.port,
        user: image.user,
    }
}

/// A file with what it is.
pub type Made = (Artifact, Vec<u8>);

/// Builds the archive, and the bill of what is in it.
///
/// # Errors
/// The base or a wheel is missing, damaged, or not for the platform.
pub fn build(order: &Order<'_>, facts: &Facts) -> Result<[Made; 2]> {
    let manifest = &order.release.manifest;
    let (mut images, mut parts) = (Vec::new(), Vec::new());
    for platform in &order.platforms {
        order.world.check_interrupted()?;
        let (image, contents) = for_platform(order, facts, *platform)?;
        images.push(image);
        parts.push((*platform, contents));
    }
    let name = name(order);
    let tags = tag::all(manifest);
    let archive = archive::write(&images, &facts.about.labels(), &name, &tags)?;
    let file = format!("{name}-{}-image.oci.tar", manifest.version);
    let named = (name.as_str(), manifest.version.as_str());
    let artifact = sealed(
        Kind::Image,
        named,
        &file,
        &archive.bytes,
        facts.inputs.clone(),
    );
    let bill = bill::bill(manifest, &artifact, &archive, &order.base, parts)?;
    Ok([(artifact, archive.bytes), bill])
}

fn for_platform(
    order: &Order<'_>,
    facts: &Facts,
    platform: Platform,
) -> Result<(Built, Vec<Part>)> {
    let world = order.world;
    let step = world
        .terminal
        .step("image", &format!("building for {}", platform.word()));
    let base = order.base.read(platform)?;
    let contents = search::search(&base, order.base.shown())?;
    let interpreter = interpreter(
        order,
        &contents,
        &configuration::search_path(&base.configuration),
    )?;
    let (dependencies, mut parts) = dependencies(order, platform, &contents, &interpreter)?;
    let (wheel, bytes) = order.release.only(Kind::Wheel)?;
    parts.push(bill::wheel(&wheel.path, bytes));
    let own = own(order, &interpreter)?;
    let start = start(order, interpreter);
    let manifest = &order.release.manifest;
    let what = format!("{} {}", manifest.name, manifest.version);
    let layers = [(&dependencies, REQUIREMENTS_FILE), (&own, what.as_str())];
    let about = &facts.about;
    let text = configuration::text(&base.configuration, platform, about, &start, &layers);
    step.done(&format!(
        "{}  dependencies {}  wheel {}",
        platform.word(),
        size(dependencies.bytes.len() as u64),
        size(own.bytes.len() as u64)
    ));
    let built = Built {
        platform,
        base,
        configuration: text,
        layers: vec![dependencies, own],
    };
    Ok((built, parts))
}

fn interpreter(order: &Order<'_>, contents: &Contents, path: &str) -> Result<String> {
    let (shown, python) = (order.base.shown(), &order.image.python);
    let is_musl = matches!(order.image.libc, Libc::Musl(_));
    if contents.is_musl != is_musl {
        let (has, says) = match contents.is_musl {
            true => ("musl", "musl-1.2"),
            false => ("no musl", "glibc-2.36"),
        };
        return Err(Error::refused(format!(
            "{shown}: the base has {has}, and image.libc is {}",
            order.image.libc.word()
        ))
        .hint(format!(
            "write into release.toml, with the base's version: libc = \"{says}\""
        )));
    }
    contents.interpreter(path, python).ok_or_else(|| {
        let versions = contents.versions();
        let has = match versions.is_empty() {
            true => "none".to_owned(),
            false => versions.join(", "),
        };
        Error::refused(format!(
            "{shown}: the base has no Python {python}, but {has}"
        ))
        .hint("image.python in release.toml is the version of the base's interpreter")
    })
}

/// The layer that is the same for every commit with these requirements.
fn dependencies(
    order: &Order<'_>,
    platform: Platform,
    contents: &Contents,
    interpreter: &str,
) -> Result<(Layer, Vec<Part>)> {
    let Order { world, image, .. } = order;
    let (_, text) = order.release.only(Kind::Requirements)?;
    let text = String::from_utf8_lossy(text);
    let there = Surroundings::linux(&image.python, platform.machine());
    let selection = requirement::select(&text, REQUIREMENTS_FILE, &there)?;
    let target = Target {
        platform,
        libc: image.libc,
        python: &image.python,
    };
    let (mut entries, mut parts) = (Entries::new(), Vec::new());
    for (file, bytes) in wheels::fetch(world, &selection, target)? {
        parts.push(bill::wheel(&file, &bytes));
        let lost = unpack::merge(&mut entries, unpack::unpack(&file, &bytes, interpreter)?);
        if let Some(path) = lost.first() {
            world.terminal.warn(&format!(
                "{file} has {} file(s) that another distribution has with other contents, such as \
                 {path}; those of the last one are in the image",
                lost.len()
            ));
        }
    }
    for file in unpack::start_files(&entries) {
        world.terminal.warn(&format!(
            "{file} is in the image, and Python will not read it there"
        ));
    }
    add_user(&mut entries, contents, image.user);
    // Otherwise folders of the base would get new permissions.
    let mut entries = layer::with_parents(entries);
    entries.remove("etc");
    Ok((layer::write(&entries, FIXED_TIME)?, parts))
}

/// The user, and the only folder that it may write to.
fn add_user(entries: &mut Entries, contents: &Contents, user: u32) {
    for (path, bytes) in &contents.files {
        if let Some(bytes) = configuration::with_user(path, bytes, user) {
            entries.insert(path.clone(), Entry::file(bytes));
        }
    }
    entries.insert(HOME.to_owned(), Entry::folder(user));
}

/// The layer with the wheel alone.
fn own(order: &Order<'_>, interpreter: &str) -> Result<Layer> {
    let (wheel, bytes) = order.release.only(Kind::Wheel)?;
    let entries = unpack::unpack(&wheel.path, bytes, interpreter)?;
    let epoch = order.release.manifest.source.source_date_epoch;
    layer::write(
        &layer::with_parents(entries),
        u64::try_from(epoch).unwrap_or(0),
    )
}

/// Writes the notes and the statement of provenance anew, which name every file of a release.
/// Outside of the repository, or of another commit, that cannot be done.
///
/// # Errors
/// The lock files or the changelog cannot be read.
pub fn reseal(world: &World, config: &Config, release: &mut Release) -> Result<()> {
    let tree = Tree::of(release.manifest.source.dirty);
    let checkout = source::observe(world);
    let of_this_commit = |checkout: &source::Checkout| {
        checkout.source(tree) == release.manifest.source && checkout.modified.is_empty()
    };
    let Some(checkout) = checkout.ok().filter(of_this_commit) else {
        world.terminal.warn(
            "the statement of provenance names the image once this runs on its clean commit: \
             cargo xtask release",
        );
        return Ok(());
    };
    let locks = super::audit::inventory(world, config, &[])?;
    let work = Work {
        world,
        config,
        checkout: &checkout,
        tree,
        locks: &locks,
        findings: None,
        server_json: None,
    };
    seal::notes(&work, release)?;
    seal::provenance(&work, release);
    Ok(())
}
