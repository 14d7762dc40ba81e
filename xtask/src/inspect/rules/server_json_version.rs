//! A `server.json` whose version is not that of the package.

use serde_json::Value;

use super::Rule;
use super::server_json::documents;
use crate::inspect::repository::line_of;
use crate::inspect::{Facts, Findings, Stage};
use crate::name::normalize;
use crate::version;

/// The rule.
pub static RULE: Rule = Rule {
    id: "server-json-version",
    stage: Stage::Publish,
    title: "`server.json` names the version that is published",
    why: "clients install the version that it names: the one before, or with a leading v none at all",
    remedy: "write the project's version, without v, into both places of server.json",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for (path, text, value) in documents(facts) {
        let own = value.get("version").and_then(Value::as_str);
        let packages = value.get("packages").and_then(Value::as_array);
        let mut stated: Vec<(&str, &str)> = own.into_iter().map(|version| ("", version)).collect();
        for package in packages.into_iter().flatten() {
            let text_of = |key: &str| package.get(key).and_then(Value::as_str);
            if let (Some(name), Some(version)) = (text_of("identifier"), text_of("version")) {
                stated.push((name, version));
            }
        }
        for (name, version) in &stated {
            let line = line_of(text, &format!("\"{version}\""));
            if version.starts_with(['v', 'V'])
                && version[1..].starts_with(|c: char| c.is_ascii_digit())
            {
                found.breaks(path, line, format!("the version {version} begins with a v"));
                continue;
            }
            let project = facts.projects.iter().find(|project| {
                let own = project.name.as_ref().map(|one| normalize(&one.text));
                own.is_some_and(|own| own == normalize(name))
            });
            let known = project.and_then(|project| Some((project.version.as_ref()?, project.path)));
            if let Some((known, from)) = known
                && !version::same(&known.text, version)
            {
                found.breaks(
                    path,
                    line,
                    format!("names {name} {version}, but {from} says {}", known.text),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn versions_are_plain_and_current() {
        let of = |own: &str, package: &str, expected: &[&str]| {
            let text = format!(
                "{{\n\"version\": \"{own}\",\n\"packages\": [{{\"identifier\": \"a_b\",\n\"version\": \"{package}\"}}]}}"
            );
            let manifest = "[project]\nname = \"a-b\"\nversion = \"1.2.0\"\n";
            check(
                &RULE,
                &[("server.json", &text), ("pyproject.toml", manifest)],
                expected,
            );
        };
        of("1.2.0", "1.2.0", &[]);
        of("1.2.0", "1.1.0", &["breaks server.json:4"]);
        of("v1.2.0", "1.2.0", &["breaks server.json:2"]);
    }
}
