//! Templates of a git repository: a copy of one revision, fetched by git itself into a folder of
//! its own that is made whole before it gets its name.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use sha2::{Digest as _, Sha256};
use tokio::process::Command;

use crate::error::{Error, Result};

/// A repository and what to take from it: `URL`, `URL#revision` or `URL#revision:folder`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// What git takes as the place of a repository.
    pub url: String,
    /// A branch, a tag or a commit; none: the default branch.
    pub revision: Option<String>,
    /// The folder with the templates in it; none: the top.
    pub folder: Option<String>,
}

impl Repository {
    /// Reads the text of an option; none when it is the path of a folder.
    ///
    /// # Errors
    /// It begins with `-`, carries a password, or its folder leads out of the repository.
    pub fn parse(text: &str) -> Result<Option<Repository>> {
        let (url, rest) = text
            .split_once('#')
            .map_or((text, None), |(url, rest)| (url, Some(rest)));
        let remote = url.contains("://") || url.ends_with(".git") || is_scp(url);
        if !remote {
            return Ok(None);
        }
        if url.starts_with('-') {
            return Err(Error::invalid(format!(
                "{url:?} is no place of a repository"
            )));
        }
        if url::Url::parse(url).is_ok_and(|url| url.password().is_some()) {
            return Err(
                Error::invalid("the address of a repository carries a password")
                    .hint("let git ask its credential helper instead"),
            );
        }
        let (revision, folder) = match rest.map(|rest| rest.split_once(':')) {
            None => (None, None),
            Some(None) => (rest, None),
            Some(Some((revision, folder))) => (Some(revision), Some(folder)),
        };
        if revision.is_some_and(|revision| revision.starts_with('-')) {
            return Err(Error::invalid(format!("{text:?} names no revision")));
        }
        if folder.is_some_and(|folder| {
            folder.starts_with('/') || folder.split('/').any(|part| part == "..")
        }) {
            return Err(Error::invalid(format!(
                "{text:?} leads out of the repository"
            )));
        }
        Ok(Some(Repository {
            url: url.to_owned(),
            revision: revision.filter(|word| !word.is_empty()).map(str::to_owned),
            folder: folder.filter(|word| !word.is_empty()).map(str::to_owned),
        }))
    }
}

/// `host:path`, as ssh and git write it.
fn is_scp(text: &str) -> bool {
    text.split_once(':')
        .is_some_and(|(host, path)| host.contains('@') && !host.contains('/') && !path.is_empty())
}

/// Fetches a repository and returns the folder with its templates. `state` is where copies are kept.
///
/// # Errors
/// git is missing, or refuses; what it says is in the message.
pub async fn fetch(repository: &Repository, state: &Path) -> Result<PathBuf> {
    let folder = state.join("templates");
    let wrong = |path: &Path, error: &std::io::Error| {
        Error::precondition(format!("{}: {error}", path.display()))
    };
    std::fs::create_dir_all(&folder).map_err(|error| wrong(&folder, &error))?;
    let digest = Sha256::digest(format!("{repository:?}").as_bytes());
    let word: String = digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let fresh = tempfile::Builder::new()
        .prefix(&format!("{word}-"))
        .tempdir_in(&folder)
        .map_err(|error| wrong(&folder, &error))?;
    let path = fresh.path().to_path_buf();
    git(&path, &["init", "--quiet"], repository).await?;
    let revision = repository.revision.as_deref().unwrap_or("HEAD");
    git(
        &path,
        &[
            "fetch",
            "--quiet",
            "--depth",
            "1",
            "--no-tags",
            "--",
            &repository.url,
            revision,
        ],
        repository,
    )
    .await?;
    git(
        &path,
        &["checkout", "--quiet", "--detach", "FETCH_HEAD"],
        repository,
    )
    .await?;
    let whole = folder.join(&word);
    let old = folder.join(format!("{word}.old"));
    // Another process may do the same; whoever is last wins, with the same content.
    let _ = std::fs::remove_dir_all(&old);
    if whole.exists() {
        std::fs::rename(&whole, &old).map_err(|error| wrong(&whole, &error))?;
    }
    std::fs::rename(fresh.keep(), &whole).map_err(|error| wrong(&whole, &error))?;
    let _ = std::fs::remove_dir_all(&old);
    Ok(match &repository.folder {
        Some(inner) => whole.join(inner),
        None => whole,
    })
}

