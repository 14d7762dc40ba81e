//! The conversation every server must be able to hold, over whatever transport: handshake,
//! list of tools, one real call (MCP specification 2025-11-25, "Lifecycle" and "Tools").

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::message::{
    self, Complaint, HANDSHAKE_VERSIONS, METHOD_NOT_FOUND, STATELESS, UNSUPPORTED_VERSION,
};
use super::{Checked, Failure};
use crate::config::Call;
use crate::error::Error;

/// Carries messages to a running server and its answers back.
pub trait Transport {
    /// `stdio` or `http`: the prefix of every check's name.
    fn name(&self) -> &'static str;

    /// From now on every request says all about itself (MCP 2026-07-28), and none belongs to
    /// a session.
    fn become_stateless(&mut self);

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// No proper answer in time.
    fn request(&mut self, method: &str, params: &Value) -> Checked<Answer>;

    /// Sends a notification.
    ///
    /// # Errors
    /// The server does not take it.
    fn notify(&mut self, method: &str) -> Checked<()>;
}

/// The check a request belongs to.
pub fn check_of(method: &str) -> &'static str {
    if method == "tools/call" {
        "call"
    } else {
        "handshake"
    }
}

/// A result, or the server's complaint.
pub type Answer = Result<Value, Complaint>;

/// So many pages of a list are asked for before it counts as endless.
const PAGE_LIMIT: usize = 1000;

/// Opens the conversation and returns the protocol version: by a handshake, or with a server
/// that has given the handshake up, without one.
///
/// # Errors
/// The server does not answer, complains, or chooses a version nobody knows.
pub fn open(transport: &mut dyn Transport) -> Checked<String> {
    let answer = transport.request("initialize", &message::initialize_params())?;
    let has_none =
        |complaint: &Complaint| [METHOD_NOT_FOUND, UNSUPPORTED_VERSION].contains(&complaint.code);
    if answer.as_ref().is_err_and(has_none) {
        transport.become_stateless();
        if discover(transport)? {
            return Ok(STATELESS.to_owned());
        }
    }
    shake_hands(transport, answer)
}

/// Lists and calls once more without a handshake, as clients do that speak MCP 2026-07-28.
/// False when the server does not claim to speak it.
///
/// # Errors
/// It claims to, but fails to list its tools or to answer the call.
pub fn without_handshake(transport: &mut dyn Transport, call: &Call) -> Checked<bool> {
    transport.become_stateless();
    // How a server says no to a method it does not know is its own affair.
    if !discover(transport).unwrap_or(false) {
        return Ok(false);
    }
    let talk = |transport: &mut dyn Transport| {
        tools(transport, &call.tool)?;
        self::call(transport, call)
    };
    talk(transport).map(|()| true).map_err(|failure| {
        let name = transport.name();
        let what = format!(
            "without a handshake (protocol {STATELESS}), {}",
            failure.error.message
        );
        let error = Error {
            message: what,
            ..failure.error
        };
        Failure::new(format!("{name}-stateless"), error)
    })
}

fn discover(transport: &mut dyn Transport) -> Checked<bool> {
    let answer = transport.request("server/discover", &json!({}))?;
    let versions = answer.ok().and_then(|result| {
        let versions = result.get("supportedVersions")?.as_array()?;
        Some(versions.contains(&json!(STATELESS)))
    });
    Ok(versions.unwrap_or(false))
}

fn shake_hands(transport: &mut dyn Transport, answer: Answer) -> Checked<String> {
    let result = accept(transport, "initialize", answer)?;
    let refuse = |what: String| Err(malformed(transport, what));
    let Some(version) = result.get("protocolVersion").and_then(Value::as_str) else {
        return refuse("the answer to initialize has no protocolVersion".to_owned());
    };
    if !HANDSHAKE_VERSIONS.contains(&version) {
        return refuse(format!(
            "asked for protocol {}, the server chose {version:?}, which is none of {}",
            message::OFFERED,
            HANDSHAKE_VERSIONS.join(", ")
        ));
    }
    for (object, field) in [("serverInfo", "name"), ("serverInfo", "version")] {
        if !result[object][field].is_string() {
            return refuse(format!(
                "the answer to initialize has no text {object}.{field}"
            ));
        }
    }
    if !result["capabilities"]["tools"].is_object() {
        return refuse(
            "the server does not declare the capability \"tools\", so that no client would ask \
             for its tools"
                .to_owned(),
        );
    }
    let version = version.to_owned();
    transport.notify("notifications/initialized")?;
    Ok(version)
}

