//! Programs on a command line and what they do for a release.

use super::{Kind, Target};
use crate::workflow::repository::Site;
use crate::workflow::shell::{Command, is_python, program_name};

/// Words that a command begins with, what it does, and the call of this tool that does it.
type Row = (&'static [&'static str], Kind, &'static str);

const BUILD: &str = "cargo xtask build";
const PACKAGE: &str = "cargo xtask package";
const PUBLISH: &str = "cargo xtask publish --execute";
const AUDIT: &str = "cargo xtask audit";
const SBOM: &str = "cargo xtask sbom";

/// Other programs for what the tool does. Options between the words are passed over.
const FOREIGN: &[Row] = &[
    (&["poetry", "build"], Kind::Build, BUILD),
    (&["build"], Kind::Build, BUILD),
    (&["pyproject-build"], Kind::Build, BUILD),
    (&["uv", "build"], Kind::Build, BUILD),
    (&["hatch", "build"], Kind::Build, BUILD),
    (&["flit", "build"], Kind::Build, BUILD),
    (&["pdm", "build"], Kind::Build, BUILD),
    (&["pip", "wheel"], Kind::Build, BUILD),
    (&["setup.py", "sdist"], Kind::Build, BUILD),
    (&["setup.py", "bdist_wheel"], Kind::Build, BUILD),
    (&["vsce", "package"], Kind::Build, PACKAGE),
    (
        &["poetry", "publish"],
        Kind::Publish(Target::Python),
        PUBLISH,
    ),
    (&["uv", "publish"], Kind::Publish(Target::Python), PUBLISH),
    (
        &["hatch", "publish"],
        Kind::Publish(Target::Python),
        PUBLISH,
    ),
    (&["flit", "publish"], Kind::Publish(Target::Python), PUBLISH),
    (&["pdm", "publish"], Kind::Publish(Target::Python), PUBLISH),
    (&["twine", "upload"], Kind::Publish(Target::Python), PUBLISH),
    (
        &["vsce", "publish"],
        Kind::Publish(Target::Extension),
        PUBLISH,
    ),
    (
        &["ovsx", "publish"],
        Kind::Publish(Target::Extension),
        PUBLISH,
    ),
    (
        &["mcp-publisher", "publish"],
        Kind::Publish(Target::Mcp),
        PUBLISH,
    ),
    (
        &["docker", "push"],
        Kind::Publish(Target::Container),
        PUBLISH,
    ),
    (
        &["podman", "push"],
        Kind::Publish(Target::Container),
        PUBLISH,
    ),
    (
        &["crane", "push"],
        Kind::Publish(Target::Container),
        PUBLISH,
    ),
    (&["oras", "push"], Kind::Publish(Target::Container), PUBLISH),
    (
        &["gh", "release", "create"],
        Kind::Publish(Target::GitHub),
        PUBLISH,
    ),
    (
        &["gh", "release", "upload"],
        Kind::Publish(Target::GitHub),
        PUBLISH,
    ),
    (&["pip-audit"], Kind::Audit, AUDIT),
    (&["pip_audit"], Kind::Audit, AUDIT),
    (&["osv-scanner"], Kind::Audit, AUDIT),
    (&["npm", "audit"], Kind::Audit, AUDIT),
    (&["yarn", "audit"], Kind::Audit, AUDIT),
    (&["pnpm", "audit"], Kind::Audit, AUDIT),
    (&["cargo", "audit"], Kind::Audit, AUDIT),
    (&["safety"], Kind::Audit, AUDIT),
    (&["cyclonedx-py"], Kind::Document, SBOM),
    (&["cyclonedx-npm"], Kind::Document, SBOM),
    (&["npm", "sbom"], Kind::Document, SBOM),
    (&["syft"], Kind::Document, SBOM),
    (
        &["poetry", "export"],
        Kind::Document,
        "cargo xtask requirements",
    ),
];

/// What the tool does not do for a repository, or where others are as good.
const OTHERS: &[(&[&str], Kind)] = &[
    (&["npm", "publish"], Kind::Publish(Target::Npm)),
    (&["pnpm", "publish"], Kind::Publish(Target::Npm)),
    (&["yarn", "publish"], Kind::Publish(Target::Npm)),
    (&["cargo", "publish"], Kind::Publish(Target::Crates)),
    (&["docker", "build"], Kind::Build),
    (&["docker", "buildx", "build"], Kind::Build),
    (&["pyinstaller"], Kind::Build),
    (&["pytest"], Kind::Test),
    (&["unittest"], Kind::Test),
    (&["tox"], Kind::Test),
    (&["nox"], Kind::Test),
    (&["vitest"], Kind::Test),
    (&["jest"], Kind::Test),
    (&["hatch", "test"], Kind::Test),
    (&["go", "test"], Kind::Test),
    (&["cargo", "test"], Kind::Test),
    (&["cargo", "nextest"], Kind::Test),
    (&["npm", "test"], Kind::Test),
    (&["npm", "t"], Kind::Test),
    (&["yarn", "test"], Kind::Test),
    (&["pnpm", "test"], Kind::Test),
    (&["make", "test"], Kind::Test),
    (&["make", "check"], Kind::Test),
];

