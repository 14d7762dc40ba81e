//! The fresh environment: one exact wheel with its hash-locked requirements, and nothing else.

use std::io::Write;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::pip;
use crate::error::{Context, Error, Result};
use crate::world::World;
use crate::world::files;
use crate::world::process::Command;

/// Reads wheels and environments; see its own first lines.
const INSPECT: &str = include_str!("inspect.py");

/// The oldest Python the tool works with.
const OLDEST_PYTHON: (u32, u32) = (3, 10);

/// No step of an installation may hang for ever.
const STEP_LIMIT: Duration = Duration::from_secs(15 * 60);

/// How the temporary folders in the tool's private folder begin.
const PREFIX: &str = "prove-";

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
    folder: tempfile::TempDir,
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

/// Makes a fresh environment with `python` and installs the requirements, by their hashes, and
/// then the wheel.
///
/// # Errors
/// Nothing can be installed at all (no network, no `venv`): a precondition. The requirements
/// or the wheel do not fit each other or this Python: refused.
pub fn install(
    world: &World,
    console_script: &str,
    wheel: &Utf8Path,
    requirements: &Utf8Path,
    python: &Utf8Path,
) -> Result<Environment> {
    let pip_is_usable = probe(world, python)?;
    let private = world.private();
    files::create_folder(&private)?;
    let folder = tempfile::Builder::new()
        .prefix(PREFIX)
        .tempdir_in(&private)
        .doing(|| format!("create a folder in {private}"))?;
    let mut environment = Environment {
        wheel: WheelFacts {
            name: String::new(),
            python: String::new(),
            requires_python: None,
            suits: true,
            console_scripts: Vec::new(),
        },
        requirements: 0,
        inspector: python.to_owned(),
        folder,
    };
    environment.create(world, python, pip_is_usable)?;
    environment.wheel = environment.inspect(world, &["wheel", wheel.as_str()])?;
    environment.require_suits(python)?;
    environment.script(console_script)?;
    let pip = |arguments: &[&str]| environment.pip(world, arguments);
    let installed = pip::install_requirements(requirements, &pip)?;
    pip::install_wheel(wheel, &pip)?;
    environment.requirements = installed;
    Ok(environment)
}

/// Removes what runs that were killed have left. Only for the holder of the lock.
///
/// # Errors
/// Something in it may not be removed.
pub fn sweep(world: &World) -> Result<()> {
    let Ok(entries) = world.private().read_dir_utf8() else {
        return Ok(());
    };
    for entry in entries.flatten() {
        if entry.file_name().starts_with(PREFIX) {
            files::remove_folder(entry.path())?;
        }
    }
    Ok(())
}

/// Whether this Python brings a pip that can install into another environment (`--python`,
/// since pip 22.3).
fn probe(world: &World, python: &Utf8Path) -> Result<bool> {
    const CODE: &str =
        "import sys; print(*sys.version_info[:3]); import pip; print(pip.__version__)";
    let output = isolated(world, python)
        .args(["-I", "-c", CODE])
        .timeout(Duration::from_secs(60))
        .output()?;
    let mut lines = output.stdout.lines();
    let version = lines.next().unwrap_or_default().replace(' ', ".");
    let number = |text: &str, index: usize| text.split('.').nth(index)?.parse::<u32>().ok();
    match (number(&version, 0), number(&version, 1)) {
        (Some(major), Some(minor)) if (major, minor) >= OLDEST_PYTHON => {}
        (Some(_), Some(_)) => {
            return Err(Error::precondition(format!("{python} is Python {version}"))
                .hint("install Python 3.10 or later"));
        }
        _ => {
            return Err(Error::precondition(format!(
                "{python} does not run as a Python: {}",
                output.stderr.trim()
            ))
            .hint("install Python 3.10 or later"));
        }
    }
    let pip = lines.next().unwrap_or_default();
    let pip = (number(pip, 0).unwrap_or(0), number(pip, 1).unwrap_or(0));
    Ok(pip >= (22, 3))
}

