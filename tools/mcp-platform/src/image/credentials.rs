//! Who we are at a registry, as `docker login` wrote it down: in its file, or with a helper that its
//! file names. A helper is asked as the protocol of docker-credential-helpers says:
//! `docker-credential-NAME get`, with the registry on standard input. What it answers is never part
//! of an error: it may hold the secret.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use serde::Deserialize;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::error::{Error, Result};
use crate::model::Secret;
use crate::world::World;

/// How Docker itself calls its registry.
const HUB: &str = "docker.io";
/// Under which name it keeps the credentials of that.
const HUB_ADDRESS: &str = "https://index.docker.io/v1/";
/// How long a helper may take; some ask a person.
const PATIENCE: Duration = Duration::from_secs(30);
/// What stands for the name of a user when the secret is an identity token.
const TOKEN: &str = "<token>";

/// Docker's own configuration: where it is, and what its helpers are started with.
#[derive(Clone, PartialEq, Eq)]
pub struct DockerConfig {
    /// `config.json`.
    pub file: PathBuf,
    /// The environment of helpers.
    pub environment: BTreeMap<String, String>,
}

impl std::fmt::Debug for DockerConfig {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The environment may hold secrets.
        write!(formatter, "DockerConfig({})", self.file.display())
    }
}

impl DockerConfig {
    /// The one that the surroundings name: in `DOCKER_CONFIG`, else `~/.docker`.
    pub fn of(world: &World) -> DockerConfig {
        let folder = match (world.variable("DOCKER_CONFIG"), world.variable("HOME")) {
            (Some(folder), _) => world.folder.join(folder),
            (None, Some(home)) => Path::new(home).join(".docker"),
            (None, None) => world.folder.join(".docker"),
        };
        let ours = |name: &str| name.starts_with("MCP_");
        DockerConfig {
            file: folder.join("config.json"),
            environment: world
                .environment
                .iter()
                .filter(|(name, _)| !ours(name))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        }
    }
}

/// What a registry is shown.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// A user.
    Password {
        /// Its name.
        username: String,
        /// Its password.
        password: Secret,
    },
    /// A token that an identity provider gave.
    Token(Secret),
}

/// The part of the file that we read.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct File {
    auths: BTreeMap<String, Entry>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
    identitytoken: Option<String>,
}

/// What a helper answers.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

/// Credentials for a registry: of the helper for it, else of the store for all, else in the file; none
/// when there is no file, or nothing of that registry is known.
///
/// # Errors
/// The file is there and cannot be read, or a helper fails. What is in them is never part of the
/// message.
pub async fn credentials(config: &DockerConfig, registry: &str) -> Result<Option<Credentials>> {
    let Some(file) = read(&config.file)? else {
        return Ok(None);
    };
    let same = |key: &str| host(key) == host(registry);
    let entry = file.auths.iter().find(|(key, _)| same(key));
    let helper = file.cred_helpers.iter().find(|(key, _)| same(key));
    if let Some((_, name)) = helper {
        return match ask(config, name, registry).await? {
            Asked::Known(found) => Ok(Some(found)),
            Asked::Unknown => Ok(None),
            Asked::NoProgram => Err(no_program(config, name)),
        };
    }
    if let Some(name) = file.creds_store.as_deref().filter(|name| !name.is_empty()) {
        match ask(config, name, registry).await? {
            Asked::Known(found) => return Ok(Some(found)),
            Asked::Unknown => {}
            // `docker login` leaves an empty entry when it gave the credentials to the store.
            Asked::NoProgram => {
                let kept = |entry: &Entry| entry.auth.is_none() && entry.identitytoken.is_none();
                if entry.is_some_and(|(_, entry)| kept(entry)) {
                    return Err(no_program(config, name));
                }
            }
        }
    }
    match entry {
        Some((_, entry)) => written(&config.file, registry, entry),
        None => Ok(None),
    }
}

fn read(path: &Path) -> Result<Option<File>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::precondition(format!("{}: {error}", path.display()))),
    };
    serde_json::from_str(&text).map(Some).map_err(|error| {
        Error::precondition(format!(
            "{}: line {} is not as expected",
            path.display(),
            error.line()
        ))
        .hint("docker login")
    })
}

