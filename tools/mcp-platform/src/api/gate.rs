//! Who gets in: the Host and the Origin of a request, its token, and how many it may make.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use tokio::time::Instant;

use crate::error::{Error, Kind, Result};

use super::Api;
use super::caller::Caller;
use super::problem::Problem;
use super::rate::Rate;
use super::tokens::{Token, TokenFile, find};

/// Whether tokens are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tokens {
    /// Always: it listens where others can reach it.
    Needed,
    /// When there is a file of tokens: it listens on loopback.
    NeededOnceThereAreAny,
}

/// The gate.
#[derive(Debug)]
pub struct Gate {
    /// The tokens.
    pub tokens: TokenFile,
    /// Whether they are needed.
    pub needed: Tokens,
    /// Names by which clients may call us, besides `localhost` and addresses.
    pub hosts: Vec<String>,
    /// How many requests a caller may make.
    pub rate: Rate,
}

/// Pages that say nothing of any server: anyone may ask for them.
fn is_open(path: &str) -> bool {
    matches!(path, "/" | "/docs" | "/openapi.json" | "/health" | "/ready")
        || path.starts_with("/assets/")
}

/// Pages that probes ask for, as often as they like.
fn is_probe(path: &str) -> bool {
    matches!(path, "/health" | "/ready")
}

/// Lets a request in, with its caller in its extensions, or answers why not.
pub async fn admit(State(api): State<Arc<Api>>, mut request: Request, next: Next) -> Response {
    let address = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|info| info.0.ip());
    let gate = &api.gate;
    if let Err(problem) = gate.called_rightly(&request) {
        return problem.into_response();
    }
    let path = request.uri().path();
    let open = is_open(path);
    let caller = gate.caller(request.headers(), address, (api.clock)());
    if !is_probe(path) {
        let key = match (&caller, address) {
            (Ok(caller), _) if caller.name != "local" => format!("token {}", caller.name),
            (_, Some(address)) => format!("address {address}"),
            (_, None) => "unknown".to_owned(),
        };
        if let Err(wait) = gate.rate.take(&key, Instant::now()) {
            let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX);
            return too_many(seconds.saturating_add(1)).into_response();
        }
    }
    match caller {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
        }
        Err(_) if open => {}
        Err(error) => return Problem::from(error).into_response(),
    }
    next.run(request).await
}

fn too_many(seconds: u32) -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too-many-requests",
        "Too many requests",
        "this caller makes more requests than `--rate` allows",
    )
    .again_after(seconds)
}

impl Gate {
    /// Refuses a page of somebody else that has our address under its own name (DNS rebinding), and
    /// pages of other origins.
    fn called_rightly(&self, request: &Request) -> std::result::Result<(), Problem> {
        let headers = request.headers();
        let host = host(request).ok_or_else(|| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "bad-request",
                "The request cannot be read",
                "the request names no host, or more than one",
            )
        })?;
        if !self.is_ours(&host) {
            return Err(Problem::from(
                Error::new(
                    Kind::Forbidden,
                    format!("{host:?} is not a name of this server"),
                )
                .hint("call it by its address, or start it with --host-name for each name it has"),
            ));
        }
        let refused = |what: &str| {
            Problem::from(
                Error::new(
                    Kind::Forbidden,
                    format!("the request comes from another origin ({what})"),
                )
                .hint("pages of other origins may not use this API"),
            )
        };
        let mut origins = headers.get_all(ORIGIN).iter();
        if let Some(origin) = origins.next() {
            let origin = origin.to_str().unwrap_or("?");
            let same = origin
                .strip_prefix("http://")
                .or_else(|| origin.strip_prefix("https://"))
                .is_some_and(|authority| {
                    // Behind a proxy the host may be another; then only the default port is ours.
                    authority.eq_ignore_ascii_case(&host)
                        || (!authority.contains(':') && self.is_named(authority))
                });
            if !same || origins.next().is_some() {
                return Err(refused(&format!("Origin {origin:?}")));
            }
        }
        let fetch = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let from_elsewhere = matches!(fetch("sec-fetch-site"), Some("cross-site" | "same-site"));
        let navigates = fetch("sec-fetch-mode") == Some("navigate")
            && matches!(request.uri().path(), "/" | "/docs");
        if from_elsewhere && !navigates {
            return Err(refused("Sec-Fetch-Site"));
        }
        Ok(())
    }

    /// Addresses cannot be rebound, and `localhost` is never looked up elsewhere.
    fn is_ours(&self, authority: &str) -> bool {
        let name = without_port(authority);
        let bare = name
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(name);
        bare.parse::<IpAddr>().is_ok()
            || name.eq_ignore_ascii_case("localhost")
            || self.is_named(authority)
    }

    fn is_named(&self, authority: &str) -> bool {
        let name = without_port(authority);
        self.hosts
            .iter()
            .any(|host| host.eq_ignore_ascii_case(name))
    }

    /// The tokens that let in; none where none is needed.
    fn tokens(&self) -> Result<Option<Arc<Vec<Token>>>> {
        Ok(match (self.tokens.tokens()?, self.needed) {
            (Some(tokens), _) => Some(tokens),
            (None, Tokens::NeededOnceThereAreAny) => None,
            (None, Tokens::Needed) => Some(Arc::default()),
        })
    }

    /// Whose request it is.
    fn caller(
        &self,
        headers: &HeaderMap,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Caller> {
        let Some(tokens) = self.tokens()? else {
            return Ok(Caller::local(address));
        };
        let mut given = headers.get_all(AUTHORIZATION).iter();
        let text = match (given.next(), given.next()) {
            (Some(value), None) => value.to_str().unwrap_or_default(),
            (None, _) => return Err(unknown("the request has no token")),
            (Some(_), Some(_)) => return Err(unknown("the request has more than one token")),
        };
        let token = match text.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            _ => return Err(unknown("the request has no bearer token")),
        };
        find(&tokens, token, now)
            .map(|token| Caller::of(token, address))
            .ok_or_else(|| unknown("the token is not known, was revoked or has expired"))
    }

    /// Whether somebody who was let in earlier would be let in as the same now.
    ///
    /// # Errors
    /// `Unauthenticated`, and why; the file of tokens cannot be read.
    pub fn still(&self, caller: &Caller, now: Timestamp) -> Result<()> {
        let Some(tokens) = self.tokens()? else {
            return Ok(());
        };
        let Some(proof) = &caller.proof else {
            return Err(unknown("tokens are needed now"));
        };
        let token = tokens
            .iter()
            .find(|token| token.sha256 == proof.expose() && token.is_good(now))
            .ok_or_else(|| unknown("the token was revoked or has expired"))?;
        if Caller::of(token, caller.address) == *caller {
            Ok(())
        } else {
            Err(unknown("what the token allows has changed"))
        }
    }
}

