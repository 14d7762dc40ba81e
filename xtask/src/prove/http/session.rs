//! Streamable HTTP as a client speaks it (MCP specification 2025-11-25, "Transports"): one
//! POST for each message, answers as JSON or as an event stream, a session that is named in
//! headers and deleted in the end.

use std::io::Read;
use std::time::Duration;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::prove::conversation::{Answer, Transport, check_of};
use crate::prove::message::{self, Message, STATELESS};
use crate::prove::server::Server;
use crate::prove::{Checked, Failure, shorten};
use crate::world::loopback::{self, Client};

const SESSION: &str = "mcp-session-id";
const VERSION: &str = "mcp-protocol-version";

/// How the endpoint is reached, and as whom.
#[derive(Debug, Clone, Copy)]
pub struct Access<'access> {
    /// The client for the server's address.
    pub client: &'access Client,
    /// The endpoint's path.
    pub endpoint: &'access str,
    /// The bearer token, when the server asks for one.
    pub token: Option<&'access str>,
    /// How long each answer may take.
    pub limit: Duration,
}

impl Access<'_> {
    /// Posts a message.
    ///
    /// # Errors
    /// No HTTP answer in time.
    pub fn post(&self, message: &Value, more: &[(&str, &str)]) -> Result<loopback::Answer> {
        self.with_headers(more, |headers| {
            let body = message.to_string();
            self.client.post(self.endpoint, headers, body.as_bytes())
        })
    }

    fn with_headers<T>(&self, more: &[(&str, &str)], call: impl FnOnce(&[(&str, &str)]) -> T) -> T {
        let bearer = self.token.map(|token| format!("Bearer {token}"));
        let mut headers = vec![
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
        ];
        headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        headers.extend(more);
        call(&headers)
    }
}

/// One client's session.
#[derive(Debug)]
pub struct Session<'session, 'world> {
    /// The server.
    pub server: &'session mut Server<'world>,
    access: Access<'session>,
    headers: Vec<(&'static str, String)>,
    asked: u64,
    is_stateless: bool,
}

impl<'session, 'world> Session<'session, 'world> {
    /// A session that has not begun.
    pub fn new(
        server: &'session mut Server<'world>,
        access: Access<'session>,
    ) -> Session<'session, 'world> {
        Session {
            server,
            access,
            headers: Vec::new(),
            asked: 0,
            is_stateless: false,
        }
    }

    /// Ends the session as a client should, and requires that it has ended then. Returns what
    /// was seen.
    ///
    /// # Errors
    /// The server fails on the request, or serves the session still.
    pub fn end(mut self) -> Checked<String> {
        if !self.headers.iter().any(|(name, _)| *name == SESSION) {
            return Ok("no sessions".to_owned());
        }
        let deleted = self.access.with_headers(&self.more(), |headers| {
            self.access.client.delete(self.access.endpoint, headers)
        });
        let status = self.answered("DELETE", deleted)?.status;
        match status {
            // The specification lets a server keep its sessions to itself.
            405 => return Ok("sessions that clients cannot end (405)".to_owned()),
            200..300 => {}
            _ => return Err(refuse("session", format!("DELETE is answered {status}"))),
        }
        self.asked += 1;
        let ping = message::request(self.asked, "ping", &serde_json::json!({}));
        let after = self.access.post(&ping, &self.more());
        match self
            .answered("a request of an ended session", after)?
            .status
        {
            200..300 => Err(refuse(
                "session",
                "a session is still served after its DELETE".to_owned(),
            )),
            after => Ok(format!("ended by DELETE, then {after}")),
        }
    }

    /// Opens the stream on which a server may send of its own accord. `None` when it has none.
    ///
    /// # Errors
    /// No HTTP answer in time.
    pub fn listen(&mut self) -> Checked<Option<loopback::Answer>> {
        let opened = self.access.with_headers(&self.more(), |headers| {
            self.access.client.get(self.access.endpoint, headers)
        });
        let answer = self.answered("GET", opened)?;
        Ok((answer.status == 200).then_some(answer))
    }

    fn more(&self) -> Vec<(&str, &str)> {
        let headers = self.headers.iter();
        headers
            .map(|(name, value)| (*name, value.as_str()))
            .collect()
    }

    fn answered<T>(&mut self, method: &str, result: Result<T>) -> Checked<T> {
        match result {
            Ok(answer) => Ok(answer),
            Err(_) => {
                let awaited = format!("its answer to {method}");
                let limit = self.access.limit;
                Err(self.server.silence(check_of(method), &awaited, limit)?)
            }
        }
    }

    fn post(&mut self, method: &str, message: &Value) -> Checked<loopback::Answer> {
        let posted = self.access.post(message, &self.more());
        self.answered(method, posted)
    }

    /// The response to a request. A server may send its complaint with a status of its own.
    fn judged(&mut self, method: &str, answer: loopback::Answer) -> Checked<Answer> {
        let (status, media_type) = (answer.status, answer.media_type.clone());
        if (200..300).contains(&status) {
            return self.response(method, answer);
        }
        let body = answer.bytes().unwrap_or_default();
        if let Ok(Message::Response {
            outcome: Err(complaint),
            ..
        }) = message::read(&body)
            && !matches!(status, 401 | 403)
        {
            return Ok(Err(complaint));
        }
        Err(self.refused(method, status, &media_type, &body))
    }

