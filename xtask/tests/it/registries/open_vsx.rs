//! Open VSX: extensions in namespaces, checked on the way in, not active at once, and signed.
//!
//! Sources: of eclipse/openvsx `LocalRegistryService.java`, `ExtensionService.java`,
//! `PublishExtensionVersionHandler.java`, `MaliciousZipCheckService.java`,
//! `ExtensionVersionIntegrityService.java`, `TrustedPublishingService.java`, `NamingUtil.java`; and
//! the `ovsx` client 1.4, whose requests all find their answer here.
//!
//! Reduced: neither licenses, dependencies, secrets nor names are scanned, beyond a license that is
//! missing; of several findings in a zip all are told, a line each; signature pairs never change;
//! there is no search, no review, no gallery interface of VS Code. Activation is counted in reads
//! of a version's metadata, because no clock is looked at.

mod publish;
mod show;
mod sign;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::actions::{self, Actions, ISSUER};
use super::front::Service;
use super::message::{Asked, Reply};
use super::vsix::Package;
use super::warehouse::TrustedPublisher;
use sign::Key;

/// The token that publishes, unless a test sets others.
pub const TOKEN: &str = "ovsxat_stand-in";

/// The platforms that the registry knows.
pub const TARGETS: [&str; 12] = [
    "win32-x64",
    "win32-ia32",
    "win32-arm64",
    "linux-x64",
    "linux-arm64",
    "linux-armhf",
    "alpine-x64",
    "alpine-arm64",
    "darwin-x64",
    "darwin-arm64",
    "web",
    "universal",
];

/// A published version for one platform.
#[derive(Debug, Clone)]
pub struct Version {
    pub package: Package,
    pub bytes: Vec<u8>,
    pub signature: Vec<u8>,
    /// How many reads still do not show it; until then it is not active.
    pub waiting: usize,
    /// Deleted; its place stays taken.
    pub removed: bool,
}

/// The registry.
#[derive(Debug)]
pub struct OpenVsx {
    /// Tokens, and the namespaces that each may publish to.
    pub tokens: BTreeMap<String, BTreeSet<String>>,
    pub namespaces: BTreeSet<String>,
    pub versions: Vec<Version>,
    /// How many reads after a publish show nothing yet.
    pub active_after: usize,
    /// The largest package, in bytes.
    pub limit: usize,
    /// What the registry says its own version is.
    pub version: String,
    /// Signatures are of something else.
    pub bad_signature: bool,
    /// The checksum is that of something else.
    pub wrong_digest: bool,
    /// Whether downloads are answered with the place where the bytes are.
    pub redirects: bool,
    /// The audience of identities; without one, trusted publishing is switched off.
    pub audience: Option<String>,
    /// Who may publish without a token, by namespace and extension.
    pub publishers: BTreeMap<(String, String), TrustedPublisher>,
    pub actions: Actions,
    key: Key,
    stored: Vec<String>,
}

impl OpenVsx {
    /// A registry with this namespace, to which [`TOKEN`] may publish.
    pub fn with(namespace: &str) -> OpenVsx {
        let namespaces = BTreeSet::from([namespace.to_owned()]);
        OpenVsx {
            tokens: BTreeMap::from([(TOKEN.to_owned(), namespaces.clone())]),
            namespaces,
            versions: Vec::new(),
            active_after: 0,
            limit: 512 << 20,
            version: "1.3.2".to_owned(),
            bad_signature: false,
            wrong_digest: false,
            redirects: true,
            audience: Some("https://open-vsx.org".to_owned()),
            publishers: BTreeMap::new(),
            actions: Actions::of("owner/demo", "release.yml", "release"),
            key: Key::new(),
            stored: Vec::new(),
        }
    }

    /// The token of a request, wherever it is.
    fn token(asked: &Asked) -> String {
        let header = asked
            .credential("bearer")
            .or(asked.header("x-openvsx-token"));
        let token = header.map(str::to_owned).or_else(|| asked.query("token"));
        token.unwrap_or_default()
    }

    fn get(&mut self, asked: &Asked, segments: &[&str]) -> Reply {
        match segments {
            ["api", "version"] => self.about(),
            ["api", "-", "size-limit"] => self.size_limit(asked),
            ["api", "-", "public-key", id] if *id == sign::ID => {
                Reply::new(200, self.key.pem()).with("content-type", "text/plain")
            }
            ["api", namespace] => self.namespace(asked, namespace),
            ["api", namespace, "verify-pat"] => self.verify(asked, namespace),
            ["api", namespace, name] => self.metadata(asked, namespace, name, &[]),
            ["api", namespace, name, "file", file]
            | ["api", namespace, name, _, "file", file]
            | ["api", namespace, name, _, _, "file", file] => {
                self.file(asked, namespace, name, file)
            }
            ["api", namespace, name, more @ ..] if more.len() < 3 => {
                self.metadata(asked, namespace, name, more)
            }
            ["storage", namespace, name, file] => self.stored_file(namespace, name, file),
            _ => failure(404, "Not Found"),
        }
    }

