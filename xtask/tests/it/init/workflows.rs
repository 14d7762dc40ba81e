//! The workflows that `init` writes, for every combination of targets, held against the rules.

use std::collections::BTreeMap;

use xtask::init::{Facts, Proposal, Target, Wishes, propose};
use xtask::workflow::read;
use xtask::workflow::report::report;
use xtask::workflow::repository::{Disk, Repository as Workflows, Tool};

use super::super::repository::{Repository, slow};
use super::{shape, tree};

const TARGETS: [Target; 7] = [
    Target::Github,
    Target::Testpypi,
    Target::Pypi,
    Target::Ghcr,
    Target::OpenVsx,
    Target::Marketplace,
    Target::Mcp,
];

fn facts(repository: &Repository) -> Facts {
    let texts = tree(repository).into_iter().filter_map(|(path, bytes)| {
        let text = String::from_utf8(bytes).ok()?;
        Facts::wants(&path).then_some((path, text))
    });
    Facts {
        paths: tree(repository).into_iter().map(|(path, _)| path).collect(),
        texts: texts.collect(),
        repository: Some("Owner/versions".to_owned()),
        branch: "main".to_owned(),
        tool: "1.2.3".to_owned(),
        ..Facts::default()
    }
}

/// What our rules say of the workflows of a proposal.
fn findings(facts: &Facts, proposal: &Proposal) -> String {
    let changes = proposal.changes.iter();
    let texts: Vec<(String, String)> = changes
        .filter(|change| change.path.ends_with(".yml"))
        .map(|change| (change.path.clone(), change.text.clone()))
        .collect();
    assert_eq!(texts.len(), 2);
    let workflows = texts.iter().map(|(path, text)| {
        assert!(!text.contains("@@"), "{text}");
        read::workflow(path, text).unwrap()
    });
    let repository = Workflows {
        workflows: workflows.collect(),
        actions: Vec::new(),
        broken: Vec::new(),
        disk: Disk {
            files: facts.paths.clone(),
            scripts: BTreeMap::new(),
            targets: BTreeMap::new(),
        },
        tool: Tool::Used(xtask::cli::problem),
    };
    report(&repository, &texts, None).text()
}

#[test]
fn every_combination_of_targets_passes_our_rules() {
    for (case, has_extension) in [("hatchling", false), ("poetry", true)] {
        let facts = facts(&shape(case, "one"));
        for chosen in 0..1_u32 << TARGETS.len() {
            let is_chosen = |index: &usize| chosen & (1 << index) != 0;
            let targets: Vec<Target> = (0..TARGETS.len())
                .filter(is_chosen)
                .map(|index| TARGETS[index])
                .collect();
            let wishes = Wishes {
                targets: targets.clone(),
                ..Wishes::default()
            };
            let takes_extension = targets.iter().any(|it| it.takes_extensions());
            match propose(&facts, &wishes) {
                Ok(proposal) => {
                    assert!(has_extension || !takes_extension, "{targets:?}");
                    assert_eq!(findings(&facts, &proposal), "", "{case} {targets:?}");
                }
                Err(error) => {
                    assert!(!has_extension && takes_extension, "{targets:?}: {error}");
                    assert!(error.message.contains("no extension to publish"), "{error}");
                }
            }
        }
    }
}

fn workflow(repository: &Repository, name: &str) -> String {
    let path = format!(".github/workflows/{name}.yml");
    String::from_utf8(repository.read(&path)).unwrap()
}

#[test]
fn the_tag_is_promised_only_where_something_sets_it() {
    let repository = shape("hatchling", "one");
    repository.git(&["remote", "add", "origin", "https://github.com/o/n"]);
    let promise = "the tag is then set by the last job";
    let by_hand = "push the version's tag when all jobs are green";
    let check = |target: &str, said: &str, unsaid: &str| {
        repository.succeeds(&["init", "--force", "--target", target]);
        let text = workflow(&repository, "release");
        assert!(text.contains(said) && !text.contains(unsaid), "{text}");
    };
    check("github", promise, by_hand);
    check("pypi", by_hand, promise);
}

#[test]
fn pushes_to_the_branch_that_everybody_merges_into_are_tested() {
    let repository = shape("hatchling", "one");
    repository.git(&["checkout", "--quiet", "-b", "fix,#1"]);
    repository.succeeds(&["init"]);
    let line = |wanted: &str| {
        let text = workflow(&repository, "ci");
        assert!(
            text.contains(&format!("    branches: [{wanted}]\n")),
            "{text}"
        );
    };
    line("'fix,#1'");
    repository.git(&["update-ref", "refs/remotes/origin/trunk", "HEAD"]);
    let head = "refs/remotes/origin/HEAD";
    repository.git(&["symbolic-ref", head, "refs/remotes/origin/trunk"]);
    repository.succeeds(&["init", "--force"]);
    line("trunk");
}

/// zizmor and actionlint see what our rules leave to them.
#[test]
fn other_judges_find_nothing_either() {
    if !slow() {
        return;
    }
    let repository = shape("poetry", "one");
    repository.git(&["remote", "add", "origin", "https://github.com/o/n"]);
    let all: Vec<&str> = "github testpypi pypi ghcr open-vsx marketplace mcp"
        .split(' ')
        .collect();
    for targets in [&all[..0], &all[1..3], &all[4..6], &all[..]] {
        let mut words = vec!["init", "--force"];
        words.extend(targets.iter().flat_map(|target| ["--target", target]));
        repository.succeeds(&words);
        let ended = repository.succeeds(&["ci", "check"]);
        let said = "0 errors, 0 warnings, 0 accepted, with zizmor and actionlint";
        assert!(ended.stdout.contains(said), "{targets:?}: {}", ended.stdout);
    }
}