/// What the file itself holds.
fn written(file: &Path, registry: &str, entry: &Entry) -> Result<Option<Credentials>> {
    if let Some(token) = entry.identitytoken.as_deref().filter(|it| !it.is_empty()) {
        return Ok(Some(Credentials::Token(Secret::new(token))));
    }
    let Some(auth) = entry.auth.as_deref().filter(|auth| !auth.is_empty()) else {
        return Ok(None);
    };
    let broken = || {
        Error::precondition(format!(
            "{}: the credentials of {registry} are not base64 of user:password",
            file.display()
        ))
        .hint(format!("docker login {registry}"))
    };
    let decoded = base64::engine::general_purpose::STANDARD
        .decode(auth)
        .map_err(|_| broken())?;
    let decoded = String::from_utf8(decoded).map_err(|_| broken())?;
    let (username, password) = decoded.split_once(':').ok_or_else(broken)?;
    Ok(Some(Credentials::Password {
        username: username.to_owned(),
        password: Secret::new(password),
    }))
}

/// What came of asking a helper.
enum Asked {
    Known(Credentials),
    Unknown,
    NoProgram,
}

async fn ask(config: &DockerConfig, name: &str, registry: &str) -> Result<Asked> {
    let program = format!("docker-credential-{name}");
    let failed = |why: &str| {
        Error::precondition(format!("{program} get, for {registry}: {why}"))
            .hint(format!("docker login {registry}"))
    };
    if name.contains('/') {
        return Err(failed("a helper's name has no slash in it"));
    }
    let started = Command::new(&program)
        .arg("get")
        .env_clear()
        .envs(&config.environment)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Asked::NoProgram),
        Err(error) => return Err(failed(&error.to_string())),
    };
    let answered = async {
        if let Some(mut input) = child.stdin.take() {
            // One that does not read has answered already, or failed.
            let _ = input.write_all(address(registry).as_bytes()).await;
        }
        child.wait_with_output().await
    };
    let output = match tokio::time::timeout(PATIENCE, answered).await {
        Ok(output) => output.map_err(|error| failed(&error.to_string()))?,
        Err(_) => return Err(failed("it does not answer")),
    };
    if !output.status.success() {
        // The protocol has no code for this, only these words.
        let text = String::from_utf8_lossy(&output.stdout);
        return if text.trim() == "credentials not found in native keychain" {
            Ok(Asked::Unknown)
        } else {
            Err(failed(&format!("it ended with {}", output.status)))
        };
    }
    let answer: Answer = serde_json::from_slice(&output.stdout)
        .map_err(|_| failed("its answer is no credentials"))?;
    Ok(match answer {
        Answer { secret, .. } if secret.is_empty() => Asked::Unknown,
        Answer { username, secret } if username == TOKEN => {
            Asked::Known(Credentials::Token(Secret::new(&secret)))
        }
        Answer { username, secret } => Asked::Known(Credentials::Password {
            username,
            password: Secret::new(&secret),
        }),
    })
}

fn no_program(config: &DockerConfig, name: &str) -> Error {
    let file = config.file.display();
    Error::precondition(format!(
        "{file} names docker-credential-{name}, and there is no such program"
    ))
    .hint(format!("install it, or take it out of {file}"))
}

/// How a registry is called in the file and by helpers.
pub fn address(registry: &str) -> &str {
    match registry {
        HUB => HUB_ADDRESS,
        other => other,
    }
}