fn unknown(message: &str) -> Error {
    Error::new(Kind::Unauthenticated, message)
        .hint("send `Authorization: Bearer TOKEN`; `mcp-platform token create` makes one")
}

/// The host that the client called: of the address (HTTP/2), else of the one header.
fn host(request: &Request) -> Option<String> {
    let mut headers = request.headers().get_all(HOST).iter();
    let header = match (headers.next(), headers.next()) {
        (Some(value), None) => Some(value.to_str().ok()?.to_owned()),
        (None, _) => None,
        (Some(_), Some(_)) => return None,
    };
    let authority = request.uri().authority().map(ToString::to_string);
    match (authority, header) {
        (Some(authority), Some(header)) => {
            authority.eq_ignore_ascii_case(&header).then_some(authority)
        }
        (authority, header) => authority.or(header),
    }
    .filter(|host| !host.is_empty())
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') && !name.is_empty() => name,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::model::Name;

    use super::super::caller::Role;
    use super::super::tokens;
    use super::*;

    fn gate() -> Gate {
        Gate {
            tokens: TokenFile::new("/nowhere/tokens.toml".into()),
            needed: Tokens::NeededOnceThereAreAny,
            hosts: vec!["platform.test".to_owned()],
            rate: Rate::new(0, 1),
        }
    }

    fn check(headers: &[(&str, &str)], path: &str, good: bool) {
        let mut request = Request::builder().uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(axum::body::Body::empty()).unwrap();
        let answer = gate().called_rightly(&request);
        assert_eq!(answer.is_ok(), good, "{headers:?} {answer:?}");
    }

    #[test]
    fn hosts_are_ours() {
        check(&[("host", "127.0.0.1:8000")], "/", true);
        check(&[("host", "localhost:8000")], "/", true);
        check(&[("host", "LOCALHOST")], "/", true);
        check(&[("host", "[::1]:8000")], "/", true);
        check(&[("host", "platform.test")], "/", true);
        check(&[("host", "platform.test:443")], "/", true);
        check(&[("host", "evil.test")], "/", false);
        check(&[("host", "localhost.evil.test")], "/", false);
        check(&[("host", "127.0.0.1.evil.test:8000")], "/", false);
        check(&[("host", "a"), ("host", "127.0.0.1")], "/", false);
        check(&[], "/", false);
    }

    #[test]
    fn other_origins_are_refused() {
        let host = ("host", "127.0.0.1:8000");
        check(&[host, ("origin", "http://127.0.0.1:8000")], "/", true);
        check(&[host, ("origin", "https://platform.test")], "/", true);
        check(&[host, ("origin", "http://127.0.0.1:9000")], "/", false);
        check(&[host, ("origin", "http://evil.test")], "/", false);
        check(&[host, ("origin", "null")], "/", false);
        check(&[host, ("sec-fetch-site", "same-origin")], "/", true);
        check(&[host, ("sec-fetch-site", "none")], "/", true);
        check(&[host, ("sec-fetch-site", "cross-site")], "/api/", false);
        let cross = ("sec-fetch-site", "cross-site");
        let navigate = ("sec-fetch-mode", "navigate");
        check(&[host, cross, navigate], "/", true);
        check(&[host, cross, navigate], "/api/templates/", false);
    }

    #[test]
    fn who_was_let_in_stays_as_long_as_the_token_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.toml");
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let token = |role: Role| Token {
            name: Name::label("one").unwrap(),
            role,
            namespaces: BTreeSet::new(),
            created: at(0),
            expires: Some(at(10)),
            sha256: String::new(),
        };
        let gate = Gate {
            tokens: TokenFile::new(path.clone()),
            ..gate()
        };
        let local = Caller::local(None);
        gate.still(&local, at(5)).unwrap();
        tokens::create(&path, token(Role::Admin), &crate::world::random).unwrap();
        let made = tokens::read(&path).unwrap().unwrap();
        let caller = Caller::of(&made[0], None);
        let why = |caller: &Caller, second| gate.still(caller, at(second)).unwrap_err().message;
        gate.still(&caller, at(9)).unwrap();
        assert!(why(&caller, 10).contains("expired"));
        assert!(why(&local, 5).contains("needed"));
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("admin", "viewer")).unwrap();
        assert!(why(&caller, 5).contains("has changed"));
        tokens::revoke(&path, &Name::label("one").unwrap()).unwrap();
        assert!(why(&caller, 5).contains("revoked"));
    }
}
