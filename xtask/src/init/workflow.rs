//! The two workflows, from embedded ones of which whole lines and jobs are taken. Pure.

use super::Decided;
use super::python::Pythons;
use super::targets::Target;

const CI: &str = include_str!("../../templates/ci.yml");
const RELEASE: &str = include_str!("../../templates/release.yml");

/// Steps that stand for one line; actions are pinned by commit.
const STEPS: [(&str, &str); 4] = [
    (
        "checkout",
        "- uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2
  with:
    fetch-depth: 0
    persist-credentials: false",
    ),
    (
        "python",
        "- uses: actions/setup-python@a309ff8b426b58ec0e2a45f0f869d46889d02405 # v6.2.0
  with:
    python-version: \"@@newest@@\"",
    ),
    (
        "node",
        "- uses: actions/setup-node@6044e13b5dc448c55e2357c09f80417699197238 # v6.2.0
  with:
    node-version: \"24\"
    package-manager-cache: false",
    ),
    (
        "dist",
        "- uses: actions/download-artifact@37930b1c2abaa49bbe596cd826c3c89aef350131 # v7.0.0
  with:
    name: dist
    path: dist",
    ),
];

/// The line of the matrix that repeats the one before it when there is one Python only.
const NEWEST_ON_LINUX: &str = "          - { os: ubuntu-24.04, python: \"@@newest@@\" }\n";

/// Who sets the tag: GitHub does with the release, if there is one.
const TAGGED_BY_GITHUB: &str = "\
# Start it by hand on the commit of the release; the tag is then set by the last job, after
# everything else was published and read back. A pushed version tag starts it, too.
";
const TAGGED_BY_HAND: &str = "\
# Start it by hand on the commit of the release, and push the version's tag when all jobs are green:
# no job may write into the repository. A pushed version tag starts it, too.
";

/// Where the tool comes from.
const HOME: &str = "https://github.com/mcp-shipyard/mcp-shipyard";

/// What runs on every push.
pub fn ci(decided: &Decided, branch: &str, tool: &str) -> String {
    let package = match &decided.extension {
        Some(_) => "*.vsix",
        None => "*.whl",
    };
    let mut text = filled(CI, decided, tool)
        .replace("@@branch@@", &pattern(branch))
        .replace("@@package@@", package);
    let pythons = decided.server.pythons;
    if pythons.oldest == pythons.newest {
        text = text.replacen(NEWEST_ON_LINUX, "", 1);
    }
    let text = with_pythons(&text, pythons);
    let tested = decided.server.test.is_some();
    of_jobs(&text, &|job| job != "test" || tested, &[])
}

/// What runs for a release.
pub fn release(decided: &Decided, tool: &str) -> String {
    let targets = &decided.places.targets;
    let publishing: Vec<&str> = targets.iter().map(|target| target.job()).collect();
    let publishes = !targets.is_empty();
    let keep = |job: &str| match job {
        "build" => true,
        "attest" | "finish" | "verify" => publishes,
        other => publishing.contains(&other),
    };
    let text = with_pythons(&filled(RELEASE, decided, tool), decided.server.pythons);
    let text = of_jobs(&text, &keep, &publishing);
    if publishing.contains(&Target::Github.job()) {
        return text;
    }
    if publishes {
        return text.replacen(TAGGED_BY_GITHUB, TAGGED_BY_HAND, 1);
    }
    let (_, jobs) = text.split_once("name: release\n").unwrap_or(("", &text));
    format!(
        "# Builds and proves a release. It publishes nothing yet: the jobs for that come with\n\
         # `cargo xtask init --target pypi … --force`; `cargo xtask init --help` lists the targets.\n\
         name: release\n{jobs}"
    )
}

fn with_pythons(text: &str, pythons: Pythons) -> String {
    text.replace("@@oldest@@", pythons.oldest)
        .replace("@@newest@@", pythons.newest)
}

/// A branch as a pattern that names it alone, in YAML.
fn pattern(branch: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if branch.starts_with(|c: char| c.is_ascii_alphabetic()) && branch.chars().all(plain) {
        return branch.to_owned();
    }
    let escaped = branch.replace('+', "\\+").replace('!', "\\!");
    format!("'{}'", escaped.replace('\'', "''"))
}

/// Puts the steps in place of the lines that stand for them.
fn filled(text: &str, decided: &Decided, tool: &str) -> String {
    let install = format!("- run: cargo install --locked --git {HOME} --tag v{tool} xtask");
    let mut filled = String::new();
    for line in text.lines() {
        let bare = line.trim();
        let name = bare
            .strip_prefix("@@")
            .and_then(|name| name.strip_suffix("@@"));
        let steps = match name {
            None => {
                filled.push_str(line);
                filled.push('\n');
                continue;
            }
            Some("node") if decided.extension.is_none() => continue,
            Some("install") => install.as_str(),
            Some(name) => STEPS
                .iter()
                .find(|(known, _)| *known == name)
                .map_or("", |(_, steps)| steps),
        };
        let indent = line.len() - line.trim_start().len();
        for step in steps.lines() {
            filled.push_str(&format!("{:indent$}{step}\n", ""));
        }
    }
    filled
}

