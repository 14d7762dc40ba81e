//! The fresh environment: one exact wheel with its hash-locked requirements, and nothing else.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::pip;
use crate::error::{Context, Error, Result};
use crate::world::World;
use crate::world::files;
use crate::world::interrupt::{Signal, send_one};
use crate::world::process::{Command, table};

/// Reads wheels and environments; see its own first lines.
const INSPECT: &str = include_str!("inspect.py");

/// The oldest Python the tool works with.
const OLDEST_PYTHON: (u32, u32) = (3, 10);

/// No step of an installation may hang for ever.
const STEP_LIMIT: Duration = Duration::from_secs(15 * 60);

/// How the temporary folders in the tool's private folder begin.
pub const PREFIX: &str = "prove-";

/// What the home of each server that is started begins with, in such a folder.
const HOME_PREFIX: &str = "home-";

/// No process has this id, so only the home decides.
const NO_LEADER: u32 = u32::MAX;

/// Variables that would let the caller's Python reach into the environment.
const DISTURBING: [&str; 8] = [
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "VIRTUAL_ENV",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_USER",
    "PIP_REQUIRE_VIRTUALENV",
];

/// An environment in a temporary folder that goes when this is dropped.
#[derive(Debug)]
pub struct Environment {
    /// What the wheel says about itself.
    pub wheel: WheelFacts,
    /// How many requirements were installed.
    pub requirements: usize,
    place: Place,
}

/// Where an environment is, and what works on it.
#[derive(Debug)]
struct Place {
    folder: tempfile::TempDir,
    /// An interpreter that has pip.
    inspector: Utf8PathBuf,
}

/// What a wheel says about itself, and whether the interpreter suits it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WheelFacts {
    /// The distribution's name.
    pub name: String,
    /// The interpreter's version.
    pub python: String,
    /// The versions the wheel asks for (core metadata, `Requires-Python`).
    pub requires_python: Option<String>,
    /// Whether the interpreter's is one of them.
    pub suits: bool,
    /// The names of the console scripts it brings.
    pub console_scripts: Vec<String>,
}

/// A fresh environment that waits for its wheel.
#[derive(Debug)]
pub struct Prepared {
    place: Place,
    /// How many requirements are in it, or why they are not.
    requirements: Result<usize>,
}

/// Makes a fresh environment with `python` and installs the requirements by their hashes. It
/// does not need the wheel, so that it can be done while that is being built.
///
/// # Errors
/// There is no Python that can make an environment: a precondition. Requirements that cannot be
/// installed are reported by [`Prepared::install`], because a wheel that is not made for this
/// Python explains them better.
pub fn prepare(world: &World, requirements: &Utf8Path, python: &Utf8Path) -> Result<Prepared> {
    let place = Place::create(world, python)?;
    let pip = |arguments: &[&str]| place.pip(world, arguments);
    let requirements = pip::install_requirements(requirements, &pip);
    Ok(Prepared {
        place,
        requirements,
    })
}

impl Prepared {
    /// The environment into which the requirements were installed.
    pub fn folder(&self) -> Utf8PathBuf {
        self.place.virtual_environment()
    }

    /// Installs the wheel.
    ///
    /// # Errors
    /// Nothing could be installed at all (no network): a precondition. The requirements or the
    /// wheel do not fit each other or this Python: refused.
    pub fn install(
        self,
        world: &World,
        console_script: &str,
        wheel: &Utf8Path,
    ) -> Result<Environment> {
        let place = self.place;
        let facts: WheelFacts = place.inspect(world, &["wheel", wheel.as_str()])?;
        facts.require_suits(&place.inspector)?;
        facts.require_script(console_script)?;
        let requirements = self.requirements?;
        pip::install_wheel(wheel, &|arguments| place.pip(world, arguments))?;
        Ok(Environment {
            wheel: facts,
            requirements,
            place,
        })
    }
}

/// Makes a fresh environment with `python` and installs the requirements, by their hashes, and
/// then the wheel.
///
/// # Errors
/// As [`prepare`] and [`Prepared::install`].
pub fn install(
    world: &World,
    console_script: &str,
    wheel: &Utf8Path,
    requirements: &Utf8Path,
    python: &Utf8Path,
) -> Result<Environment> {
    prepare(world, requirements, python)?.install(world, console_script, wheel)
}

