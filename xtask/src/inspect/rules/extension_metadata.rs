//! An extension without what the Marketplace asks for.

use super::Rule;
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "extension-metadata",
    stage: Stage::Publish,
    title: "An extension names publisher, version, repository and license",
    why: "vsce refuses an extension without publisher or version, and stops to ask when repository or license are missing",
    remedy: "add the key to package.json",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for package in facts.extensions() {
        // A manifest that starts nothing and has no script is no extension that is published.
        if package.top.text("main").is_none() && package.top.get("contributes").is_none() {
            continue;
        }
        for key in ["name", "publisher", "version"] {
            if package
                .top
                .text(key)
                .is_none_or(|text| text.trim().is_empty())
            {
                found.breaks(package.path, 1, format!("no \"{key}\""));
            }
        }
        let has_license = package.top.get("license").is_some()
            || facts.repository.below(package.folder).any(|path| {
                let rest = path
                    .strip_prefix(package.folder)
                    .unwrap_or(path)
                    .trim_start_matches('/');
                !rest.contains('/') && rest.to_ascii_lowercase().starts_with("licen")
            });
        if !has_license {
            found.risk(
                package.path,
                1,
                "no \"license\" and no license file beside it",
            );
        }
        if package.top.get("repository").is_none() {
            found.risk(package.path, 1, "no \"repository\"");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn what_is_missing_is_named() {
        let text = "{\"engines\": {\"vscode\": \"1\"}, \"main\": \"a\", \"name\": \"a\", \"version\": \"1.0.0\"MORE}";
        let of = |more: &str, expected: &[&str]| {
            check(
                &RULE,
                &[("e/package.json", &text.replace("MORE", more))],
                expected,
            );
        };
        of(
            ", \"publisher\": \"x\", \"license\": \"MIT\", \"repository\": \"r\"",
            &[],
        );
        let expected = [
            "breaks e/package.json:1",
            "risk e/package.json:1",
            "risk e/package.json:1",
        ];
        of("", &expected);
        check(&RULE, &[("package.json", "{\"name\": \"a\"}")], &[]);
    }
}
