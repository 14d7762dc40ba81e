//! The main package index, with the rules that indexes started on loopback do not have: a file name
//! is used once for ever, identical bytes are taken twice without a word, old releases are closed,
//! and pages are stale for a while.
//!
//! Sources: `warehouse/forklift/legacy.py`, `warehouse/api/{simple,integrity}.py`,
//! `warehouse/legacy/api/json.py` and `warehouse/oidc/views.py` of Warehouse; PEP 503, 691, 740.
//!
//! Reduced: distributions are not opened, so their own metadata, platform tags and RECORD are not
//! checked; of the form only the fields named here are; attestations are kept and not verified;
//! everybody with a token may upload to every project; tokens are plain text, not macaroons; there
//! are neither rate limits nor quotas. Both pages of a project turn fresh together.

mod identity;
mod pages;
#[cfg(test)]
mod tests;
mod upload;

use std::collections::BTreeSet;

use serde_json::Value;

use super::actions::Actions;
use super::front::Service;
use super::message::{Asked, Reply};

/// The token that uploads, unless a test sets others.
pub const TOKEN: &str = "pypi-stand-in-token";

/// A file of the index.
#[derive(Debug, Clone)]
pub struct File {
    pub project: String,
    pub version: String,
    pub name: String,
    pub kind: String,
    pub sha256: String,
    pub blake2: String,
    pub bytes: Vec<u8>,
    /// Every field of its form that is no file.
    pub form: Vec<(String, String)>,
    /// What was sent as `attestations`.
    pub attestations: Option<Value>,
    /// How many reads of the index still do not show it.
    pub hidden: usize,
}

/// Which identity may mint a token.
#[derive(Debug, Clone)]
pub struct TrustedPublisher {
    pub repository: String,
    /// The file name of the workflow.
    pub workflow: String,
    /// None stands for every environment.
    pub environment: Option<String>,
}

/// The index.
#[derive(Debug)]
pub struct Warehouse {
    /// Tokens that upload.
    pub tokens: BTreeSet<String>,
    /// Tokens that were minted for an identity; they upload too, with attestations.
    pub minted: BTreeSet<String>,
    pub files: Vec<File>,
    /// Names that were used once by files that are gone.
    pub used: BTreeSet<String>,
    /// How many index reads after an upload still show the state before it.
    pub visible_after: usize,
    /// Whether every release that exists is older than 14 days.
    pub old: bool,
    /// The audience of identities; without one, trusted publishing is switched off.
    pub audience: Option<String>,
    pub publisher: Option<TrustedPublisher>,
    pub actions: Actions,
    /// Numbers of the identities that minted a token.
    pub spent: BTreeSet<String>,
    stored: Vec<String>,
}

impl Default for Warehouse {
    fn default() -> Warehouse {
        Warehouse {
            tokens: BTreeSet::from([TOKEN.to_owned()]),
            minted: BTreeSet::new(),
            files: Vec::new(),
            used: BTreeSet::new(),
            visible_after: 0,
            old: false,
            audience: Some("pypi".to_owned()),
            publisher: Some(TrustedPublisher {
                repository: "owner/demo".to_owned(),
                workflow: "release.yml".to_owned(),
                environment: None,
            }),
            actions: Actions::of("owner/demo", "release.yml", "release"),
            spent: BTreeSet::new(),
            stored: Vec::new(),
        }
    }
}

impl Warehouse {
    /// Deletes a file as its owner can; its name stays taken.
    pub fn delete(&mut self, name: &str) {
        self.files.retain(|file| file.name != name);
        self.used.insert(name.to_owned());
    }

    /// Where a file's bytes are: it follows from them.
    pub fn place(file: &File) -> String {
        let (first, rest) = file.blake2.split_at(2);
        let (second, rest) = rest.split_at(2);
        format!("/packages/{first}/{second}/{rest}/{}", file.name)
    }
}

impl Service for Warehouse {
    fn answer(&mut self, asked: &Asked) -> Reply {
        if let Some(reply) = self.actions.answer(asked) {
            return reply;
        }
        let segments = asked.segments();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let method = match asked.method.as_str() {
            "HEAD" => "GET",
            method => method,
        };
        match (method, &segments[..]) {
            ("POST", ["legacy"]) if asked.path() == "/legacy/" => self.upload(asked),
            ("POST", ["legacy"]) => refused(
                asked,
                308,
                "An upload was attempted to /legacy but the expected upload URL is /legacy/ \
                 (with a trailing slash)",
            )
            .with("location", "/legacy/"),
            ("GET", ["simple", name]) => self.simple(asked, name),
            ("GET", ["pypi", name, "json"]) => self.project(asked, name),
            ("GET", ["pypi", name, version, "json"]) => self.json(asked, name, version),
            ("GET", ["packages", ..]) => {
                let path = asked.path();
                let found = self.files.iter().find(|file| Self::place(file) == path);
                found.map_or_else(|| missing(asked), |file| Reply::bytes(&file.bytes))
            }
            ("GET", ["integrity", name, version, file, "provenance"]) => {
                self.provenance(asked, name, version, file)
            }
            ("GET", ["_", "oidc", "audience"]) => self.audience(),
            ("POST", ["_", "oidc", "mint-token"]) => self.mint(asked),
            _ => missing(asked),
        }
    }

    fn stored(&self) -> Vec<String> {
        self.stored.clone()
    }
}

/// An error as the index writes it: in the reason phrase, and in the form that is asked for.
fn refused(asked: &Asked, status: u16, message: &str) -> Reply {
    let (title, explanation) = match status {
        308 => ("Permanent Redirect", ""),
        403 => ("Forbidden", "Access was denied to this resource."),
        404 => ("Not Found", "The resource could not be found."),
        _ => (
            "Bad Request",
            "The server could not comply with the request since it is either malformed or \
             otherwise incorrect.",
        ),
    };
    let reason = if message.is_empty() { title } else { message };
    let code = format!("{status} {reason}");
    let accept = asked.header("accept").unwrap_or_default();
    let mut reply = if accept.contains("application/json") {
        let text = format!("{explanation}\n\n\n{message}\n\n");
        let value = serde_json::json!({ "message": text, "code": code, "title": title });
        Reply::json(status, &value)
    } else if accept.contains("text/html") || accept.contains("*/*") {
        let page = format!(
            "<html>\n <head>\n  <title>{code}</title>\n </head>\n <body>\n  <h1>{code}</h1>\n  \
             {explanation}<br/><br/>\n{message}\n\n\n </body>\n</html>"
        );
        Reply::new(status, page).with("content-type", "text/html; charset=UTF-8")
    } else {
        let text = format!("{code}\n\n{explanation}\n\n\n{message}\n\n");
        Reply::new(status, text).with("content-type", "text/plain; charset=UTF-8")
    };
    reply.reason = Some(reason.to_owned());
    reply
}

fn missing(asked: &Asked) -> Reply {
    refused(asked, 404, "")
}

/// Whether a file is of a project, however its name is written.
fn is_of(file: &File, project: &str) -> bool {
    normalize(&file.project) == normalize(project)
}

/// A project's name in its normal form (PEP 503).
fn normalize(name: &str) -> String {
    let parts = name.split(['-', '_', '.']).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-").to_lowercase()
}
