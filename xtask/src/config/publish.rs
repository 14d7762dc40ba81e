//! `[publish]`, `[target.NAME]` and `[profile.NAME]`: where a release goes. Pure.

mod profile;
mod target;

use std::time::Duration;

use camino::Utf8PathBuf;
use jiff::SignedDuration;

use super::program::Program;
use super::reader::{Reader, Table};
use profile::profile;
use target::place;

/// The profile and the target that every repository has.
pub const LOCAL: &str = "local";

/// Where a local target is unless it says otherwise.
const LOCAL_PATH: &str = "target/published";

/// The interface of github.com. This and the other public servers may be replaced by others that
/// speak the same protocol.
pub const GITHUB_API: &str = "https://api.github.com";
const OPEN_VSX: &str = "https://open-vsx.org";
const MARKETPLACE: &str = "https://marketplace.visualstudio.com";
/// The public registry of MCP servers.
pub const MCP_REGISTRY: &str = "https://registry.modelcontextprotocol.io";

/// Everything `release.toml` says about publishing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    /// Every place that is known, by its name.
    pub targets: Vec<Target>,
    /// Every list of places that are published to together.
    pub profiles: Vec<Profile>,
    /// How long is waited for what.
    pub patience: Patience,
    /// Why a release without an audit may be published, when it may.
    pub without_audit: Option<String>,
}

/// `[target.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its name, free to choose.
    pub name: String,
    /// What it is, and where.
    pub place: Place,
}

/// What a target is, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Folders on this machine: a package index, extensions, an OCI layout.
    Local {
        /// The folder, from the root.
        path: Utf8PathBuf,
    },
    /// A Python package index.
    Pypi {
        /// Which.
        index: Index,
        /// Whether a trusted publisher signs what it uploads (PEP 740).
        attestations: bool,
    },
    /// The test that what a package index gives can be installed and works.
    InstallTest {
        /// The name of the target that is installed from.
        from: String,
    },
    /// The releases of a GitHub repository.
    Github {
        /// `owner/name`.
        repository: String,
        /// The address of the interface.
        api: String,
    },
    /// An OCI registry.
    Oci {
        /// `host[:port]/path`.
        repository: String,
        /// What goes there.
        takes: Takes,
        /// Spoken to without TLS; only on this machine.
        plain_http: bool,
    },
    /// An Open VSX registry.
    OpenVsx {
        /// Its address.
        url: String,
    },
    /// The VS Code Marketplace.
    Marketplace {
        /// Its address.
        url: String,
        /// How the publisher is known to it.
        credential: MarketplaceCredential,
    },
    /// A registry of MCP servers.
    Mcp {
        /// Its address.
        url: String,
        /// How the publisher is known to it.
        login: McpLogin,
    },
}

/// A Python package index as the user's own clients name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Index {
    /// `pypi`, `testpypi` or a section of `.pypirc`.
    Named(String),
    /// An address to upload to.
    Address {
        /// Where files are sent.
        url: String,
        /// Where its simple index is, when that is not told by the other address.
        simple: Option<String>,
    },
}

/// What of a release goes to an OCI registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Takes {
    /// Its files, as one artifact.
    Release,
    /// The container image of the server.
    Image,
    /// The container image of the program of this name.
    Program(String),
}

/// How a publisher is known to the Marketplace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarketplaceCredential {
    /// A personal access token in `VSCE_PAT`.
    Pat,
    /// The identity of a GitHub Actions job.
    Oidc,
    /// Microsoft Entra ID, as the Azure tools are logged in.
    Azure,
}

/// How a publisher is known to a registry of MCP servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum McpLogin {
    /// The identity of a GitHub Actions job.
    GithubOidc,
    /// A GitHub access token.
    Github,
}

/// `[profile.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// The names of its targets.
    pub targets: Vec<String>,
    /// Targets that are left out for now.
    pub skips: Vec<Skip>,
    /// Whether a release that is published and verified here gets its tag.
    pub tagging: Tagging,
}

/// Whether a release that is published to a profile gets its tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tagging {
    /// It does.
    Made,
    /// It does not: the profile only tries.
    Left,
}

/// `[[profile.NAME.skip]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip {
    /// The name of the target.
    pub target: String,
    /// Why it is left out.
    pub reason: String,
}

/// How long is waited for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patience {
    /// How long what was accepted may take to be visible.
    pub wait: Duration,
    /// After the first trouble; doubled with each.
    pub pause: Duration,
    /// How often something is tried.
    pub attempts: u32,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            wait: Duration::from_secs(15 * 60),
            pause: Duration::from_secs(1),
            attempts: 5,
        }
    }
}

