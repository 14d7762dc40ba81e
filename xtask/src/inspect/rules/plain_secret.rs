//! A secret in a manifest, readable by everyone who can read the repository.

use super::Rule;
use crate::inspect::kubernetes::Workload;
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "plain-secret",
    stage: Stage::Deploy,
    title: "No secret is written into a manifest",
    why: "everyone with the repository, and everyone who may look at pods, has it; base64 is no protection",
    remedy: "create the Secret apart from the repository, refer to it with secretKeyRef, and change the secret",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for workload in facts.workloads() {
        for container in workload.containers() {
            for (name, value) in Workload::environment(container) {
                let text = value.text().unwrap_or_default();
                if is_secret(name, text) {
                    found.risk(
                        workload.object.path,
                        value.line(),
                        format!("{name} holds a secret in plain text"),
                    );
                }
            }
        }
    }
    for object in facts.objects().iter().filter(|one| one.kind == "Secret") {
        for key in ["data", "stringData"] {
            let entries = object.node.get(key).map_or(&[][..], |node| node.pairs());
            let filled = entries
                .iter()
                .find(|pair| is_filled(pair.value.text().unwrap_or_default()));
            if let Some(pair) = filled {
                found.risk(
                    object.path,
                    pair.key.place.line,
                    format!(
                        "{} is committed with its {}",
                        object.shown(),
                        pair.key.value
                    ),
                );
            }
        }
    }
    for (file, one) in facts.instructions().filter(|(_, one)| one.word == "ENV") {
        for pair in one.words() {
            if let Some((name, value)) = pair
                .split_once('=')
                .filter(|(name, value)| is_secret(name, value))
            {
                let _ = value;
                found.risk(
                    file.path,
                    one.line,
                    format!("{name} is a secret in every layer of the image"),
                );
            }
        }
    }
}

/// Whether a variable of this name and value is a secret.
fn is_secret(name: &str, value: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let last = upper.rsplit('_').next().unwrap_or(&upper);
    let named = matches!(last, "PASSWORD" | "PASSWD" | "TOKEN" | "SECRET" | "APIKEY")
        || upper.ends_with("API_KEY")
        || upper.ends_with("SECRET_KEY");
    let in_address = value.split_once("://").is_some_and(|(_, rest)| {
        let before = rest.split(['/', '?']).next().unwrap_or(rest);
        before.split_once('@').is_some_and(|(user, _)| {
            user.split_once(':')
                .is_some_and(|(_, word)| is_filled(word))
        })
    });
    (named && is_filled(value)) || in_address
}

/// Whether a value is one, not a place for one.
fn is_filled(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let empty = [
        "change",
        "replace",
        "your",
        "example",
        "placeholder",
        "todo",
        "xxx",
        "<",
        "$",
        "...",
    ];
    value.len() > 2
        && !empty.iter().any(|word| lower.contains(word))
        && !matches!(lower.as_str(), "true" | "false" | "none")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn names_and_addresses_tell() {
        let of = |name: &str, value: &str, expected: bool| {
            assert_eq!(is_secret(name, value), expected, "{name}={value}");
        };
        of("DB_PASSWORD", "hunter2", true);
        of(
            "MONGO_URI",
            "mongodb://admin:password@mongodb:27017/x",
            true,
        );
        of("MONGO_URI", "mongodb://mongodb:27017/x", false);
        of("MCP_TOKEN", "$(TOKEN)", false);
        of("API_KEY", "your-key-here", false);
        of("MAX_TOKENS", "4096", false);
        of("TOKEN_FILE", "/run/secret", false);
    }

    #[test]
    fn the_value_is_never_shown() {
        let text =
            "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata:\n  password: aHVudGVyMg==\n";
        check(&RULE, &[("k.yaml", text)], &["risk k.yaml:5"]);
        check(
            &RULE,
            &[("k.yaml", "apiVersion: v1\nkind: Secret\ndata: {}\n")],
            &[],
        );
        check(
            &RULE,
            &[("Dockerfile", "FROM a\nENV API_KEY=abcdef\n")],
            &["risk Dockerfile:2"],
        );
    }
}
