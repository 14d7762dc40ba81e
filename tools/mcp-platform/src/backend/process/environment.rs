//! The private Python environment of a wheel, made once for all servers that run it.
//!
//! It is named after the wheel's sha256, so another wheel of the same version is another one. A
//! file says that it is complete; one without it, left by a process that was killed, is made anew.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::process::Command;

use crate::error::{Error, Result};

use super::folder::{Root, failed, make_folder, write};
use super::members::{self, MARK};
use super::record::{self, Wheel};

/// Less room than this may be too little for an environment.
const LITTLE: u64 = 64 << 20;

/// Said at the end of the error: as many lines of what the command wrote.
const LINES: usize = 8;

/// What a request for a wheel comes to: `name==version` stays, a path is looked for and hashed.
///
/// # Errors
/// There is no such file, or more than one.
pub fn resolve(wheel: &str, folder: &Path) -> Result<Wheel> {
    if wheel.contains("==") && !wheel.contains('/') && !wheel.ends_with(".whl") {
        if wheel.starts_with('-') || wheel.contains(char::is_whitespace) {
            return Err(Error::invalid(format!("{wheel:?} is no `name==version`")));
        }
        return Ok(Wheel::Index(wheel.to_owned()));
    }
    let path = find(&folder.join(wheel))?;
    let sha256 = hash(&path)?;
    Ok(Wheel::File {
        path: path.display().to_string(),
        sha256,
    })
}

/// The one file that a path with `*` in its last part means.
fn find(pattern: &Path) -> Result<PathBuf> {
    let missing = || {
        Error::precondition(format!("there is no wheel {}", pattern.display()))
            .hint("build it with `cargo xtask package`, or name another with --wheel FILE or --wheel NAME==VERSION")
    };
    let name = pattern
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let Some((before, after)) = name.split_once('*') else {
        return if pattern.is_file() {
            Ok(pattern.to_owned())
        } else {
            Err(missing())
        };
    };
    let folder = pattern.parent().unwrap_or(Path::new("."));
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(|_| missing())?
        .flatten()
        .filter(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            name.len() >= before.len() + after.len()
                && name.starts_with(before)
                && name.ends_with(after)
        })
        .map(|entry| entry.path())
        .collect();
    found.sort();
    match found.as_slice() {
        [] => Err(missing()),
        [one] => Ok(one.clone()),
        [first, second, ..] => Err(Error::invalid(format!(
            "{} means several files, among them {} and {}",
            pattern.display(),
            first.display(),
            second.display()
        ))
        .hint("name one of them with --wheel FILE")),
    }
}

fn hash(path: &Path) -> Result<String> {
    let mut file = File::open(path).map_err(|error| failed(path, &error))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0_u8; 1 << 16];
    loop {
        match file
            .read(&mut buffer)
            .map_err(|error| failed(path, &error))?
        {
            0 => break,
            length => hasher.update(&buffer[..length]),
        }
    }
    Ok(hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

/// The name of the environment's folder.
pub fn key(wheel: &Wheel) -> String {
    match wheel {
        Wheel::File { sha256, .. } => sha256.clone(),
        Wheel::Index(requirement) => Sha256::digest(requirement.as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    }
}

/// The folder with the programs of the wheel's environment, which is made if it is not there.
///
/// # Errors
/// Python is missing, the wheel changed, or a command failed; the error names the command and ends
/// with what it wrote last.
pub async fn programs(
    root: &Root,
    wheel: &Wheel,
    environment: &BTreeMap<String, String>,
) -> Result<PathBuf> {
    let folder = root.environments().join(key(wheel));
    let complete = folder.join("complete");
    if complete.is_file() {
        return Ok(folder.join("bin"));
    }
    make_folder(&root.environments())?;
    let lock = lock(root, wheel).await?;
    if !complete.is_file() {
        // The same wheel may be built for another state folder at this moment.
        let mark = format!("environment.{}.", folder.display());
        let environment = &mut environment.clone();
        environment.insert(MARK.to_owned(), mark.clone());
        // Whoever built it before was killed, and the command that it had started goes on.
        super::instance::end(&members::members(&mark, None), Duration::ZERO).await;
        remove(&folder)?;
        if let Err(error) = build(&folder, wheel, environment).await {
            let error = with_room(error, &folder);
            // What is half made is of no use to anybody, and may fill the disk.
            remove(&folder)?;
            return Err(error);
        }
        write(&complete, key(wheel).as_bytes())?;
    }
    drop(lock);
    Ok(folder.join("bin"))
}

/// An error of a command that may not have come to say that the disk is full, with how full it is.
fn with_room(error: Error, folder: &Path) -> Error {
    let Ok(found) = nix::sys::statvfs::statvfs(folder) else {
        return error;
    };
    let free = found.blocks_available() * found.fragment_size();
    if free >= LITTLE {
        return error;
    }
    let message = format!(
        "{}; only {} MiB of room are left at {}",
        error.message,
        free >> 20,
        folder.display()
    );
    Error { message, ..error }.hint("make room there, or choose another folder with MCP_STATE_DIR")
}

async fn lock(root: &Root, wheel: &Wheel) -> Result<File> {
    let path = root.environments().join(format!("{}.lock", key(wheel)));
    tokio::task::spawn_blocking(move || super::folder::lock(&path))
        .await
        .map_err(|error| Error::internal(format!("waiting for a lock: {error}")))?
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(folder, &error)),
        _ => Ok(()),
    }
}

