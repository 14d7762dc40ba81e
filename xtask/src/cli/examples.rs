//! The examples that end the help of every verb. A test parses each, so that all can be pasted.

use clap::Command;

/// A verb, by its words, with what one types and what that does.
type Examples = (&'static str, &'static [(&'static str, &'static str)]);

/// Every verb has some.
const EXAMPLES: &[Examples] = &[
    (
        "",
        &[
            (
                "cargo xtask doctor",
                "what this machine and repository lack",
            ),
            (
                "cargo xtask release --plan",
                "what a release would do, and why",
            ),
            ("cargo xtask release", "make it, into dist/"),
            (
                "cargo xtask plan --to production",
                "what publishing would send",
            ),
            ("cargo xtask publish --to production --execute", "send it"),
        ],
    ),
    (
        "audit",
        &[
            (
                "cargo xtask audit --update",
                "fetch the advisories, then audit",
            ),
            ("cargo xtask audit server/poetry.lock", "one lock file"),
            (
                "cargo xtask audit --live --format sarif",
                "ask OSV, for code scanning",
            ),
            (
                "cargo xtask audit --update --database ./osv",
                "from a copy of the archive",
            ),
        ],
    ),
    (
        "build",
        &[
            ("cargo xtask build", "wheel and sdist of the commit"),
            (
                "cargo xtask build --dirty",
                "of the working tree, to try something",
            ),
        ],
    ),
    (
        "bundle",
        &[(
            "cargo xtask bundle",
            "the wheel into the extension's folder",
        )],
    ),
    (
        "changelog",
        &[
            ("cargo xtask changelog", "what the commits would add"),
            (
                "cargo xtask changelog --write",
                "add it under Unreleased; nothing twice",
            ),
            (
                "cargo xtask changelog --check",
                "refuse commits that no line speaks of",
            ),
        ],
    ),
    (
        "check",
        &[
            (
                "cargo xtask check",
                "the released .vsix, or the extension's folder",
            ),
            (
                "cargo xtask check some.vsix --format json",
                "another package",
            ),
        ],
    ),
    (
        "ci",
        &[
            ("cargo xtask ci check", "judge workflows and actions"),
            ("cargo xtask ci run test", "run a job here"),
        ],
    ),
    (
        "ci check",
        &[
            (
                "cargo xtask ci check",
                "workflows and actions of the repository",
            ),
            (
                "cargo xtask ci check --without-tools",
                "our own rules, offline",
            ),
            ("cargo xtask ci check --format sarif", "for code scanning"),
            (
                "cargo xtask ci check --root ../other",
                "of any other repository",
            ),
        ],
    ),
    (
        "ci run",
        &[
            (
                "cargo xtask ci run --list",
                "what of every workflow can run here",
            ),
            (
                "cargo xtask ci run test",
                "the job `test`, and what it needs",
            ),
            (
                "cargo xtask ci run build --workflow release.yml --event tag:v1.2.3",
                "as if this tag was pushed",
            ),
            (
                "cargo xtask ci run test --matrix python=3.13 --keep",
                "one leg of the matrix; its folder stays",
            ),
            (
                "cargo xtask ci run mcp --event tag:v1.2.3 --identity-from-environment",
                "with an identity, as trusted publishing needs",
            ),
        ],
    ),
    (
        "completions",
        &[
            (
                "cargo xtask completions bash",
                "print the script; see docs/terminal.md",
            ),
            ("cargo xtask completions fish", "for another shell"),
        ],
    ),
    (
        "doctor",
        &[
            ("cargo xtask doctor", "tools, files and versions"),
            (
                "cargo xtask doctor --to production",
                "and who would publish to each target",
            ),
        ],
    ),
    (
        "image",
        &[
            (
                "cargo xtask image",
                "for every platform of release.toml, into dist/",
            ),
            (
                "cargo xtask image --platform linux/amd64 --base oci:base.tar",
                "on a base from this disk",
            ),
            (
                "cargo xtask image fleet --platform linux/amd64",
                "of [program.fleet], which Cargo builds",
            ),
            (
                "cargo xtask image --print tags",
                "what the image in dist/ is called",
            ),
        ],
    ),
    (
        "init",
        &[
            ("cargo xtask init --plan", "what would be written here"),
            (
                "cargo xtask init --target pypi --target github",
                "with the jobs that publish there",
            ),
            (
                "cargo xtask init --server servers/notes --call list_notes",
                "where there are several",
            ),
        ],
    ),
    (
        "lint",
        &[
            ("cargo xtask lint", "all three languages"),
            (
                "cargo xtask lint python --fix",
                "mend, then say what is left",
            ),
            ("cargo xtask lint --format sarif", "for code scanning"),
        ],
    ),
    (
        "lock",
        &[
            (
                "cargo xtask lock explain poetry.lock",
                "what is wrong with it",
            ),
            (
                "cargo xtask lock repair poetry.lock",
                "a mended copy beside it",
            ),
        ],
    ),
    (
        "lock explain",
        &[(
            "cargo xtask lock explain poetry.lock",
            "what is wrong with it",
        )],
    ),
    (
        "lock repair",
        &[(
            "cargo xtask lock repair poetry.lock",
            "a mended copy beside it",
        )],
    ),
    (
        "man",
        &[
            ("cargo xtask man release", "one page; `| man -l -` shows it"),
            (
                "cargo xtask man --out ~/.local/share/man/man1",
                "install all pages",
            ),
        ],
    ),
    (
        "package",
        &[("cargo xtask package", "the extension into dist/")],
    ),
    (
        "plan",
        &[
            ("cargo xtask plan", "to the folders of the profile local"),
            (
                "cargo xtask plan --to production",
                "to every target of a profile",
            ),
            (
                "cargo xtask plan --to production --only pypi",
                "to one of them",
            ),
        ],
    ),
    (
        "prove",
        &[
            ("cargo xtask prove", "the wheel in dist/"),
            (
                "cargo xtask prove --format json",
                "every check, for programs",
            ),
        ],
    ),
    (
        "publish",
        &[
            (
                "cargo xtask publish --to production",
                "print the plan, send nothing",
            ),
            (
                "cargo xtask publish --to production --execute",
                "perform it; run again to go on",
            ),
            (
                "cargo xtask publish --to production --only pypi --execute",
                "one target",
            ),
        ],
    ),
    (
        "release",
        &[
            ("cargo xtask release", "audit, build, prove, package, seal"),
            ("cargo xtask release --plan", "what would be done and why"),
            (
                "cargo xtask release --bump minor",
                "write version and changelog, commit, and release that",
            ),
            (
                "cargo xtask release --dirty",
                "the working tree; never published",
            ),
            (
                "cargo xtask release --to production --execute",
                "and publish it",
            ),
        ],
    ),
    (
        "requirements",
        &[
            ("cargo xtask requirements", "print them, with hashes"),
            (
                "cargo xtask requirements --group main,dev -o requirements.txt",
                "into a file",
            ),
            (
                "cargo xtask requirements -o requirements.txt --check",
                "is the file up to date?",
            ),
        ],
    ),
    (
        "sbom",
        &[
            ("cargo xtask sbom -o sbom.cdx.json", "CycloneDX"),
            (
                "cargo xtask sbom spdx --without-development",
                "SPDX, of what ships",
            ),
            (
                "cargo xtask sbom vex",
                "what the audit's findings mean for it",
            ),
        ],
    ),
    (
        "test",
        &[
            ("cargo xtask test", "all languages"),
            ("cargo xtask test python", "one of them"),
            (
                "cargo xtask test host",
                "the .vsix in dist/ in real editors; VSCODE_HOST=oldest for one of them",
            ),
        ],
    ),
    (
        "trace",
        &[
            ("cargo xtask trace some.vsix", "from which commit is it?"),
            (
                "cargo xtask trace 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                "by digest",
            ),
            (
                "cargo xtask trace -",
                "kubectl get pod NAME -o json | cargo xtask trace -",
            ),
        ],
    ),
    (
        "verify",
        &[
            (
                "cargo xtask verify --to production",
                "download from every target",
            ),
            ("cargo xtask verify --from pypi", "from one target"),
        ],
    ),
    (
        "version",
        &[
            ("cargo xtask version", "every place that states it"),
            ("cargo xtask version --check", "do they agree?"),
            (
                "cargo xtask version --bump minor --plan",
                "what would be written where",
            ),
            (
                "cargo xtask version --bump 1.2.0-rc.1",
                "write it into every place",
            ),
        ],
    ),
];