/// The workflow with some of its jobs, each needing only those that are left.
fn of_jobs(text: &str, keep: &dyn Fn(&str) -> bool, publishing: &[&str]) -> String {
    let (head, jobs) = text.split_once("jobs:\n").unwrap_or((text, ""));
    let mut blocks: Vec<(String, String)> = Vec::new();
    let mut before = String::new();
    for line in jobs.lines() {
        let name = line
            .strip_prefix("  ")
            .and_then(|line| line.strip_suffix(':'));
        let name = name.filter(|name| !name.starts_with([' ', '#']));
        match (name, blocks.last_mut()) {
            (Some(name), _) => {
                blocks.push((name.to_owned(), format!("{before}{line}\n")));
                before.clear();
            }
            (None, _) if line.starts_with("  #") => before.push_str(&format!("{line}\n")),
            (None, Some((_, block))) if !line.is_empty() => {
                block.push_str(line);
                block.push('\n');
            }
            _ => {}
        }
    }
    blocks.retain(|(name, _)| keep(name));
    let left: Vec<String> = blocks.iter().map(|(name, _)| name.clone()).collect();
    let shown = blocks.iter().map(|(name, block)| {
        let block = with_needs(block, &left, (name == "finish").then_some(publishing));
        if name == "finish" {
            finish(&block, publishing)
        } else {
            block
        }
    });
    format!("{head}jobs:\n{}", shown.collect::<Vec<_>>().join("\n"))
}

/// The last job waits for all that publish.
fn with_needs(block: &str, left: &[String], all: Option<&[&str]>) -> String {
    let line = |line: &str| {
        let list = line
            .strip_prefix("    needs: [")
            .and_then(|it| it.strip_suffix(']'));
        let Some(list) = list else {
            return format!("{line}\n");
        };
        let mut names: Vec<&str> = list.split(", ").collect();
        if let Some(all) = all {
            names.truncate(2);
            names.extend(all);
        }
        names.retain(|name| left.iter().any(|job| job == name));
        format!("    needs: [{}]\n", names.join(", "))
    };
    block.lines().map(line).collect()
}

/// Its permissions are those of the targets that it ends.
fn finish(block: &str, publishing: &[&str]) -> String {
    let mut block = block.to_owned();
    if !publishing.contains(&Target::Github.job()) {
        block = block
            .replace("      contents: write\n", "      contents: read\n")
            .replace("    environment: github\n", "    environment: finish\n");
    }
    if !publishing.contains(&Target::Ghcr.job()) {
        block = block.replace("      packages: write\n", "");
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_pinned_and_every_line_is_filled() {
        let texts = [CI, RELEASE].map(str::to_owned);
        let steps = STEPS.iter().map(|(_, steps)| (*steps).to_owned());
        for text in texts.into_iter().chain(steps) {
            for line in text.lines().filter(|line| line.contains("uses:")) {
                let commit = line.split('@').nth(1).and_then(|it| it.split(' ').next());
                let commit = commit.unwrap_or_default();
                assert!(commit.len() == 40 && line.contains(" # v"), "{line}");
            }
            for line in text.lines().map(str::trim) {
                let name = line.strip_prefix("@@").and_then(|it| it.strip_suffix("@@"));
                let known =
                    |name: &str| name == "install" || STEPS.iter().any(|(step, _)| *step == name);
                assert!(name.is_none_or(known), "{line}");
            }
        }
    }

    #[test]
    fn a_branch_is_one_word_of_yaml() {
        let check = |branch: &str, expected: &str| assert_eq!(pattern(branch), expected);
        check("main", "main");
        check("release/1.x", "release/1.x");
        check("fix,#1", "'fix,#1'");
        check("it's", "'it''s'");
        check("c++", "'c\\+\\+'");
        check("1.0", "'1.0'");
        check("größer", "'größer'");
    }

    #[test]
    fn what_is_replaced_is_there() {
        assert!(CI.contains(NEWEST_ON_LINUX) && RELEASE.contains(TAGGED_BY_GITHUB));
        assert_ne!(TAGGED_BY_GITHUB, TAGGED_BY_HAND);
    }

    #[test]
    fn jobs_need_only_those_that_are_left() {
        let text = "on: x\njobs:\n  build:\n    a: 1\n\n  # Why.\n  pypi:\n    needs: [build, staging, draft]\n\n  finish:\n    needs: [build, attest, pypi]\n";
        let keep = |job: &str| job != "staging" && job != "attest";
        let expected = "on: x\njobs:\n  build:\n    a: 1\n\n  # Why.\n  pypi:\n    needs: [build]\n\n  finish:\n    needs: [build, pypi]\n";
        assert_eq!(of_jobs(text, &keep, &["pypi"]), expected);
        let expected = "on: x\njobs:\n  build:\n    a: 1\n";
        assert_eq!(of_jobs(text, &|job| job == "build", &[]), expected);
    }
}
