//! The server's source, once more inside of the extension.

use std::collections::BTreeSet;

use super::Rule;
use crate::inspect::facts::is_below;
use crate::inspect::repository::{file_name, is_foreign};
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "copied-source",
    stage: Stage::Build,
    title: "An extension carries the server's wheel, not a copy of its source",
    why: "the copy ages apart from the server, and users run code that no release was made of",
    remedy: "delete the copy and bundle the wheel: cargo xtask bundle",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for package in facts
        .extensions()
        .filter(|package| !package.folder.is_empty())
    {
        if facts
            .projects
            .iter()
            .any(|project| is_below(project.folder, package.folder))
        {
            continue;
        }
        let originals: BTreeSet<&str> = facts
            .repository
            .files
            .iter()
            .filter(|path| path.ends_with(".py") && !is_below(path, package.folder))
            .map(|path| file_name(path))
            .collect();
        let copies: Vec<&str> = facts
            .repository
            .below(package.folder)
            .filter(|path| path.ends_with(".py") && !is_foreign(path))
            .filter(|path| originals.contains(file_name(path)))
            .collect();
        if let Some(first) = copies.first() {
            let message = match copies.len() {
                1 => "a copy of Python source inside of the extension".to_owned(),
                count => format!("{count} copies of Python source inside of the extension"),
            };
            found.risk(first, 1, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn scripts_of_the_extension_are_its_own() {
        let extension = ("e/package.json", "{\"engines\": {\"vscode\": \"1\"}}");
        let server = ("s/pyproject.toml", "[project]\nname = \"a\"\n");
        let files = [
            extension,
            server,
            ("s/a/main.py", ""),
            ("e/python_server/src/main.py", ""),
        ];
        check(&RULE, &files, &["risk e/python_server/src/main.py:1"]);
        check(
            &RULE,
            &[
                extension,
                server,
                ("s/a/main.py", ""),
                ("e/scripts/icon.py", ""),
            ],
            &[],
        );
    }
}
