//! twine: the clients of Python package indexes in a private environment, and the program that
//! drives twine one request at a time.

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use super::executable;
use super::python::{self, Environment};
use crate::error::{Error, Result};
use crate::world::process::Command;
use crate::world::{World, files};

/// The pinned twine, pipx and uv, with hashes for every platform.
pub const REQUIREMENTS: &str = include_str!("../../tools/publish.txt");

/// The pinned signer of attestations, which only CI needs.
const ATTEST_REQUIREMENTS: &str = include_str!("../../tools/attest.txt");

/// The programs that the interpreters of these environments run.
const DRIVER: &str = include_str!("../../tools/upload.py");
const SIGNER: &str = include_str!("../../tools/attest.py");

/// The environment with twine, pipx and uv, installed on first use.
///
/// # Errors
/// No interpreter, no network on first use, or a full disk.
pub fn environment(world: &World) -> Result<Environment> {
    match python::existing(world, "publish", REQUIREMENTS) {
        Some(environment) => Ok(environment),
        None => python::create(world, "publish", REQUIREMENTS),
    }
}

/// A program of that environment, such as `uvx`.
pub fn program(environment: &Environment, name: &str) -> Utf8PathBuf {
    let folder = environment.python.parent().and_then(Utf8Path::parent);
    executable(folder.unwrap_or(Utf8Path::new(".")), name)
}

/// What the driver prints: one object, of which each mode fills in its part.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Answer {
    /// Where files are sent.
    pub upload: Option<String>,
    /// Where the simple index is, for an index that twine knows.
    pub simple: Option<String>,
    /// Who would upload.
    pub username: Option<String>,
    /// Where the credential is: `environment`, `pypirc`, `keyring`, `trusted-publishing`.
    pub credential: Option<String>,
    /// The HTTP status of an upload.
    pub status: Option<u16>,
    /// The beginning of the answer's body.
    pub body: Option<String>,
    /// What the index calls the request.
    pub request_id: Option<String>,
    /// When the index wants to be asked again.
    pub retry_after: Option<String>,
    /// What kind of trouble the network made.
    pub trouble: Option<String>,
    /// What kind of mistake kept the driver from sending.
    pub error: Option<String>,
    /// The trouble or the mistake in words.
    pub message: Option<String>,
    /// The names that twine knows, when it does not know the one that was given.
    pub known: Vec<String>,
    /// What the CI's identity says, when an index refused it.
    pub claims: Option<serde_json::Value>,
    /// What twine's check of files found.
    pub problems: Vec<String>,
    /// Where the attestation is that was made.
    pub attestation: Option<String>,
}

/// Runs the driver.
///
/// # Errors
/// It cannot be started, or does not answer.
pub fn drive(world: &World, environment: &Environment, words: &[&str]) -> Result<Answer> {
    run(world, environment, ("upload.py", DRIVER), words)
}

/// Signs a file with the identity of the CI, and writes its attestation.
///
/// # Errors
/// There is no identity, or it is not accepted; the message says which.
pub fn attest(world: &World, file: &Utf8Path, out: &Utf8Path) -> Result<()> {
    let environment = match python::existing(world, "attest", ATTEST_REQUIREMENTS) {
        Some(environment) => environment,
        None => python::create(world, "attest", ATTEST_REQUIREMENTS)?,
    };
    let words = [file.as_str(), "--out", out.as_str()];
    let answer = run(world, &environment, ("attest.py", SIGNER), &words)?;
    match answer.attestation {
        Some(_) => Ok(()),
        None => {
            let why = answer.message.unwrap_or_default();
            let name = file.file_name().unwrap_or_default();
            Err(Error::precondition(format!("sign {name}: {why}")).hint(
                "attestations belong into the first upload; to do without: attestations = false",
            ))
        }
    }
}

fn run(
    world: &World,
    environment: &Environment,
    (name, text): (&str, &str),
    words: &[&str],
) -> Result<Answer> {
    let folder = world.private().join("programs");
    let path = folder.join(name);
    if std::fs::read_to_string(&path).ok().as_deref() != Some(text) {
        files::write(&path, text.as_bytes())?;
    }
    let output = isolated(world.command(&environment.python))
        .with_credentials(&["TWINE_", "ACTIONS_ID_TOKEN_REQUEST_"])
        .arg(&path)
        .args(words)
        .purpose(name)
        .run()?;
    let line = output.stdout.lines().last().unwrap_or_default();
    serde_json::from_str(line)
        .map_err(|cause| Error::failure(format!("{name}: no answer that can be read: {cause}")))
}

fn isolated(command: Command<'_>) -> Command<'_> {
    python::isolated(command).variable("PYTHONDONTWRITEBYTECODE", "1")
}