/// The grammar with the examples at the end of each verb's long help.
pub fn add(mut grammar: Command) -> Command {
    for (path, examples) in EXAMPLES {
        let words: Vec<&str> = path.split_whitespace().collect();
        grammar = at(grammar, &words, &text(examples));
    }
    grammar
}

fn at(command: Command, words: &[&str], text: &str) -> Command {
    match words {
        [] => {
            let before = command.get_after_long_help().map(ToString::to_string);
            let text = match before {
                Some(before) => format!("{text}\n{before}"),
                None => text.to_owned(),
            };
            command.after_long_help(text)
        }
        [first, rest @ ..] => command.mut_subcommand(first, |verb| at(verb, rest, text)),
    }
}

fn text(examples: &[(&str, &str)]) -> String {
    let lines = examples
        .iter()
        .map(|(command, what)| format!("  # {what}\n  {command}\n"));
    format!("Examples:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli;

    #[test]
    fn every_example_is_a_sentence_of_the_grammar() {
        for (path, examples) in EXAMPLES {
            for (command, _) in *examples {
                let start = format!("cargo xtask {path}");
                assert!(command.starts_with(start.trim_end()), "{command}");
                let words: Vec<&str> = command.split_whitespace().skip(1).collect();
                if let Err(error) = cli::grammar().try_get_matches_from(words) {
                    panic!("{command}: {error}");
                }
            }
        }
    }

    #[test]
    fn every_verb_has_examples() {
        fn check(command: &Command, path: &str) {
            let known = EXAMPLES.iter().any(|(known, _)| *known == path);
            assert!(known, "`{path}` has no example in cli/examples.rs");
            for verb in command.get_subcommands() {
                check(verb, format!("{path} {}", verb.get_name()).trim_start());
            }
        }
        check(&cli::grammar(), "");
    }

    #[test]
    fn the_long_help_ends_with_them_and_the_short_one_is_short() {
        let help = |flag: &str| {
            let words = ["xtask", "release", flag];
            let answer = cli::grammar().try_get_matches_from(words).unwrap_err();
            answer.to_string()
        };
        let (long, short) = (help("--help"), help("-h"));
        assert!(
            long.trim_end()
                .ends_with("cargo xtask release --to production --execute")
        );
        assert!(
            !short.contains("Examples:") && short.lines().count() < 25,
            "{short}"
        );
    }
}
