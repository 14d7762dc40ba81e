//! What a registry of MCP servers says, and what it means. Pure.

use serde_json::Value;

use crate::artifact::Digest;
use crate::printable;
use crate::product::server_json;
use crate::registry::{Item, Level, Presence, Statement, said};

/// How much of what the registry says is shown.
pub const SHOWN: usize = 500;

/// Compares what the registry has with what it should have.
pub fn compared(found: &Value, item: &Item) -> Presence {
    if status(found) == Some("deleted") {
        return Presence::Differs {
            remote: "this version was deleted there, and its number stays taken".to_owned(),
        };
    }
    let remote = Digest::of(published(found).as_bytes());
    match remote == item.sha256 {
        true => Presence::Same {
            level: Level::Digest,
        },
        false => Presence::Differs {
            remote: remote.to_string(),
        },
    }
}

/// The published document in its canonical form, without what the registry adds to it.
pub fn published(found: &Value) -> String {
    let mut server = found["server"].clone();
    if let Some(meta) = server["_meta"].as_object_mut() {
        meta.retain(|key, _| key == server_json::PUBLISHER);
    }
    server_json::canonical(&server)
}

fn status(found: &Value) -> Option<&str> {
    found["_meta"]["io.modelcontextprotocol.registry/official"]["status"].as_str()
}

/// What the registry says is wrong, on one line: the sentence, and the reasons behind it.
pub fn complaint(body: &[u8]) -> String {
    let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
    let reasons = parsed["errors"].as_array().into_iter().flatten();
    let reasons = reasons.filter_map(|reason| reason["message"].as_str());
    let parts: Vec<&str> = parsed["detail"]
        .as_str()
        .into_iter()
        .chain(reasons)
        .collect();
    let said = match parts.is_empty() {
        true => said(body),
        false => parts.join(": "),
    };
    printable::line(&said, SHOWN)
}

/// What a refusal to publish means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The version is there already.
    Duplicate,
    /// The package index does not show the package yet.
    NotYet,
    /// The registry could not ask the index.
    Passing,
    /// Anything else.
    Final,
}

/// Tells refusals apart by the registry's own words.
pub fn refusal(text: &str) -> Refusal {
    let said = text.to_ascii_lowercase();
    if said.contains("duplicate version") {
        Refusal::Duplicate
    } else if said.contains("not found") {
        Refusal::NotYet
    } else if said.contains("failed to fetch package metadata") {
        Refusal::Passing
    } else {
        Refusal::Final
    }
}

/// Whether what the registry grants reaches a name.
pub fn role(claims: &Value, name: &str) -> Statement {
    let granted = claims["permissions"].as_array().into_iter().flatten();
    let granted: Vec<&str> = granted
        .filter(|one| one["action"] == "publish")
        .filter_map(|one| one["resource"].as_str())
        .collect();
    let reaches = |pattern: &&str| match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => *pattern == name,
    };
    if granted.is_empty() {
        return Statement::good("role", "logged in; the registry does not tell what for");
    }
    let found = format!(
        "may publish {}",
        printable::line(&granted.join(", "), SHOWN)
    );
    match granted.iter().any(reaches) {
        true => Statement::good("role", found),
        false => Statement::bad(
            "role",
            format!("{found}, and not {name}"),
            "log in as the owner of that namespace, or change mcp.name and the README's marker",
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::registry::Phase;

    #[test]
    fn refusals_are_told_apart() {
        let check = |body: Value, expected: Refusal| {
            let said = complaint(body.to_string().as_bytes());
            assert_eq!(refusal(&said), expected, "{said}");
        };
        let huma = |message: &str| {
            json!({ "title": "Bad Request", "status": 400, "detail": "Failed to publish server",
                    "errors": [{ "message": message }] })
        };
        let duplicate = "invalid version: cannot publish duplicate version";
        check(huma(duplicate), Refusal::Duplicate);
        let missing = "registry validation failed for package 0 (demo): PyPI package 'demo' not found (status: 404)";
        check(huma(missing), Refusal::NotYet);
        check(
            huma("failed to fetch package metadata from PyPI: timeout"),
            Refusal::Passing,
        );
        check(
            huma("PyPI package 'demo' ownership validation failed"),
            Refusal::Final,
        );
        check(json!({ "error": "no" }), Refusal::Final);
        assert_eq!(complaint(b"<b>no</b>"), "no");
        let said = complaint(huma(duplicate).to_string().as_bytes());
        assert_eq!(said, format!("Failed to publish server: {duplicate}"));
    }

    #[test]
    fn what_is_there_is_compared_without_what_the_registry_adds() {
        let ours = json!({ "name": "a/b", "version": "1", "_meta": { server_json::PUBLISHER: { "x": 1 } } });
        let item = Item {
            key: "a/b@1".to_owned(),
            sha256: Digest::of(server_json::canonical(&ours).as_bytes()),
            size: 1,
            phase: Phase::Main,
        };
        let official = "io.modelcontextprotocol.registry/official";
        let mut found = json!({ "server": ours, "_meta": { official: { "status": "active" } } });
        found["server"]["_meta"][official] = json!({ "id": "1" });
        found["server"]["repository"] = json!({});
        let level = Level::Digest;
        assert_eq!(compared(&found, &item), Presence::Same { level });
        found["_meta"][official]["status"] = "deprecated".into();
        assert_eq!(compared(&found, &item), Presence::Same { level });
        found["_meta"][official]["status"] = "deleted".into();
        let Presence::Differs { remote } = compared(&found, &item) else {
            panic!("it was deleted");
        };
        assert!(remote.contains("deleted"), "{remote}");
        found["_meta"] = json!({});
        found["server"]["version"] = "2".into();
        assert!(matches!(compared(&found, &item), Presence::Differs { .. }));
    }

    #[test]
    fn the_role_reaches_the_name_or_not() {
        let check = |granted: Value, sound: bool, expected: &str| {
            let statement = role(&json!({ "permissions": granted }), "io.github.one/demo");
            assert_eq!(statement.sound, sound, "{statement:?}");
            assert!(statement.found.contains(expected), "{statement:?}");
        };
        let grant = |resource: &str| json!({ "action": "publish", "resource": resource });
        check(
            json!([grant("io.github.one/*")]),
            true,
            "may publish io.github.one/*",
        );
        check(json!([grant("io.github.one/demo")]), true, "may publish");
        check(
            json!([grant("io.github.two/*")]),
            false,
            "and not io.github.one/demo",
        );
        check(
            json!([{ "action": "edit", "resource": "*" }]),
            true,
            "does not tell",
        );
        check(json!(null), true, "does not tell");
    }
}
