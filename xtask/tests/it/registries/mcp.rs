//! The MCP registry: names that a login grants, versions that never change, packages that it looks
//! up itself and may not find yet.
//!
//! Sources: of modelcontextprotocol/registry `internal/api/handlers/v0`, with `auth/github_oidc.go`
//! and `auth/github_at.go`, `internal/database/database.go`, and error bodies in its issues #553,
//! #531; the wording for a version that is not there yet as dinglebear-ai/unraid#200 quotes it.
//!
//! Reduced: packages are not looked up, a test says whether they are there; of the schema only the
//! fields that every server has, lengths and names are checked; organizations are names in a test's
//! list; logins by DNS, HTTP and none are missing, and so is every list beyond one server's.

mod login;
mod server;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::actions::Actions;
use super::front::Service;
use super::message::{Asked, Reply};

/// A GitHub token whose owner may publish for `owner`, unless a test sets others.
pub const GITHUB_TOKEN: &str = "gho_standIn";

/// The part of the metadata that the registry writes.
pub const OFFICIAL: &str = "io.modelcontextprotocol.registry/official";

/// What the registry says of a package that it can't use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It does not know the package at all.
    Package,
    /// It knows the package without this version.
    Version,
    /// The package does not name the server.
    Marker,
}

/// A version of a server.
#[derive(Debug, Clone)]
pub struct Version {
    pub server: Value,
    /// `active`, `deprecated` or `deleted`.
    pub status: String,
    /// How many reads still do not show it.
    pub hidden: usize,
}

/// A login: the names that it grants, and how often it is good.
#[derive(Debug, Clone)]
pub struct Login {
    pub patterns: Vec<String>,
    pub left: usize,
}

/// The registry.
#[derive(Debug)]
pub struct Mcp {
    pub versions: Vec<Version>,
    pub logins: BTreeMap<String, Login>,
    /// GitHub tokens, and the names of the owners that each stands for.
    pub github: BTreeMap<String, Vec<String>>,
    /// The audience of identities; without one it is the address of the registry.
    pub audience: Option<String>,
    pub actions: Actions,
    /// How often a registry's token is good.
    pub uses: usize,
    /// How many attempts fail from now, and why.
    pub failing: usize,
    pub trouble: Trouble,
    /// How many reads after a publish show nothing yet.
    pub visible_after: usize,
    stored: Vec<String>,
}

impl Default for Mcp {
    fn default() -> Mcp {
        let owners = vec!["owner".to_owned()];
        Mcp {
            versions: Vec::new(),
            logins: BTreeMap::new(),
            github: BTreeMap::from([(GITHUB_TOKEN.to_owned(), owners)]),
            audience: None,
            actions: Actions::of("owner/demo", "release.yml", "release"),
            uses: usize::MAX,
            failing: 0,
            trouble: Trouble::Version,
            visible_after: 0,
            stored: Vec::new(),
        }
    }
}

impl Mcp {
    /// The first so many attempts do not find the package that the server names.
    pub fn package_missing(attempts: usize) -> Mcp {
        Mcp {
            failing: attempts,
            ..Mcp::default()
        }
    }
}

impl Service for Mcp {
    fn answer(&mut self, asked: &Asked) -> Reply {
        if let Some(reply) = self.actions.answer(asked) {
            return reply;
        }
        let segments = asked.segments();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let ["v0" | "v0.1", rest @ ..] = &segments[..] else {
            return missing();
        };
        match (asked.method.as_str(), rest) {
            ("GET", ["ping"]) => Reply::json(200, &json!({ "pong": true })),
            ("POST", ["auth", "github-oidc"]) => self.login_with_identity(asked),
            ("POST", ["auth", "github-at"]) => self.login_with_token(asked),
            ("POST", ["publish"]) => self.publish(asked),
            ("GET", ["servers", name, "versions"]) => self.list(asked, name),
            ("GET", ["servers", name, "versions", version]) => self.get(asked, name, version),
            ("PATCH", ["servers", name, "versions", version, "status"]) => {
                self.set_status(asked, name, version)
            }
            _ => missing(),
        }
    }

    fn stored(&self) -> Vec<String> {
        self.stored.clone()
    }
}

/// A problem as the registry writes it (RFC 9457), with what is wrong in particular.
fn problem(status: u16, detail: &str, errors: &[Value]) -> Reply {
    let title = match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        _ => "Unprocessable Entity",
    };
    let mut value = json!({ "title": title, "status": status, "detail": detail });
    if !errors.is_empty() {
        value["errors"] = json!(errors);
    }
    Reply::json(status, &value).with("content-type", "application/problem+json")
}

fn because(status: u16, detail: &str, message: &str) -> Reply {
    problem(status, detail, &[json!({ "message": message })])
}

fn missing() -> Reply {
    problem(404, "Server not found", &[])
}
