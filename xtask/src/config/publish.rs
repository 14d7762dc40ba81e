//! `[publish]`, `[target.NAME]` and `[profile.NAME]`: where a release goes. Pure.

use std::time::Duration;

use camino::Utf8PathBuf;
use jiff::SignedDuration;

use super::reader::{Reader, Table};
use super::stays_inside;

/// The profile and the target that every repository has.
pub const LOCAL: &str = "local";

/// Where a local target is unless it says otherwise.
const LOCAL_PATH: &str = "target/published";

/// The public servers, which a target may replace by others that speak the same protocol.
const GITHUB_API: &str = "https://api.github.com";
const OPEN_VSX: &str = "https://open-vsx.org";
const MARKETPLACE: &str = "https://marketplace.visualstudio.com";
const MCP_REGISTRY: &str = "https://registry.modelcontextprotocol.io";

/// Everything `release.toml` says about publishing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    /// Every place that is known, by its name.
    pub targets: Vec<Target>,
    /// Every list of places that are published to together.
    pub profiles: Vec<Profile>,
    /// How long is waited for what.
    pub patience: Patience,
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
pub(super) fn read(reader: &mut Reader<'_>, top: &mut Table<'_>) -> Publish {
    let patience = patience(reader, top);
    let mut targets = Vec::new();
    for (name, mut table) in reader.named_tables(top, "target") {
        if !is_name(&name) {
            let message = format!("`target.{name}`: a name has letters, digits, - and _ only");
            reader.problem(reader.span(&table, "kind"), message);
        }
        if let Some(place) = place(reader, &mut table) {
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
        });
    }
    Publish {
        targets,
        profiles,
        patience,
    }
}

fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !name.is_empty() && name.chars().all(plain)
}

