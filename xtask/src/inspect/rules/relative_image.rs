//! An image in a README that its readers elsewhere cannot load.

use std::sync::LazyLock;

use regex::Regex;

use super::Rule;
use crate::inspect::repository::{file_name, folder_of};
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "relative-image",
    stage: Stage::Publish,
    title: "Images in a published README have whole addresses",
    why: "package indexes show a broken image, and vsce refuses the README when no repository is named to complete the address",
    remedy: "write the whole https address of the image",
    look,
};

static IMAGE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?:!\[[^\]]*\]\(|<img[^>]*\ssrc\s*=\s*["'])([^)"'\s]+)"#)
        .expect("it is a pattern")
});

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for package in facts
        .extensions()
        .filter(|package| package.top.text("main").is_some())
    {
        let is_readme = |path: &&str| {
            let name = file_name(path).to_ascii_lowercase();
            folder_of(path) == package.folder && name == "readme.md"
        };
        if package.top.get("repository").is_some() {
            continue;
        }
        for path in facts.repository.below(package.folder).filter(is_readme) {
            images(facts, path, |line, image| {
                found.breaks(path, line, format!("the image {image} has a relative address, and package.json names no repository"));
            });
        }
    }
    for project in &facts.projects {
        let readme = project.readme.as_ref().map(|(readme, _)| readme);
        let path = readme
            .and_then(|readme| crate::inspect::repository::beside(project.folder, &readme.text));
        if let Some(path) = path {
            images(facts, &path, |line, image| {
                found.risk(
                    &path,
                    line,
                    format!("the image {image} has a relative address"),
                );
            });
        }
    }
}

fn images(facts: &Facts<'_>, path: &str, mut relative: impl FnMut(usize, &str)) {
    let text = facts.repository.text(path).unwrap_or_default();
    let mut is_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        if is_code || !(line.contains("![") || line.contains("<img")) {
            continue;
        }
        for captured in IMAGE.captures_iter(line) {
            let image = &captured[1];
            if !image.contains("://") && !image.starts_with("data:") && !image.starts_with("//") {
                relative(index + 1, image);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn whole_addresses_and_code_are_fine() {
        let readme = "![a](https://a.example/a.png)\n```\n![b](b.png)\n```\n![c](media/c.png) <img width=1 src=\"d.png\">\n";
        let manifest = "[project]\nname = \"a\"\nreadme = \"README.md\"\n";
        let expected = ["risk README.md:5", "risk README.md:5"];
        check(
            &RULE,
            &[("pyproject.toml", manifest), ("README.md", readme)],
            &expected,
        );
        let package = "{\"engines\": {\"vscode\": \"1\"}, \"main\": \"a\"MORE}";
        let of = |more: &str, expected: &[&str]| {
            let package = package.replace("MORE", more);
            check(
                &RULE,
                &[
                    ("e/package.json", &package),
                    ("e/readme.md", "\n![a](a.png)\n"),
                ],
                expected,
            );
        };
        of("", &["breaks e/readme.md:2"]);
        of(", \"repository\": \"https://github.com/a/b\"", &[]);
    }
}
