//! Python: the user's interpreter, and virtual environments made from it.

use camino::{Utf8Path, Utf8PathBuf};

use super::{Version, executable, pip_failed, place};
use crate::artifact::Digest;
use crate::error::{Context, Error, Result};
use crate::world::files::{self, Staged};
use crate::world::lock::Lock;
use crate::world::{World, process::Command};

/// The oldest interpreter that works.
pub const MINIMUM: Version = Version(3, 10, 0);

/// The pinned build front end and back end, with hashes for every platform.
pub const BUILD_REQUIREMENTS: &str = include_str!("../../tools/build.txt");

/// Names that are tried, in this order, when `XTASK_PYTHON` does not name one.
const CANDIDATES: [&str; 6] = [
    "python3",
    "python",
    "python3.13",
    "python3.12",
    "python3.11",
    "python3.10",
];

/// An interpreter of the user's machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    /// The executable itself, not a shim in front of it.
    pub path: Utf8PathBuf,
    /// Its version.
    pub version: Version,
}

/// Finds an interpreter of at least [`MINIMUM`] that can create virtual environments.
///
/// # Errors
/// None is found; the message lists what was tried and why each was refused.
pub fn interpreter(world: &World) -> Result<Interpreter> {
    let named = world.variable("XTASK_PYTHON");
    let candidates: Vec<&str> = named.map_or_else(|| CANDIDATES.to_vec(), |name| vec![name]);
    let mut refused = Vec::new();
    for name in candidates {
        match inspect(world, name) {
            Ok(found) => return Ok(found),
            Err(reason) => refused.push(format!("{name}: {reason}")),
        }
    }
    world.check_interrupted()?;
    let message = format!(
        "no usable Python {MINIMUM} or newer: {}",
        refused.join("; ")
    );
    Err(Error::precondition(message)
        .hint("install one, for example: apt-get install python3 python3-venv")
        .hint("or name one: XTASK_PYTHON=/path/to/python3 cargo xtask …"))
}

fn inspect(world: &World, name: &str) -> std::result::Result<Interpreter, String> {
    let script =
        "import sys, venv, ensurepip; print(sys.version.split()[0]); print(sys.executable)";
    let output = world
        .command(name)
        .args(["-c", script])
        .output()
        .map_err(|_| "not on PATH".to_owned())?;
    let mut lines = output.stdout.lines();
    if !output.status.success() {
        let reason = output.stderr.lines().last().unwrap_or("does not start");
        return Err(format!(
            "{reason} (the venv module may need the package python3-venv)"
        ));
    }
    let version = lines
        .next()
        .and_then(Version::find)
        .ok_or("prints no version")?;
    if version < MINIMUM {
        return Err(format!("is {version}"));
    }
    let path = lines.next().filter(|path| !path.is_empty()).unwrap_or(name);
    Ok(Interpreter {
        path: path.into(),
        version,
    })
}

/// A virtual environment of the tool's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Its interpreter.
    pub python: Utf8PathBuf,
    /// The digest of the requirements in it.
    pub requirements: Digest,
    /// The interpreter's version, as `pyvenv.cfg` states it.
    pub version: Version,
}

/// The environment with the build front end, installed on first use.
///
/// # Errors
/// No interpreter, no network on first use, or a full disk.
pub fn build_environment(world: &World) -> Result<Environment> {
    match existing(world, "build", BUILD_REQUIREMENTS) {
        Some(environment) => Ok(environment),
        None => create(world, "build", BUILD_REQUIREMENTS),
    }
}

/// An environment that has been installed before, found without running anything.
pub fn existing(world: &World, name: &str, requirements: &str) -> Option<Environment> {
    let digest = Digest::of(requirements.as_bytes());
    let folder = place(world, name, &digest);
    let settings = std::fs::read_to_string(folder.join("pyvenv.cfg")).ok()?;
    let version = settings.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "version")
            .then(|| Version::find(value))
            .flatten()
    })?;
    let python = executable(&folder, "python");
    python.exists().then_some(Environment {
        python,
        requirements: digest,
        version,
    })
}

/// Creates an environment `name` from hash-locked requirements, beside its place.
///
/// # Errors
/// As [`build_environment`].
pub fn create(world: &World, name: &str, requirements: &str) -> Result<Environment> {
    let _lock = Lock::wait(world, &world.tools(), "lock")?;
    if let Some(environment) = existing(world, name, requirements) {
        return Ok(environment);
    }
    let interpreter = interpreter(world)?;
    let digest = Digest::of(requirements.as_bytes());
    let step = world
        .terminal
        .step("tools", &format!("installing the {name} environment"));
    let staged = Staged::beside(&place(world, name, &digest))?;
    install(world, &interpreter.path, staged.path(), requirements)?;
    staged.swap()?;
    step.done(&format!(
        "{name} environment, Python {}",
        interpreter.version
    ));
    existing(world, name, requirements).ok_or_else(|| {
        let folder = place(world, name, &digest);
        Error::failure(format!("{folder} is not a usable virtual environment"))
            .hint(format!("remove it and run again: rm -r {folder}"))
    })
}

/// Makes a fresh virtual environment in `folder` and installs hash-locked requirements.
///
/// # Errors
/// venv or pip fail; the message carries what they said.
pub fn install(
    world: &World,
    interpreter: &Utf8Path,
    folder: &Utf8Path,
    requirements: &str,
) -> Result<()> {
    isolated(world.command(interpreter))
        .args(["-m", "venv", folder.as_str()])
        .purpose("create a virtual environment")
        .run()?;
    let list = folder.join("requirements.txt");
    files::write(&list, requirements.as_bytes())?;
    isolated(world.command(executable(folder, "python")))
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ])
        .args([
            "--no-input",
            "--require-hashes",
            "--no-deps",
            "--only-binary",
            ":all:",
        ])
        .args(["--requirement", list.as_str()])
        .purpose("install the hash-locked requirements")
        .run()
        .map_err(|error| pip_failed("pip install", error))?;
    Ok(())
}

/// A Python call that the user's own Python settings cannot change.
pub fn isolated(command: Command<'_>) -> Command<'_> {
    command
        .without_variable("PYTHONPATH")
        .without_variable("PYTHONHOME")
        .without_variable("PYTHONSTARTUP")
        .without_variable("VIRTUAL_ENV")
        .without_variable("PIP_REQUIRE_VIRTUALENV")
        .variable("PYTHONNOUSERSITE", "1")
}

/// Removes what earlier versions of the same environment left behind. In a folder that several
/// repositories share nothing is removed: what is old here may be in use there.
///
/// # Errors
/// A folder may not be removed.
pub fn remove_older(world: &World, name: &str, keep: &Digest) -> Result<()> {
    let folder = world.tools();
    if !folder.starts_with(world.private()) {
        return Ok(());
    }
    let keep = place(world, name, keep);
    let prefix = format!("{name}-");
    let Ok(entries) = folder.read_dir_utf8() else {
        return Ok(());
    };
    for entry in entries {
        let entry = entry.doing(|| format!("list {folder}"))?;
        if entry.file_name().starts_with(&prefix) && entry.path() != keep {
            files::remove_folder(entry.path())?;
        }
    }
    Ok(())
}
