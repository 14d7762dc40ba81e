//! A call of an npm script that does not exist.

use super::Rule;
use crate::inspect::package::{Package, called_scripts};
use crate::inspect::repository::folder_of;
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "missing-npm-script",
    stage: Stage::Build,
    title: "Every npm script that is called exists",
    why: "`npm run` of a missing script ends with an error, and the build with it",
    remedy: "add the script to package.json, or call the one that is meant",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for package in &facts.packages {
        for (_, line, command) in package.scripts() {
            for called in called_scripts(command) {
                if is_missing(package, called) {
                    found.breaks(
                        package.path,
                        line,
                        format!("calls `npm run {called}`, which is no script here"),
                    );
                }
            }
        }
    }
    let shells = facts.repository.texts.iter();
    for (path, text) in shells.filter(|(path, _)| path.ends_with(".sh")) {
        // Where a script runs is not known; it is judged when no package has what it calls.
        if facts.packages.is_empty()
            || !folder_of(path).split('/').all(|folder| folder != ".github")
        {
            continue;
        }
        for (index, line) in text.lines().enumerate() {
            let line_text = line.trim();
            if line_text.starts_with('#') || line_text.starts_with("echo") {
                continue;
            }
            for called in called_scripts(line_text) {
                if facts
                    .packages
                    .iter()
                    .all(|package| is_missing(package, called))
                {
                    let message =
                        format!("calls `npm run {called}`, which is a script of no package.json");
                    found.breaks(path, index + 1, message);
                }
            }
        }
    }
}

fn is_missing(package: &Package<'_>, called: &str) -> bool {
    let is_plain = called
        .chars()
        .all(|c| c.is_alphanumeric() || ":-_.".contains(c));
    is_plain && package.script(called).is_none() && !matches!(called, "env" | "start" | "restart")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn calls_are_held_against_the_scripts() {
        let package =
            "{\"scripts\": {\n\"a\": \"npm run b\",\n\"b\": \"npm run c && npm run $X\"}}";
        check(
            &RULE,
            &[("package.json", package)],
            &["breaks package.json:3"],
        );
        let shell = "set -e\n# npm run no\nnpm run a\nnpm run bundle-python\n";
        let package = "{\"scripts\": {\"a\": \"x\"}}";
        check(
            &RULE,
            &[("e/package.json", package), ("s/x.sh", shell)],
            &["breaks s/x.sh:4"],
        );
        check(&RULE, &[("s/x.sh", shell)], &[]);
    }
}
