//! A program built by Cargo for an image: of the release's commit, with the lock file as it is, in the
//! profile `release`, linked statically, and without a path of this machine in it.

use std::collections::BTreeSet;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use crate::artifact::Digest;
use crate::bom::image::Part;
use crate::config::program::Program;
use crate::error::{Error, Result};
use crate::image::{Platform, binary};
use crate::lockfile::{self, Ecosystem, Input};
use crate::world::{World, files};

/// A whole program may be compiled anew, on a small machine.
const PATIENCE: Duration = Duration::from_secs(2 * 60 * 60);

/// What a package says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Package {
    name: String,
    /// Its version.
    pub version: String,
    /// Its license, as an SPDX expression.
    pub license: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// Where its source is.
    pub repository: Option<String>,
    targets: Vec<Target>,
    /// Where it comes from, when it does not lie here.
    source: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

/// The package of a program, and the names of all packages that lie beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The package.
    pub package: Package,
    /// What is compiled anew for every commit.
    own: Vec<String>,
}

/// What is known of a program in the workspace at `folder`.
///
/// # Errors
/// There is no such package, it has no such binary, or the lock file does not fit.
pub fn find(world: &World, program: &Program, folder: &Utf8Path) -> Result<Found> {
    let output = world
        .command("cargo")
        .directory(folder)
        .args(["metadata", "--format-version=1", "--locked"])
        .purpose("read the Cargo workspace")
        .run()?;
    let metadata: Metadata = serde_json::from_str(&output.stdout)
        .map_err(|cause| Error::failure(format!("read the answer of cargo metadata: {cause}")))?;
    let Program {
        name,
        package,
        binary,
        ..
    } = program;
    let own = metadata.packages.iter().filter(|one| one.source.is_none());
    let own: Vec<String> = own.map(|one| one.name.clone()).collect();
    let mut packages = metadata.packages.into_iter();
    let is_found = |one: &Package| one.name == *package && one.source.is_none();
    let found = packages.find(is_found).ok_or_else(|| {
        Error::usage(format!(
            "program.{name}: the workspace has no package {package}"
        ))
        .hint(format!(
            "name it in release.toml: [program.{name}] package = \"…\""
        ))
    })?;
    let is_it = |target: &Target| target.name == *binary && target.kind == ["bin"];
    match found.targets.iter().any(is_it) {
        true => Ok(Found {
            package: found,
            own,
        }),
        false => Err(Error::usage(format!(
            "program.{name}: the package {package} has no binary {binary}"
        ))
        .hint(format!(
            "name it in release.toml: [program.{name}] binary = \"…\""
        ))),
    }
}

/// Every crate that a program is compiled with for a platform, with the digest that the lock file has of
/// it.
///
/// # Errors
/// Cargo or the lock file does not say.
pub fn crates(
    world: &World,
    program: &Program,
    folder: &Utf8Path,
    platform: Platform,
) -> Result<Vec<Part>> {
    let output = world
        .command("cargo")
        .directory(folder)
        .args(["metadata", "--format-version=1", "--locked"])
        .args(["--filter-platform", platform.triple()])
        .purpose("ask for the crates of the program")
        .run()?;
    let graph: Graph = serde_json::from_str(&output.stdout)
        .map_err(|cause| Error::failure(format!("read the answer of cargo metadata: {cause}")))?;
    let path = folder.join("Cargo.lock");
    let kind = lockfile::kind_of("Cargo.lock").expect("the kind is known");
    let lock = (kind.read)(&Input {
        text: &files::read_text(&path)?,
        path: world.show(&path),
        shipping_groups: &[],
        beside: &|_| None,
    })?;
    let sha256 = |one: &Member| {
        let mut locked = lock.packages.iter();
        let found = locked.find(|it| it.name == one.name && it.version == one.version)?;
        let mut digests = found.digests.iter();
        digests.find_map(|digest| Digest::parse(digest).ok())
    };
    let part = |one: &Member| Part {
        ecosystem: Some(Ecosystem::CratesIo),
        name: one.name.clone(),
        version: one.version.clone(),
        file: None,
        sha256: sha256(one),
    };
    let mut parts: Vec<Part> = graph
        .below(&program.package)
        .into_iter()
        .map(part)
        .collect();
    parts.sort();
    parts.dedup();
    Ok(parts)
}

#[derive(Debug, Deserialize)]
struct Graph {
    packages: Vec<Member>,
    resolve: Resolve,
}

#[derive(Debug, Deserialize)]
struct Member {
    id: String,
    name: String,
    version: String,
    source: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Debug, Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<Role>,
}

/// `None` where it is needed to run; else it is for building or for tests.
#[derive(Debug, Deserialize)]
struct Role {
    kind: Option<String>,
}

impl Graph {
    /// Everything that a package of this workspace needs to run.
    fn below(&self, package: &str) -> Vec<&Member> {
        let is_it = |one: &&Member| one.name == package && one.source.is_none();
        let start = self.packages.iter().find(is_it);
        let mut waiting: Vec<&str> = start.map(|one| one.id.as_str()).into_iter().collect();
        let mut seen: BTreeSet<&str> = waiting.iter().copied().collect();
        while let Some(id) = waiting.pop() {
            let nodes = self.resolve.nodes.iter().filter(|node| node.id == id);
            for edge in nodes.flat_map(|node| &node.deps) {
                let runs = edge.dep_kinds.iter().any(|role| role.kind.is_none());
                if runs && seen.insert(&edge.pkg) {
                    waiting.push(&edge.pkg);
                }
            }
        }
        let own = start.map(|one| one.id.as_str());
        let is_below =
            |one: &&Member| Some(one.id.as_str()) != own && seen.contains(one.id.as_str());
        self.packages.iter().filter(is_below).collect()
    }
}

