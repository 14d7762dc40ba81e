//! A health check that cannot succeed, or cannot fail.

use std::sync::LazyLock;

use regex::Regex;

use super::Rule;
use crate::inspect::source::{is_of_framework, serves};
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "health-check",
    stage: Stage::Deploy,
    title: "A HEALTHCHECK asks for a path that the server has",
    why: "a check on a missing path reports every container as unhealthy; one that always succeeds reports none",
    remedy: "serve the path, or ask for one that is there",
    look,
};

static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::[^/\s"']+)?(/[^\s"'|)\\]*)"#)
        .expect("it is a pattern")
});

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for file in &facts.dockerfiles {
        let Some(check) = file.last("HEALTHCHECK") else {
            continue;
        };
        let rest = check.rest.as_str();
        let inert = ["sys.exit(0)", "CMD true", "CMD exit 0", "[\"true\"]"];
        let asks = rest.contains("http") || rest.contains("connect") || rest.contains("import ");
        if inert.iter().any(|one| rest.contains(one)) && !(asks && rest.contains("urlopen")) {
            found.risk(file.path, check.line, "the health check cannot fail");
        }
        if let Some(path) = ADDRESS
            .captures(rest)
            .map(|captured| captured[1].to_owned())
        {
            judge(facts, found, (file.path, check.line), &path);
        }
    }
    for (path, _, service) in facts.compose() {
        let Some(test) = service
            .at(&["healthcheck", "test"])
            .filter(|_| service.get("build").is_some())
        else {
            continue;
        };
        let words: Vec<&str> = test
            .items()
            .iter()
            .filter_map(|node| node.text())
            .chain(test.text())
            .collect();
        if let Some(asked) = ADDRESS
            .captures(&words.join(" "))
            .map(|captured| captured[1].to_owned())
        {
            judge(facts, found, (path, test.line()), &asked);
        }
    }
}

fn judge(facts: &Facts<'_>, found: &mut Findings, (path, line): (&str, usize), asked: &str) {
    let asked = asked.split(['?', '#']).next().unwrap_or(asked);
    if facts.serves
        && facts.repository.is_whole()
        && !asked.contains('$')
        && !is_of_framework(asked)
        && !serves(facts.repository, asked)
    {
        found.breaks(
            path,
            line,
            format!("asks for {asked}, which no source of the server names"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn the_path_must_be_in_the_source() {
        let of = |check_line: &str, expected: &[&str]| {
            let text = format!("FROM a\nHEALTHCHECK CMD {check_line}\n");
            check(
                &RULE,
                &[
                    ("Dockerfile", &text),
                    ("a.py", "app = FastAPI()\n@app.get('/health')\n"),
                ],
                expected,
            );
        };
        of("curl -f http://localhost:8000/health || exit 1", &[]);
        of(
            "curl -f http://localhost:8000/ready || exit 1",
            &["breaks Dockerfile:2"],
        );
        of(
            "python -c 'import sys; sys.exit(0)'",
            &["risk Dockerfile:2"],
        );
        of("curl http://localhost/docs", &[]);
        check(
            &RULE,
            &[(
                "Dockerfile",
                "FROM a\nHEALTHCHECK CMD curl http://localhost/x\n",
            )],
            &[],
        );
    }
}