fn isolated<'world>(world: &'world World, program: &Utf8Path) -> Command<'world> {
    let command = world.command(program).timeout(STEP_LIMIT);
    DISTURBING
        .into_iter()
        .fold(command, Command::without_variable)
}

impl Environment {
    /// Where it is.
    ///
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
        let name = if cfg!(windows) {
            "python.exe"
        } else {
            "python"
        };
        self.programs().join(name)
    }

    /// The program of one of the wheel's console scripts.
    ///
    /// # Errors
    /// The wheel does not bring it; the message names those it brings.
    pub fn script(&self, name: &str) -> Result<Utf8PathBuf> {
        let scripts = &self.wheel.console_scripts;
        if !scripts.iter().any(|script| script == name) {
            let scripts = match scripts.as_slice() {
                [] => "none".to_owned(),
                scripts => scripts.join(", "),
            };
            return Err(Error::refused(format!(
                "the wheel has no console script {name:?}; it has: {scripts}"
            ))
            .hint(
                "declare it under [project.scripts] in pyproject.toml, or name another one as \
                   `console-script` under [server] in release.toml",
            ));
        }
        let suffix = std::env::consts::EXE_SUFFIX;
        Ok(self.programs().join(format!("{name}{suffix}")))
    }

    fn require_suits(&self, python: &Utf8Path) -> Result<()> {
        let facts = &self.wheel;
        match &facts.requires_python {
            Some(wanted) if !facts.suits => Err(Error::precondition(format!(
                "the wheel needs Python {wanted}, but {python} is Python {}",
                facts.python
            ))
            .hint(format!("put a Python {wanted} first on PATH and run again"))),
            _ => Ok(()),
        }
    }

    /// A new empty folder for one server to live and work in.
    ///
    /// # Errors
    /// The disk is full or the like.
    pub fn new_home(&self) -> Result<Utf8PathBuf> {
        let folder = tempfile::Builder::new()
            .prefix("home-")
            .disable_cleanup(true)
            .tempdir_in(self.path())
            .doing(|| format!("create a folder in {}", self.path()))?;
        crate::world::utf8(folder.path().to_owned())
    }

    /// Without a pip of its own an environment is there at once, and holds less that could
    /// stand in for a forgotten dependency.
    fn create(&mut self, world: &World, python: &Utf8Path, pip_is_usable: bool) -> Result<()> {
        let folder = self.virtual_environment();
        let mut arguments = vec!["-I", "-m", "venv"];
        arguments.extend(pip_is_usable.then_some("--without-pip"));
        arguments.push(folder.as_str());
        let made = isolated(world, python).args(&arguments).output()?;
        if !made.status.success() {
            let said = format!("{}{}", made.stdout, made.stderr);
            return Err(Error::precondition(format!(
                "{python} cannot make a virtual environment: {}",
                super::shorten(said.trim())
            ))
            .hint("install the module venv: on Debian and Ubuntu `apt install python3-venv`"));
        }
        if !pip_is_usable {
            self.inspector = self.python();
        }
        Ok(())
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

    /// Runs `inspect.py` with an interpreter that has pip, and reads its answer.
    pub(super) fn inspect<T: DeserializeOwned>(
        &self,
        world: &World,
        arguments: &[&str],
    ) -> Result<T> {
        let script = self.path().join("inspect.py");
        if !script.exists() {
            let mut file = std::fs::File::create(&script).doing(|| format!("write {script}"))?;
            file.write_all(INSPECT.as_bytes())
                .doing(|| format!("write {script}"))?;
        }
        let output = isolated(world, &self.inspector)
            .args(["-I", script.as_str()])
            .args(arguments)
            .purpose(format!("reading the {}", arguments[0]))
            .run()?;
        serde_json::from_str(&output.stdout)
            .map_err(|cause| Error::failure(format!("the answer of {script}: {cause}")))
    }

    /// Where its packages are, for `inspect.py environment`.
    pub(super) fn root(&self) -> Utf8PathBuf {
        self.virtual_environment()
    }
}
