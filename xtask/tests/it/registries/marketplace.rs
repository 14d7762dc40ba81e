//! The VS Marketplace: what `vsce publish` asks for, and the public gallery that shows the result
//! when it has been validated.
//!
//! Sources: `out/{publish,util,oidc,publicgalleryapi}.js` of `@vscode/vsce` 4.1, `VsoClient.js` and
//! `GalleryApi.js` of `azure-devops-node-api`; the gallery's answers as VS Code reads them. The
//! marketplace itself has no public source.
//!
//! Reduced: the literal paths are those that the route discovery here names, except for the ones
//! that are documented; refusals have their status from the client's source, and their words are
//! near those that issue threads quote; validation only takes time, or fails when a test says so;
//! publishers, ratings, searches by text and unpublishing are missing.

mod gallery;
mod publish;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::actions::{self, Actions};
use super::front::Service;
use super::message::{Asked, Reply};
use super::vsix::Package;
use super::warehouse::TrustedPublisher;

/// The token that publishes, unless a test sets others.
pub const TOKEN: &str = "marketplace-stand-in-token";

/// The audience of identities.
pub const AUDIENCE: &str = "marketplace.visualstudio.com";

/// Locations of the interface, which clients look up by these numbers.
const CREATE: &str = "a41192c8-9525-4b58-bc86-179fa549d80d";
const EXTENSION: &str = "e11ea35a-16fe-4b80-ab11-c4cab88a0966";
const SIGNED: &str = "e11ea35a-16fe-4b80-ab11-c4cab88a0969";

/// A version for one platform.
#[derive(Debug, Clone)]
pub struct Version {
    pub package: Package,
    pub bytes: Vec<u8>,
    /// The signature that came with it.
    pub signature: Option<Vec<u8>>,
    /// How many reads still show it as not validated.
    pub waiting: usize,
    /// Why it never will be.
    pub failure: Option<String>,
}

/// The marketplace.
#[derive(Debug)]
pub struct Marketplace {
    /// Tokens, and the publishers that each may publish for.
    pub tokens: BTreeMap<String, BTreeSet<String>>,
    pub versions: Vec<Version>,
    /// How many reads after a publish show a version that is not validated.
    pub validated_after: usize,
    /// What validation says of the next versions instead of passing them.
    pub validation_failure: Option<String>,
    /// Downloads are the same entries in another archive.
    pub recontained: bool,
    /// Downloads have an entry with other bytes.
    pub wrong_payload: bool,
    /// Whether identities are exchanged at all.
    pub oidc: bool,
    pub publisher: Option<TrustedPublisher>,
    pub actions: Actions,
    stored: Vec<String>,
}

impl Marketplace {
    /// A marketplace with this publisher, for whom [`TOKEN`] may publish.
    pub fn with(publisher: &str) -> Marketplace {
        let publishers = BTreeSet::from([publisher.to_owned()]);
        Marketplace {
            tokens: BTreeMap::from([(TOKEN.to_owned(), publishers)]),
            versions: Vec::new(),
            validated_after: 0,
            validation_failure: None,
            recontained: false,
            wrong_payload: false,
            oidc: true,
            publisher: Some(TrustedPublisher {
                repository: "owner/demo".to_owned(),
                workflow: "release.yml".to_owned(),
                environment: None,
            }),
            actions: Actions::of("owner/demo", "release.yml", "release"),
            stored: Vec::new(),
        }
    }

    /// The publishers of the token of a request.
    fn allowed(&self, asked: &Asked) -> Option<&BTreeSet<String>> {
        // The user's name does not matter, the token is the password.
        let token = match asked.basic() {
            Some((_, token)) => token,
            None => asked.credential("bearer")?.to_owned(),
        };
        self.tokens.get(&token)
    }

