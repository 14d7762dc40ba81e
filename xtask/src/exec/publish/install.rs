//! The install test: what an index gives is what users get, and it works.
//!
//! The wheel comes from that index alone, by its digest and without dependencies; these come from
//! the hash-locked requirements. An index is never added to another: whichever had the higher
//! version of a name would win (dependency confusion). Then the server is proved, and started
//! through `uvx` and `pipx run` by its exact version.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::Session;
use crate::artifact::Kind;
use crate::config::publish::Place;
use crate::error::{Context, Error, Result};
use crate::ledger::Act;
use crate::prove::{self, Runner};
use crate::publish::Step;
use crate::registry::{Answered, Item, Phase, Registry};
use crate::tools::python::{self, Environment};
use crate::tools::twine;
use crate::world::files;

/// How often the index is asked for a file that it says it has.
const ATTEMPTS: u32 = 3;

/// How long `uvx` and `pipx` may take to install everything.
const INSTALL_LIMIT: Duration = Duration::from_secs(5 * 60);

/// Variables that would have pip look elsewhere.
const PIP_SETTINGS: [&str; 6] = [
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_NO_INDEX",
    "PIP_CONFIG_FILE",
    "PIP_CONSTRAINT",
];

impl Session<'_> {
    /// Tests what an index gives, and says what held.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub(super) fn test(&self, step: &Step) -> Result<String> {
        let simple = self.index_of(step)?;
        let (wheel, _) = self.release.only(Kind::Wheel)?;
        let item = Item {
            key: wheel.path.clone(),
            sha256: wheel.sha256.clone(),
            size: wheel.size,
            phase: Phase::Main,
        };
        let tested = self.install(&simple);
        let outcome = match &tested {
            Ok(said) => said.clone(),
            Err(error) => error.message.clone(),
        };
        self.note(
            Act::Tested,
            &step.target,
            &item,
            &Answered::plain(()),
            &outcome,
        )?;
        tested
    }

    /// Requires what the test needs, before anything is sent.
    ///
    /// # Errors
    /// No Python, no tools, or no index to install from.
    pub(super) fn test_ready(&self, step: &Step) -> Result<()> {
        python::interpreter(self.world)?;
        twine::environment(self.world)?;
        self.index_of(step).map(drop)
    }

    /// The simple index that a test installs from.
    fn index_of(&self, step: &Step) -> Result<String> {
        let wrong = |what: String| {
            Error::usage(format!("target.{}: {what}", step.target))
                .hint("name a target of the kind pypi or local: from = \"…\"")
        };
        let place = self.place(&step.target).map(|(target, _)| &target.place);
        let Some(Place::InstallTest { from }) = place else {
            return Err(wrong("is no install test".to_owned()));
        };
        let (_, registry) = self.place(from).ok_or_else(|| {
            wrong(format!(
                "{from} is left out, so nothing can be installed from it"
            ))
        })?;
        let simple = registry.map(Registry::simple_index).transpose()?;
        let simple = simple.flatten();
        simple.ok_or_else(|| wrong(format!("{from} is no package index")))
    }

    fn install(&self, simple: &str) -> Result<String> {
        let world = self.world;
        let tools = twine::environment(world)?;
        let folder = tempfile::Builder::new()
            .prefix(prove::PREFIX)
            .tempdir_in(world.private())
            .doing(|| format!("create a folder in {}", world.private()))?;
        let folder = Utf8Path::from_path(folder.path())
            .ok_or_else(|| Error::failure("the private folder is not UTF-8"))?;
        let house = folder.join("wheels");
        files::create_folder(&house)?;
        let wheel = self.staged_wheel(&tools, simple, folder, &house)?;
        let (_, requirements) = self.release.only(Kind::Requirements)?;
        let list = folder.join("requirements.txt");
        files::write(&list, requirements)?;
        let interpreter = python::interpreter(world)?.path;
        let prepared = prove::prepare(world, &list, &interpreter)?;
        let script = &self.config.server.console_script;
        let environment = prepared.install(world, script, &wheel)?;
        let checks = prove::examine_installed(world, self.config, &environment)?.into_checks()?;
        self.collect(&tools, &list, &house)?;
        let mut said = vec![format!(
            "installed from {simple}, {} checks hold",
            checks.len()
        )];
        for (name, runner) in self.runners(&tools, folder, &house, &interpreter)? {
            let step = world
                .terminal
                .step("test", &format!("{name} of the exact version"));
            let answered = prove::through(world, self.config, &environment, &runner).map_err(
                |mut error| {
                    error.message = format!("{name}: {}", error.message);
                    error
                },
            )?;
            drop(step);
            said.push(format!("{name}: {answered}"));
        }
        Ok(said.join("; "))
    }

    /// Has pip fetch the wheel from the index by its digest.
    fn staged_wheel(
        &self,
        tools: &Environment,
        simple: &str,
        folder: &Utf8Path,
        house: &Utf8Path,
    ) -> Result<Utf8PathBuf> {
        let (wheel, _) = self.release.only(Kind::Wheel)?;
        let line = format!(
            "{}=={} --hash=sha256:{}\n",
            wheel.name,
            wheel.version,
            wheel.sha256.hex()
        );
        let wanted = folder.join("wanted.txt");
        files::write(&wanted, line.as_bytes())?;
        let step = self
            .world
            .terminal
            .step("test", &format!("installing from {simple}"));
        let mut attempt = 1;
        loop {
            let words = [
                "--index-url",
                simple,
                "--no-cache-dir",
                "--only-binary",
                ":all:",
            ];
            match self.download(tools, &wanted, house, &words, &PIP_SETTINGS) {
                Ok(()) => break,
                // Pages and files of an index are kept by different caches.
                Err(_) if attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error.hint("the index lists it; run again in a minute")),
            }
            crate::world::remote::pass_time(self.world, self.config.publish.patience.pause)?;
        }
        drop(step);
        Ok(house.join(&wheel.path))
    }

    /// Puts the hash-locked requirements beside the wheel, from the indexes that the user's pip
    /// is set to.
    fn collect(&self, tools: &Environment, list: &Utf8Path, house: &Utf8Path) -> Result<()> {
        let _step = self
            .world
            .terminal
            .step("test", "collecting the hash-locked requirements");
        self.download(tools, list, house, &["--only-binary", ":all:"], &[])
    }

    fn download(
        &self,
        tools: &Environment,
        list: &Utf8Path,
        house: &Utf8Path,
        words: &[&str],
        removed: &[&str],
    ) -> Result<()> {
        let mut command = python::isolated(self.world.command(&tools.python))
            .args([
                "-m",
                "pip",
                "download",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args(["--no-input", "--no-deps", "--require-hashes", "--retries=2"])
            .args(words)
            .args(["--dest", house.as_str(), "--requirement", list.as_str()])
            .purpose("pip download");
        for name in removed {
            command = command.without_variable(name);
        }
        if !removed.is_empty() {
            command = command.variable("PIP_CONFIG_FILE", null_device());
        }
        command.run().map(drop)
    }

    /// The two programs by which users start servers, with what they need to find nothing but
    /// what was collected.
    fn runners(
        &self,
        tools: &Environment,
        folder: &Utf8Path,
        house: &Utf8Path,
        interpreter: &Utf8Path,
    ) -> Result<[(&'static str, Runner); 2]> {
        let manifest = &self.release.manifest;
        let (wheel, _) = self.release.only(Kind::Wheel)?;
        let exact = format!("{}=={}", wheel.name, manifest.version);
        let script = self.config.server.console_script.clone();
        let links = url::Url::from_directory_path(house)
            .map_err(|()| Error::failure(format!("{house} is no absolute path")))?
            .to_string();
        let place = |name: &str| folder.join(name).into_string();
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let uvx = Runner {
            program: twine::program(tools, "uvx"),
            arguments: words(&[
                "--no-config",
                "--offline",
                "--no-index",
                "--find-links",
                &links,
                "--python",
                interpreter.as_str(),
                "--from",
                &exact,
                &script,
            ]),
            variables: vec![
                ("UV_CACHE_DIR".to_owned(), place("uv-cache")),
                ("UV_TOOL_DIR".to_owned(), place("uv-tools")),
                ("UV_PYTHON_DOWNLOADS".to_owned(), "never".to_owned()),
            ],
            limit: INSTALL_LIMIT,
        };
        let pipx = Runner {
            // Scripts of an environment that was moved into its place name the old one.
            program: tools.python.clone(),
            arguments: words(&[
                "-m",
                "pipx",
                "run",
                "--no-cache",
                "--backend",
                "pip",
                "--skip-maintenance",
                "--python",
                interpreter.as_str(),
                "--spec",
                &exact,
                &script,
            ]),
            variables: vec![
                ("PIPX_HOME".to_owned(), place("pipx")),
                ("PIPX_BIN_DIR".to_owned(), place("pipx-bin")),
                ("PIPX_MAN_DIR".to_owned(), place("pipx-man")),
                ("PIP_NO_INDEX".to_owned(), "1".to_owned()),
                ("PIP_FIND_LINKS".to_owned(), links),
                ("PIP_CONFIG_FILE".to_owned(), null_device().to_owned()),
                ("PIP_DISABLE_PIP_VERSION_CHECK".to_owned(), "1".to_owned()),
            ],
            limit: INSTALL_LIMIT,
        };
        Ok([("uvx", uvx), ("pipx run", pipx)])
    }
}

/// A settings file with nothing in it.
fn null_device() -> &'static str {
    if cfg!(windows) { "nul" } else { "/dev/null" }
}
