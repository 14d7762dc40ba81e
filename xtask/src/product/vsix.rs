//! The extension package: `vsce` decides what goes in, we write the container.
//!
//! `vsce package` runs in the stage, with the time zone, the umask and the time stamp pinned.
//! Its `.vsix` still differs between tools and versions, so the container is written anew.

pub mod container;
pub mod identity;
pub mod payload;

use camino::{Utf8Path, Utf8PathBuf};

use crate::artifact::Digest;
use crate::config::Extension;
use crate::error::{Context, Error, Kind, Result};
use crate::tools::is_offline;
use crate::tools::node::Node;
use crate::version::number::Number;
use crate::world::lock::Lock;
use crate::world::process::Command;
use crate::world::{World, files};

/// Set to `1` while the tool itself runs `vsce` in a stage whose bundle is in place.
pub const STAGE_VARIABLE: &str = "XTASK_STAGE";

/// Set to the path of the running tool, so that npm scripts call the same binary.
pub const PROGRAM_VARIABLE: &str = "XTASK_EXE";

/// What `package.json` says that the release depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionPackage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Reads `package.json`; `file` names it in errors.
///
/// # Errors
/// Not JSON, or no name or version.
pub fn package_json(text: &str, file: &str) -> Result<ExtensionPackage> {
    let value: serde_json::Value =
        serde_json::from_str(text).map_err(|cause| Error::failure(format!("{file}: {cause}")))?;
    let field = |key: &str| {
        value
            .get(key)
            .and_then(serde_json::Value::as_str)
            .map(str::to_owned)
            .ok_or_else(|| {
                Error::failure(format!("{file}: no \"{key}\"")).hint(format!("add it to {file}"))
            })
    };
    Ok(ExtensionPackage {
        name: field("name")?,
        version: field("version")?,
    })
}

/// What npm reads of an extension before it installs its dependencies.
const READ_BY_NPM: [&str; 3] = ["package-lock.json", "package.json", ".npmrc"];

/// Where `vsce` is among the dependencies.
const VSCE: &str = "@vscode/vsce/vsce";

/// Whether the scripts of packages are run when they are installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scripts {
    Run,
    Ignored,
}

/// Where the dependencies of an extension are kept. The name of the folder is theirs, so that
/// programs among them find each other and can be run where they are.
fn stored(world: &World, node: &Node, folder: &Utf8Path, scripts: Scripts) -> Utf8PathBuf {
    // npm refuses a lock file that does not fit, so whatever it reads is part of the key.
    let mut read = node.version.to_string().into_bytes();
    for name in READ_BY_NPM {
        read.extend(std::fs::read(folder.join(name)).unwrap_or_default());
        read.push(0);
    }
    if scripts == Scripts::Ignored {
        read.extend(b"ignore-scripts");
    }
    let key = Digest::of(&read);
    let place = world.private().join("dependencies").join(&key.hex()[..12]);
    place.join("node_modules")
}

/// The extension's dependencies, installed once for each `package-lock.json` and lent to the
/// stage; dropping it takes them back.
#[derive(Debug)]
pub struct Dependencies {
    stored: Utf8PathBuf,
    lent: Utf8PathBuf,
}

impl Dependencies {
    /// Makes `node_modules` appear in `folder`, the extension's folder in a stage.
    ///
    /// # Errors
    /// `package-lock.json` is missing or does not fit `package.json`, or there is no network.
    pub fn lend(world: &World, node: &Node, folder: &Utf8Path) -> Result<Dependencies> {
        require_lock(folder)?;
        let stored = stored(world, node, folder, Scripts::Run);
        let lent = folder.join("node_modules");
        if stored.exists() {
            std::fs::rename(&stored, &lent).doing(|| format!("move {stored} into the stage"))?;
        } else {
            let step = world.terminal.step("node_modules", "npm ci");
            install(world, node, folder)?;
            step.done("installed from package-lock.json");
        }
        // Only what is whole is ever taken back: a half-made folder stays in the stage.
        Ok(Dependencies { stored, lent })
    }
}

impl Drop for Dependencies {
    fn drop(&mut self) {
        // Losing the cache costs the next run one `npm ci`; the release is not concerned.
        if let Some(parent) = self.stored.parent() {
            drop(std::fs::create_dir_all(parent));
        }
        drop(std::fs::rename(&self.lent, &self.stored));
    }
}

/// Installs exactly what `package-lock.json` names into `folder/node_modules`.
///
/// # Errors
/// npm fails; the message carries what it said.
pub fn install(world: &World, node: &Node, folder: &Utf8Path) -> Result<()> {
    install_with(world, node, folder, Scripts::Run)
}