/// Lists all tools, requires the one that will be called, and returns their names, sorted.
///
/// # Errors
/// A malformed or endless list, or one without the tool; the message names those that exist.
pub fn tools(transport: &mut dyn Transport, wanted: &str) -> Checked<Vec<String>> {
    let mut names = BTreeSet::new();
    let mut params = json!({});
    for _ in 0..PAGE_LIMIT {
        let answer = transport.request("tools/list", &params)?;
        let result = accept(transport, "tools/list", answer)?;
        let refuse = |what: String| Err(malformed(transport, what));
        let Some(tools) = result.get("tools").and_then(Value::as_array) else {
            return refuse("the answer to tools/list has no list \"tools\"".to_owned());
        };
        for tool in tools {
            let Some(name) = tool.get("name").and_then(Value::as_str) else {
                return refuse("tools/list names a tool without a name".to_owned());
            };
            if tool["inputSchema"]["type"] != "object" {
                return refuse(format!(
                    "the tool {name} has no inputSchema with \"type\": \"object\""
                ));
            }
            if !names.insert(name.to_owned()) {
                return refuse(format!("tools/list names the tool {name} twice"));
            }
        }
        match result.get("nextCursor").and_then(Value::as_str) {
            Some(cursor) => params = json!({ "cursor": cursor }),
            None => {
                require(transport, wanted, &names)?;
                return Ok(names.into_iter().collect());
            }
        }
    }
    Err(malformed(
        transport,
        format!("tools/list has no end: {PAGE_LIMIT} pages and still a nextCursor"),
    ))
}

fn require(transport: &dyn Transport, wanted: &str, names: &BTreeSet<String>) -> Checked<()> {
    if names.contains(wanted) {
        return Ok(());
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut failure = refusal(
        transport,
        "call",
        format!(
            "there is no tool {wanted:?}; the server has: {}",
            if names.is_empty() {
                "none".to_owned()
            } else {
                names.join(", ")
            }
        ),
    );
    let hint = "name a tool that exists as `tool` under [prove.call] in release.toml";
    failure.error = failure.error.hint(hint);
    Err(failure)
}

/// Makes the one real call.
///
/// # Errors
/// The server complains, or the tool itself reports an error; the message quotes it.
pub fn call(transport: &mut dyn Transport, call: &Call) -> Checked<()> {
    let params = json!({ "name": call.tool, "arguments": call.arguments });
    let answer = transport.request("tools/call", &params)?;
    let tool = &call.tool;
    let (what, hint) = match answer {
        Err(complaint) => (
            format!("calling the tool {tool} gave {}", shown(&complaint)),
            "give the arguments it needs under [prove.call] in release.toml, or mend the tool",
        ),
        Ok(result) if result.get("isError") == Some(&Value::Bool(true)) => (
            format!("the tool {tool} reports an error: {}", first_text(&result)),
            "give it arguments under [prove.call] with which it succeeds everywhere, or mend it",
        ),
        Ok(result) if !result.get("content").is_some_and(Value::is_array) => (
            format!("the answer of the tool {tool} has no list \"content\""),
            "return a CallToolResult as the specification's section \"Tools\" describes it",
        ),
        Ok(_) => return Ok(()),
    };
    let mut failure = refusal(transport, "call", what);
    failure.error = failure.error.hint(hint);
    Err(failure)
}

fn accept(transport: &dyn Transport, method: &str, answer: Answer) -> Checked<Value> {
    answer.map_err(|complaint| {
        malformed(
            transport,
            format!("the server answered {method} with {}", shown(&complaint)),
        )
    })
}

fn shown(complaint: &Complaint) -> String {
    format!("JSON-RPC error {}: {}", complaint.code, complaint.message)
}

fn malformed(transport: &dyn Transport, what: impl AsRef<str>) -> Failure {
    let mut failure = refusal(transport, "handshake", what);
    let hint = "the sections \"Lifecycle\" and \"Tools\" of the MCP specification say what a server \
                answers";
    failure.error = failure.error.hint(hint);
    failure
}

fn refusal(transport: &dyn Transport, check: &str, what: impl AsRef<str>) -> Failure {
    let name = transport.name();
    let error = Error::refused(format!("over {name}: {}", what.as_ref()));
    Failure::new(format!("{name}-{check}"), error)
}

fn first_text(result: &Value) -> String {
    let blocks = result.get("content").and_then(Value::as_array);
    let text = blocks.and_then(|blocks| {
        blocks
            .iter()
            .find_map(|block| block.get("text").and_then(Value::as_str))
    });
    let text = text.unwrap_or("without a text");
    super::shorten(text)
}