/// Ends the servers and removes the folders that killed runs have left. Only for the holder of
/// the lock.
///
/// # Errors
/// Something in it may not be removed.
pub fn sweep(world: &World) -> Result<()> {
    let Ok(entries) = world.private().read_dir_utf8() else {
        return Ok(());
    };
    for entry in entries.flatten() {
        if entry.file_name().starts_with(PREFIX) {
            end_servers(entry.path());
            files::remove_folder(entry.path())?;
        }
    }
    Ok(())
}

/// A server that speaks HTTP does not notice that nobody is left to stop it. It is known by its
/// home, which no other process has.
fn end_servers(folder: &Utf8Path) {
    let Ok(entries) = folder.read_dir_utf8() else {
        return;
    };
    let homes = entries.flatten();
    for home in homes.filter(|entry| entry.file_name().starts_with(HOME_PREFIX)) {
        for process in table::family(NO_LEADER, &format!("HOME={}", home.path())) {
            send_one(process.id, Signal::Kill);
        }
    }
}

/// A Python that is new enough.
#[derive(Debug)]
struct Interpreter {
    /// The program itself: what is on PATH may be a launcher that looks for it each time.
    program: Utf8PathBuf,
    /// Whether it has a pip that can install into another environment (`--python`, since
    /// pip 22.3).
    has_pip: bool,
}

fn probe(world: &World, python: &Utf8Path) -> Result<Interpreter> {
    const CODE: &str = "import sys; print(sys.executable); print(*sys.version_info[:2], sep='.'); \
                        import pip; print(pip.__version__)";
    let output = isolated(world, python)
        .args(["-I", "-c", CODE])
        .timeout(Duration::from_secs(60))
        .output()?;
    let mut lines = output.stdout.lines();
    let program = lines.next().unwrap_or_default();
    let version = lines.next().unwrap_or_default();
    let needed = "install Python 3.10 or later";
    match leading_numbers(version) {
        Some(found) if found >= OLDEST_PYTHON => {}
        Some(_) => {
            let found = format!("{python} is Python {version}");
            return Err(Error::precondition(found).hint(needed));
        }
        None => {
            let said = super::shorten(output.stderr.trim());
            let found = format!("{python} does not run as a Python: {said}");
            return Err(Error::precondition(found).hint(needed));
        }
    }
    Ok(Interpreter {
        program: program.into(),
        has_pip: lines.next().and_then(leading_numbers) >= Some((22, 3)),
    })
}

/// The first two numbers of a version.
fn leading_numbers(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.trim().split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn isolated<'world>(world: &'world World, program: &Utf8Path) -> Command<'world> {
    let disturbing = DISTURBING.into_iter();
    let set = disturbing.filter(|name| world.variable(name).is_some());
    let command = world.command(program).timeout(STEP_LIMIT);
    set.fold(command, Command::without_variable)
}

impl WheelFacts {
    fn require_suits(&self, python: &Utf8Path) -> Result<()> {
        match &self.requires_python {
            Some(wanted) if !self.suits => Err(Error::precondition(format!(
                "the wheel needs Python {wanted}, but {python} is Python {}",
                self.python
            ))
            .hint(format!("put a Python {wanted} first on PATH and run again"))),
            _ => Ok(()),
        }
    }

    fn require_script(&self, name: &str) -> Result<()> {
        if self.console_scripts.iter().any(|script| script == name) {
            return Ok(());
        }
        let scripts = match self.console_scripts.as_slice() {
            [] => "none".to_owned(),
            scripts => scripts.join(", "),
        };
        Err(Error::refused(format!(
            "the wheel has no console script {name:?}; it has: {scripts}"
        ))
        .hint(
            "declare it under [project.scripts] in pyproject.toml, or name another one as \
             `console-script` under [server] in release.toml",
        ))
    }
}

impl Environment {
    /// The program of one of the wheel's console scripts.
    ///
    /// # Errors
    /// The wheel does not bring it; the message names those it brings.
    pub fn script(&self, name: &str) -> Result<Utf8PathBuf> {
        self.wheel.require_script(name)?;
        let suffix = std::env::consts::EXE_SUFFIX;
        Ok(self.place.programs().join(format!("{name}{suffix}")))
    }

