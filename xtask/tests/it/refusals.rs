//! What bad input gets: the right exit code, and a message with the file and the remedy.

use std::fs::File;

use super::repository::{Repository, ended};

/// The tool must end with this code and say all of this, and must not have written `dist/`.
fn check(repository: &Repository, arguments: &[&str], code: i32, said: &[&str]) {
    let before = repository.dist();
    let ended = repository.xtask(arguments);
    let text = format!("{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.code, Some(code), "{arguments:?}: {text}");
    for part in said {
        assert!(
            text.contains(part),
            "{arguments:?} does not say {part:?}: {text}"
        );
    }
    assert!(!text.contains("panicked"), "{text}");
    assert_eq!(repository.dist(), before, "dist/ was touched");
}

#[test]
fn wrong_words_on_the_command_line_are_usage_errors() {
    let repository = Repository::sound();
    check(&repository, &["relaese"], 2, &["relaese", "release"]);
    check(&repository, &["release", "--dry-run"], 2, &["--dry-run"]);
    check(
        &repository,
        &["release", "--format", "yaml"],
        2,
        &["yaml", "json"],
    );
    check(
        &repository,
        &["build", "--format", "sarif"],
        2,
        &["only `audit`, `check`, `ci check`", "--format json"],
    );
    check(
        &repository,
        &["build", "-q", "-v"],
        2,
        &["--quiet", "--verbose"],
    );
    check(
        &repository,
        &["trace", "nothing"],
        2,
        &["\"nothing\"", "sha256"],
    );
    check(&repository, &["bundle"], 2, &["[extension]"]);
}

#[test]
fn a_folder_without_configuration_says_where_it_looked() {
    let repository = Repository::folder("empty");
    check(
        &repository,
        &["release"],
        2,
        &["no release.toml in", "--root"],
    );
    check(
        &repository,
        &["doctor", "--root", "."],
        5,
        &["✗ release.toml", "write one: cargo xtask init"],
    );
}

#[test]
fn all_problems_of_the_configuration_come_with_line_and_column() {
    let repository = Repository::sound();
    repository.write(
        "release.toml",
        "schema = 1\nnmae = \"x\"\n[server]\npath = 3\n",
    );
    let said = [
        "release.toml:2:1: unknown key `nmae`",
        "release.toml:4:8: `server.path`",
    ];
    check(&repository, &["release"], 2, &said);
}

#[test]
fn a_release_needs_a_commit_and_all_its_history() {
    let repository = Repository::folder("no git");
    repository.write("release.toml", super::repository::CONFIGURATION);
    check(
        &repository,
        &["release"],
        5,
        &["is not in a git repository", "git init"],
    );
    repository.git(&["init", "--quiet"]);
    check(
        &repository,
        &["release"],
        5,
        &["has no commit yet", "git commit"],
    );

    let origin = Repository::sound();
    origin.write("more.txt", "more");
    origin.commit();
    let shallow = Repository::folder("shallow");
    let url = format!("file://{}", origin.root);
    shallow.git(&["clone", "--quiet", "--depth=1", &url, "."]);
    check(
        &shallow,
        &["release"],
        5,
        &["shallow clone", "git fetch --unshallow"],
    );
}

#[test]
fn a_changed_file_stops_a_release_and_an_untracked_one_does_not() {
    let repository = Repository::sound();
    repository.write("server/untracked.py", "");
    let plan = repository.succeeds(&["release", "--plan"]);
    assert!(
        plan.stderr.contains("server/untracked.py"),
        "{}",
        plan.stderr
    );
    repository.write("server/demo_server/server.py", "");
    let said = ["server/demo_server/server.py", "commit or stash", "--dirty"];
    check(&repository, &["release"], 5, &said);
    check(&repository, &["build"], 5, &said);
}

#[test]
fn a_dist_of_someone_else_is_never_replaced() {
    let repository = Repository::sound();
    repository.write("dist/thesis.odt", "the only copy");
    check(
        &repository,
        &["release"],
        5,
        &["dist holds files", "move those files"],
    );
}

#[test]
fn a_file_beside_a_release_is_named_and_not_lost() {
    let repository = Repository::sound();
    let manifest = r#"{"schema": 1, "artifacts": [{"path": "demo-1.0.whl"}]}"#;
    repository.write("dist/manifest.json", manifest);
    repository.write("dist/demo-1.0.whl", "the wheel of before");
    repository.write("dist/demo-0.9.whl", "a second wheel");
    check(
        &repository,
        &["release"],
        5,
        &["dist/demo-0.9.whl belongs to no release", "rm dist/"],
    );
}

#[test]
fn a_configuration_that_is_in_no_commit_rules_nothing() {
    let repository = Repository::sound();
    repository.git(&["rm", "--quiet", "--cached", "release.toml"]);
    repository.git(&["commit", "--quiet", "--message=Forget it"]);
    check(
        &repository,
        &["release"],
        5,
        &["release.toml is in no commit", "git add release.toml"],
    );
}

#[test]
fn a_second_run_says_who_holds_the_lock() {
    let repository = Repository::sound();
    repository.write("target/xtask/lock", "process 4711, cargo xtask release\n");
    let file = File::open(repository.root.join("target/xtask/lock")).unwrap();
    file.lock().unwrap();
    check(
        &repository,
        &["release"],
        5,
        &["another run holds", "process 4711"],
    );
}

#[test]
fn versions_that_disagree_are_a_table_and_a_conflict() {
    let repository = Repository::sound();
    repository.succeeds(&["version", "--check"]);
    repository.git(&["tag", "v1.0.0"]);
    repository.succeeds(&["version", "--check"]);
    repository.git(&["tag", "v1.0.1"]);
    let said = ["✗ tag  v1.0.1", "1 of 4 places do not say 1.0.0"];
    check(&repository, &["version", "--check"], 4, &said);
    // The tags of a commit say nothing about what was edited since.
    repository.write("server/demo_server/__init__.py", "__version__ = \"0.9\"\n");
    let said = [
        "✗ server/demo_server/__init__.py  __version__",
        "0.9",
        "1 of 2",
    ];
    check(&repository, &["version", "--check"], 4, &said);
    repository.succeeds(&["version"]);
}

#[test]
fn nothing_to_prove_bundle_or_package_is_a_missing_precondition() {
    let repository = Repository::sound();
    check(
        &repository,
        &["prove"],
        5,
        &["there is no dist/manifest.json", "cargo xtask release"],
    );
    let digest = "0".repeat(64);
    check(&repository, &["trace", &digest], 1, &["has the digest"]);
}

#[test]
fn a_damaged_manifest_is_named() {
    let repository = Repository::sound();
    repository.write("dist/manifest.json", "{\"schema\": 7}");
    check(
        &repository,
        &["prove"],
        1,
        &["dist/manifest.json: schema 7", "reads schema 1"],
    );
    let escaping = r#"{"schema": 1, "name": "d", "version": "1", "source": {"commit": "c", "dirty": false, "sourceDateEpoch": 0}, "artifacts": [{"kind": "wheel", "name": "d", "version": "1", "path": "../../escape.whl", "size": 1, "sha256": "HASH", "inputs": {}}]}"#;
    repository.write(
        "dist/manifest.json",
        &escaping.replace("HASH", &"0".repeat(64)),
    );
    check(
        &repository,
        &["prove"],
        1,
        &["../../escape.whl", "not the plain name"],
    );
    repository.write("dist/manifest.json", "{");
    check(
        &repository,
        &["prove"],
        1,
        &["dist/manifest.json: not JSON"],
    );
}

#[test]
fn doctor_lists_what_is_wrong_with_a_repository() {
    let repository = Repository::sound();
    repository.succeeds(&["doctor"]);
    repository.write("server/requirements.txt", "mcp\n");
    repository.write(
        "server/pyproject.toml",
        "[project]\nname='demo-server'\nversion='2'\n",
    );
    let said = [
        "no console script demo-server",
        "server/poetry.lock",
        "a second source of dependency truth",
        "places do not say",
    ];
    check(&repository, &["doctor"], 5, &said);
}

#[test]
fn a_root_that_holds_no_configuration_is_a_usage_error() {
    let repository = Repository::sound();
    let said = ["nowhere is not a folder", "release.toml"];
    check(&repository, &["release", "--root", "nowhere"], 2, &said);
    let said = ["no release.toml in", "--root"];
    check(&repository, &["release", "--root", "server"], 2, &said);
}

/// Web applications have a `dist/manifest.json` of their own.
#[test]
fn a_dist_that_is_not_ours_is_never_replaced() {
    let repository = Repository::sound();
    repository.write("dist/manifest.json", "{\"name\": \"A web application\"}");
    repository.write("dist/application.js", "precious");
    let said = ["holds files", "move those files"];
    check(&repository, &["release"], 5, &said);
    check(&repository, &["build"], 5, &said);
}

#[test]
fn a_file_or_a_link_in_the_place_of_dist_stays() {
    let repository = Repository::sound();
    repository.write("dist", "precious");
    check(&repository, &["release"], 5, &["dist is a file", "mv "]);
    assert_eq!(repository.read("dist"), b"precious");
    std::fs::remove_file(repository.root.join("dist")).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("server", repository.root.join("dist")).unwrap();
        check(&repository, &["build"], 5, &["dist is a link", "mv "]);
        assert!(repository.root.join("dist").is_symlink());
    }
}

/// A result that was cut off must not look like one that was written.
#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_written_is_a_failure() {
    let repository = Repository::sound();
    let script = "\"$0\" version --format json > /dev/full";
    let tool = env!("CARGO_BIN_EXE_cargo-xtask");
    let full = ended(repository.command("sh").args(["-c", script, tool]));
    assert_eq!(full.code, Some(1), "{}", full.stderr);
    assert!(full.stderr.contains("not whole"), "{}", full.stderr);
}
