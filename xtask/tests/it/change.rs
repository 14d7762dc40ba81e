//! Versions, changelog, the commit of a release and its tag, in real repositories.

mod changelog;
mod release;
mod tag;
mod version;

use super::repository::Repository;

/// Every file of a repository but git's own and the tool's, with its bytes.
fn tree(repository: &Repository) -> Vec<(String, Vec<u8>)> {
    let listed = repository.git(&[
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    let paths = listed.split('\0').filter(|path| !path.is_empty());
    paths
        .map(|path| {
            (
                path.to_owned(),
                std::fs::read(repository.root.join(path)).unwrap_or_default(),
            )
        })
        .collect()
}

/// The tool must end with this code and say all of this, and must not change a file or a commit.
fn refused(repository: &Repository, arguments: &[&str], code: i32, said: &[&str]) {
    let state = || {
        let head = repository.git(&["rev-parse", "HEAD"]);
        let tags = repository.git(&["tag", "--list"]);
        let status = repository.git(&["status", "--porcelain"]);
        (head, tags, status, tree(repository))
    };
    let before = state();
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
    assert_eq!(state(), before, "{arguments:?} wrote something");
}

/// A commit that changes nothing but has this message.
fn commit(repository: &Repository, message: &str) {
    repository.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
}

/// Who commits, as a person has set it up.
fn with_identity(repository: &Repository) {
    repository.git(&["config", "user.name", "Test"]);
    repository.git(&["config", "user.email", "test@example.invalid"]);
}
