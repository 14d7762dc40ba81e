//! What every SARIF 2.1.0 log (OASIS, errata 01) of this tool has in common. Pure.
//!
//! The logs keep to the subset that code-scanning services accept: relative addresses, each
//! result at a place.

use serde_json::{Map, Value, json};

/// The name that relative addresses hang on.
pub const ROOT: &str = "ROOT";

/// A log with one run of `cargo xtask <verb>`; `more` are further members of the run.
pub fn log(verb: &str, rules: &[Value], results: &[Value], more: Map<String, Value>) -> Value {
    let mut run = json!({
        "tool": { "driver": {
            "name": format!("cargo xtask {verb}"),
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": rules,
        }},
        "originalUriBaseIds": { ROOT: { "description": { "text": "The repository's root" } } },
        "columnKind": "unicodeCodePoints",
        "results": results,
    });
    if let Value::Object(run) = &mut run {
        run.extend(more);
    }
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    })
}

/// The place of a result: a line of a file of the repository.
pub fn place(path: &str, line: usize) -> Value {
    json!({
        "artifactLocation": { "uri": uri(path), "uriBaseId": ROOT },
        "region": { "startLine": line.max(1) },
    })
}

/// A relative reference (RFC 3986): everything but unreserved characters and slashes is
/// percent-encoded, and a file outside of the repository is shown by its name alone.
pub fn uri(path: &str) -> String {
    let inside = if path.starts_with('/') || path.split('/').any(|part| part == "..") {
        path.rsplit('/').next().unwrap_or(path)
    } else {
        path
    };
    let encode = |byte: u8| match byte {
        b'/' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    inside
        .trim_start_matches("./")
        .bytes()
        .map(encode)
        .collect()
}

/// The name of a rule, `PascalCase` from `kebab-case`.
pub fn pascal(id: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    id.split('-').map(capital).collect()
}

/// A text that stands for itself in a message: braces would be placeholders, brackets links
/// (SARIF 2.1.0, 3.11.5 and 3.11.6).
pub fn literal(text: &str) -> String {
    let mut message = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '{' => message.push_str("{{"),
            '}' => message.push_str("}}"),
            '[' | ']' | '\\' => message.extend(['\\', c]),
            _ => message.push(c),
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_relative_and_encoded() {
        let check = |path, expected: &str| assert_eq!(uri(path), expected);
        check("./a/b-c_d.lock", "a/b-c_d.lock");
        check("a b/é%.lock", "a%20b/%C3%A9%25.lock");
        check("/etc/x:y", "x%3Ay");
        check("a/../../secret", "secret");
        check("javascript:x", "javascript%3Ax");
    }

    #[test]
    fn messages_hold_no_links_and_no_placeholders() {
        let check = |text, expected: &str| assert_eq!(literal(text), expected);
        check("plain", "plain");
        check("[x](https://a.example)", "\\[x\\](https://a.example)");
        check("{0} \\", "{{0}} \\\\");
    }

    #[test]
    fn names_are_in_pascal_case() {
        assert_eq!(pascal("expired-ignore"), "ExpiredIgnore");
        assert_eq!(pascal("-x"), "X");
    }
}
