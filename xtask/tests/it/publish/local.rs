//! The folders on this machine, and what holds for every target alike.

use super::sample::{self, CONTENT, plan, publish, publishes, state};
use crate::repository::ended;

#[test]
fn a_release_gets_there_once_and_nothing_is_sent_again() {
    let repository = sample::repository("");
    assert_eq!(state(&plan(&repository, "local"), "local"), "absent");
    assert!(!repository.root.join("target/published").exists());
    let printed = repository.succeeds(&["publish"]);
    assert!(
        printed.stdout.contains("nothing was sent"),
        "{}",
        printed.stdout
    );
    assert!(!repository.root.join("target/published").exists());

    publishes(&repository, "local");
    let plan = plan(&repository, "local");
    assert_eq!(state(&plan, "local"), "same");
    assert_eq!(state(&plan, "local:last"), "same");
    let sends = |repository| {
        let ledger = sample::ledger(repository);
        ledger.iter().filter(|line| line["act"] == "send").count()
    };
    let sent = sends(&repository);
    assert!(sent > 5);
    publishes(&repository, "local");
    assert_eq!(sends(&repository), sent);
}

#[test]
fn the_ledger_is_evidence_and_nothing_else() {
    let repository = sample::repository("");
    publishes(&repository, "local");
    let ledger = sample::ledger(&repository);
    assert!(ledger.iter().any(|line| line["act"] == "verified"));
    for line in &ledger {
        for field in ["time", "target", "item", "sha256", "release", "outcome"] {
            assert!(line[field].is_string(), "{line}");
        }
    }
    std::fs::remove_file(repository.root.join("dist/ledger.jsonl")).unwrap();
    let again = publishes(&repository, "local");
    assert!(again.stdout.contains("= local"), "{}", again.stdout);
}

#[test]
fn other_bytes_are_a_conflict_and_stay() {
    let repository = sample::repository("");
    publishes(&repository, "local");
    sample::put(&repository, &sample::release("print('other')\n"));
    let wheel = "target/published/index/demo-server/demo_server-1.0.0-py3-none-any.whl";
    let before = repository.read(wheel);
    assert_eq!(state(&plan(&repository, "local"), "local"), "conflict");
    let ended = publish(&repository, "local");
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    assert!(
        ended.stdout.contains("exists with other bytes"),
        "{}",
        ended.stdout
    );
    assert_eq!(repository.read(wheel), before);
    // What was published is found the same again.
    sample::put(&repository, &sample::release(CONTENT));
    publishes(&repository, "local");
}

#[test]
fn what_must_not_be_published_is_refused_before_anything_is_asked() {
    let repository = sample::repository("");
    let check = |code, expected: &str| {
        let ended = publish(&repository, "local");
        assert_eq!(ended.code, Some(code), "{}", ended.stderr);
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
        assert!(!repository.root.join("target/published").exists());
    };
    repository.write("dist/requirements.txt", "# something else\n");
    check(1, "is not the file that was made");
    let mut dirty = sample::release(CONTENT);
    dirty.manifest.source.dirty = true;
    sample::put(&repository, &dirty);
    check(6, "built from a working tree");
    sample::put(&repository, &sample::release(CONTENT));
    repository.write(".gitignore", "/dist/\n/target/\n");
    repository.commit();
    repository.git(&["tag", "v1.0.0"]);
    check(4, "the tag v1.0.0 names commit");
    std::fs::remove_dir_all(repository.root.join("dist")).unwrap();
    check(5, "there is no dist/manifest.json");
}

#[test]
fn what_is_not_known_is_answered_with_what_is() {
    let repository = sample::repository("[profile.all]\ntargets = [\"local\"]\n");
    let ended = publish(&repository, "production");
    assert_eq!(ended.code, Some(2));
    assert!(
        ended
            .stderr
            .contains("unknown profile `production`; known: all, local"),
        "{}",
        ended.stderr
    );
    let repository = sample::repository("[profile.all]\ntargets = [\"nowhere\"]\n");
    let ended = publish(&repository, "all");
    assert_eq!(ended.code, Some(2));
    assert!(
        ended
            .stderr
            .contains("unknown target `nowhere`; known: local"),
        "{}",
        ended.stderr
    );
}

#[test]
fn what_is_left_out_is_said() {
    let repository = sample::repository(
        "[target.more]\nkind = \"local\"\npath = \"more\"\n[profile.all]\n\
         targets = [\"local\", \"more\"]\n[[profile.all.skip]]\ntarget = \"more\"\n\
         reason = \"the disk is small\"\n",
    );
    let ended = publishes(&repository, "all");
    assert!(
        ended
            .stdout
            .contains("left out by release.toml: the disk is small"),
        "{}",
        ended.stdout
    );
    assert!(!repository.root.join("more").exists());
}

#[test]
fn one_that_fails_does_not_keep_another_from_going_on() {
    let repository = sample::repository(
        "[target.more]\nkind = \"local\"\npath = \"more\"\n[profile.all]\n\
         targets = [\"local\", \"more\"]\n",
    );
    // A file where the folder has to be.
    repository.write("more/index/demo-server", "in the way\n");
    let ended = publish(&repository, "all");
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stdout.contains("✓ local "), "{}", ended.stdout);
    assert!(ended.stdout.contains("blocked: more"), "{}", ended.stdout);
}

#[test]
fn pip_installs_from_the_folder() {
    let repository = sample::repository("");
    publishes(&repository, "local");
    let index = repository.root.join("target/published/index/");
    let url = url::Url::from_directory_path(&index).unwrap().to_string();
    let pip = ended(
        repository
            .command("python3")
            .args([
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-deps",
                "--no-cache-dir",
            ])
            .args([
                "--index-url",
                &url,
                "--dest",
                "target/fetched",
                "demo-server==1.0.0",
            ])
            .env_remove("PIP_FIND_LINKS"),
    );
    assert_eq!(pip.code, Some(0), "{}", pip.stderr);
    assert_eq!(
        repository.read("target/fetched/demo_server-1.0.0-py3-none-any.whl"),
        sample::wheel(CONTENT)
    );
}

#[test]
fn a_second_run_says_who_holds_the_release() {
    let repository = sample::repository("");
    let folder = repository.root.join("target/xtask");
    std::fs::create_dir_all(&folder).unwrap();
    let mut file = std::fs::File::create(folder.join("lock")).unwrap();
    std::io::Write::write_all(&mut file, b"process 7, cargo xtask publish\n").unwrap();
    file.lock().unwrap();
    let ended = publish(&repository, "local");
    assert_eq!(ended.code, Some(5), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("process 7, cargo xtask publish"),
        "{}",
        ended.stderr
    );
}

/// A target without requests is killed after every line of the ledger.
#[test]
fn a_run_that_was_killed_anywhere_is_finished_by_the_next() {
    let mut killed = 0;
    for lines in 1.. {
        let repository = sample::repository("");
        sample::put(&repository, &sample::small());
        let ledger = repository.root.join("dist/ledger.jsonl");
        let mut child = repository.start(&["publish", "--execute"]);
        let written = || {
            let text = std::fs::read_to_string(&ledger).unwrap_or_default();
            text.lines().count()
        };
        while written() < lines && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        if child.try_wait().unwrap().is_some() {
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        killed += 1;
        let again = publishes(&repository, "local");
        assert!(again.stdout.contains("publish"), "{}", again.stdout);
        assert_eq!(state(&plan(&repository, "local"), "local"), "same");
    }
    assert!(killed > 3, "only {killed} runs were killed at all");
}
