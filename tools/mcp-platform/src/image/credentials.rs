//! Who we are at a registry, as `docker login` wrote it down.

use std::path::Path;

use base64::Engine as _;
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::model::Secret;

/// A user of a registry.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Its name.
    pub username: String,
    /// Its password.
    pub password: Secret,
}

/// The part of the file that we read; helpers that keep passwords elsewhere are not asked.
#[derive(Deserialize)]
struct File {
    #[serde(default)]
    auths: std::collections::BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    auth: Option<String>,
}

/// Credentials for a registry from `config.json`; none when there is no file or no such registry.
///
/// # Errors
/// The file is there and cannot be read. What is in it is never part of the message.
pub fn credentials(file: &Path, registry: &str) -> Result<Option<Credentials>> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::precondition(format!("{}: {error}", file.display()))),
    };
    let wrong =
        |why: &str| Error::precondition(format!("{}: {why}", file.display())).hint("docker login");
    let parsed: File = serde_json::from_str(&text)
        .map_err(|error| wrong(&format!("line {} is not as expected", error.line())))?;
    let Some(auth) = parsed
        .auths
        .iter()
        .find(|(key, _)| host(key) == host(registry))
        .and_then(|(_, entry)| entry.auth.clone())
    else {
        return Ok(None);
    };
    let broken = || {
        wrong(&format!(
            "the credentials of {registry} are not base64 of user:password"
        ))
    };
    let decoded = base64::engine::general_purpose::STANDARD
        .decode(auth)
        .map_err(|_| broken())?;
    let decoded = String::from_utf8(decoded).map_err(|_| broken())?;
    let (username, password) = decoded.split_once(':').ok_or_else(broken)?;
    Ok(Some(Credentials {
        username: username.to_owned(),
        password: Secret::new(password),
    }))
}

/// The host with its port in a key such as `https://registry.example/v1/`.
fn host(key: &str) -> &str {
    let key = key.split_once("://").map_or(key, |(_, rest)| rest);
    key.split('/').next().unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_found_however_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.json");
        assert!(credentials(&file, "r.example").unwrap().is_none());
        // `dXNlcjpwYTpzcw==` is `user:pa:ss`.
        let text = r#"{"auths": {"https://r.example:5000/v1/": {"auth": "dXNlcjpwYTpzcw=="}, "other": {}}, "credsStore": "x"}"#;
        std::fs::write(&file, text).unwrap();
        let found = credentials(&file, "r.example:5000").unwrap().unwrap();
        assert_eq!(found.username, "user");
        assert_eq!(found.password.expose(), "pa:ss");
        assert!(!format!("{found:?}").contains("pa:ss"));
        assert!(credentials(&file, "r.example").unwrap().is_none());
        assert!(credentials(&file, "other").unwrap().is_none());
        std::fs::write(&file, r#"{"auths": {"r.example": {"auth": "hunter2"}}}"#).unwrap();
        let error = credentials(&file, "r.example").unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
    }
}
