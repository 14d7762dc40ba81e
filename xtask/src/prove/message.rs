//! JSON-RPC 2.0 messages as MCP uses them (specification 2025-11-25, "Base protocol"):
//! written, read and judged. Pure.

use serde_json::{Value, json};

/// The newest protocol version that begins with the `initialize` handshake.
pub const OFFERED: &str = "2025-11-25";

/// The versions a server may choose in the handshake.
pub const HANDSHAKE_VERSIONS: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", OFFERED];

/// The version that has given up the handshake: each request says all about itself.
pub const STATELESS: &str = "2026-07-28";

/// JSON-RPC 2.0: the method does not exist.
pub const METHOD_NOT_FOUND: i64 = -32601;

/// MCP 2026-07-28: the server does not speak the version asked for.
pub const UNSUPPORTED_VERSION: i64 = -32022;

/// What a server may send.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// The answer to one of our requests.
    Response {
        /// The request's id.
        id: Value,
        /// Its result or the server's complaint.
        outcome: Result<Value, Complaint>,
    },
    /// A request of the server's own.
    Request {
        /// The id to answer with.
        id: Value,
        /// The method.
        method: String,
    },
    /// A message that wants no answer.
    Notification,
}

/// A JSON-RPC error object.
#[derive(Debug, Clone, PartialEq)]
pub struct Complaint {
    /// The error code.
    pub code: i64,
    /// What the server says about it.
    pub message: String,
}

/// A request.
pub fn request(id: u64, method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

/// A notification without parameters.
pub fn notification(method: &str) -> Value {
    json!({ "jsonrpc": "2.0", "method": method })
}

/// What we answer to a request of the server's: we declare no abilities, so that only `ping`
/// has a result.
pub fn reply(id: &Value, method: &str) -> Value {
    if method == "ping" {
        json!({ "jsonrpc": "2.0", "id": id, "result": {} })
    } else {
        let error =
            json!({ "code": METHOD_NOT_FOUND, "message": "this client has no such method" });
        json!({ "jsonrpc": "2.0", "id": id, "error": error })
    }
}

/// The parameters of `initialize`.
pub fn initialize_params() -> Value {
    json!({
        "protocolVersion": OFFERED,
        "capabilities": {},
        "clientInfo": client_info(),
    })
}

/// Parameters with what a request of the version [`STATELESS`] says about itself.
pub fn stateless_params(params: &Value) -> Value {
    let mut params = params.clone();
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": STATELESS,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": client_info(),
    });
    params
}

fn client_info() -> Value {
    json!({ "name": "cargo-xtask-prove", "version": env!("CARGO_PKG_VERSION") })
}

/// Reads one message.
///
/// # Errors
/// Why it is none, as the rest of a sentence that begins with "it".
pub fn read(bytes: &[u8]) -> Result<Message, String> {
    let value: Value =
        serde_json::from_slice(bytes).map_err(|cause| format!("is not JSON: {cause}"))?;
    let Value::Object(mut object) = value else {
        return Err("is not a JSON object".to_owned());
    };
    if object.get("jsonrpc") != Some(&json!("2.0")) {
        return Err("lacks \"jsonrpc\": \"2.0\"".to_owned());
    }
    let id = object.remove("id");
    if let Some(method) = object.get("method") {
        let method = method.as_str().ok_or("has a method that is not a string")?;
        return match id {
            None => Ok(Message::Notification),
            Some(id) if id.is_string() || id.is_number() => Ok(Message::Request {
                id,
                method: method.to_owned(),
            }),
            Some(_) => Err("has an id that is neither a string nor a number".to_owned()),
        };
    }
    let outcome = match (object.remove("result"), object.remove("error")) {
        (Some(result), None) if result.is_object() => Ok(result),
        (Some(_), None) => return Err("has a result that is not an object".to_owned()),
        (None, Some(error)) => Err(complaint(&error)?),
        _ => return Err("has neither a method nor exactly one of result and error".to_owned()),
    };
    // An error about a message that could not be read has no id, or the id null.
    let id = id.unwrap_or(Value::Null);
    Ok(Message::Response { id, outcome })
}

