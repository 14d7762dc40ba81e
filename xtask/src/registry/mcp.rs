//! A registry of MCP servers: it is told where a package is, and keeps what it was told for ever.
//!
//! A version is published once; what is there is read by name and version and compared in the
//! canonical form. The registry asks the package index itself whether the package names this
//! server, so it cannot be told before the index shows the package. Its own credential lasts for
//! minutes, so that every attempt logs in anew.

mod answer;

use serde_json::{Value, json};

use super::{
    Answered, Attempt, Item, Opening, Phase, Presence, Registry, Statement, Trouble, identity,
    trouble,
};
use crate::artifact::{Digest, Kind};
use crate::config::publish::McpLogin;
use crate::error::{Error, Kind as ErrorKind, Result};
use crate::printable;
use crate::product::server_json;
use crate::world::World;
use crate::world::remote::{Answer, Method, Patience, Remote};
use crate::world::secret::Secret;
use answer::{Refusal, compared, complaint, published, refusal, role};

/// The variables that a GitHub access token is looked for in.
const VARIABLES: [&str; 2] = ["MCP_GITHUB_TOKEN", "GITHUB_TOKEN"];

/// The largest answer.
const LIMIT: u64 = 4 << 20;

/// The opened registry.
#[derive(Debug)]
pub struct Mcp<'run> {
    world: &'run World,
    remote: Remote<'run>,
    audience: String,
    login: McpLogin,
    name: String,
    version: String,
    items: Vec<Item>,
    text: Vec<u8>,
}

impl<'run> Mcp<'run> {
    /// Opens the registry of a target.
    ///
    /// # Errors
    /// `release.toml` has no `[mcp]`, or the release no `server.json`.
    pub fn open(opening: Opening<'run>, url: &str, login: McpLogin) -> Result<Mcp<'run>> {
        let Opening {
            world,
            config,
            release,
            target,
        } = opening;
        let named = format!("target.{}.url", target.name);
        let mcp = config.mcp.as_ref().ok_or_else(|| {
            Error::usage("release.toml has no [mcp], so there is nothing to tell a registry")
                .hint("add `[mcp]` with `name`, such as io.github.OWNER/SERVER")
        })?;
        let mut opened = Mcp {
            world,
            remote: Remote::new(world, url, &named, Patience::default())?,
            audience: url.to_owned(),
            login,
            name: mcp.name.clone(),
            version: release.manifest.version.clone(),
            items: Vec::new(),
            text: Vec::new(),
        };
        // Credentials can be looked at before there is a release.
        if release.manifest.artifacts.is_empty() {
            return Ok(opened);
        }
        let (artifact, bytes) = release.only(Kind::ServerJson)?;
        let document: Value = serde_json::from_slice(bytes)
            .map_err(|cause| Error::failure(format!("dist/{}: {cause}", artifact.path)))?;
        if document["name"] != *mcp.name {
            return Err(Error::conflict(format!(
                "dist/{} names {}, and [mcp] in release.toml {}",
                artifact.path, document["name"], mcp.name
            ))
            .hint("make it anew: cargo xtask release"));
        }
        opened.text = server_json::canonical(&document).into_bytes();
        opened.items = vec![Item {
            key: format!("{}@{}", opened.name, opened.version),
            sha256: Digest::of(&opened.text),
            size: opened.text.len() as u64,
            phase: Phase::Main,
        }];
        Ok(opened)
    }

    fn path(&self) -> String {
        let encoded =
            |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        format!(
            "/v0.1/servers/{}/versions/{}?include_deleted=true",
            encoded(&self.name),
            encoded(&self.version)
        )
    }

    /// What the registry has of this version; `None` when it has none.
    fn found(&self) -> Attempt<Option<Value>> {
        let path = self.path();
        let answer = self.send(Method::GET, &path, &[], None)?;
        let value = match answer.status {
            200 => {
                let parsed: Option<Value> = serde_json::from_slice(&answer.bytes).ok();
                let parsed = parsed.filter(|value| value["server"].is_object());
                Some(parsed.ok_or_else(|| {
                    let shown = self.remote.shown(&path);
                    let what = format!("{shown}: the answer is none of an MCP registry");
                    Trouble::last(ErrorKind::Failure, what)
                        .hint(format!("is {} its address?", self.audience))
                })?)
            }
            404 => None,
            _ => return Err(self.trouble(&path, &answer, &[])),
        };
        Ok(answered(value, &answer))
    }

    fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> std::result::Result<Answer, Trouble> {
        let own = [
            ("accept", "application/json"),
            ("content-type", "application/json"),
        ];
        // Without a body there is no type of it.
        let own = own.get(..1 + usize::from(body.is_some()));
        let headers = [own.unwrap_or_default(), headers].concat();
        let sent = self.remote.send(method, path, &headers, body, LIMIT);
        sent.map_err(|trouble| Trouble::of_network(&self.remote.shown(path), trouble))
    }

    fn trouble(&self, path: &str, answer: &Answer, secrets: &[&Secret]) -> Trouble {
        let said = complaint(&answer.bytes);
        let said = secrets.iter().fold(said, |said, secret| secret.blot(&said));
        Trouble::of_answer(&self.remote.shown(path), answer, &said, self.world.now())
    }

    /// Logs in, for one attempt.
    fn log_in(&self) -> std::result::Result<Secret, Trouble> {
        let (path, key, proof) = match self.login {
            McpLogin::GithubOidc => {
                let token = identity::token(self.world, &self.audience)?.value;
                ("/v0.1/auth/github-oidc", "oidc_token", token)
            }
            McpLogin::Github => ("/v0.1/auth/github-at", "github_token", self.github_token()?),
        };
        let body = json!({ key: proof.reveal() }).to_string();
        let answer = self.send(Method::POST, path, &[], Some(body.as_bytes()))?;
        if answer.status != 200 {
            let trouble = self.trouble(path, &answer, &[&proof]);
            return Err(match (answer.status, self.login) {
                (401 | 403, McpLogin::GithubOidc) => trouble.hint(format!(
                    "the registry must expect the audience {}",
                    self.audience
                )),
                (401 | 403, McpLogin::Github) => trouble.hint(
                    "it needs a token of a user: the one that GitHub gives to a job names none",
                ),
                _ => trouble,
            });
        }
        let parsed: Value = serde_json::from_slice(&answer.bytes).unwrap_or_default();
        let token = parsed["registry_token"].as_str().unwrap_or_default();
        match token.is_empty() {
            false => Ok(Secret::new(token)),
            true => {
                let what = format!("{}: the answer has no token", self.remote.shown(path));
                Err(Trouble::last(ErrorKind::Failure, what))
            }
        }
    }

    fn github_token(&self) -> Result<Secret> {
        let mut values = VARIABLES
            .iter()
            .filter_map(|name| self.world.variable(name));
        let token = values.next().map(Secret::new);
        token.ok_or_else(|| {
            Error::precondition(format!("{} is not set", VARIABLES.join(" or "))).hint(format!(
                "set {} to a GitHub access token; the scope read:org is needed for an \
                 organisation's servers",
                VARIABLES[0]
            ))
        })
    }
}

fn answered<T>(value: T, answer: &Answer) -> Answered<T> {
    Answered {
        value,
        status: Some(answer.status),
        request: trouble::request_id(answer),
    }
}

impl Registry for Mcp<'_> {
    fn takes(&self) -> &[Item] {
        &self.items
    }