/// The compiler, to the byte: another one makes another program.
///
/// # Errors
/// There is none.
pub fn compiler(world: &World) -> Result<String> {
    let output = world
        .command("rustc")
        .arg("-vV")
        .purpose("ask for the compiler's version")
        .run()?;
    Ok(output.stdout)
}

/// Builds the program in the workspace at `folder`, for a platform. `compiler` is what
/// [`compiler`] said.
///
/// # Errors
/// It does not compile, the parts of the toolchain for the platform are not installed, or what comes
/// out would not start on every base.
pub fn build(
    world: &World,
    program: &Program,
    (folder, found): (&Utf8Path, &Found),
    platform: Platform,
    compiler: &str,
) -> Result<Vec<u8>> {
    let triple = platform.triple();
    let linker = linker(world, triple, compiler)?;
    // Kept for the next commit: what it depends on rarely changes.
    let output = world.private().join("image/cargo");
    forget(world, folder, found, (triple, &output))?;
    let mut command = world
        .command("cargo")
        .directory(folder)
        .args(["build", "--quiet", "--release", "--locked"])
        .args(["--target", triple])
        .args(["--package", &program.package, "--bin", &program.binary])
        .variable("CARGO_TARGET_DIR", &output)
        .variable("CARGO_ENCODED_RUSTFLAGS", flags(world, &output))
        .without_variable("RUSTFLAGS")
        .without_variable("RUSTC_WRAPPER")
        .timeout(PATIENCE)
        .purpose(format!(
            "build the program {} for {}",
            program.name,
            platform.word()
        ));
    if let Some((variable, linker)) = linker {
        command = command.variable(variable, linker);
    }
    command.run()?;
    let place = output.join(triple).join("release").join(&program.binary);
    let bytes = files::read(&place)?;
    binary::require_static(&bytes, platform, world.show(&place).as_str())?;
    Ok(bytes)
}

/// Removes what an earlier commit has left of our own packages. Every file of a stage has the time of
/// its commit, so that Cargo, which looks at times, would take an older program for this one.
fn forget(
    world: &World,
    folder: &Utf8Path,
    found: &Found,
    (triple, output): (&str, &Utf8Path),
) -> Result<()> {
    if !output.join(triple).is_dir() {
        return Ok(());
    }
    let mut command = world
        .command("cargo")
        .directory(folder)
        .args(["clean", "--quiet", "--release", "--locked"])
        .args(["--target", triple, "--target-dir", output.as_str()])
        .purpose("remove what an earlier commit has left");
    for name in &found.own {
        command = command.args(["--package", name]);
    }
    command.run().map(drop)
}

/// The flags of the compiler: no loader, no symbols, and in place of the folders of this machine, which
/// messages of panics name, the same words everywhere.
fn flags(world: &World, output: &Utf8Path) -> String {
    let home = world.variable("CARGO_HOME").map(Utf8PathBuf::from);
    let home = home.or_else(|| {
        world
            .variable("HOME")
            .map(|home| Utf8Path::new(home).join(".cargo"))
    });
    let mut flags = vec![
        "-Ctarget-feature=+crt-static".to_owned(),
        "-Cstrip=symbols".to_owned(),
        format!("--remap-path-prefix={output}=/target"),
    ];
    flags.extend(home.map(|home| format!("--remap-path-prefix={home}=/cargo")));
    flags.join("\x1f")
}

/// What links for another machine than this one, and the variable that tells Cargo; the library for it
/// must be there, too.
fn linker(world: &World, triple: &str, compiler: &str) -> Result<Option<(String, String)>> {
    let libraries = world
        .command("rustc")
        .args(["--print", "target-libdir", "--target", triple])
        .purpose("look for the standard library")
        .run()?;
    if !Utf8Path::new(libraries.stdout.trim()).is_dir() {
        return Err(Error::precondition(format!(
            "the standard library for {triple} is not installed"
        ))
        .hint(format!("rustup target add {triple}"))
        .hint("or leave the platform out: --platform"));
    }
    if compiler
        .lines()
        .any(|line| line == format!("host: {triple}"))
    {
        return Ok(None);
    }
    let variable = format!(
        "CARGO_TARGET_{}_LINKER",
        triple.to_uppercase().replace('-', "_")
    );
    if world.variable(&variable).is_some() {
        return Ok(None);
    }
    let machine = triple.split('-').next().unwrap_or_default();
    let linker = format!("{machine}-linux-gnu-gcc");
    match world.command(&linker).arg("--version").output() {
        Ok(output) if output.status.success() => Ok(Some((variable, linker))),
        _ => Err(Error::precondition(format!(
            "{linker}, which links for {triple}, is not installed"
        ))
        .hint(format!(
            "apt-get install gcc-{0}-linux-gnu libc6-dev-{1}-cross",
            machine.replace('_', "-"),
            if machine == "aarch64" {
                "arm64"
            } else {
                "amd64"
            }
        ))
        .hint(format!("another linker: {variable}=…"))
        .hint("or leave the platform out: --platform")),
    }
}