async fn git(folder: &Path, arguments: &[&str], repository: &Repository) -> Result<()> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        // Nothing of the repository's is run, and nobody is asked for a password.
        .args([
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "protocol.ext.allow=never",
        ])
        .args(arguments)
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| Error::precondition(format!("git: {error}")).hint("install git"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().last().unwrap_or("no message");
    Err(Error::precondition(format!(
        "git cannot fetch the templates of {}: {line}",
        repository.url
    ))
    .hint("check the address and the revision with `git ls-remote`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, url: &str, revision: Option<&str>, folder: Option<&str>) {
        let found = Repository::parse(text).unwrap().unwrap();
        assert_eq!(found.url, url);
        assert_eq!(found.revision.as_deref(), revision);
        assert_eq!(found.folder.as_deref(), folder);
    }

    #[test]
    fn folders_and_repositories_are_told_apart() {
        assert_eq!(Repository::parse("templates").unwrap(), None);
        assert_eq!(Repository::parse("/a b/ü").unwrap(), None);
        check("https://git.example/a", "https://git.example/a", None, None);
        check("file:///a#v1", "file:///a", Some("v1"), None);
        check(
            "https://git.example/a.git#v1:x/y",
            "https://git.example/a.git",
            Some("v1"),
            Some("x/y"),
        );
        check(
            "https://git.example/a#:x",
            "https://git.example/a",
            None,
            Some("x"),
        );
        for text in [
            "https://u:p@git.example/a",
            "https://git.example/a#v1:../x",
            "https://git.example/a#--upload-pack=x",
            "--upload-pack=x://",
        ] {
            assert!(Repository::parse(text).is_err(), "{text}");
        }
    }

    #[tokio::test]
    async fn templates_come_out_of_a_repository() {
        let place = tempfile::tempdir().unwrap();
        let origin = place.path().join("örigin with space");
        let template = origin.join("here/echo");
        std::fs::create_dir_all(&template).unwrap();
        let text = include_str!("../../templates/echo/template.toml").replace("1.0.0", "9.9.9");
        std::fs::write(template.join("template.toml"), text).unwrap();
        let nothing = Repository {
            url: String::new(),
            revision: None,
            folder: None,
        };
        for arguments in [
            vec!["init", "--quiet"],
            vec!["add", "--all"],
            vec![
                "-c",
                "user.name=t",
                "-c",
                "user.email=t",
                "commit",
                "--quiet",
                "--message",
                "t",
            ],
        ] {
            git(&origin, &arguments, &nothing).await.unwrap();
        }
        let url = url::Url::from_file_path(&origin).unwrap();
        let repository = Repository::parse(&format!("{url}#:here")).unwrap().unwrap();
        let state = place.path().join("state");
        for _ in 0..2 {
            let folder = fetch(&repository, &state).await.unwrap();
            let mut catalogue = super::super::builtin().unwrap();
            catalogue.add_folder(&folder).unwrap();
            assert_eq!(catalogue.get("echo").unwrap().version, "9.9.9");
        }
        assert_eq!(
            std::fs::read_dir(state.join("templates")).unwrap().count(),
            1
        );
        let missing = Repository {
            revision: Some("v0".to_owned()),
            ..repository
        };
        let error = fetch(&missing, &state).await.unwrap_err();
        assert!(error.message.contains("v0"), "{error}");
        assert_eq!(
            std::fs::read_dir(state.join("templates")).unwrap().count(),
            1
        );
    }
}
