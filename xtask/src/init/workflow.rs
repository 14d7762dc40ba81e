//! The two workflows, from embedded ones of which whole lines and jobs are taken. Pure.

use super::Decided;
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
    python-version: \"3.13\"",
    ),
    (
        "node",
        "- uses: actions/setup-node@6044e13b5dc448c55e2357c09f80417699197238 # v6.2.0
  with:
    node-version: \"24\"",
    ),
    (
        "dist",
        "- uses: actions/download-artifact@37930b1c2abaa49bbe596cd826c3c89aef350131 # v7.0.0
  with:
    name: dist
    path: dist",
    ),
];

/// Where the tool comes from.
const HOME: &str = "https://github.com/mcp-shipyard/mcp-shipyard";

/// What runs on every push.
pub fn ci(decided: &Decided, branch: &str, tool: &str) -> String {
    let package = match &decided.extension {
        Some(_) => "*.vsix",
        None => "*.whl",
    };
    let text = filled(CI, decided, tool)
        .replace("@@branch@@", branch)
        .replace("@@package@@", package);
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
    let text = of_jobs(&filled(RELEASE, decided, tool), &keep, &publishing);
    if publishes {
        return text;
    }
    let (_, jobs) = text.split_once("name: release\n").unwrap_or(("", &text));
    format!(
        "# Builds and proves a release. It publishes nothing yet: the jobs for that come with\n\
         # `cargo xtask init --target pypi … --force`; `cargo xtask init --help` lists the targets.\n\
         name: release\n{jobs}"
    )
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
    fn jobs_need_only_those_that_are_left() {
        let text = "on: x\njobs:\n  build:\n    a: 1\n\n  # Why.\n  pypi:\n    needs: [build, staging, draft]\n\n  finish:\n    needs: [build, attest, pypi]\n";
        let keep = |job: &str| job != "staging" && job != "attest";
        let expected = "on: x\njobs:\n  build:\n    a: 1\n\n  # Why.\n  pypi:\n    needs: [build]\n\n  finish:\n    needs: [build, pypi]\n";
        assert_eq!(of_jobs(text, &keep, &["pypi"]), expected);
        let expected = "on: x\njobs:\n  build:\n    a: 1\n";
        assert_eq!(of_jobs(text, &|job| job == "build", &[]), expected);
    }
}
