//! Where the release will be published, as `release.toml` names it. Pure.

use clap::ValueEnum;

use super::Wishes;
use super::facts::Facts;
use crate::error::Error;

/// A place that a workflow knows how to publish to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Target {
    /// A draft of a GitHub release with every file, ended last
    Github,
    /// The staging index, with an install test from it
    Testpypi,
    /// The Python package index
    Pypi,
    /// GitHub's container registry, with the whole release as one artifact
    Ghcr,
    /// Open VSX
    OpenVsx,
    /// The VS Code Marketplace
    Marketplace,
    /// The registry of MCP servers
    Mcp,
}

/// All of them, in the order of publishing.
pub const ALL: [Target; 7] = [
    Target::Github,
    Target::Testpypi,
    Target::Pypi,
    Target::Ghcr,
    Target::OpenVsx,
    Target::Marketplace,
    Target::Mcp,
];

/// The answers.
#[derive(Debug, Clone)]
pub struct Places {
    /// What was asked for, in order, each once.
    pub targets: Vec<Target>,
    /// `owner/name` on GitHub, if the remote says it.
    pub repository: Option<String>,
}

impl Target {
    /// Its name in `release.toml`, and that of its job.
    pub fn name(self) -> &'static str {
        match self {
            Target::Github => "github",
            Target::Testpypi => "testpypi",
            Target::Pypi => "pypi",
            Target::Ghcr => "ghcr",
            Target::OpenVsx => "open-vsx",
            Target::Marketplace => "marketplace",
            Target::Mcp => "mcp",
        }
    }

    /// Its job in the workflow.
    pub fn job(self) -> &'static str {
        match self {
            Target::Github => "draft",
            Target::Testpypi => "staging",
            other => other.name(),
        }
    }

    /// Whether it takes the extension alone.
    pub fn takes_extensions(self) -> bool {
        matches!(self, Target::OpenVsx | Target::Marketplace)
    }

    /// Its tables in `release.toml`; `repository` is `owner/name` on GitHub.
    pub fn tables(self, repository: &str) -> String {
        let name = self.name();
        match self {
            Target::Github => {
                format!("[target.{name}]\nkind = \"github\"\nrepository = \"{repository}\"\n")
            }
            Target::Testpypi => format!(
                "[target.{name}]\nkind = \"pypi\"\nrepository = \"testpypi\"\n\n\
                 # What users would get is installed from there and started before anything goes on.\n\
                 [target.install-test]\nkind = \"install-test\"\nfrom = \"{name}\"\n"
            ),
            Target::Pypi => {
                format!("[target.{name}]\nkind = \"pypi\"\nrepository = \"pypi\"\n")
            }
            Target::Ghcr => format!(
                "[target.{name}]\nkind = \"oci\"\nrepository = \"ghcr.io/{}\"\n",
                repository.to_lowercase()
            ),
            Target::OpenVsx => format!("[target.{name}]\nkind = \"open-vsx\"\n"),
            Target::Marketplace => {
                format!("[target.{name}]\nkind = \"marketplace\"\ncredential = \"oidc\"\n")
            }
            Target::Mcp => format!("[target.{name}]\nkind = \"mcp\"\n"),
        }
    }
}

/// Decides where to publish.
///
/// # Errors
/// A target needs the name of the repository on GitHub, and no remote says it.
pub fn decide(facts: &Facts, wishes: &Wishes) -> Result<Places, Vec<Error>> {
    let mut targets = wishes.targets.clone();
    targets.sort();
    targets.dedup();
    let on_github = [Target::Github, Target::Ghcr, Target::Mcp];
    let needs = targets.iter().find(|target| on_github.contains(target));
    if let (Some(target), None) = (needs, &facts.repository) {
        let name = target.name();
        let error = Error::precondition(format!(
            "--target {name} needs the repository's name on GitHub, and git has no remote \
             `origin` there"
        ))
        .hint("git remote add origin https://github.com/OWNER/NAME.git");
        return Err(vec![error]);
    }
    Ok(Places {
        targets,
        repository: facts.repository.clone(),
    })
}

/// What is asked of targets that take an extension, where there is none.
pub fn without_extension(places: &Places) -> Vec<Error> {
    let taking = places.targets.iter().filter(|it| it.takes_extensions());
    let names: Vec<String> = taking.map(|it| format!("--target {}", it.name())).collect();
    if names.is_empty() {
        return Vec::new();
    }
    let what = "no package.json outside of tests and examples has engines.vscode and a \"main\" that exists or is compiled";
    let error = Error::usage(format!(
        "{}: there is no extension to publish: {what}",
        names.join(" ")
    ));
    vec![error.hint("leave these targets out, or name its folder: --extension DIR")]
}

/// `owner/name` of a remote on GitHub, in any of git's spellings.
pub fn repository(remote: &str) -> Option<String> {
    let remote = remote.trim().trim_end_matches('/');
    let starts = [
        "https://github.com/",
        "ssh://git@github.com/",
        "git@github.com:",
        "git://github.com/",
    ];
    let without_user = match remote.split_once("://") {
        Some(("https", rest)) => format!("https://{}", rest.rsplit('@').next().unwrap_or(rest)),
        _ => remote.to_owned(),
    };
    let path = starts
        .iter()
        .find_map(|start| without_user.strip_prefix(start))?;
    let path = path.strip_suffix(".git").unwrap_or(path);
    let (owner, name) = path.split_once('/')?;
    let is_plain = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    (is_plain(owner) && is_plain(name)).then(|| format!("{owner}/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remotes() {
        let check = |remote: &str, expected: Option<&str>| {
            assert_eq!(repository(remote).as_deref(), expected, "{remote}");
        };
        check("https://github.com/a/b.git\n", Some("a/b"));
        check("https://user:word@github.com/a/b", Some("a/b"));
        check("git@github.com:a/b.c.git", Some("a/b.c"));
        check("ssh://git@github.com/a/b", Some("a/b"));
        check("https://example.org/a/b", None);
        check("https://github.com/a", None);
        check("https://github.com/a/b\"\n[x]", None);
    }
}
