//! A `server.json` that the registry of MCP servers refuses.

use serde_json::Value;

use super::Rule;
use crate::inspect::repository::{file_name, is_foreign, line_of};
use crate::inspect::{Facts, Findings, Stage};
use crate::product::server_json::schema;

/// The rule.
pub static RULE: Rule = Rule {
    id: "server-json",
    stage: Stage::Publish,
    title: "`server.json` is what the MCP registry takes",
    why: "publishing fails with a schema error: a description over 100 characters, a default that is no text, a missing field",
    remedy: "correct it, or have `cargo xtask release` write it from [mcp] in release.toml",
    look,
};

/// The schema that the tool knows, as documents name it.
const SCHEMA: &str = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";
/// Where all its versions are.
const SCHEMAS: &str = "https://static.modelcontextprotocol.io/schemas/";

/// Every `server.json` that describes a server to the registry: path, text, document.
pub fn documents<'facts>(facts: &'facts Facts<'_>) -> Vec<(&'facts str, &'facts str, Value)> {
    let texts = facts.repository.texts.iter();
    texts
        .filter(|(path, _)| file_name(path) == "server.json" && !is_foreign(path))
        .filter_map(|(path, text)| {
            let value: Value = serde_json::from_str(text).ok()?;
            let is_server = value.get("packages").is_some()
                || value.get("remotes").is_some()
                || value
                    .get("$schema")
                    .and_then(Value::as_str)
                    .is_some_and(|one| one.contains("modelcontextprotocol"));
            is_server.then_some((path.as_str(), text.as_str(), value))
        })
        .collect()
}

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for (path, text, value) in documents(facts) {
        let named = value.get("$schema").and_then(Value::as_str);
        match named {
            Some(SCHEMA) | None => {}
            Some(other) if other.starts_with(SCHEMAS) => {
                let message = format!("names an older schema: {other}");
                found
                    .risk(path, line_of(text, "\"$schema\""), message)
                    .remedy(format!("migrate it to {SCHEMA}"));
                general(found, path, text, &value);
                continue;
            }
            Some(other) => {
                found.breaks(
                    path,
                    line_of(text, "\"$schema\""),
                    format!("names an unknown schema: {other}"),
                );
                continue;
            }
        }
        for problem in schema::problems(&value) {
            let key = problem.split([':', ' ']).next().unwrap_or_default();
            let last = key
                .rsplit(['/', '.'])
                .find(|part| part.chars().any(char::is_alphabetic));
            let line = line_of(text, &format!("\"{}\"", last.unwrap_or_default()));
            found.breaks(path, line, problem);
        }
    }
}

/// What holds under every schema.
fn general(found: &mut Findings, path: &str, text: &str, value: &Value) {
    const MOST: usize = 100;
    let length = value
        .get("description")
        .and_then(Value::as_str)
        .map_or(0, |text| text.chars().count());
    if length > MOST {
        let message = format!("the description has {length} characters; {MOST} are allowed");
        found.breaks(path, line_of(text, "\"description\""), message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    fn of(change: (&str, &str), expected: &[&str]) {
        let text = format!(
            "{{\n\"$schema\": \"{SCHEMA}\",\n\"name\": \"io.github.a/b\",\n\"description\": \"What it does\",\n\"version\": \"1.0.0\",\n\"packages\": [{{\"registryType\": \"pypi\", \"identifier\": \"b\", \"version\": \"1.0.0\", \"transport\": {{\"type\": \"stdio\"}},\n\"environmentVariables\": [{{\"name\": \"X\",\n\"default\": \"1\"}}]}}]\n}}"
        );
        assert!(text.contains(change.0), "{}", change.0);
        check(
            &RULE,
            &[("server.json", &text.replace(change.0, change.1))],
            expected,
        );
    }

    #[test]
    fn the_schema_holds() {
        of(("1.0.0", "1.0.0"), &[]);
        of(
            ("What it does", &"x".repeat(101)),
            &["breaks server.json:4"],
        );
        of(
            ("\"default\": \"1\"", "\"default\": 1"),
            &["breaks server.json:8"],
        );
        of(("io.github.a/b", "no name"), &["breaks server.json:3"]);
        of(("2025-12-11", "2025-07-09"), &["risk server.json:2"]);
        of(
            (
                "static.modelcontextprotocol.io",
                "a.example/modelcontextprotocol",
            ),
            &["breaks server.json:2"],
        );
        check(
            &RULE,
            &[
                ("server.json", "{\"port\": 1}"),
                ("tests/server.json", "{\"packages\": 1}"),
            ],
            &[],
        );
    }
}
