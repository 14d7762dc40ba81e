//! Credentials of OCI registries, from the files that Docker and its kin share.
//!
//! Source: "docker login", configuration file: `auths`, `credHelpers`, `credsStore`; the protocol
//! of credential helpers is that of docker-credential-helpers (`get`: the address on standard
//! input, JSON on standard output).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use camino::Utf8PathBuf;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::world::secret::Secret;
use crate::world::{World, files};

/// Who, and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The name.
    pub username: String,
    /// The password or token.
    pub password: Secret,
    /// Where it was found.
    pub from: String,
}

/// What the configuration file says about a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    Basic { username: String, password: Secret },
    Helper(String),
    Nothing,
}

/// The credential for a registry, if there is one.
///
/// # Errors
/// A file that cannot be read or understood, or a helper that fails.
pub fn find(world: &World, host: &str) -> Result<Option<Credential>> {
    let path = place(world);
    let found = match path.as_ref().filter(|path| path.exists()) {
        Some(path) => read(&files::read_text(path)?, host, path.as_str())?,
        None => Found::Nothing,
    };
    let from = path.map(Utf8PathBuf::into_string).unwrap_or_default();
    match found {
        Found::Basic { username, password } => Ok(Some(Credential {
            username,
            password,
            from,
        })),
        Found::Helper(name) => helped(world, &name, host),
        Found::Nothing => Ok(in_actions(world, host)),
    }
}

fn place(world: &World) -> Option<Utf8PathBuf> {
    let folder = match world.variable("DOCKER_CONFIG") {
        Some(folder) => Utf8PathBuf::from(folder),
        None => {
            let home = world.variable("HOME").or(world.variable("USERPROFILE"))?;
            Utf8PathBuf::from(home).join(".docker")
        }
    };
    Some(folder.join("config.json"))
}

/// The token of a job of GitHub Actions is one for GitHub's own registry.
fn in_actions(world: &World, host: &str) -> Option<Credential> {
    let token = world
        .variable("GITHUB_TOKEN")
        .filter(|_| host == "ghcr.io")?;
    Some(Credential {
        username: world.variable("GITHUB_ACTOR").unwrap_or("token").to_owned(),
        password: Secret::new(token),
        from: "GITHUB_TOKEN".to_owned(),
    })
}

fn read(text: &str, host: &str, place: &str) -> Result<Found> {
    let wrong = |what: &str| {
        Error::precondition(format!("{place}: {what}")).hint(format!("docker login {host}"))
    };
    // Of a syntax error only the line is said: the text around it may be a secret.
    let file: Value = serde_json::from_str(text)
        .map_err(|cause| wrong(&format!("not JSON, line {}", cause.line())))?;
    if let Some(helper) = file["credHelpers"][host].as_str() {
        return Ok(Found::Helper(helper.to_owned()));
    }
    let entries = file["auths"].as_object().into_iter().flatten();
    let mut entries = entries.filter(|(name, _)| host_of(name) == stored(host));
    let entry = entries.next().map(|(_, entry)| entry);
    if let Some(text) = entry
        .and_then(|entry| entry["auth"].as_str())
        .filter(|it| !it.is_empty())
    {
        let decoded = STANDARD.decode(text.trim()).ok();
        let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        let decoded = decoded.ok_or_else(|| wrong(&format!("auths of {host}: not base64")))?;
        let (username, password) = decoded
            .split_once(':')
            .ok_or_else(|| wrong(&format!("auths of {host}: not of the form name:password")))?;
        return Ok(Found::Basic {
            username: username.to_owned(),
            password: Secret::new(password.trim_end_matches('\0')),
        });
    }
    match (entry, file["credsStore"].as_str()) {
        (_, Some(helper)) if !helper.is_empty() => Ok(Found::Helper(helper.to_owned())),
        _ => Ok(Found::Nothing),
    }
}

/// Docker keeps the credential of its own registry under another name.
fn stored(host: &str) -> &str {
    match host {
        "docker.io" => "index.docker.io",
        host => host,
    }
}

/// The host of an entry's name, which may be a whole address.
fn host_of(name: &str) -> &str {
    let name = name.split_once("://").map_or(name, |(_, rest)| rest);
    name.split('/').next().unwrap_or(name)
}

fn helped(world: &World, name: &str, host: &str) -> Result<Option<Credential>> {
    let program = format!("docker-credential-{name}");
    let address = match host {
        "docker.io" => "https://index.docker.io/v1/",
        host => host,
    };
    let output = world
        .command(&program)
        .arg("get")
        .output_with_input(address)
        .map_err(|error| error.hint("Docker's config.json names this helper; is it on PATH?"))?;
    if !output.status.success() {
        // It says so on standard output, and nothing else tells this from a failure.
        let missing = output.stdout.contains("not found");
        return match missing {
            true => Ok(None),
            false => Err(Error::precondition(format!(
                "{program} get: {}",
                output.status
            ))),
        };
    }
    let answer: Value = serde_json::from_str(&output.stdout)
        .map_err(|_| Error::precondition(format!("{program} get: an answer that is not JSON")))?;
    match (answer["Username"].as_str(), answer["Secret"].as_str()) {
        (Some("<token>"), _) => Err(Error::precondition(format!(
            "{program} has an identity token for {host}, which cannot be used here"
        ))
        .hint(format!("log in with an access token: docker login {host}"))),
        (Some(username), Some(password)) => Ok(Some(Credential {
            username: username.to_owned(),
            password: Secret::new(password),
            from: program,
        })),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Found {
        read(text, "ghcr.io", "config.json").unwrap()
    }

    #[test]
    fn every_form_of_an_entry_is_read() {
        let auth = STANDARD.encode("me:pa:ss");
        let basic = Found::Basic {
            username: "me".to_owned(),
            password: Secret::new("pa:ss"),
        };
        for name in ["ghcr.io", "https://ghcr.io", "https://ghcr.io/v2/"] {
            let text = format!("{{\"auths\":{{\"{name}\":{{\"auth\":\"{auth}\"}}}}}}");
            assert_eq!(found(&text), basic, "{name}");
        }
        let text = format!("{{\"auths\":{{\"other.io\":{{\"auth\":\"{auth}\"}}}}}}");
        assert_eq!(found(&text), Found::Nothing);
        assert_eq!(found("{}"), Found::Nothing);
        let text =
            format!("{{\"auths\":{{\"https://index.docker.io/v1/\":{{\"auth\":\"{auth}\"}}}}}}");
        assert_eq!(read(&text, "docker.io", "config.json").unwrap(), basic);
        let store = Found::Helper("pass".to_owned());
        assert_eq!(
            found("{\"auths\":{\"ghcr.io\":{}},\"credsStore\":\"pass\"}"),
            store
        );
        let helpers = "{\"credHelpers\":{\"ghcr.io\":\"pass\"},\"credsStore\":\"x\"}";
        assert_eq!(found(helpers), store);
    }

    #[test]
    fn what_cannot_be_read_is_named_without_what_is_in_it() {
        let check = |text: &str, expected: &str| {
            let error = read(text, "ghcr.io", "config.json").unwrap_err();
            assert!(error.message.contains(expected), "{}", error.message);
            assert!(!error.message.contains("hush"));
        };
        check("{\"auths\": hush", "line 1");
        check(
            "{\"auths\":{\"ghcr.io\":{\"auth\":\"hush!\"}}}",
            "not base64",
        );
        let auth = STANDARD.encode("hush");
        let text = format!("{{\"auths\":{{\"ghcr.io\":{{\"auth\":\"{auth}\"}}}}}}");
        check(&text, "name:password");
    }
}
