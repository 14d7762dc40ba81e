//! A script that a Makefile or another script calls and that is not there.

use std::sync::LazyLock;

use regex::Regex;

use super::Rule;
use crate::inspect::repository::{beside, file_name, folder_of};
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "missing-reference",
    stage: Stage::Build,
    title: "Every script that a Makefile, a package.json or a script calls exists",
    why: "the call fails, or is skipped in silence when its error is ignored",
    remedy: "add the script, or correct the path",
    look,
};

static CALL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:^|[\s;&|(@])(?:bash|sh|node|python3?|source)\s+((?:\./)?[A-Za-z0-9_][A-Za-z0-9_./-]*\.(?:sh|js|mjs|cjs|py))(?:[\s;&|)]|$)")
        .expect("it is a pattern")
});

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for (path, text) in &facts.repository.texts {
        let name = file_name(path);
        if name != "Makefile" && !name.ends_with(".sh") {
            continue;
        }
        for (index, line) in text.lines().enumerate() {
            let code = line.trim();
            if !code.starts_with('#') && !code.starts_with("echo") && !code.starts_with("cat ") {
                calls(facts, folder_of(path), code, |file| {
                    found.breaks(
                        path,
                        index + 1,
                        format!("calls {file}, which does not exist"),
                    );
                });
            }
        }
    }
    for package in &facts.packages {
        for (_, line, command) in package.scripts() {
            calls(facts, package.folder, command, |file| {
                found.breaks(
                    package.path,
                    line,
                    format!("calls {file}, which does not exist"),
                );
            });
        }
    }
}

/// Names every script that a command calls and that exists nowhere it may be looked for.
fn calls(facts: &Facts<'_>, folder: &str, command: &str, mut missing: impl FnMut(&str)) {
    let repository = facts.repository;
    for captured in CALL.captures_iter(command) {
        let file = &captured[1];
        let bare = file.trim_start_matches("./");
        let last = file_name(bare);
        // The folder it runs in is not known, so the name may be anywhere.
        let anywhere = repository
            .files
            .iter()
            .any(|path| path.ends_with(&format!("/{bare}")) || path == bare);
        let written = repository.texts.values().any(|text| {
            text.contains(&format!("> {last}")) || text.contains(&format!("-o {last}"))
        });
        let here = beside(folder, bare).is_some_and(|path| repository.has(&path));
        if !here && !anywhere && !written && !bare.contains("..") && !repository.is_made(bare) {
            missing(file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn what_exists_somewhere_is_fine() {
        let makefile = "sbom:\n\tbash scripts/generate-sbom.sh\n\tpython3 scripts/x.py\n\tnode out/made.js\n\t# sh gone.sh\n";
        let files = [
            ("Makefile", makefile),
            ("s/scripts/x.py", ""),
            ("scripts/generate-sbom.cjs", ""),
        ];
        check(&RULE, &files, &["breaks Makefile:2"]);
        let package = "{\"scripts\": {\"a\": \"node b.js --x\"}}";
        check(
            &RULE,
            &[("e/package.json", package)],
            &["breaks e/package.json:1"],
        );
        check(&RULE, &[("e/package.json", package), ("e/b.js", "")], &[]);
        let shell = "bash \"$X\"/a.sh\npython -m a\nnode -e 'x'\necho bash no.sh\n";
        check(&RULE, &[("a.sh", shell)], &[]);
    }
}
