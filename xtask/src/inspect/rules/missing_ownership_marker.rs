//! A package that does not say which name it has in the registry of MCP servers.

use std::sync::LazyLock;

use regex::Regex;

use super::Rule;
use crate::inspect::project::Project;
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "missing-ownership-marker",
    stage: Stage::Publish,
    title: "The README in the wheel carries `mcp-name` of the server",
    why: "the MCP registry accepts a package from the index only with it, and a published version cannot be changed",
    remedy: "add a line `<!-- mcp-name: NAME -->` to the README before the version is published",
    look,
};

static CONFIGURED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?m)^\[mcp\]\s*\n(?:[^\[\n].*\n|\n)*?name\s*=\s*"([^"]+)""#)
        .expect("it is a pattern")
});

fn look(facts: &Facts<'_>, found: &mut Findings) {
    let servers: Vec<&Project<'_>> = facts.servers().collect();
    let [server] = servers.as_slice() else {
        return;
    };
    let Some(name) = name(facts) else {
        return;
    };
    let Some((readme, _)) = &server.readme else {
        let message = format!("no readme goes into the wheel, so nothing carries mcp-name: {name}");
        found.breaks(
            server.path,
            server.name.as_ref().map_or(1, |name| name.line),
            message,
        );
        return;
    };
    let path = crate::inspect::repository::beside(server.folder, &readme.text);
    let Some((path, text)) =
        path.and_then(|path| Some((path.clone(), facts.repository.text(&path)?)))
    else {
        return;
    };
    let marker = format!("mcp-name: {name}");
    let bounded = |at: usize| {
        let next = text[at + marker.len()..].chars().next();
        next.is_none_or(|c| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '_' | '-' | '/'))
    };
    if !text.match_indices(&marker).any(|(at, _)| bounded(at)) {
        found
            .breaks(&path, 1, format!("does not carry `{marker}`"))
            .remedy(format!("add a line: <!-- {marker} -->"));
    }
}

/// The name in `server.json` with a package of the index, or under `[mcp]` in `release.toml`.
fn name(facts: &Facts<'_>) -> Option<String> {
    let configured = facts.repository.text("release.toml").and_then(|text| {
        CONFIGURED
            .captures(text)
            .map(|captured| captured[1].to_owned())
    });
    configured.or_else(|| {
        let (_, _, value) = super::server_json::documents(facts).into_iter().next()?;
        let packages = value.get("packages")?.as_array()?;
        let of_index = packages.iter().any(|one| {
            let kind = one.get("registryType").or_else(|| one.get("registry_type"));
            kind.and_then(serde_json::Value::as_str) == Some("pypi")
        });
        let name = value.get("name")?.as_str()?;
        of_index.then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    fn of(readme: &str, more: (&str, &str), expected: &[&str]) {
        let manifest =
            "[project]\nname = \"a\"\nreadme = \"README.md\"\ndependencies = [\"mcp<2\"]\n";
        check(
            &RULE,
            &[
                ("s/pyproject.toml", manifest),
                ("s/README.md", readme),
                more,
            ],
            expected,
        );
    }

    #[test]
    fn the_marker_must_end_there() {
        let server = (
            "server.json",
            "{\"name\": \"io.github.a/b\", \"packages\": [{\"registryType\": \"pypi\"}]}",
        );
        of("x\n<!-- mcp-name: io.github.a/b -->", server, &[]);
        of(
            "mcp-name: io.github.a/b-c",
            server,
            &["breaks s/README.md:1"],
        );
        of("", server, &["breaks s/README.md:1"]);
        of(
            "",
            (
                "release.toml",
                "schema = 1\n[mcp]\n# x\nname = \"io.github.a/b\"\n",
            ),
            &["breaks s/README.md:1"],
        );
        of("", ("release.toml", "[server]\nname = \"x\"\n"), &[]);
        of(
            "",
            (
                "server.json",
                "{\"name\": \"a/b\", \"packages\": [{\"registryType\": \"oci\"}]}",
            ),
            &[],
        );
    }
}
