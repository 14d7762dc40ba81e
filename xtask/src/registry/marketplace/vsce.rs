//! Calling the extension's own `vsce`: with which variables, and what its words mean.
//!
//! It gets only the variables that it needs, because others (`VSCE_STORE`, `NODE_OPTIONS`, a
//! token of another kind) change what it does. Secrets are in its environment, never among its
//! arguments.

use std::time::Duration;

use camino::Utf8Path;

use super::super::{Answered, Attempt, Trouble, said};
use crate::config::publish::MarketplaceCredential;
use crate::error::{Kind, Result};
use crate::product::vsix;
use crate::tools::node::Node;
use crate::world::World;
use crate::world::process::Command;
use crate::world::secret::Secret;

/// The variable of a personal access token.
pub const TOKEN: &str = "VSCE_PAT";

/// The variable of the address, which its own tests use.
const ADDRESS: &str = "VSCE_MARKETPLACE_URL";

/// What Node.js and the network need, and what a CI job is known by.
const INHERITED: &[&str] = &[
    "PATH",
    "HOME",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "SystemRoot",
    "TMPDIR",
    "TEMP",
    "TMP",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "NO_PROXY",
    "no_proxy",
    "NODE_EXTRA_CA_CERTS",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CI",
    "GITHUB_ACTIONS",
    // The identity of a GitHub Actions job.
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    // What the Azure libraries look at, in the order of vsce's chain of credentials.
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_USERNAME",
    "AZURE_PASSWORD",
    "AZURE_AUTHORITY_HOST",
    "AZURE_CONFIG_DIR",
    "AZURE_FEDERATED_TOKEN_FILE",
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "IMDS_ENDPOINT",
    "MSI_ENDPOINT",
    "MSI_SECRET",
    "AZD_CONFIG_DIR",
];

/// Those of them that are secrets.
const SECRETS: [&str; 7] = [
    TOKEN,
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_PASSWORD",
    "IDENTITY_HEADER",
    "MSI_SECRET",
];

/// Taking a large file in takes the Marketplace some minutes at most.
const TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// How `vsce` is called.
pub struct Vsce<'run> {
    /// The world.
    pub world: &'run World,
    /// The Node.js it runs on.
    pub node: &'run Node,
    /// Its main file.
    pub program: &'run Utf8Path,
    /// The address of the Marketplace.
    pub url: &'run str,
    /// How the publisher is known.
    pub credential: MarketplaceCredential,
}

impl<'run> Vsce<'run> {
    fn command(&self, words: &[&str], folder: &Utf8Path) -> Command<'run> {
        let command = self.world.command(self.node.program());
        let mut command = self
            .node
            .on_path(self.world, command)
            .arg(self.program)
            .args(words)
            .directory(folder)
            .inherit_only(INHERITED)
            .variable(ADDRESS, self.url)
            .variable("NO_COLOR", "1")
            .timeout(TIMEOUT);
        match self.credential {
            MarketplaceCredential::Pat => {
                if let Some(token) = self.world.variable(TOKEN) {
                    command = command.secret(TOKEN, token);
                }
            }
            MarketplaceCredential::Oidc => command = command.arg("--oidc"),
            MarketplaceCredential::Azure => command = command.arg("--azure-credential"),
        }
        command
    }

    /// Sends a file once.
    ///
    /// # Errors
    /// What its words mean.
    pub fn publish(&self, file: &Utf8Path) -> Attempt<()> {
        let folder = file.parent().unwrap_or(Utf8Path::new("."));
        let words = ["publish", "--packagePath", file.as_str()];
        let output = self
            .command(&words, folder)
            .purpose("vsce publish")
            .output()?;
        let text = format!("{}\n{}", output.stdout, output.stderr);
        judge(self.url, output.status.success(), &self.blotted(&text))?;
        Ok(Answered::plain(()))
    }

    /// Whether the credential has any role for a publisher, by `vsce`'s own word.
    ///
    /// # Errors
    /// The program cannot be run.
    pub fn verify(
        &self,
        publisher: &str,
        folder: &Utf8Path,
    ) -> Result<std::result::Result<(), String>> {
        let words = ["verify-pat", publisher];
        let output = self
            .command(&words, folder)
            .purpose("vsce verify-pat")
            .output()?;
        let text = format!("{}\n{}", output.stdout, output.stderr);
        Ok(match output.status.success() {
            true => Ok(()),
            false => Err(complaint(&self.blotted(&text))),
        })
    }

    /// What a program wrote, without the secrets that it was given.
    fn blotted(&self, text: &str) -> String {
        let secrets = SECRETS.iter().filter_map(|name| self.world.variable(name));
        secrets.fold(text.to_owned(), |text, secret| {
            let text = Secret::new(secret).blot(&text);
            super::authorization(secret).blot(&text)
        })
    }
}

/// What the end of `vsce publish` means.
fn judge(url: &str, success: bool, text: &str) -> std::result::Result<(), Trouble> {
    if success {
        return Ok(());
    }
    let complaint = complaint(text);
    let what = format!("{url}: vsce publish: {complaint}");
    // What has this version, only looking tells.
    if complaint.contains("already exists") {
        return Ok(());
    }
    let has = |parts: &[&str]| parts.iter().any(|part| complaint.contains(part));
    let token = [
        "Personal Access Token used has expired",
        "Invalid Resource",
        "Can not acquire a Microsoft Entra ID access token",
        "OIDC token request URL and token",
        "No supported OIDC provider",
    ];
    if has(&token) {
        return Err(refused(Trouble::last(Kind::Precondition, what)));
    }
    if let Some(status) = status(&complaint) {
        let trouble = Trouble::of_status(url, status, &format!("vsce publish: {complaint}"), None);
        return Err(match status {
            401 | 403 => refused(trouble),
            _ => trouble,
        });
    }
    let network = [
        "ECONNREFUSED",
        "ECONNRESET",
        "EPIPE",
        "ETIMEDOUT",
        "ENOTFOUND",
        "EAI_AGAIN",
        "socket hang up",
        "fetch failed",
        "imeout",
        "imed out",
    ];
    Err(match has(&network) {
        true => Trouble::passing(what),
        false => Trouble::last(Kind::Failure, what),
    })
}