impl Publish {
    /// The target of a name.
    pub fn target(&self, name: &str) -> Option<&Target> {
        self.targets.iter().find(|target| target.name == name)
    }

    /// The profile of a name.
    pub fn profile(&self, name: &str) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.name == name)
    }
}

impl Place {
    /// The word for its kind in `release.toml`.
    pub fn word(&self) -> &'static str {
        match self {
            Place::Local { .. } => LOCAL,
            Place::Pypi { .. } => "pypi",
            Place::InstallTest { .. } => "install-test",
            Place::Github { .. } => "github",
            Place::Oci { .. } => "oci",
            Place::OpenVsx { .. } => "open-vsx",
            Place::Marketplace { .. } => "marketplace",
            Place::Mcp { .. } => "mcp",
        }
    }
}

/// Every kind of target, for messages.
const KINDS: [&str; 8] = [
    LOCAL,
    "pypi",
    "install-test",
    "github",
    "oci",
    "open-vsx",
    "marketplace",
    "mcp",
];

/// Reads everything about publishing.
pub(super) fn read(reader: &mut Reader<'_>, top: &mut Table<'_>, programs: &[Program]) -> Publish {
    let (patience, without_audit) = general(reader, top);
    let mut targets = Vec::new();
    for (name, mut table) in reader.named_tables(top, "target") {
        if !is_name(&name) {
            let message = format!("`target.{name}`: a name has letters, digits, - and _ only");
            reader.problem(reader.span(&table, "kind"), message);
        }
        if let Some(place) = place(reader, &mut table, programs) {
            targets.push(Target { name, place });
        }
        reader.finish(&table);
    }
    if !targets.iter().any(|target| target.name == LOCAL) {
        let path = LOCAL_PATH.into();
        targets.push(Target {
            name: LOCAL.to_owned(),
            place: Place::Local { path },
        });
    }
    let mut profiles = Vec::new();
    for (name, mut table) in reader.named_tables(top, "profile") {
        let profile = profile(reader, &mut table, name, &targets);
        profiles.push(profile);
        reader.finish(&table);
    }
    if !profiles.iter().any(|profile| profile.name == LOCAL) {
        profiles.push(Profile {
            name: LOCAL.to_owned(),
            targets: vec![LOCAL.to_owned()],
            skips: Vec::new(),
            tagging: Tagging::Left,
        });
    }
    Publish {
        targets,
        profiles,
        patience,
        without_audit,
    }
}

fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !name.is_empty() && name.chars().all(plain)
}

/// `[publish]`.
fn general(reader: &mut Reader<'_>, top: &mut Table<'_>) -> (Patience, Option<String>) {
    let default = Patience::default();
    let mut table = reader.table(top, "publish");
    let patience = Patience {
        wait: duration(reader, &mut table, "wait").unwrap_or(default.wait),
        pause: duration(reader, &mut table, "pause").unwrap_or(default.pause),
        attempts: match reader.optional_number(&mut table, "attempts") {
            None => default.attempts,
            Some(number) if (1..=20).contains(&number) => {
                u32::try_from(number).unwrap_or(default.attempts)
            }
            Some(_) => {
                let span = reader.span(&table, "attempts");
                reader.problem(span, "`publish.attempts` is a number from 1 to 20");
                default.attempts
            }
        },
    };
    let without_audit = reader.optional_string(&mut table, "without-audit");
    if without_audit
        .as_ref()
        .is_some_and(|why| why.trim().is_empty())
    {
        let span = reader.span(&table, "without-audit");
        reader.problem(span, "`publish.without-audit` is empty: say why");
    }
    reader.finish(&table);
    (patience, without_audit)
}

/// A time such as "15 minutes" or "1s", as jiff's friendly format has it.
fn duration(reader: &mut Reader<'_>, table: &mut Table<'_>, key: &'static str) -> Option<Duration> {
    let text = reader.optional_string(table, key)?;
    let parsed: Option<SignedDuration> = text.parse().ok();
    let parsed = parsed.and_then(|duration| Duration::try_from(duration).ok());
    if parsed.is_none() {
        let span = reader.span(table, key);
        let message = format!("`publish.{key}` is `{text}`; give a time such as \"15 minutes\"");
        reader.problem(span, message);
    }
    parsed
}

#[cfg(test)]
mod tests;
