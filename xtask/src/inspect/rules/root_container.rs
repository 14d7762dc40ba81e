//! A container that runs as root.

use super::Rule;
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "root-container",
    stage: Stage::Deploy,
    title: "A server's container does not run as root",
    why: "clusters that enforce the restricted profile refuse it, and a flaw in a tool is a flaw with all rights",
    remedy: "add a user and `USER 1000` in front of the entry point",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for file in &facts.dockerfiles {
        let stage = file.last_stage();
        let (Some(from), Some(start)) = (
            stage.first(),
            file.last("CMD").or_else(|| file.last("ENTRYPOINT")),
        ) else {
            continue;
        };
        let is_safe_base = ["nonroot", "chainguard", "distroless"]
            .iter()
            .any(|word| from.rest.contains(word));
        // A stage that builds on another may have its user from there.
        let inherits = file.all("FROM").any(|other| {
            let name = other.rest.split_whitespace().last().unwrap_or_default();
            other.line != from.line && from.rest.split_whitespace().next() == Some(name)
        });
        match file.last("USER") {
            Some(user) if matches!(user.rest.split(':').next(), Some("root" | "0")) => {
                found.risk(file.path, user.line, "the server runs as root");
            }
            None if !is_safe_base && !inherits && from.word == "FROM" => {
                found.risk(file.path, start.line, "no USER: the server runs as root");
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn the_last_user_of_the_last_stage_counts() {
        let of = |text: &str, expected: &[&str]| check(&RULE, &[("Dockerfile", text)], expected);
        of("FROM a:1\nUSER 1000\nCMD x\n", &[]);
        of("FROM a:1\nCMD x\n", &["risk Dockerfile:2"]);
        of(
            "FROM a:1\nUSER 1000\nUSER root\nCMD x\n",
            &["risk Dockerfile:3"],
        );
        of(
            "FROM a:1 AS b\nUSER 1000\nFROM a:1\nCMD x\n",
            &["risk Dockerfile:4"],
        );
        of("FROM a:1 AS b\nUSER 1000\nFROM b\nCMD x\n", &[]);
        of("FROM gcr.io/distroless/x:nonroot\nCMD x\n", &[]);
        of("FROM a:1\nRUN x\n", &[]);
    }
}