/// As [`install`], but nothing that npm fetches gets to run a script.
///
/// # Errors
/// As [`install`].
pub fn install_without_scripts(world: &World, node: &Node, folder: &Utf8Path) -> Result<()> {
    install_with(world, node, folder, Scripts::Ignored)
}

fn install_with(world: &World, node: &Node, folder: &Utf8Path, scripts: Scripts) -> Result<()> {
    let mut command = npm(world, node).args([
        "ci",
        "--no-audit",
        "--no-fund",
        "--prefer-offline",
        "--loglevel=error",
    ]);
    if scripts == Scripts::Ignored {
        command = command.arg("--ignore-scripts");
    }
    command
        .directory(folder)
        .purpose("npm ci")
        .run()
        .map_err(|error| {
            if is_offline(&error.message) {
                let kind = Kind::Precondition;
                Error { kind, ..error }
                    .hint("is the network up? npm must reach the configured registry once")
            } else if !error.hints.is_empty() {
                error
            } else {
                error.hint("package-lock.json must fit package.json: npm install, then commit both")
            }
        })?;
    Ok(())
}

/// npm, free of the settings of an npm script that may have called us.
pub fn npm<'world>(world: &'world World, node: &Node) -> Command<'world> {
    let program = match &node.folder {
        Some(folder) => folder.join("npm").into_string(),
        None if cfg!(windows) => "npm.cmd".to_owned(),
        None => "npm".to_owned(),
    };
    outside_of_npm(world, node.on_path(world, world.command(program)))
}

/// A command free of the settings of an npm script that may have called us.
pub fn outside_of_npm<'world>(world: &World, mut command: Command<'world>) -> Command<'world> {
    let outer = [
        "npm_package_",
        "npm_lifecycle_",
        "npm_config_local_prefix",
        "npm_command",
    ];
    for name in world.environment.keys() {
        if outer.iter().any(|start| name.starts_with(start)) {
            command = command.without_variable(name);
        }
    }
    command
}

/// Who gets an extension from a marketplace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Everybody.
    Release,
    /// Those who asked for pre-releases.
    PreRelease,
}

impl Channel {
    /// The channel of a release of this version.
    pub fn of(version: &str) -> Channel {
        match Number::parse(version).is_some_and(|number| number.pre.is_some()) {
            true => Channel::PreRelease,
            false => Channel::Release,
        }
    }

    /// What `vsce package` is told beside what the configuration tells it.
    fn arguments(self, extension: &Extension) -> &'static [&'static str] {
        const FLAG: &str = "--pre-release";
        let told = extension.package_arguments.iter().any(|it| it == FLAG);
        match self {
            Channel::PreRelease if !told => &[FLAG],
            Channel::PreRelease | Channel::Release => &[],
        }
    }
}

/// Runs `vsce package` in the extension's folder of a stage and returns the container it wrote.
///
/// # Errors
/// `vsce` is not a dependency of the extension, or it refuses to package.
pub fn run_vsce(
    world: &World,
    node: &Node,
    folder: &Utf8Path,
    extension: &Extension,
    channel: Channel,
    epoch: i64,
) -> Result<Vec<u8>> {
    let program = folder.join("node_modules").join(VSCE);
    if !program.exists() {
        return Err(no_vsce(extension));
    }
    let out = folder.join(".xtask-packaged.vsix");
    outside_of_npm(world, node.on_path(world, world.command(node.program())))
        .args([program.as_str(), "package", "--out", out.as_str()])
        .args(&extension.package_arguments)
        .args(channel.arguments(extension))
        .directory(folder)
        .variable("SOURCE_DATE_EPOCH", epoch.to_string())
        .variable("TZ", "UTC")
        .variable("LC_ALL", "C.UTF-8")
        .variable(STAGE_VARIABLE, "1")
        .variable(PROGRAM_VARIABLE, world.program()?)
        .purpose("vsce package")
        .run()
        .map_err(refusal_of_the_gate)?;
    let bytes = files::read(&out)?;
    std::fs::remove_file(&out).doing(|| format!("remove {out}"))?;
    Ok(bytes)
}

fn no_vsce(extension: &Extension) -> Error {
    let file = extension.path.join("package.json");
    Error::precondition(format!("@vscode/vsce is not a dependency of {file}"))
        .hint("pin it: npm install --save-dev --save-exact @vscode/vsce, then commit")
}

