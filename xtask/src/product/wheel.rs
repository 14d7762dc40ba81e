//! The wheel and the sdist: built once through PEP 517, then checked.

pub mod inspect;
mod sdist;

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::backend::{self, Archive};
use super::pyproject::{self, Project};
use crate::error::{Context, Error, Result};
use crate::tools::python::{Environment, isolated};
use crate::world::{World, files};

/// The files a build made.
#[derive(Debug)]
pub struct Built {
    /// The wheel's file name.
    pub wheel: String,
    /// The wheel's bytes.
    pub wheel_bytes: Vec<u8>,
    /// The sdist's file name.
    pub sdist: String,
    /// The sdist's bytes.
    pub sdist_bytes: Vec<u8>,
    /// What the wheel says of itself.
    pub facts: inspect::Wheel,
}

/// Builds the sdist and, from it, the wheel of the project in `folder`.
///
/// The back end runs in the tool's own environment, which has everything that `[build-system]`
/// asks for; nothing is downloaded.
///
/// # Errors
/// The environment lacks something, the back end fails, or what it made does not hold what
/// `pyproject.toml` promises.
pub fn build(
    world: &World,
    environment: &Environment,
    folder: &Utf8Path,
    epoch: i64,
    console_script: &str,
) -> Result<Built> {
    let file = folder.join("pyproject.toml");
    let shown = file.file_name().unwrap_or_default();
    if !file.is_file() {
        return Err(
            Error::precondition(format!("{shown} is not in {}", world.show(folder)))
                .hint("check server.path in release.toml, and that pyproject.toml is committed"),
        );
    }
    let project = pyproject::parse(&files::read_text(&file)?, shown)?;
    let out = folder.join(".xtask-dist");
    files::remove_folder(&out)?;
    require_provided(world, environment, &project)?;
    isolated(world.command(&environment.python))
        .args(["-m", "build", "--no-isolation", "--outdir", out.as_str()])
        .directory(folder)
        .variable("SOURCE_DATE_EPOCH", epoch.to_string())
        .variable("TZ", "UTC")
        .variable("LC_ALL", "C.UTF-8")
        .variable("PYTHONHASHSEED", "0")
        .variable("PYTHONDONTWRITEBYTECODE", "1")
        .variable("PATH", search_path(world, environment))
        // Back ends ask git which files are ignored; the export is ignored as a whole.
        .variable("GIT_CEILING_DIRECTORIES", world.private().join("stage"))
        .purpose("the PEP 517 build")
        .run()?;
    let mut built = collect(&out, &project, console_script)?;
    let archive = backend::of(&project).map_or(Archive::Rewritten, |back_end| back_end.archive);
    if archive == Archive::Rewritten {
        built.sdist_bytes = sdist::rewrite(&built.sdist, &built.sdist_bytes, epoch)?;
    }
    Ok(built)
}

/// Some back ends are programs, which they look for on `PATH`.
fn search_path(world: &World, environment: &Environment) -> String {
    let own = environment.python.parent().unwrap_or(Utf8Path::new(""));
    let separator = if cfg!(windows) { ';' } else { ':' };
    let path = world.variable("PATH").unwrap_or_default();
    format!("{own}{separator}{path}")
}

/// Refuses to build without what `[build-system]` asks for.
fn require_provided(world: &World, environment: &Environment, project: &Project) -> Result<()> {
    let script = "import sys\ntry:\n import build\nexcept ImportError:\n print('build')\nelse:\n \
                  for r in sys.argv[1:]:\n  if any(build.check_dependency(r)): print(r)";
    let output = isolated(world.command(&environment.python))
        .args(["-c", script])
        .args(&project.build_requires)
        .run()?;
    let missing: Vec<&str> = output.stdout.lines().collect();
    if missing.is_empty() {
        return Ok(());
    }
    let error = Error::precondition(format!(
        "build-system.requires asks for what the locked build environment does not have: {}",
        missing.join(", ")
    ))
    .hint("widen the range in pyproject.toml, so that it takes the pinned version");
    Err(backend::locked_by_hand(error, project))
}

fn collect(out: &Utf8Path, project: &Project, console_script: &str) -> Result<Built> {
    let mut names: Vec<Utf8PathBuf> = Vec::new();
    for entry in out.read_dir_utf8().doing(|| format!("list {out}"))? {
        names.push(entry.doing(|| format!("list {out}"))?.into_path());
    }
    let wheel = only(&names, ".whl", "wheel")?;
    let sdist = only(&names, ".tar.gz", "sdist")?;
    let (wheel_bytes, sdist_bytes) = (files::read(wheel)?, files::read(sdist)?);
    let name = wheel.file_name().unwrap_or_default();
    let facts = inspect::wheel(name, &wheel_bytes)?;
    let problems = facts.problems(project, console_script);
    if !problems.is_empty() {
        return Err(Error::refused(format!(
            "the wheel {name} does not hold what pyproject.toml promises:\n    {}",
            problems.join("\n    ")
        ))
        .hint("mend pyproject.toml or the package layout, commit, and build again"));
    }
    Ok(Built {
        wheel: name.to_owned(),
        sdist: sdist.file_name().unwrap_or_default().to_owned(),
        wheel_bytes,
        sdist_bytes,
        facts,
    })
}

fn only<'names>(names: &'names [Utf8PathBuf], end: &str, kind: &str) -> Result<&'names Utf8Path> {
    let found: Vec<&Utf8PathBuf> = names
        .iter()
        .filter(|name| name.as_str().ends_with(end))
        .collect();
    match found.as_slice() {
        [one] => Ok(one),
        several => {
            let listed: Vec<&str> = several.iter().filter_map(|name| name.file_name()).collect();
            Err(Error::refused(format!(
                "the build made {} {kind}s, expected exactly one: {}",
                listed.len(),
                listed.join(", ")
            ))
            .hint("a project that builds several distributions needs one release.toml for each"))
        }
    }
}

/// What the wheel and the sdist are made from.
pub fn inputs(
    environment: &Environment,
    source: &crate::artifact::Source,
) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("commit".to_owned(), source.commit.clone()),
        (
            "source-date-epoch".to_owned(),
            source.source_date_epoch.to_string(),
        ),
        (
            "build-requirements".to_owned(),
            environment.requirements.to_string(),
        ),
        ("python".to_owned(), environment.version.to_string()),
        ("tool".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
    ])
}
