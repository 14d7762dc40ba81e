//! One request at a time to GitHub's interface, through `octocrab`. Every status is an answer,
//! and nothing is sent twice: `octocrab` is built without the layer that would.

use std::time::Duration;

use octocrab::Octocrab;
use reqwest::header::HeaderMap;
use serde_json::Value;
use ureq::http;

use super::credential::Token;
use crate::error::{Error, Kind, Result};
use crate::printable;
use crate::registry::{Fate, Trouble, said};
use crate::world::World;
use crate::world::remote::{self, Method, shown};
use crate::world::runtime::{self, Runtime};

/// Redirects beyond this number are a circle.
const REDIRECTS: usize = 5;

/// The most that a page of a listing or any other JSON may have.
pub const JSON_LIMIT: u64 = 64 << 20;

/// Below this speed, in bytes a second, a file is not worth being sent.
const SLOWEST: u64 = 16 << 10;

/// How long GitHub asks to be left alone when it does not say for how long.
const BREATHER: Duration = Duration::from_secs(60);

const JSON: &str = "application/vnd.github+json";
const BYTES: &str = "application/octet-stream";

/// The interface of one server.
#[derive(Debug)]
pub struct Api<'run> {
    world: &'run World,
    runtime: Runtime<'run>,
    client: reqwest::Client,
    sender: reqwest::Client,
    base: String,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub enum Ask<'ask> {
    /// For JSON.
    Get,
    /// For the bytes of a file.
    Download,
    /// Something new.
    Post(&'ask Value),
    /// A change.
    Patch(&'ask Value),
    /// That something goes.
    Delete,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub bytes: Vec<u8>,
    /// The address, as it may be shown.
    pub shown: String,
}

type Tried<T> = std::result::Result<T, Trouble>;

impl<'run> Api<'run> {
    /// The interface at an address.
    ///
    /// # Errors
    /// It is no address, or not encrypted on the way to another machine.
    pub fn new(world: &'run World, base: &str, named: &str) -> Result<Api<'run>> {
        remote::place(base).map_err(|what| {
            Error::usage(format!("{named}: {}: {what}", shown(base)))
                .hint("set it to an address like https://host/path")
        })?;
        Ok(Api {
            world,
            runtime: Runtime::new(world)?,
            client: runtime::client(world)?,
            sender: runtime::sender(world)?,
            base: base.to_owned(),
        })
    }

    /// Asks once for a path below the server's address.
    ///
    /// # Errors
    /// No answer, half an answer, or one of more than `limit` bytes.
    pub fn ask(&self, token: Option<&Token>, ask: Ask<'_>, path: &str, limit: u64) -> Tried<Reply> {
        let (method, accept, body) = match ask {
            Ask::Get => (Method::GET, JSON, None),
            Ask::Download => (Method::GET, BYTES, None),
            Ask::Post(body) => (Method::POST, JSON, Some(body)),
            Ask::Patch(body) => (Method::PATCH, JSON, Some(body)),
            Ask::Delete => (Method::DELETE, JSON, None),
        };
        let address = shown(&format!("{}{path}", self.base));
        let work = async {
            let octocrab = through(&self.client, &self.base, token)?;
            let request = http::Request::builder()
                .method(method)
                .uri(path)
                .header("accept", accept);
            let request = octocrab.build_request(request, body)?;
            let response = octocrab.execute(request).await?;
            Ok(response.map(reqwest::Body::wrap).into())
        };
        self.runtime.wait(receive(address, limit, work))?
    }

    /// The bytes of a file. GitHub names the place where they are, whose address is a credential
    /// of its own: the token does not go there.
    ///
    /// # Errors
    /// As [`Api::ask`]; or the place has an address that may not be asked.
    pub fn download(&self, token: Option<&Token>, path: &str, limit: u64) -> Tried<Reply> {
        let mut reply = self.ask(token, Ask::Download, path, limit)?;
        for _ in 0..REDIRECTS {
            let location = match (is_redirect(reply.status), reply.header("location")) {
                (true, Some(location)) => location.to_owned(),
                _ => return Ok(reply),
            };
            let host = location.split(['?', '#']).next().unwrap_or_default();
            let address = shown(host);
            if remote::place(host).is_err() {
                let what = format!(
                    "{}: leads to {address}, which may not be asked",
                    reply.shown
                );
                return Err(Trouble::last(Kind::Failure, what));
            }
            let work = async {
                let asked = self.client.get(&location).header("accept", BYTES);
                asked.send().await.map_err(Failed::Plain)
            };
            reply = self.runtime.wait(receive(address, limit, work))??;
            if matches!(reply.status, 403 | 404) {
                // What it names is named anew with each request.
                let what = format!("{}: answers {}", reply.shown, reply.status);
                return Err(Trouble {
                    status: Some(reply.status),
                    ..Trouble::passing(what)
                });
            }
        }
        let what = format!("{}: redirects in a circle", reply.shown);
        Err(Trouble::last(Kind::Failure, what))
    }

    /// Sends a file once to an address that the server named.
    ///
    /// # Errors
    /// As [`Api::ask`]; or the address is not encrypted on the way to another machine.
    pub fn send(&self, token: Option<&Token>, address: &str, bytes: &[u8]) -> Tried<Reply> {
        let (host, path) = address.split_once('?').unwrap_or((address, ""));
        let parts = match remote::place(host) {
            Ok(_) => remote::split(host),
            Err(_) => None,
        };
        let Some((base, below)) = parts else {
            let what = format!("{}: not an address that files may be sent to", shown(host));
            return Err(Trouble::last(Kind::Failure, what));
        };
        let path = format!("{below}?{path}");
        let work = async {
            // The server that takes files has another host, and none of the other's path.
            let octocrab = through(&self.sender, base, token)?;
            let request = http::Request::builder()
                .method(Method::POST)
                .uri(path)
                .header("accept", JSON)
                .header("content-type", BYTES)
                .header("content-length", bytes.len())
                .body(bytes.to_vec())
                .map_err(|_| Failed::Ours("no request that can be sent"))?;
            let response = octocrab.execute(request).await?;
            Ok(response.map(reqwest::Body::wrap).into())
        };
        let seconds = bytes.len() as u64 / SLOWEST;
        let longest = runtime::SILENCE + Duration::from_secs(seconds);
        let work = async {
            let work = receive(shown(host), JSON_LIMIT, work);
            let ended = tokio::time::timeout(longest, work).await;
            ended.unwrap_or_else(|_| {
                let what = format!("{}: no answer in {} s", shown(host), longest.as_secs());
                Err(Trouble::passing(what))
            })
        };
        self.runtime.wait(work)?
    }

    /// What an answer means that is not the expected one.
    pub fn trouble(&self, reply: &Reply, token: Option<&Token>) -> Trouble {
        let now = self.world.now();
        let text = details(&reply.bytes);
        let text = token.map_or(text.clone(), |token| token.secret.blot(&text));
        let text = printable::line(&text, 400);
        let after = pause(reply, &text, now);
        let mut trouble = Trouble::of_status(&reply.shown, reply.status, &text, after);
        if after.is_some() && matches!(reply.status, 403 | 429) {
            trouble.fate = Fate::Passing { after };
            trouble.hints.clear();
        }
        trouble.request = reply.request();
        match (reply.status, token) {
            (301 | 302 | 307 | 308, _) => {
                trouble.hint("was the repository renamed? write its present name into release.toml")
            }
            (401 | 403, Some(token)) => trouble.hint(format!(
                "{} must be valid for this repository and may write its contents",
                token.from
            )),
            _ => trouble,
        }
    }
}

impl Reply {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What GitHub calls the request.
    pub fn request(&self) -> Option<String> {
        self.header("x-github-request-id").map(str::to_owned)
    }

    /// The body as JSON of some form.
    ///
    /// # Errors
    /// It is none.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Tried<T> {
        serde_json::from_slice(&self.bytes).map_err(|cause| {
            let what = format!("{}: not the JSON of GitHub: {cause}", self.shown);
            Trouble {
                status: Some(self.status),
                request: self.request(),
                ..Trouble::last(Kind::Failure, what)
            }
        })
    }
}

/// A request that came to no answer.
enum Failed {
    Client(octocrab::Error),
    Plain(reqwest::Error),
    Ours(&'static str),
}

impl From<octocrab::Error> for Failed {
    fn from(error: octocrab::Error) -> Failed {
        Failed::Client(error)
    }
}

/// An `octocrab` for a server; to be made where it runs.
fn through(
    client: &reqwest::Client,
    base: &str,
    token: Option<&Token>,
) -> std::result::Result<Octocrab, Failed> {
    let builder = Octocrab::builder().base_uri(base)?;
    let builder = match token {
        Some(token) => builder.personal_token(token.secret.reveal().to_owned()),
        None => builder,
    };
    Ok(builder.build_with_reqwest(client.clone())?)
}

/// Waits for an answer and for all of its body.
async fn receive(
    shown: String,
    limit: u64,
    work: impl Future<Output = std::result::Result<reqwest::Response, Failed>>,
) -> Tried<Reply> {
    let mut response = match work.await {
        Ok(response) => response,
        Err(Failed::Client(error)) => return Err(broken(&shown, &error)),
        Err(Failed::Plain(error)) => return Err(broken(&shown, &error)),
        Err(Failed::Ours(what)) => {
            return Err(Trouble::last(Kind::Failure, format!("{shown}: {what}")));
        }
    };
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => return Err(broken(&shown, &error)),
        }
        if bytes.len() as u64 > limit {
            let what = format!("{shown}: more than {limit} bytes");
            return Err(Trouble::last(Kind::Failure, what));
        }
    }
    Ok(Reply {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        bytes,
        shown,
    })
}

