//! More than one manifest that claims to be the extension.

use super::Rule;
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "several-extensions",
    stage: Stage::Build,
    title: "One `package.json` is the extension",
    why: "tools that look for engines.vscode may take the wrong one, and its version is forgotten",
    remedy: "take engines.vscode out of what is no extension, or delete the dead manifest",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    let extensions: Vec<_> = facts.extensions().collect();
    if extensions.len() < 2 {
        return;
    }
    let is_dead = |main: Option<&str>| main.is_none();
    let mut dead: Vec<_> = extensions
        .iter()
        .filter(|one| {
            is_dead(one.top.text("main").or_else(|| one.top.text("browser")))
                || one.scripts().next().is_none()
        })
        .collect();
    if dead.is_empty() || dead.len() == extensions.len() {
        dead = extensions.iter().skip(1).collect();
    }
    for one in dead {
        let others: Vec<&str> = extensions
            .iter()
            .map(|other| other.path)
            .filter(|path| *path != one.path)
            .collect();
        let message = format!("has engines.vscode too, as {}", others.join(", "));
        found.risk(one.path, one.line("engines"), message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn the_dead_one_is_named() {
        let dead = "{\n\"name\": \"x\",\n\"engines\": {\"vscode\": \"1\"}}";
        let live =
            "{\"engines\": {\"vscode\": \"1\"}, \"main\": \"a.js\", \"scripts\": {\"a\": \"b\"}}";
        check(
            &RULE,
            &[("package.json", dead), ("e/package.json", live)],
            &["risk package.json:3"],
        );
        check(
            &RULE,
            &[("package.json", "{}"), ("e/package.json", live)],
            &[],
        );
        check(&RULE, &[("package.json", live)], &[]);
    }
}
