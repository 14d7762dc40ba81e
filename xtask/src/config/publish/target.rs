//! One `[target.NAME]`: the keys of each kind. Pure.

use camino::Utf8PathBuf;

use super::super::program::Program;
use super::super::reader::{Reader, Table};
use super::super::stays_inside;
use super::{
    GITHUB_API, Index, KINDS, LOCAL, LOCAL_PATH, MARKETPLACE, MCP_REGISTRY, MarketplaceCredential,
    McpLogin, OPEN_VSX, Place, Takes,
};

/// Reads what a target is and where; `None` when that cannot be told.
pub(super) fn place(
    reader: &mut Reader<'_>,
    table: &mut Table<'_>,
    programs: &[Program],
) -> Option<Place> {
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
            takes: takes(reader, table, programs),
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
    // Folders that others write: a release, git, and the tool itself.
    let taken = |folder: &str| path.starts_with(folder);
    let taken = path == "target" || ["dist", ".git", "target/xtask"].into_iter().any(taken);
    if !stays_inside(&path) || path.as_str().is_empty() || path == "." || taken {
        let span = reader.span(table, "path");
        let message = format!(
            "`{path}` is not a folder of its own below the repository, such as target/published"
        );
        reader.problem(span, message);
    }
    path
}

fn index(reader: &mut Reader<'_>, table: &mut Table<'_>) -> Option<Place> {
    let name = reader.optional_string(table, "repository");
    let url = reader.optional_string(table, "url");
    let simple = reader.optional_string(table, "simple");
    for (key, address) in [("url", &url), ("simple", &simple)] {
        if let Some(address) = address {
            require_public(reader, table, key, address);
        }
    }
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

/// An address that everybody may read: credentials belong elsewhere.
fn is_public(address: &str) -> bool {
    let authority = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or_default();
    !authority.contains('@') && !address.contains(['?', '#'])
}

fn require_public(reader: &mut Reader<'_>, table: &Table<'_>, key: &str, address: &str) {
    if !is_public(address) {
        let message = format!(
            "`{key}` holds a user, a password or a query: credentials belong into the environment \
             or into the files of the client"
        );
        reader.problem(reader.span(table, key), message);
    }
}

fn url(reader: &mut Reader<'_>, table: &mut Table<'_>, key: &'static str, default: &str) -> String {
    let text = reader.optional_string(table, key);
    let text = text.unwrap_or_else(|| default.to_owned());
    require_public(reader, table, key, &text);
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

fn takes(reader: &mut Reader<'_>, table: &mut Table<'_>, programs: &[Program]) -> Takes {
    let text = reader.optional_string(table, "takes");
    let program = reader.optional_string(table, "program");
    if let Some(name) = program {
        let known: Vec<&str> = programs.iter().map(|one| one.name.as_str()).collect();
        let span = reader.span(table, "program");
        if !known.contains(&name.as_str()) {
            let message = format!("`program` is `{name}`, and there is no [program.{name}]");
            reader.problem(span, message);
        } else if text.as_deref() != Some("image") {
            let message = "`program` says whose image it is: write `takes = \"image\"`, too";
            reader.problem(span, message);
        }
        return Takes::Program(name);
    }
    match text.as_deref() {
        None | Some("release") => Takes::Release,
        Some("image") => Takes::Image,
        Some(other) => {
            let span = reader.span(table, "takes");
            let message = format!("`takes` is `{other}`; known: release, image");
            reader.problem(span, message);
            Takes::Release
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