    fn presence(&self, items: &[&Item]) -> Attempt<Vec<Presence>> {
        if items.is_empty() {
            return Ok(Answered::plain(Vec::new()));
        }
        let Answered {
            value,
            status,
            request,
        } = self.found()?;
        let presence = |item: &&Item| match &value {
            None => Presence::Absent,
            Some(found) => compared(found, item),
        };
        Ok(Answered {
            value: items.iter().map(presence).collect(),
            status,
            request,
        })
    }

    fn ready(&self) -> Result<()> {
        match self.login {
            McpLogin::Github => self.github_token().map(drop),
            McpLogin::GithubOidc if identity::is_available(self.world) => Ok(()),
            McpLogin::GithubOidc => Err(Error::precondition(
                "no identity to log in with: this is no GitHub Actions job that may ask for one",
            )
            .hint(identity::HOW)
            .hint("or log in with an access token: login = \"github\" in release.toml")),
        }
    }

    fn upload(&self, _item: &Item) -> Attempt<()> {
        let token = self.log_in()?;
        let path = "/v0.1/publish";
        let authorization = format!("Bearer {}", token.reveal());
        let headers = [("authorization", authorization.as_str())];
        let answer = self.send(Method::POST, path, &headers, Some(&self.text))?;
        if matches!(answer.status, 200 | 201) {
            return Ok(answered((), &answer));
        }
        let trouble = self.trouble(path, &answer, &[&token]);
        if answer.status != 400 {
            return Err(trouble);
        }
        let fate = match refusal(&complaint(&answer.bytes)) {
            Refusal::Duplicate => return Ok(answered((), &answer)),
            Refusal::NotYet => Trouble::not_yet("").fate,
            Refusal::Passing => Trouble::passing("").fate,
            Refusal::Final => {
                return Err(trouble.hint(
                    "the registry looks at the package on the index: what it shows of an older \
                     version may take some minutes to go",
                ));
            }
        };
        Err(Trouble { fate, ..trouble })
    }

    fn fetch(&self, item: &Item) -> Attempt<Option<Vec<u8>>> {
        let Answered {
            value,
            status,
            request,
        } = self.found()?;
        let Some(found) = value else {
            return Err(Trouble::not_yet(format!("{}: is not shown", item.key)));
        };
        Ok(Answered {
            value: Some(published(&found).into_bytes()),
            status,
            request,
        })
    }

    fn identity(&self) -> Result<Vec<Statement>> {
        self.ready()?;
        let mut statements = Vec::new();
        if self.login == McpLogin::GithubOidc {
            let token = identity::token(self.world, &self.audience);
            let token = token.map_err(|trouble| trouble.into_error(1))?.value;
            let claims = identity::telling(&identity::claims(&token));
            let expected = format!(
                "{claims}; the registry must expect the audience {}, and grants \
                 io.github.REPOSITORY_OWNER/*",
                self.audience
            );
            statements.push(Statement::good("claims", expected));
        }
        // Logging in publishes nothing, and tells what may be published.
        let token = self.log_in().map_err(|trouble| trouble.into_error(1))?;
        let claims = identity::claims(&token);
        if let Some(subject) = claims["auth_method_sub"].as_str() {
            statements.push(Statement::good(
                "identity",
                printable::line(subject, answer::SHOWN),
            ));
        }
        statements.push(role(&claims, &self.name));
        if let Some(ends) = claims["exp"].as_i64() {
            let ends = jiff::Timestamp::from_second(ends).unwrap_or_default();
            statements.push(Statement::good("expires", ends.to_string()));
        }
        Ok(statements)
    }
}