    fn refused(&self, method: &str, status: u16, media_type: &str, body: &[u8]) -> Failure {
        let endpoint = self.access.endpoint;
        let body = shorten(String::from_utf8_lossy(body).trim());
        let mut failure = refuse(
            "handshake",
            format!("{method}, a POST to {endpoint}, is answered {status} ({media_type}): {body}"),
        );
        let hint = match status {
            404 | 405 => "name the right path as `endpoint` under [prove.http] in release.toml",
            401 | 403 => {
                "hand the token over as the server expects it: `{token}` under \
                 [prove.http.environment]"
            }
            _ => "the section \"Transports\" of the MCP specification says what a client sends",
        };
        failure.error.hints = vec![hint.to_owned()];
        failure
    }

    /// The response to our request out of the answer's body, whatever its form.
    fn response(&mut self, method: &str, answer: loopback::Answer) -> Checked<Answer> {
        match answer.media_type.as_str() {
            "application/json" => {
                let bytes = answer.bytes().map_err(|cause| broken(method, &cause))?;
                match self.judge(method, &bytes)? {
                    Message::Response { outcome, .. } => Ok(outcome),
                    _ => Err(refuse(
                        "handshake",
                        format!("the answer to {method} is no response"),
                    )),
                }
            }
            "text/event-stream" => self.response_from_stream(method, answer.reader()),
            other => Err(refuse(
                "handshake",
                format!(
                    "the answer to {method} has the type {other:?}, neither application/json nor \
                     text/event-stream"
                ),
            )),
        }
    }

    fn response_from_stream(&mut self, method: &str, mut stream: impl Read) -> Checked<Answer> {
        let mut received = Vec::new();
        let mut piece = [0; 8192];
        loop {
            while let Some(data) = message::take_event(&mut received) {
                if data.is_empty() {
                    continue;
                }
                match self.judge(method, data.as_bytes())? {
                    Message::Response { outcome, .. } => return Ok(outcome),
                    Message::Request { id, method } => {
                        let reply = message::reply(&id, &method);
                        self.post("an answer to the server", &reply)?;
                    }
                    Message::Notification => {}
                }
            }
            match stream.read(&mut piece) {
                Ok(0) => {
                    let what = format!("the event stream for {method} ends without a response");
                    return Err(refuse("handshake", what));
                }
                Ok(count) => received.extend_from_slice(&piece[..count]),
                Err(cause) => return Err(broken(method, &cause)),
            }
        }
    }

    fn judge(&self, method: &str, bytes: &[u8]) -> Checked<Message> {
        let shown = || shorten(&String::from_utf8_lossy(bytes));
        let message = message::read(bytes).map_err(|why| {
            let shown = shown();
            let what =
                format!("the answer to {method} is no MCP message (it {why}):\n    | {shown}");
            refuse("handshake", what)
        })?;
        match &message {
            Message::Response { id, .. } if id.as_u64() != Some(self.asked) => Err(refuse(
                "handshake",
                format!(
                    "the answer to {method} has the id {id}, not {}:\n    | {}",
                    self.asked,
                    shown()
                ),
            )),
            _ => Ok(message),
        }
    }
}

impl Transport for Session<'_, '_> {
    fn name(&self) -> &'static str {
        "http"
    }

    fn become_stateless(&mut self) {
        self.is_stateless = true;
        self.headers.clear();
    }

    fn request(&mut self, method: &str, params: &Value) -> Checked<Answer> {
        self.asked += 1;
        let request = if self.is_stateless {
            self.headers = stateless_headers(method, params);
            message::request(self.asked, method, &message::stateless_params(params))
        } else {
            message::request(self.asked, method, params)
        };
        let answer = self.post(method, &request)?;
        let session = answer.header(SESSION).map(str::to_owned);
        let response = self.judged(method, answer)?;
        if method == "initialize" {
            self.headers
                .extend(session.map(|session| (SESSION, session)));
            let version = response
                .as_ref()
                .ok()
                .and_then(|it| it["protocolVersion"].as_str());
            self.headers
                .extend(version.map(|version| (VERSION, version.to_owned())));
        }
        Ok(response)
    }

    fn notify(&mut self, method: &str) -> Checked<()> {
        let answer = self.post(method, &message::notification(method))?;
        let (status, media_type) = (answer.status, answer.media_type.clone());
        if (200..300).contains(&status) {
            return Ok(());
        }
        let body = answer.bytes().unwrap_or_default();
        Err(self.refused(method, status, &media_type, &body))
    }
}

/// What a request of the stateless version says about itself in headers too.
fn stateless_headers(method: &str, params: &Value) -> Vec<(&'static str, String)> {
    let mut headers = vec![
        (VERSION, STATELESS.to_owned()),
        ("mcp-method", method.to_owned()),
    ];
    let name = params["name"].as_str();
    headers.extend(name.map(|name| ("mcp-name", name.to_owned())));
    headers
}

fn refuse(check: &str, what: impl std::fmt::Display) -> Failure {
    let error = Error::refused(format!("over http: {what}"))
        .hint("the section \"Transports\" of the MCP specification says what a server answers");
    Failure::new(format!("http-{check}"), error)
}

fn broken(method: &str, cause: &std::io::Error) -> Failure {
    let what = format!("the answer to {method} breaks off: {cause}");
    refuse("handshake", what)
}