async fn build(folder: &Path, wheel: &Wheel, environment: &BTreeMap<String, String>) -> Result<()> {
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv"]).arg(folder);
    run(venv, "python3 -m venv", environment).await?;
    let pip = || {
        let mut command = Command::new(folder.join("bin/python"));
        command.args([
            "-m",
            "pip",
            "install",
            "--no-input",
            "--disable-pip-version-check",
            "--quiet",
        ]);
        command
    };
    match wheel {
        Wheel::Index(requirement) => {
            let mut install = pip();
            install.arg(requirement);
            run(install, &format!("pip install {requirement}"), environment).await
        }
        Wheel::File { path, sha256 } => {
            let path = Path::new(path);
            if hash(path)? != *sha256 {
                return Err(Error::precondition(format!(
                    "{} is not the file that was deployed: its sha256 differs",
                    path.display()
                ))
                .hint("deploy it again"));
            }
            let mut install = pip();
            if let Some(locked) = locked(path) {
                let mut requirements = pip();
                requirements
                    .args(["--require-hashes", "--no-deps", "-r"])
                    .arg(&locked);
                run(
                    requirements,
                    &format!("pip install --require-hashes -r {}", locked.display()),
                    environment,
                )
                .await?;
                install.arg("--no-deps");
            }
            install.arg(path);
            run(
                install,
                &format!("pip install {}", path.display()),
                environment,
            )
            .await
        }
    }
}

/// The requirements beside the wheel, when they are locked by hashes.
fn locked(wheel: &Path) -> Option<PathBuf> {
    let path = wheel.with_file_name("requirements.txt");
    let text = fs::read_to_string(&path).ok()?;
    text.contains("--hash=sha256:").then_some(path)
}

async fn run(
    mut command: Command,
    said: &str,
    environment: &BTreeMap<String, String>,
) -> Result<()> {
    let output = command
        .env_clear()
        .envs(environment)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| {
            Error::precondition(format!("{said}: {error}"))
                .hint("install Python 3 with its venv module (Debian: python3-venv)")
        })?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let last = lines[lines.len().saturating_sub(LINES)..].join(" | ");
    Err(Error::precondition(format!(
        "`{said}` failed ({}): {last}",
        output.status
    )))
}

/// Takes out environments that no server names any more.
///
/// # Errors
/// A folder cannot be read or removed.
pub async fn sweep(root: &Root) -> Result<()> {
    let Ok(entries) = fs::read_dir(root.environments()) else {
        return Ok(());
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(word) = name.strip_suffix(".lock") else {
            continue;
        };
        let path = entry.path();
        // Whoever builds it holds the lock; whoever will build it has named it before.
        let Some(_lock) = super::folder::try_lock(&path)? else {
            continue;
        };
        if named(root)?.iter().any(|key| key == word) {
            continue;
        }
        remove(&root.environments().join(word))?;
        let _ = fs::remove_file(&path);
    }
    let _ = fs::remove_dir(root.environments());
    Ok(())
}

fn named(root: &Root) -> Result<Vec<String>> {
    let mut keys = Vec::new();
    for identity in root.servers(None)? {
        if let Ok(Some(record)) = record::read(&root.server(&identity)) {
            keys.extend(record.wheel.iter().chain(&record.previous_wheel).map(key));
        }
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_means_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let check = |pattern: &str| resolve(pattern, folder.path());
        assert!(check("a-*.whl").is_err());
        fs::write(folder.path().join("a-1.whl"), "x").unwrap();
        let wheel = check("a-*.whl").unwrap();
        assert!(matches!(&wheel, Wheel::File { path, .. } if path.ends_with("a-1.whl")));
        fs::write(folder.path().join("a-2.whl"), "x").unwrap();
        assert!(check("a-*.whl").unwrap_err().message.contains("several"));
        assert_eq!(check("a==1").unwrap(), Wheel::Index("a==1".to_owned()));
        assert!(check("--index-url==1 x").is_err());
    }
}