    fn locations() -> Reply {
        let location = |id: &str, resource: &str, template: &str, number: u32| {
            json!({
                "id": id,
                "area": "gallery",
                "resourceName": resource,
                "routeTemplate": template,
                "resourceVersion": number,
                "minVersion": "1.0",
                "maxVersion": "7.2",
                "releasedVersion": "0.0",
            })
        };
        let one = "_apis/{area}/publishers/{publisherName}/{resource}/{extensionName}";
        let signed =
            "_apis/{area}/publishers/{publisherName}/extensions/{extensionName}/{resource}";
        let value: [Value; 3] = [
            location(CREATE, "extensions", "_apis/{area}/{resource}", 2),
            location(EXTENSION, "extensions", one, 2),
            location(SIGNED, "publish", signed, 1),
        ];
        Reply::json(200, &json!({ "count": value.len(), "value": value }))
    }

    /// An identity for a token of a publisher.
    fn exchange(&mut self, asked: &Asked) -> Reply {
        if !self.oidc {
            return failure(404, "Page not found.");
        }
        let body = asked.json();
        let name = body["publisherName"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let token = asked
            .credential("federatedtoken")
            .or(asked.credential("bearer"));
        let claims = token.and_then(actions::claims);
        let claims = claims.filter(|claims| actions::is_for(claims, AUDIENCE));
        let Some(claims) = claims else {
            return failure(401, "The federated token is not valid for the Marketplace.");
        };
        let publisher = self.publisher.as_ref();
        if !publisher.is_some_and(|publisher| publisher.matches(&claims)) {
            let text = format!("No trust policy of publisher '{name}' matches the token.");
            return failure(403, &text);
        }
        let credential = format!("marketplace-trusted-{}", self.tokens.len());
        self.tokens
            .insert(credential.clone(), BTreeSet::from([name]));
        Reply::json(200, &json!({ "credential": credential }))
    }
}

impl Service for Marketplace {
    fn answer(&mut self, asked: &Asked) -> Reply {
        if let Some(reply) = self.actions.answer(asked) {
            return reply;
        }
        let segments = asked.segments();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let ["_apis", rest @ ..] = &segments[..] else {
            return failure(404, "Page not found.");
        };
        let method = match asked.method.as_str() {
            "HEAD" => "GET",
            method => method,
        };
        match (method, rest) {
            ("OPTIONS", ["gallery"]) => Self::locations(),
            ("POST", ["gallery", "token"]) => self.exchange(asked),
            ("POST", ["public", "gallery", "extensionquery"]) => self.query(asked),
            (
                "GET",
                [
                    "public",
                    "gallery",
                    "publishers",
                    publisher,
                    "vsextensions",
                    name,
                    version,
                    "vspackage",
                ],
            ) => self.download(asked, [publisher, name, version]),
            ("GET", ["gallery", "publishers", publisher, "extensions", name]) => {
                self.own(asked, publisher, name)
            }
            ("POST", ["gallery", "extensions"]) => self.create(asked),
            ("PUT", ["gallery", "publishers", publisher, "extensions", name]) => {
                self.update(asked, publisher, name)
            }
            (
                "PUT",
                [
                    "gallery",
                    "publishers",
                    publisher,
                    "extensions",
                    name,
                    "publish",
                ],
            ) => self.update_signed(asked, publisher, name),
            _ => failure(404, "Page not found."),
        }
    }

    fn stored(&self) -> Vec<String> {
        self.stored.clone()
    }
}

/// A refusal in the form of Azure's interfaces.
fn failure(status: u16, message: &str) -> Reply {
    let value = json!({
        "$id": "1",
        "innerException": null,
        "message": message,
        "typeKey": "GalleryException",
        "errorCode": 0,
        "eventId": 3000,
    });
    Reply::json(status, &value)
}

/// A version as it is listed in what was stored.
fn named(package: &Package) -> String {
    let (publisher, name, version) = (&package.publisher, &package.name, &package.version);
    match package.target.as_str() {
        "universal" => format!("{publisher}.{name} {version}"),
        target => format!("{publisher}.{name} {version} ({target})"),
    }
}
