//! What GitHub's runner is told: the tool as a step runs it.

use crate::publish::sample::{self, publish};
use crate::repository::{Ended, Repository, slow};

/// Runs as a step of a job whose checkout is the repository's root.
fn step(repository: &mut Repository, arguments: &[&str]) -> Ended {
    let root = repository.root.to_string();
    let variables = [
        ("GITHUB_ACTIONS", "true".to_owned()),
        ("GITHUB_WORKSPACE", root.clone()),
        ("GITHUB_STEP_SUMMARY", format!("{root}/../summary.md")),
        ("GITHUB_OUTPUT", format!("{root}/../output")),
    ];
    for (name, value) in variables {
        let is_set = repository
            .environment
            .iter()
            .any(|(known, _)| known == name);
        if !is_set {
            repository.environment.push((name.to_owned(), value));
        }
    }
    repository.xtask(arguments)
}

fn set(repository: &mut Repository, name: &str, value: &str) {
    repository
        .environment
        .push((name.to_owned(), value.to_owned()));
}

fn written(repository: &Repository, file: &str) -> String {
    let path = repository.root.join("..").join(file);
    std::fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn an_error_stands_on_its_line() {
    let mut repository = Repository::sound();
    let text = String::from_utf8(repository.read("release.toml")).unwrap();
    repository.write("release.toml", &text.replace("tool = ", "tol = "));
    let here = step(&mut repository, &["version"]);
    assert_eq!(here.code, Some(2));
    let line = text.lines().position(|line| line.starts_with("tool = "));
    let line = line.unwrap() + 1;
    let expected = format!("::error file=release.toml,line={line},col=");
    assert!(here.stderr.contains(&expected), "{}", here.stderr);
    assert!(here.stderr.contains("title=usage (exit code 2)::"));

    // In a folder below the checkout the path has that folder in front.
    let mut below = Repository::sound();
    below.write("release.toml", &text.replace("tool = ", "tol = "));
    let name = below.root.file_name().unwrap().to_owned();
    let above = below.root.parent().unwrap().to_string();
    set(&mut below, "GITHUB_WORKSPACE", &above);
    let ended = step(&mut below, &["version"]);
    let expected = format!("::error file={name}/release.toml,line={line},col=");
    assert!(ended.stderr.contains(&expected), "{}", ended.stderr);

    let elsewhere = below.xtask(&["version"]);
    assert!(elsewhere.stderr.contains("::error"));
    below
        .environment
        .retain(|(name, _)| name != "GITHUB_ACTIONS");
    assert!(!below.xtask(&["version"]).stderr.contains("::error"));
}

#[test]
fn findings_stand_on_the_lines_of_their_lock_files() {
    let mut repository = Repository::sound();
    let lock = String::from_utf8(repository.read("server/poetry.lock")).unwrap();
    repository.write("server/poetry.lock", &format!("{lock}<<<<<<< HEAD\n"));
    repository.commit();
    let ended = step(&mut repository, &["audit"]);
    assert_ne!(ended.code, Some(0));
    let line = lock.lines().count() + 1;
    let expected = format!("::error file=server/poetry.lock,line={line}");
    assert!(ended.stderr.contains(&expected), "{}", ended.stderr);
}

#[test]
fn doctor_stands_on_the_lines_too() {
    let mut repository = Repository::sound();
    repository.write("deploy/k8s.yaml", "a: 1\nb: x: y\n");
    repository.commit();
    let ended = step(&mut repository, &["doctor"]);
    assert_eq!(ended.code, Some(5), "{}", ended.stderr);
    let expected = "::error file=deploy/k8s.yaml,line=2,title=broken-manifest::";
    assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    assert!(!ended.stdout.contains("::error"), "{}", ended.stdout);
}

#[test]
fn publishing_and_verifying_are_summed_up() {
    let mut repository = sample::repository("");
    let planned = step(&mut repository, &["plan"]);
    assert_eq!(planned.code, Some(0), "{}", planned.stderr);
    let published = publish(&repository, "local");
    assert_eq!(published.code, Some(0), "{}", published.stderr);
    let verified = step(&mut repository, &["verify"]);
    assert_eq!(verified.code, Some(0), "{}", verified.stderr);
    let summary = written(&repository, "summary.md");
    let wheel = sample::release(sample::CONTENT);
    let wheel = wheel.manifest.find(xtask::artifact::Kind::Wheel).unwrap();
    for expected in [
        "## Plan: demo-server 1.0.0 → local\n",
        "| local | absent → upload ",
        "## ✓ Published: demo-server 1.0.0 → local\n",
        "| local | ✓ sent ",
        "| target/published |",
        "## ✓ Verify demo-server 1.0.0: ",
        wheel.sha256.hex(),
    ] {
        assert!(summary.contains(expected), "{expected}\n{summary}");
    }
    assert!(!verified.stderr.contains("::error"));
}

#[test]
fn what_is_not_sent_is_summed_up_too() {
    let settings = "[target.hub]\nkind = \"github\"\nrepository = \"a/b\"\n\
                    api = \"http://127.0.0.1:9/api/v3\"\n\
                    [profile.all]\ntargets = [\"hub\"]\n";
    let mut repository = sample::repository(settings);
    let ended = step(&mut repository, &["publish", "--to", "all", "--execute"]);
    assert_ne!(ended.code, Some(0));
    let summary = written(&repository, "summary.md");
    for expected in [
        "## Plan: demo-server 1.0.0 → all",
        "| hub | unknown: it could not be asked |",
        "[a/b v1.0.0](<http://127.0.0.1:9/a/b/releases/tag/v1.0.0>)",
    ] {
        assert!(summary.contains(expected), "{summary}");
    }
}

#[test]
fn a_summary_that_cannot_be_written_fails_nothing() {
    let mut repository = sample::repository("");
    let full = std::path::Path::new("/dev/full").exists();
    let bad = if full {
        "/dev/full"
    } else {
        "/no/such/folder/summary"
    };
    set(&mut repository, "GITHUB_STEP_SUMMARY", bad);
    let ended = step(&mut repository, &["plan"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let expected = format!("! GITHUB_STEP_SUMMARY: write {bad}: ");
    assert!(ended.stderr.contains(&expected), "{}", ended.stderr);

    let mut repository = sample::repository("");
    set(&mut repository, "GITHUB_STEP_SUMMARY", "");
    let ended = step(&mut repository, &["plan"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("! GITHUB_STEP_SUMMARY is not set"));

    let mut repository = sample::repository("");
    std::fs::write(
        repository.root.join("../summary.md"),
        "x".repeat((1 << 20) - 40),
    )
    .unwrap();
    let ended = step(&mut repository, &["plan"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("the summary of this step is full"));
    assert!(written(&repository, "summary.md").len() <= 1 << 20);
}

/// A name that others chose is printed, and orders nothing.
#[test]
fn no_line_of_others_is_an_order() {
    let mut repository = Repository::sound();
    let ended = step(
        &mut repository,
        &["trace", "\n::add-mask::demo\n##[group]x"],
    );
    assert_ne!(ended.code, Some(0));
    let orders = ended.stderr.lines().chain(ended.stdout.lines());
    for line in orders {
        let is_ours = line.starts_with("::error ");
        let is_order = line.trim_start().starts_with("::");
        assert!(is_ours || !is_order, "{line}");
    }
}

#[test]
fn a_release_states_its_outputs() {
    if !slow() {
        return;
    }
    let mut repository = Repository::sound();
    let ended = step(&mut repository, &["release"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let digest = xtask::artifact::Digest::of(&repository.read("dist/manifest.json"));
    let output = written(&repository, "output");
    let expected = format!(
        "version=1.0.0\nwheel=demo_server-1.0.0-py3-none-any.whl\nmanifest-digest={digest}\n"
    );
    assert_eq!(output, expected);
    let summary = written(&repository, "summary.md");
    for expected in ["## ! Audit", "## ✓ Release: demo-server 1.0.0", "Proved: "] {
        assert!(summary.contains(expected), "{summary}");
    }
    // What it states is what `publish` asks for.
    let stated = digest.to_string();
    repository.succeeds(&["publish", "--execute", "--manifest-digest", &stated]);
}

#[test]
fn what_a_child_prints_is_folded() {
    if !slow() {
        return;
    }
    let mut repository = Repository::sound();
    let text = String::from_utf8(repository.read("release.toml")).unwrap();
    let tested = "console-script = \"demo-server\"\ntest = [\"-c\", \"print('from the child')\"]";
    let text = text.replace("console-script = \"demo-server\"", tested);
    repository.write("release.toml", &text);
    let ended = step(&mut repository, &["test", "python"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let expected = "::group::the server's tests\nfrom the child\n::endgroup::\n✓ python";
    assert!(ended.stdout.contains(expected), "{}", ended.stdout);
}