fn complaint(error: &Value) -> Result<Complaint, String> {
    let code = error.get("code").and_then(Value::as_i64);
    let message = error.get("message").and_then(Value::as_str);
    match (code, message) {
        (Some(code), Some(message)) => Ok(Complaint {
            code,
            message: message.to_owned(),
        }),
        _ => Err("has an error without a whole-number code and a message".to_owned()),
    }
}

/// Takes the first whole Server-Sent Event (WHATWG HTML, section 9.2.6) out of what has come
/// so far and returns its data; `None` when no event is whole yet. Events without data, which
/// servers send to keep a connection open, come out as empty text.
pub fn take_event(received: &mut Vec<u8>) -> Option<String> {
    let (end, next) = event_end(received)?;
    let event: Vec<u8> = received.drain(..next).take(end).collect();
    let text = String::from_utf8_lossy(&event).replace("\r\n", "\n");
    let data = text.split(['\n', '\r']).filter_map(|line| {
        let data = line.strip_prefix("data")?;
        match data.strip_prefix(':') {
            Some(data) => Some(data.strip_prefix(' ').unwrap_or(data)),
            None => data.is_empty().then_some(""),
        }
    });
    Some(data.collect::<Vec<&str>>().join("\n"))
}

/// Where the first event ends and where the next one begins.
fn event_end(received: &[u8]) -> Option<(usize, usize)> {
    ["\r\n\r\n", "\n\n", "\r\r"]
        .into_iter()
        .filter_map(|mark| {
            let at = received
                .windows(mark.len())
                .position(|window| window == mark.as_bytes())?;
            Some((at, at + mark.len()))
        })
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_messages_are_messages() {
        let check = |text: &str, expected: &str| {
            let found = match read(text.as_bytes()) {
                Ok(Message::Response { outcome: Ok(_), .. }) => "result".to_owned(),
                Ok(Message::Response {
                    outcome: Err(error),
                    ..
                }) => format!("error {}", error.code),
                Ok(Message::Request { method, .. }) => format!("request {method}"),
                Ok(Message::Notification) => "notification".to_owned(),
                Err(why) => why,
            };
            assert_eq!(found, expected, "{text}");
        };
        check(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, "result");
        check(
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"m"}}"#,
            "error -32700",
        );
        check(
            r#"{"jsonrpc":"2.0","id":"a","method":"ping"}"#,
            "request ping",
        );
        check(r#"{"jsonrpc":"2.0","method":"m"}"#, "notification");
        check("starting", "is not JSON: expected value at line 1 column 1");
        check(
            "",
            "is not JSON: EOF while parsing a value at line 1 column 0",
        );
        check("[]", "is not a JSON object");
        check(r#"{"id":1,"result":{}}"#, r#"lacks "jsonrpc": "2.0""#);
        check(
            r#"{"jsonrpc":"2.0","id":1}"#,
            "has neither a method nor exactly one of result and error",
        );
        check(
            r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}}"#,
            "has neither a method nor exactly one of result and error",
        );
        check(
            r#"{"jsonrpc":"2.0","id":[1],"method":"m"}"#,
            "has an id that is neither a string nor a number",
        );
    }

    #[test]
    fn events_are_taken_one_by_one() {
        let check = |text: &str, expected: &[&str], rest: &str| {
            let mut received = text.as_bytes().to_vec();
            let found: Vec<String> = std::iter::from_fn(|| take_event(&mut received)).collect();
            assert_eq!(found, expected, "{text:?}");
            assert_eq!(received, rest.as_bytes(), "{text:?}");
        };
        check("event: message\ndata: {}\n\n", &["{}"], "");
        check("data: a\r\ndata:b\r\n\r\ndata: c", &["a\nb"], "data: c");
        check(": ping\n\nid: 1\ndata:\n\n", &["", ""], "");
        check("data: a\n", &[], "data: a\n");
    }
}