/// What a client says that got no answer. Its texts may hold addresses, so their kind is told
/// and not they.
fn broken(shown: &str, error: &(dyn std::error::Error + 'static)) -> Trouble {
    let mut cause = Some(error);
    let mut what = "the connection broke";
    while let Some(error) = cause {
        if let Some(client) = error.downcast_ref::<reqwest::Error>() {
            if client.is_timeout() {
                what = "no answer in time";
            } else if client.is_connect() {
                what = "no connection";
            }
        }
        if let Some(cause) = error.downcast_ref::<std::io::Error>()
            // What is wrong with a certificate comes in this form.
            && cause.kind() == std::io::ErrorKind::InvalidData
        {
            let what = format!("{shown}: no trusted connection: {cause}");
            return Trouble::last(Kind::Failure, what)
                .hint("a proxy that reads along needs its certificate: CURL_CA_BUNDLE=FILE.pem");
        }
        cause = error.source();
    }
    Trouble::passing(format!("{shown}: {what}"))
}

/// What GitHub says in the body of a refusal: its message, and each thing that it found wrong.
fn details(body: &[u8]) -> String {
    let mut text = said(body);
    let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
    for error in parsed["errors"].as_array().into_iter().flatten() {
        let word = |key: &str| error[key].as_str().unwrap_or_default();
        let what = match (word("message"), error.as_str()) {
            ("", None) => format!("{} {} {}", word("resource"), word("field"), word("code")),
            ("", Some(text)) => text.to_owned(),
            (message, _) => message.to_owned(),
        };
        text.push_str("; ");
        text.push_str(what.trim());
    }
    text
}

fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// Whether a refusal names this reason.
pub fn has_code(reply: &Reply, field: Option<&str>, code: &str) -> bool {
    let parsed: Value = serde_json::from_slice(&reply.bytes).unwrap_or_default();
    let errors = parsed["errors"].as_array();
    errors
        .into_iter()
        .flatten()
        .any(|error| error["code"] == code && field.is_none_or(|field| error["field"] == field))
}

/// How long GitHub wants to be left alone. It says so with 429 and also with 403, in one of
/// three ways.
fn pause(reply: &Reply, text: &str, now: jiff::Timestamp) -> Option<Duration> {
    if let Some(asked) = reply.header("retry-after") {
        return remote::after(asked, now);
    }
    if !matches!(reply.status, 403 | 429) {
        return None;
    }
    if reply.header("x-ratelimit-remaining") == Some("0") {
        let reset = reply.header("x-ratelimit-reset");
        let reset: Option<i64> = reset.and_then(|text| text.trim().parse().ok());
        let seconds = reset.map(|reset| reset.saturating_sub(now.as_second()).max(0));
        let seconds = seconds.and_then(|seconds| u64::try_from(seconds).ok());
        return Some(seconds.map_or(BREATHER, Duration::from_secs));
    }
    text.to_ascii_lowercase()
        .contains("rate limit")
        .then_some(BREATHER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderName, HeaderValue};

    fn reply(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Reply {
        let header = |(name, value): &(&'static str, &'static str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        Reply {
            status,
            headers: headers.iter().map(header).collect(),
            bytes: body.as_bytes().to_vec(),
            shown: "https://host/path".to_owned(),
        }
    }

    #[test]
    fn github_asks_for_a_pause_in_three_ways() {
        let now = jiff::Timestamp::from_second(1_000).unwrap();
        let check = |status, headers: &[_], body: &str, expected: Option<u64>| {
            let reply = reply(status, headers, body);
            let found = pause(&reply, &details(&reply.bytes), now);
            assert_eq!(found, expected.map(Duration::from_secs), "{status} {body}");
        };
        check(429, &[("retry-after", "7")], "", Some(7));
        check(403, &[("retry-after", "7")], "", Some(7));
        check(503, &[("retry-after", "7")], "", Some(7));
        let spent = ("x-ratelimit-remaining", "0");
        check(403, &[spent, ("x-ratelimit-reset", "1030")], "", Some(30));
        check(403, &[spent, ("x-ratelimit-reset", "900")], "", Some(0));
        check(403, &[spent], "", Some(60));
        let secondary = r#"{"message":"You have exceeded a secondary rate limit."}"#;
        check(403, &[], secondary, Some(60));
        check(403, &[("x-ratelimit-remaining", "9")], "{}", None);
        // The last request of an hour may be refused for what it asks.
        check(422, &[spent, ("x-ratelimit-reset", "1030")], "", None);
        check(404, &[], secondary, None);
    }

    #[test]
    fn everything_that_is_wrong_is_told() {
        let check = |body: &str, expected: &str| assert_eq!(details(body.as_bytes()), expected);
        check(r#"{"message":"Not Found"}"#, "Not Found");
        check(
            r#"{"message":"Validation Failed","errors":[
                {"resource":"ReleaseAsset","code":"already_exists","field":"name"},
                {"resource":"Release","code":"custom","message":"body is too long"}]}"#,
            "Validation Failed; ReleaseAsset name already_exists; body is too long",
        );
        check(r#"{"message":"M","errors":["why"]}"#, "M; why");
        check("<html><b>Unicorn!</b></html>", "Unicorn!");
    }

    #[test]
    fn a_reason_is_found_by_its_code() {
        let body = r#"{"errors":[{"resource":"R","code":"already_exists","field":"name"}]}"#;
        let reply = reply(422, &[], body);
        assert!(has_code(&reply, None, "already_exists"));
        assert!(has_code(&reply, Some("name"), "already_exists"));
        assert!(!has_code(&reply, Some("tag_name"), "already_exists"));
        assert!(!has_code(&reply, None, "invalid"));
    }
}