fn refused(mut trouble: Trouble) -> Trouble {
    trouble.hints.clear();
    trouble
        .hint("the credential needs the role Contributor of the publisher, or a higher one")
        .hint(super::GLOBAL_TOKENS)
        .hint("look at it without publishing: cargo xtask doctor --to PROFILE")
}

/// The lines in which `vsce` complains, in one that can be shown.
fn complaint(text: &str) -> String {
    let plain = without_colours(text);
    let marks = ["::error::", " ERROR ", "ERROR "];
    let told = plain.lines().filter_map(|line| {
        let mark = marks.iter().find(|mark| line.starts_with(**mark))?;
        line.strip_prefix(*mark).map(str::trim)
    });
    let told: Vec<&str> = told.collect();
    let text = match told.is_empty() {
        true => plain.trim().to_owned(),
        false => told.join(" "),
    };
    let text = text
        .replace("%0A", " ")
        .replace("%0D", " ")
        .replace("%25", "%");
    said(text.as_bytes())
}

fn without_colours(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            // A control sequence ends with its first letter.
            '\u{1b}' => drop(rest.by_ref().find(char::is_ascii_alphabetic)),
            '\n' => plain.push(c),
            c if c.is_control() => plain.push(' '),
            c => plain.push(c),
        }
    }
    plain
}

/// The HTTP status that a complaint names: `Failed request: (409)`, `Unauthorized(401)`,
/// `failed with 401 Unauthorized`.
fn status(complaint: &str) -> Option<u16> {
    let number = |text: &str, end: &[char]| -> Option<u16> {
        let (digits, rest) = text.split_at_checked(3)?;
        let status = digits.parse().ok()?;
        (rest.starts_with(end) && (300..600).contains(&status)).then_some(status)
    };
    let after = |mark: &str, end: &[char]| {
        let mut places = complaint.match_indices(mark);
        places.find_map(|(at, _)| number(complaint.get(at + mark.len()..)?, end))
    };
    after("(", &[')']).or_else(|| after("failed with ", &[' ', '.', ':']))
}

/// Whether a Node.js that can run it is there, and the extension names it.
///
/// # Errors
/// What is missing.
pub fn find(
    world: &World,
    extension: &crate::config::Extension,
) -> Result<(Node, camino::Utf8PathBuf)> {
    let node = crate::tools::node::node(world)?;
    let program = vsix::vsce(world, &node, extension)?;
    Ok((node, program))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Fate;

    #[test]
    fn its_words_are_understood() {
        let check = |text: &str, expected: Option<Fate>, part: &str| {
            let found = judge("https://m", false, text);
            let trouble = match (found, expected) {
                (Ok(()), None) => return,
                (Err(trouble), Some(fate)) => {
                    assert_eq!(trouble.fate, fate, "{text}");
                    trouble
                }
                (found, expected) => panic!("{text}: {found:?} instead of {expected:?}"),
            };
            assert!(trouble.what.contains(part), "{}", trouble.what);
        };
        let last = |kind| Some(Fate::Last(kind));
        let passing = || Some(Fate::Passing { after: None });
        check(
            " INFO  Publishing\n ERROR  p.n v1.0.0 already exists.\n",
            None,
            "",
        );
        check("::error::p.n (web) v1.0.0 already exists.\n", None, "");
        let colours = "\u{1b}[41m\u{1b}[30m ERROR \u{1b}[39m\u{1b}[49m Failed request: (500)";
        check(colours, passing(), "answers 500");
        check(" ERROR  Failed request: (429)", passing(), "429");
        let unauthorized = " ERROR  Failed Request: Unauthorized(401) - https://m/x";
        check(unauthorized, last(Kind::Precondition), "401");
        check(
            " ERROR  Failed request: (403)",
            last(Kind::Precondition),
            "403",
        );
        let expired = " ERROR  The Personal Access Token used has expired.";
        check(expired, last(Kind::Precondition), "expired");
        let oidc = "Marketplace OIDC token exchange failed with 403 Forbidden: no such publisher";
        check(
            &format!("::error::{oidc}"),
            last(Kind::Precondition),
            "no such",
        );
        for word in [
            "connect ECONNREFUSED 127.0.0.1:1",
            "socket hang up",
            "Request timeout: /x",
        ] {
            check(&format!(" ERROR  {word}"), passing(), word);
        }
        check(
            " ERROR  The license is missing",
            last(Kind::Failure),
            "license",
        );
        check("a stack\nof lines", last(Kind::Failure), "a stack of lines");
        check(
            " ERROR  it has (500 of) files",
            last(Kind::Failure),
            "files",
        );
        assert_eq!(judge("https://m", true, " ERROR  x"), Ok(()));
    }

    #[test]
    fn a_refused_credential_gets_the_hints_that_help() {
        let trouble = judge("https://m", false, " ERROR  Failed request: (401)").unwrap_err();
        assert!(trouble.hints.iter().any(|hint| hint.contains("2026-12-01")));
        assert!(
            trouble
                .hints
                .iter()
                .any(|hint| hint.contains("doctor --to"))
        );
    }
}
