//! An extension whose entry point nothing makes.

use super::Rule;
use crate::inspect::package::Package;
use crate::inspect::repository::file_name;
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "extension-entry",
    stage: Stage::Build,
    title: "Packaging an extension makes its entry point",
    why: "vsce runs `vscode:prepublish` and nothing else; when that does not make `main`, it refuses to package",
    remedy: "have vscode:prepublish compile it, such as \"npm run compile\" with tsc -p . or a bundler",
    look,
};

/// What compiles a whole project, whatever its output is called.
const COMPILERS: [&str; 8] = [
    "tsc", "webpack", "rollup", "vite", "tsup", "swc", "gulp", "ncc",
];

fn look(facts: &Facts<'_>, found: &mut Findings) {
    let repository = facts.repository;
    for package in facts.extensions() {
        let Some(main) = package.top.text("main") else {
            continue;
        };
        let Some(path) = package.join(main) else {
            continue;
        };
        let is_there = ["", ".js", ".cjs", "/index.js"]
            .iter()
            .any(|end| repository.files.contains(&format!("{path}{end}")));
        if is_there {
            continue;
        }
        let line = package.line("main");
        if package.script("vscode:prepublish").is_none() {
            let message = format!(
                "`main` is {main}, which is not committed, and there is no vscode:prepublish to make it"
            );
            if package.scripts().next().is_none() {
                found.breaks(package.path, line, message).remedy(
                    "add the scripts that make it; or, when this is no extension, take engines.vscode and main out",
                );
            } else {
                found.breaks(package.path, line, message);
            }
        } else if !makes(facts, package, main) {
            let line = package
                .scripts()
                .find(|(name, _, _)| *name == "vscode:prepublish");
            let line = line.map_or(1, |(_, line, _)| line);
            found.breaks(
                package.path,
                line,
                format!("vscode:prepublish does not make {main}, which `main` names"),
            );
        }
    }
}

/// Whether the commands of `vscode:prepublish` make the file, as far as can be told.
fn makes(facts: &Facts<'_>, package: &Package<'_>, main: &str) -> bool {
    let commands = package.all_commands("vscode:prepublish");
    let name = file_name(main);
    let stem = name.split('.').next().unwrap_or(name);
    let words = || commands.split(|c: char| c.is_whitespace() || "&;|\"'()".contains(c));
    let compiles = words().any(|word| {
        let word = word.rsplit('/').next().unwrap_or(word);
        COMPILERS.contains(&word)
            || word.starts_with("webpack")
            || word == "make"
            || word == "cargo"
    });
    if compiles || commands.contains(stem) {
        return true;
    }
    let scripts = package.scripts_of(facts.repository, &commands);
    let named = scripts
        .iter()
        .any(|text| text.contains(stem) || COMPILERS.iter().any(|one| text.contains(one)));
    // Commands of other folders, and programs that are not read here, may make anything.
    let opaque = words().any(|word| {
        matches!(
            word,
            "npx" | "python" | "python3" | "bash" | "sh" | "--prefix"
        )
    });
    named || (scripts.is_empty() && (opaque || !commands.contains("esbuild")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    fn of(scripts: &str, more: &[(&str, &str)], expected: &[&str]) {
        let text = format!(
            "{{\n\"engines\": {{\"vscode\": \"1\"}},\n\"main\": \"./out/extension.js\",\n\"scripts\": {{\n{scripts}}}}}"
        );
        let files = [&[("e/package.json", text.as_str())], more].concat();
        check(&RULE, &files, expected);
    }

    #[test]
    fn something_makes_the_entry() {
        of("", &[], &["breaks e/package.json:3"]);
        of(
            "\"vscode:prepublish\": \"npm run compile\", \"compile\": \"tsc -p .\"",
            &[],
            &[],
        );
        of(
            "\"vscode:prepublish\": \"node build.mjs\"",
            &[("e/build.mjs", "outfile: 'out/extension.js'")],
            &[],
        );
        of("\"vscode:prepublish\": \"make all\"", &[], &[]);
        of("", &[("e/out/extension.js", "")], &[]);
    }

    #[test]
    fn a_script_that_makes_something_else_is_named() {
        let script = "\"vscode:prepublish\": \"npm run renderer\",\n\"renderer\": \"node esbuild.renderer.mjs\"";
        let other = ("e/esbuild.renderer.mjs", "outfile: 'out/renderer.js'");
        of(script, &[other], &["breaks e/package.json:5"]);
    }
}