    /// A new empty folder for one server to live and work in.
    ///
    /// # Errors
    /// The disk is full or the like.
    pub fn new_home(&self) -> Result<Utf8PathBuf> {
        let parent = self.place.path();
        let folder = tempfile::Builder::new()
            .prefix(HOME_PREFIX)
            .disable_cleanup(true)
            .tempdir_in(parent)
            .doing(|| format!("create a folder in {parent}"))?;
        crate::world::utf8(folder.path().to_owned())
    }

    /// What `inspect.py` finds in the installed environment about the wheel.
    pub(super) fn inspect<T: DeserializeOwned>(
        &self,
        world: &World,
        extras: &[String],
        optional: &[&str],
    ) -> Result<T> {
        let environment = self.place.virtual_environment();
        let (extras, optional) = (extras.join(","), optional.join(","));
        let name = &self.wheel.name;
        let arguments = [
            "environment",
            environment.as_str(),
            name,
            &extras,
            &optional,
        ];
        self.place.inspect(world, &arguments)
    }
}

impl Place {
    /// Makes an empty virtual environment. Without a pip of its own it is there at once, and
    /// holds less that could stand in for a forgotten dependency.
    fn create(world: &World, python: &Utf8Path) -> Result<Place> {
        let python = probe(world, python)?;
        let private = world.private();
        files::create_folder(&private)?;
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir_in(&private)
            .doing(|| format!("create a folder in {private}"))?;
        let mut place = Place {
            folder,
            inspector: python.program.clone(),
        };
        let environment = place.virtual_environment();
        let mut arguments = vec!["-I", "-m", "venv"];
        arguments.extend(python.has_pip.then_some("--without-pip"));
        arguments.push(environment.as_str());
        let made = isolated(world, &python.program).args(&arguments).output()?;
        if !made.status.success() {
            let said = format!("{}{}", made.stdout, made.stderr);
            return Err(Error::precondition(format!(
                "{} cannot make a virtual environment: {}",
                python.program,
                super::shorten(said.trim())
            ))
            .hint("install the module venv: on Debian and Ubuntu `apt install python3-venv`"));
        }
        if !python.has_pip {
            place.inspector = place.python();
        }
        let script = place.script();
        std::fs::write(&script, INSPECT).doing(|| format!("write {script}"))?;
        Ok(place)
    }

    /// # Panics
    /// Never: the parent and our own prefix are UTF-8.
    fn path(&self) -> &Utf8Path {
        Utf8Path::from_path(self.folder.path()).expect("parent and prefix are UTF-8")
    }

    fn virtual_environment(&self) -> Utf8PathBuf {
        self.path().join("environment")
    }

    fn programs(&self) -> Utf8PathBuf {
        let folder = if cfg!(windows) { "Scripts" } else { "bin" };
        self.virtual_environment().join(folder)
    }

    fn python(&self) -> Utf8PathBuf {
        let suffix = std::env::consts::EXE_SUFFIX;
        self.programs().join(format!("python{suffix}"))
    }

    fn script(&self) -> Utf8PathBuf {
        self.path().join("inspect.py")
    }

    fn pip<'world>(&self, world: &'world World, arguments: &[&str]) -> Command<'world> {
        let mut command = isolated(world, &self.inspector).args(["-m", "pip"]);
        if self.inspector != self.python() {
            command = command.arg("--python").arg(self.python());
        }
        command
            .directory(self.path())
            .args(["--disable-pip-version-check", "--no-input", "--no-color"])
            .args(arguments)
    }

    fn inspect<T: DeserializeOwned>(&self, world: &World, arguments: &[&str]) -> Result<T> {
        let script = self.script();
        let output = isolated(world, &self.inspector)
            .args(["-I", script.as_str()])
            .args(arguments)
            .purpose(format!("reading the {}", arguments[0]))
            .run()?;
        serde_json::from_str(&output.stdout)
            .map_err(|cause| Error::failure(format!("the answer of {script}: {cause}")))
    }
}
