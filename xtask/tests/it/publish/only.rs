//! Runs for some targets of a profile, as the jobs of a workflow do them.

use xtask::artifact::Digest;

use super::places::{self, Place};
use super::sample::{self, ledger, plan, publishes};
use crate::repository::{Ended, Repository};

/// A staging index, its install test, the final index and a folder, in one profile.
fn pipeline() -> (Repository, Place, Place) {
    let (staging, main) = (places::warehouse(), places::warehouse());
    let settings = format!(
        "[target.staging]\n{}[target.try]\nkind = \"install-test\"\nfrom = \"staging\"\n\
         [target.main]\n{}[profile.all]\ntargets = [\"local\", \"staging\", \"try\", \"main\"]\n",
        staging.settings, main.settings
    );
    let mut repository = sample::repository(&settings);
    for (name, value) in staging.environment.iter().chain(&main.environment) {
        repository.environment.push(((*name).into(), value.into()));
    }
    (repository, staging, main)
}

fn only(repository: &Repository, targets: &[&str]) -> Ended {
    let mut words = vec!["publish", "--to", "all", "--execute"];
    words.extend(targets.iter().flat_map(|target| ["--only", target]));
    repository.xtask(&words)
}

#[test]
fn a_job_for_one_target_waits_for_what_it_needs_and_leaves_the_rest() {
    let (repository, staging, main) = pipeline();
    let early = only(&repository, &["main"]);
    assert_eq!(early.code, Some(5), "{}", early.stderr);
    for expected in [
        "staging: has not got the release, and --only leaves it out",
        "first: cargo xtask publish --to all --only staging --execute",
    ] {
        assert!(early.stderr.contains(expected), "{}", early.stderr);
    }
    assert_eq!((staging.sent(), main.sent()), (0, 0));

    let staged = only(&repository, &["staging"]);
    assert_eq!(staged.code, Some(0), "{}", staged.stderr);
    let expected = (staging.expected)(&sample::release(sample::CONTENT));
    assert_eq!((staging.stored)(), expected);
    assert!(!repository.root.join("target/published").exists());

    let sent = staging.sent();
    let final_one = only(&repository, &["main"]);
    assert_eq!(final_one.code, Some(0), "{}", final_one.stderr);
    assert!(
        final_one.stdout.contains("(only looked at)"),
        "{}",
        final_one.stdout
    );
    assert_eq!((main.stored)(), expected);
    assert_eq!(staging.sent(), sent);
    let targets: Vec<String> = ledger(&repository)
        .iter()
        .filter(|line| line["act"] == "send")
        .map(|line| line["target"].as_str().unwrap().to_owned())
        .collect();
    assert!(targets.iter().all(|it| it == "staging" || it == "main"));

    // What comes last is left to the whole run, which sends nothing again.
    let folder = only(&repository, &["local"]);
    assert_eq!(folder.code, Some(0), "{}", folder.stderr);
    assert!(!folder.stdout.contains("local:last"), "{}", folder.stdout);
    let whole = publishes(&repository, "all");
    assert!(whole.stdout.contains("✓ local:last"), "{}", whole.stdout);
    assert_eq!(staging.sent(), sent);
    assert!(plan(&repository, "all")["steps"].as_array().unwrap().len() > 4);
}

#[test]
fn names_that_the_profile_has_not_got_are_refused() {
    let (repository, _staging, main) = pipeline();
    let ended = only(&repository, &["main", "nowhere"]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    let expected =
        "--only nowhere: profile.all has no such target; it has local, staging, try, main";
    assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    assert_eq!(main.front.received(), 0);
}

#[test]
fn a_manifest_that_another_job_built_is_known_by_its_digest() {
    let repository = sample::repository("");
    let digest = Digest::of(&repository.read("dist/manifest.json")).to_string();
    let run = |stated: &str| {
        let words = ["publish", "--execute", "--manifest-digest", stated];
        repository.xtask(&words)
    };
    let nothing = run("main");
    assert_eq!(nothing.code, Some(2), "{}", nothing.stderr);
    let other = run(&"ab".repeat(32));
    assert_eq!(other.code, Some(4), "{}", other.stderr);
    assert!(
        other.stderr.contains("the job that built it stated"),
        "{}",
        other.stderr
    );
    assert!(!repository.root.join("target/published").exists());
    let right = run(&digest);
    assert_eq!(right.code, Some(0), "{}", right.stderr);
    let words = ["verify", "--manifest-digest", digest.as_str()];
    repository.succeeds(&words);
    std::fs::remove_dir_all(repository.root.join("dist")).unwrap();
    let gone = run(&digest);
    assert_eq!(gone.code, Some(5), "{}", gone.stderr);
    assert!(
        gone.stderr.contains("make a release first"),
        "{}",
        gone.stderr
    );
}