/// What the verbs of this tool do.
const VERBS: &[(&str, Kind)] = &[
    ("build", Kind::Build),
    ("bundle", Kind::Build),
    ("package", Kind::Build),
    ("release", Kind::Build),
    ("test", Kind::Test),
    ("prove", Kind::Test),
    ("audit", Kind::Audit),
    ("sbom", Kind::Document),
    ("requirements", Kind::Document),
];

/// What a command does, and the call of this tool that does the same.
pub fn kind(command: &Command, site: &Site<'_>) -> Option<(Kind, Option<&'static str>)> {
    let called = command.called();
    if let Some(arguments) = xtask_arguments(&called) {
        return xtask(arguments).map(|kind| (kind, None));
    }
    let words = unwrapped(&called);
    if let Some(run) = fetched(&words) {
        let run = unwrapped(run);
        return listed(&run, command, site)
            .or_else(|| tries_a_package(site).then_some((Kind::InstallTest, None)));
    }
    listed(&words, command, site)
}

/// What is run by `pipx run`, `uvx` or `uv tool run`, without their options.
fn fetched<'a, 'text>(words: &'a [&'text str]) -> Option<&'a [&'text str]> {
    const WITH_VALUE: [&str; 8] = [
        "--spec",
        "--from",
        "--with",
        "--python",
        "-p",
        "--index-url",
        "--index",
        "--pip-args",
    ];
    let mut rest = match words {
        ["pipx", "run", rest @ ..] | ["uvx", rest @ ..] | ["uv", "tool", "run", rest @ ..] => rest,
        _ => return None,
    };
    while let [option, ..] = rest {
        if !option.starts_with('-') {
            break;
        }
        let takes = if WITH_VALUE.contains(option) { 2 } else { 1 };
        rest = &rest[takes.min(rest.len())..];
    }
    Some(rest)
}

/// What a program of the lists does.
fn listed(
    words: &[&str],
    command: &Command,
    site: &Site<'_>,
) -> Option<(Kind, Option<&'static str>)> {
    let plain: Vec<&str> = plain(words);
    let starts = |row: &[&str]| {
        row.len() <= plain.len() && row.iter().zip(&plain).all(|(want, is)| want == is)
    };
    if is_only_asked(words) {
        return None;
    }
    if let Some((_, kind, ours)) = FOREIGN.iter().find(|(row, _, _)| starts(row)) {
        return Some((staged(*kind, words, command, site), Some(ours)));
    }
    if starts(&["docker", "buildx", "build"]) && words.contains(&"--push") {
        return Some((Kind::Publish(Target::Container), Some(PUBLISH)));
    }
    if let Some((_, kind)) = OTHERS.iter().find(|(row, _)| starts(row)) {
        return Some((staged(*kind, words, command, site), None));
    }
    script_kind(&plain, site).map(|kind| (kind, None))
}

/// `npm run test:e2e`, and the installing of a package in a job that is about trying it.
fn script_kind(plain: &[&str], site: &Site<'_>) -> Option<Kind> {
    match plain {
        ["npm" | "pnpm" | "yarn", "run" | "run-script", script, ..]
            if script.starts_with("test") || script.contains("e2e") =>
        {
            Some(Kind::Test)
        }
        ["pip" | "pipx", "install", package, ..] if is_package(package) => {
            let is_try = site.names().contains("install") && tries_a_package(site);
            is_try.then_some(Kind::InstallTest)
        }
        _ => None,
    }
}

/// Whether the job or the step is there to try a package, by their names.
fn tries_a_package(site: &Site<'_>) -> bool {
    let names = site.names();
    let tries = ["test", "smoke", "verify", "try"];
    tries.iter().any(|word| names.contains(word))
}

fn is_package(word: &str) -> bool {
    !word.contains('/') && word != "." && !word.ends_with(".txt") && word != "pip"
}