    fn post(&mut self, asked: &Asked, segments: &[&str]) -> Reply {
        match segments {
            ["api", "-", "publish"] => self.publish(asked),
            ["api", "-", "namespace", "create"] => self.create(asked),
            ["api", "-", "trusted-publishing", "token"] => match self.exchange(asked) {
                Ok(reply) => reply,
                Err((status, message)) => failure(status, message),
            },
            ["api", namespace, name, "delete"] => self.delete(asked, namespace, name),
            _ => failure(404, "Not Found"),
        }
    }

    fn about(&self) -> Reply {
        let value = json!({
            "version": self.version,
            "maxExtensionSize": self.limit,
            "trustedPublishingAudience": self.audience,
        });
        Reply::json(200, &value)
    }

    fn size_limit(&self, asked: &Asked) -> Reply {
        match self.tokens.contains_key(&Self::token(asked)) {
            true => Reply::json(200, &json!({ "maxSize": self.limit })),
            false => failure(401, "Invalid access token."),
        }
    }

    fn verify(&self, asked: &Asked, namespace: &str) -> Reply {
        let Some(allowed) = self.tokens.get(&Self::token(asked)) else {
            return failure(401, "Invalid access token.");
        };
        if !self.namespaces.contains(namespace) {
            return failure(404, &format!("Namespace not found: {namespace}"));
        }
        if !allowed.contains(namespace) {
            let text = format!("Insufficient access rights for namespace: {namespace}");
            return failure(403, &text);
        }
        Reply::json(200, &json!({ "success": "Valid token" }))
    }

    fn create(&mut self, asked: &Asked) -> Reply {
        let body = asked.json();
        let name = body["name"].as_str().unwrap_or_default();
        if name.is_empty() {
            return failure(400, "Namespace name must not be empty.");
        }
        let Some(allowed) = self.tokens.get_mut(&Self::token(asked)) else {
            return failure(401, "Invalid access token.");
        };
        if !self.namespaces.insert(name.to_owned()) {
            return failure(400, &format!("Namespace already exists: {name}"));
        }
        allowed.insert(name.to_owned());
        self.stored.push(format!("namespace {name}"));
        let address = format!("{}/api/{name}", asked.base());
        let value = json!({ "success": format!("Created namespace {name}") });
        Reply::json(201, &value).with("location", address)
    }

    fn exchange(&mut self, asked: &Asked) -> Result<Reply, (u16, &'static str)> {
        let body = asked.json();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let (namespace, extension) = (text("namespace"), text("extension"));
        if namespace.is_empty() || text("token").is_empty() {
            return Err((400, "The fields namespace and token are mandatory."));
        }
        let audience = self.audience.as_deref();
        let audience = audience.ok_or((404, "Trusted publishing is not enabled."))?;
        let claims = actions::claims(&text("token"));
        let claims = claims.ok_or((400, "Failed to pre-parse token."))?;
        if claims["iss"] != ISSUER {
            return Err((400, "Unsupported token issuer."));
        }
        if !actions::is_for(&claims, audience) {
            return Err((403, "The token could not be validated."));
        }
        let key = (namespace.clone(), extension);
        let publisher = self.publishers.get(&key);
        if !publisher.is_some_and(|publisher| publisher.matches(&claims)) {
            return Err((403, "No trusted publisher matches the presented token."));
        }
        let token = format!("ovsxat_trusted-{}", self.tokens.len());
        self.tokens
            .insert(token.clone(), BTreeSet::from([namespace]));
        let value = json!({
            "value": token,
            "expiresTimestamp": "2099-01-01T00:00:00Z",
            "description": "Trusted publishing (github)",
        });
        Ok(Reply::json(201, &value))
    }
}

impl Service for OpenVsx {
    fn answer(&mut self, asked: &Asked) -> Reply {
        if let Some(reply) = self.actions.answer(asked) {
            return reply;
        }
        let segments = asked.segments();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match asked.method.as_str() {
            "GET" | "HEAD" => self.get(asked, &segments),
            "POST" => self.post(asked, &segments),
            _ => failure(405, "Method Not Allowed"),
        }
    }

    fn stored(&self) -> Vec<String> {
        self.stored.clone()
    }
}

fn failure(status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({ "error": message }))
}

/// A version as messages name it.
fn named(package: &Package) -> String {
    let Package {
        publisher,
        name,
        version,
        target,
        ..
    } = package;
    match target.as_str() {
        "universal" => format!("{publisher}.{name} {version}"),
        target => format!("{publisher}.{name} {version} ({target})"),
    }
}