/// The `vsce` that the extension's `package-lock.json` names, outside of a stage: the one that
/// packaged the extension if it is still there, else one that is installed beside it.
///
/// Whoever publishes holds credentials, so nothing that npm fetches gets to run a script.
///
/// # Errors
/// `vsce` is not a dependency, the lock file is missing, or npm fails.
pub fn vsce(world: &World, node: &Node, extension: &Extension) -> Result<Utf8PathBuf> {
    let folder = world.root.join(&extension.path);
    let own = stored(world, node, &folder, Scripts::Ignored);
    let kept = [stored(world, node, &folder, Scripts::Run), own.clone()];
    let found = kept.iter().find(|stored| stored.join(VSCE).exists());
    if let Some(stored) = found {
        return Ok(stored.join(VSCE));
    }
    if own.exists() {
        return Err(no_vsce(extension));
    }
    require_lock(&folder)?;
    let place = own
        .parent()
        .expect("node_modules lies in a folder of its own");
    let kept = place.parent().unwrap_or(place);
    let _lock = Lock::wait(world, kept, "lock")?;
    let staged = files::Staged::beside(place)?;
    for name in READ_BY_NPM {
        let from = folder.join(name);
        if from.exists() {
            files::write(&staged.path().join(name), &files::read(&from)?)?;
        }
    }
    let step = world.terminal.step("vsce", "npm ci");
    install_with(world, node, staged.path(), Scripts::Ignored)?;
    staged.swap()?;
    step.done("installed from package-lock.json");
    match own.join(VSCE).exists() {
        true => Ok(own.join(VSCE)),
        false => Err(no_vsce(extension)),
    }
}

fn require_lock(folder: &Utf8Path) -> Result<()> {
    let lock = folder.join("package-lock.json");
    match lock.exists() {
        true => Ok(()),
        false => Err(Error::precondition(format!("{lock} is missing"))
            .hint("make it: npm install --package-lock-only, then commit it")),
    }
}

/// The npm scripts that `vsce` runs hold the folder against the gate; npm and `vsce` turn its
/// exit code into their own, so that only its words tell.
fn refusal_of_the_gate(error: Error) -> Error {
    if error.message.contains("error: the gate refuses") {
        let kind = Kind::Refused;
        return Error { kind, ..error }.hint("mend what the gate names, commit, and run again");
    }
    error.hint("see what is packaged: npx vsce ls, in the extension's folder")
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::tools::Version;
    use crate::world::interrupt::Interrupt;
    use crate::world::terminal::{Detail, Format, Terminal};

    #[test]
    fn a_pre_release_goes_to_those_who_asked_for_one() {
        let check = |version: &str, told: &[&str], expected: &[&str]| {
            let extension = Extension {
                path: "extension".into(),
                bundle: "bundle".to_owned(),
                package_arguments: told.iter().map(|it| (*it).to_owned()).collect(),
                test: String::new(),
                host_test: String::new(),
            };
            assert_eq!(Channel::of(version).arguments(&extension), expected);
        };
        check("1.2.0", &[], &[]);
        check("1.2.0rc1", &[], &["--pre-release"]);
        check("1.2.0-rc.1", &["--no-dependencies"], &["--pre-release"]);
        check("1.2.0rc1", &["--pre-release"], &[]);
        check("1.2", &[], &[]);
    }

    #[test]
    fn dependencies_that_were_half_installed_are_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let stage = root.join("stage");
        files::write(&stage.join("package-lock.json"), b"{}").unwrap();
        let npm = root.join("bin/npm");
        let node = Node {
            folder: Some(root.join("bin")),
            version: Version(24, 0, 0),
        };
        let world = World {
            root: root.to_owned(),
            directory: root.to_owned(),
            environment: [("PATH".to_owned(), "/usr/bin:/bin".to_owned())].into(),
            terminal: Terminal::new(Format::Text, Detail::Quiet),
            interrupt: Interrupt::default(),
            temporary: crate::world::temporary::Temporary::default(),
        };
        let lend = |script: &str| {
            files::write(&npm, script.as_bytes()).unwrap();
            std::fs::set_permissions(&npm, std::fs::Permissions::from_mode(0o755)).unwrap();
            Dependencies::lend(&world, &node, &stage)
        };
        lend("#!/bin/sh\nmkdir node_modules\nexit 1\n").unwrap_err();
        assert!(stage.join("node_modules").exists());
        std::fs::remove_dir(stage.join("node_modules")).unwrap();

        let whole = lend("#!/bin/sh\nmkdir node_modules\ntouch node_modules/whole\n").unwrap();
        drop(whole);
        assert!(!stage.join("node_modules").exists());
        let again = lend("#!/bin/sh\nexit 1\n").unwrap();
        assert!(stage.join("node_modules/whole").exists());
        drop(again);
    }
}