/// `--help` and `--version` do nothing.
fn is_only_asked(words: &[&str]) -> bool {
    words
        .iter()
        .any(|word| matches!(*word, "--help" | "--version"))
}

/// A publish that goes to a place made for tries.
fn staged(kind: Kind, words: &[&str], command: &Command, site: &Site<'_>) -> Kind {
    let Kind::Publish(target) = kind else {
        return kind;
    };
    let is_test = |text: &str| {
        let text = text.to_lowercase();
        text.contains("testpypi") || text.contains("test.pypi") || text == "--dry-run"
    };
    let variables = site
        .step
        .variables
        .iter()
        .map(|variable| variable.value.value.as_str());
    let set = command.assignments.iter().map(|word| word.text.as_str());
    let draft = target == Target::GitHub && words.contains(&"--draft");
    if draft
        || words
            .iter()
            .copied()
            .chain(variables)
            .chain(set)
            .any(is_test)
    {
        return Kind::Stage(target);
    }
    kind
}

/// What follows `cargo xtask`.
pub fn xtask_arguments<'a, 'text>(called: &'a [&'text str]) -> Option<&'a [&'text str]> {
    match called {
        ["cargo", "xtask", arguments @ ..] | ["cargo-xtask", "xtask", arguments @ ..] => {
            Some(arguments)
        }
        [program, arguments @ ..] if program_name(program) == "cargo-xtask" => Some(arguments),
        _ => None,
    }
}

fn xtask(arguments: &[&str]) -> Option<Kind> {
    let verb = arguments.iter().find(|word| !word.starts_with('-'))?;
    if *verb == "publish" {
        if !arguments.contains(&"--execute") {
            return None;
        }
        return Some(publish(arguments));
    }
    VERBS
        .iter()
        .find(|(name, _)| name == verb)
        .map(|(_, kind)| *kind)
}

/// Where a publish of this tool goes, by the names that it is given. The default is a folder.
fn publish(arguments: &[&str]) -> Kind {
    let values = |flag: &str| -> Vec<&str> {
        let equal = format!("{flag}=");
        let mut values = Vec::new();
        for (index, word) in arguments.iter().enumerate() {
            if *word == flag {
                values.extend(arguments.get(index + 1));
            }
            values.extend(word.strip_prefix(equal.as_str()));
        }
        values
    };
    let for_tries = |name: &str| {
        ["test", "stag", "local"]
            .iter()
            .any(|word| name.contains(word))
    };
    let (to, only) = (values("--to"), values("--only"));
    let is_stage = match (to.first(), only.as_slice()) {
        (None, _) => true,
        (Some(to), []) => for_tries(to),
        (Some(to), only) => for_tries(to) || only.iter().all(|name| for_tries(name)),
    };
    if is_stage {
        Kind::Stage(Target::Profile)
    } else {
        Kind::Publish(Target::Profile)
    }
}

/// The words of a command without the runner in front: `poetry run x`, `python -m x`, `npx x`.
pub fn unwrapped<'text>(called: &[&'text str]) -> Vec<&'text str> {
    let mut words: Vec<&'text str> = called.to_vec();
    for _ in 0..4 {
        let skip = match words.as_slice() {
            [python, "-m", ..] if is_python(python) => 2,
            [python, script, ..] if is_python(python) && *script == "setup.py" => 1,
            [
                "poetry" | "uv" | "pipenv" | "hatch" | "pdm" | "rye",
                "run",
                ..,
            ] => 2,
            ["npx" | "bunx", ..] => 1,
            ["pnpm", "exec" | "dlx", ..] | ["yarn", "dlx" | "exec", ..] => 2,
            ["npm", "exec", ..] => 2,
            _ => break,
        };
        words.drain(..skip);
        while words.first().is_some_and(|word| word.starts_with('-')) && words.len() > 1 {
            let takes_value = matches!(
                words[0],
                "--with" | "--extra" | "--group" | "-p" | "--package"
            );
            words.drain(..if takes_value { 2 } else { 1 });
        }
    }
    words
}

/// The program's name and the words that are no options. `@vscode/vsce@3` is `vsce`.
fn plain<'text>(words: &[&'text str]) -> Vec<&'text str> {
    let mut plain: Vec<&str> = Vec::new();
    for (index, word) in words.iter().enumerate() {
        if index == 0 {
            let name = program_name(word);
            let name = if name.starts_with('@') {
                name
            } else {
                name.split('@').next().unwrap_or(name)
            };
            plain.push(match name {
                "pip3" => "pip",
                name => name,
            });
        } else if !word.starts_with('-') {
            plain.push(word);
        }
    }
    plain
}