/// The host with its port in a key such as `https://registry.example/v1/`.
fn host(key: &str) -> &str {
    let key = key.split_once("://").map_or(key, |(_, rest)| rest);
    match key.split('/').next().unwrap_or(key) {
        "index.docker.io" | "registry-1.docker.io" => HUB,
        host => host,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::OpenOptionsExt as _;

    use super::*;

    type Helpers<'a> = &'a [(&'a str, &'a str)];

    /// A folder with a file of that text, and helpers, scripts of these names.
    fn config(text: &str, helpers: Helpers<'_>) -> (tempfile::TempDir, DockerConfig) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), text).unwrap();
        for (name, script) in helpers {
            let path = folder.path().join(format!("docker-credential-{name}"));
            let mut options = std::fs::OpenOptions::new();
            let mut file = options
                .create(true)
                .write(true)
                .mode(0o700)
                .open(path)
                .unwrap();
            std::io::Write::write_all(&mut file, format!("#!/bin/sh\n{script}\n").as_bytes())
                .unwrap();
        }
        let path = format!("{}:/usr/bin:/bin", folder.path().display());
        let config = DockerConfig {
            file: folder.path().join("config.json"),
            environment: BTreeMap::from([("PATH".to_owned(), path)]),
        };
        (folder, config)
    }

    async fn found(text: &str, helpers: Helpers<'_>, registry: &str) -> Option<(String, String)> {
        let (_folder, config) = config(text, helpers);
        let found = credentials(&config, registry).await.unwrap()?;
        assert!(!format!("{found:?}").contains("pa:ss"));
        Some(match found {
            Credentials::Password { username, password } => {
                (username, password.expose().to_owned())
            }
            Credentials::Token(token) => (String::new(), token.expose().to_owned()),
        })
    }

    fn user() -> Option<(String, String)> {
        Some(("user".to_owned(), "pa:ss".to_owned()))
    }

    /// Answers with the credentials of the one registry.
    fn knows(registry: &str) -> String {
        format!(
            r#"test "$1" = get || exit 2; read -r it || true; if [ "$it" = "{registry}" ]; then echo '{{"ServerURL":"x","Username":"user","Secret":"pa:ss"}}'; else echo "credentials not found in native keychain"; exit 1; fi"#
        )
    }

    #[tokio::test]
    async fn a_registry_is_found_however_it_is_written() {
        // `dXNlcjpwYTpzcw==` is `user:pa:ss`.
        let text = r#"{"auths": {"https://r.example:5000/v1/": {"auth": "dXNlcjpwYTpzcw=="}, "other": {}, "https://index.docker.io/v1/": {"auth": "dXNlcjpwYTpzcw=="}, "t.example": {"auth": "", "identitytoken": "tok"}}, "credsStore": "absent"}"#;
        assert_eq!(found(text, &[], "r.example:5000").await, user());
        assert_eq!(found(text, &[], "docker.io").await, user());
        assert_eq!(found(text, &[], "r.example").await, None);
        let token = Some((String::new(), "tok".to_owned()));
        assert_eq!(found(text, &[], "t.example").await, token);
        let missing = DockerConfig {
            file: PathBuf::from("/nowhere/config.json"),
            environment: BTreeMap::new(),
        };
        assert!(credentials(&missing, "r.example").await.unwrap().is_none());
    }

    #[tokio::test]
    async fn helpers_are_asked() {
        let of_one = r#"{"credHelpers": {"r.example": "one"}, "credsStore": "all", "auths": {"in-file.example": {"auth": "dXNlcjpwYTpzcw=="}}}"#;
        let one = knows("r.example");
        let all = knows("s.example");
        let helpers = [("one", one.as_str()), ("all", all.as_str())];
        for (registry, expected) in [
            ("r.example", user()),
            ("s.example", user()),
            ("in-file.example", user()),
            ("t.example", None),
        ] {
            assert_eq!(
                found(of_one, &helpers, registry).await,
                expected,
                "{registry}"
            );
        }
        let hub = knows("https://index.docker.io/v1/");
        let text = r#"{"credHelpers": {"docker.io": "hub"}}"#;
        assert_eq!(found(text, &[("hub", &hub)], "docker.io").await, user());
        let token = r#"echo '{"ServerURL":"x","Username":"<token>","Secret":"tok"}'"#;
        let text = r#"{"credsStore": "idp"}"#;
        let expected = Some((String::new(), "tok".to_owned()));
        assert_eq!(found(text, &[("idp", token)], "r.example").await, expected);
    }

    #[tokio::test]
    async fn what_fails_says_so_without_secrets() {
        let broken = r#"{"auths": {"r.example": {"auth": "hunter2"}}}"#;
        let helper = r#"{"credHelpers": {"r.example": "x"}}"#;
        let store = r#"{"credsStore": "x", "auths": {"r.example": {}}}"#;
        let cases: [(&str, Helpers<'_>, &str); 6] = [
            (broken, &[], "are not base64"),
            (
                r#"{"auths": 1, "hunter2": "#,
                &[],
                "line 1 is not as expected",
            ),
            (helper, &[], "there is no such program"),
            (store, &[], "there is no such program"),
            (
                helper,
                &[("x", "echo hunter2; echo hunter2 >&2; exit 3")],
                "ended with exit status: 3",
            ),
            (
                store,
                &[("x", "echo hunter2")],
                "its answer is no credentials",
            ),
        ];
        for (text, helpers, says) in cases {
            let (_folder, config) = config(text, helpers);
            let error = credentials(&config, "r.example").await.unwrap_err();
            assert!(error.message.contains(says), "{says}: {error}");
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