fn patience(reader: &mut Reader<'_>, top: &mut Table<'_>) -> Patience {
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
    reader.finish(&table);
    patience
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

fn place(reader: &mut Reader<'_>, table: &mut Table<'_>) -> Option<Place> {
    let kind = reader.string(table, "kind");
    Some(match kind.as_str() {
        LOCAL => Place::Local {
            path: local_path(reader, table),
        },
        "pypi" => index(reader, table)?,
        "install-test" => Place::InstallTest {
            from: reader.string(table, "from"),
        },
        "github" => Place::Github {
            repository: two_words(reader, table),
            api: url(reader, table, "api", GITHUB_API),
        },
        "oci" => Place::Oci {
            repository: reader.string(table, "repository"),
            plain_http: reader.truth(table, "plain-http").unwrap_or(false),
        },
        "open-vsx" => Place::OpenVsx {
            url: url(reader, table, "url", OPEN_VSX),
        },
        "marketplace" => Place::Marketplace {
            url: url(reader, table, "url", MARKETPLACE),
            credential: marketplace_credential(reader, table),
        },
        "mcp" => Place::Mcp {
            url: url(reader, table, "url", MCP_REGISTRY),
            login: mcp_login(reader, table),
        },
        "" => return None,
        other => {
            let span = reader.span(table, "kind");
            let message = format!("unknown kind `{other}`; known: {}", KINDS.join(", "));
            reader.problem(span, message);
            return None;
        }
    })
}

fn local_path(reader: &mut Reader<'_>, table: &mut Table<'_>) -> Utf8PathBuf {
    let path = reader.optional_string(table, "path");
    let path = Utf8PathBuf::from(path.unwrap_or_else(|| LOCAL_PATH.to_owned()));
    if !stays_inside(&path) || path.as_str().is_empty() || path == "." {
        let span = reader.span(table, "path");
        let message = format!("`{path}` is not a folder below the repository");
        reader.problem(span, message);
    }
    path
}

fn index(reader: &mut Reader<'_>, table: &mut Table<'_>) -> Option<Place> {
    let name = reader.optional_string(table, "repository");
    let url = reader.optional_string(table, "url");
    let simple = reader.optional_string(table, "simple");
    let index = match (name, url) {
        (Some(name), None) => Index::Named(name),
        (None, Some(url)) => Index::Address { url, simple },
        _ => {
            let span = reader.span(table, "kind");
            let message = "an index has either `repository`, a name that twine knows such as \
                           \"pypi\", or `url`, the address to upload to";
            reader.problem(span, message);
            return None;
        }
    };
    let attestations = reader.truth(table, "attestations").unwrap_or(true);
    Some(Place::Pypi {
        index,
        attestations,
    })
}

fn two_words(reader: &mut Reader<'_>, table: &mut Table<'_>) -> String {
    let text = reader.string(table, "repository");
    let sound = text
        .split_once('/')
        .is_some_and(|(owner, name)| is_word(owner) && is_word(name));
    if !sound && table.has("repository") {
        let span = reader.span(table, "repository");
        reader.problem(span, format!("`{text}` is not of the form owner/name"));
    }
    text
}

fn is_word(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !text.is_empty() && text.chars().all(plain)
}

fn url(reader: &mut Reader<'_>, table: &mut Table<'_>, key: &'static str, default: &str) -> String {
    let text = reader.optional_string(table, key);
    let text = text.unwrap_or_else(|| default.to_owned());
    text.trim_end_matches('/').to_owned()
}

fn marketplace_credential(reader: &mut Reader<'_>, table: &mut Table<'_>) -> MarketplaceCredential {
    let text = reader.optional_string(table, "credential");
    match text.as_deref() {
        None | Some("pat") => MarketplaceCredential::Pat,
        Some("oidc") => MarketplaceCredential::Oidc,
        Some("azure") => MarketplaceCredential::Azure,
        Some(other) => {
            let span = reader.span(table, "credential");
            let message = format!("unknown credential `{other}`; known: pat, oidc, azure");
            reader.problem(span, message);
            MarketplaceCredential::Pat
        }
    }
}

fn mcp_login(reader: &mut Reader<'_>, table: &mut Table<'_>) -> McpLogin {
    let text = reader.optional_string(table, "login");
    match text.as_deref() {
        None | Some("github-oidc") => McpLogin::GithubOidc,
        Some("github") => McpLogin::Github,
        Some(other) => {
            let span = reader.span(table, "login");
            let message = format!("unknown login `{other}`; known: github-oidc, github");
            reader.problem(span, message);
            McpLogin::GithubOidc
        }
    }
}

fn profile(
    reader: &mut Reader<'_>,
    table: &mut Table<'_>,
    name: String,
    targets: &[Target],
) -> Profile {
    let listed = reader
        .optional_strings(table, "targets")
        .unwrap_or_default();
    let span = reader.span(table, "targets");
    if listed.is_empty() {
        let message = format!("`profile.{name}.targets` is missing: name at least one target");
        reader.problem(span.clone(), message);
    }
    let known: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
    for target in listed.iter().filter(|name| !known.contains(&name.as_str())) {
        let message = format!("unknown target `{target}`; known: {}", known.join(", "));
        reader.problem(span.clone(), message);
    }
    for (index, target) in listed.iter().enumerate() {
        if listed.iter().take(index).any(|earlier| earlier == target) {
            let message = format!("`profile.{name}.targets` names `{target}` twice");
            reader.problem(span.clone(), message);
        }
    }
    let mut skips = Vec::new();
    for (mut entry, span) in reader.tables(table, "skip") {
        let skip = Skip {
            target: reader.string(&mut entry, "target"),
            reason: reader.string(&mut entry, "reason"),
        };
        if entry.has("reason") && skip.reason.trim().is_empty() {
            let message = format!("`profile.{name}.skip.reason` is empty: say why");
            reader.problem(span.clone(), message);
        }
        if entry.has("target") && !listed.contains(&skip.target) {
            let message = format!("`{}` is not among the targets of this profile", skip.target);
            reader.problem(span, message);
        }
        reader.finish(&entry);
        skips.push(skip);
    }
    for target in &listed {
        let found = targets.iter().find(|one| one.name == *target);
        if let Some(Place::InstallTest { from }) = found.map(|target| &target.place)
            && !listed.contains(from)
        {
            let message = format!("`{target}` installs from `{from}`, which is not listed with it");
            reader.problem(span.clone(), message);
        }
    }
    Profile {
        name,
        targets: listed,
        skips,
    }
}

#[cfg(test)]
mod tests;
