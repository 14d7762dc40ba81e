//! `init` in repositories of other shapes, and whole releases of what it made of them.

mod decisions;
mod refusals;
mod releases;
mod workflows;

use camino::Utf8Path;

use super::repository::{Repository, workspace};

/// The server that all shapes share.
const SERVER: &str = include_str!("init/cases/server.py");

/// Where packages come from in lock files that name it; written in two parts, see `tidy`.
fn index() -> String {
    format!("https://{}{}/simple", "py", "pi.org")
}

/// A repository of one of the shapes below `cases/`, with one commit.
fn shape(case: &str, folder: &str) -> Repository {
    let repository = Repository::folder(folder);
    let cases = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/init/cases");
    copy(&cases.join(case), "", &repository);
    match case {
        "hatchling" => repository.write("versions_server/server.py", SERVER),
        "setuptools" => repository.write("src/versions_server/server.py", SERVER),
        _ => poetry(&repository),
    }
    repository.commit();
    repository
}

fn copy(from: &Utf8Path, below: &str, repository: &Repository) {
    for entry in from.read_dir_utf8().unwrap() {
        let entry = entry.unwrap();
        let path = match below {
            "" => entry.file_name().to_owned(),
            below => format!("{below}/{}", entry.file_name()),
        };
        if entry.file_type().unwrap().is_dir() {
            copy(entry.path(), &path, repository);
        } else {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            repository.write(&path, &text.replace("@@INDEX@@", &index()));
        }
    }
}

/// What cannot be written down: a digest over `pyproject.toml`, a picture, and the development
/// tools that this workspace's own extension has locked.
fn poetry(repository: &Repository) {
    repository.write("server/versions_server/server.py", SERVER);
    let text = |path: &str| String::from_utf8(repository.read(path)).unwrap();
    let hash = xtask::requirements::content_hash(&text("server/pyproject.toml")).unwrap();
    let lock = text("server/poetry.lock").replace("@@CONTENT-HASH@@", &hash);
    repository.write("server/poetry.lock", &lock);
    let own = workspace().join("vscode-extension");
    let read = |name: &str| std::fs::read_to_string(own.join(name)).unwrap();
    let json = |name: &str| -> serde_json::Value { serde_json::from_str(&read(name)).unwrap() };
    let tools = json("package.json")["devDependencies"].to_string();
    let manifest = text("editor/vscode/package.json").replace("@@DEVELOPMENT@@", &tools);
    repository.write("editor/vscode/package.json", &manifest);
    let mut lock = json("package-lock.json");
    lock["name"] = "versions-vscode".into();
    lock["version"] = "1.2.0".into();
    let root = &mut lock["packages"][""];
    root["name"] = "versions-vscode".into();
    root["version"] = "1.2.0".into();
    repository.write("editor/vscode/package-lock.json", &lock.to_string());
    let icon = repository.root.join("editor/vscode/icon.png");
    std::fs::copy(own.join("media/icon.png"), icon).unwrap();
}

/// Every file that git knows or would know, with its bytes.
fn tree(repository: &Repository) -> Vec<(String, Vec<u8>)> {
    let listed = repository.git(&[
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    let paths = listed.split('\0').filter(|path| !path.is_empty());
    // A file that a test removed is still listed.
    let paths = paths.filter(|path| repository.root.join(path).exists());
    paths
        .map(|path| (path.to_owned(), repository.read(path)))
        .collect()
}

/// Runs `init` that must refuse with this exit code and these words, and write nothing.
fn refuses(repository: &Repository, arguments: &[&str], code: i32, words: &[&str]) {
    let before = tree(repository);
    let mut all = vec!["init"];
    all.extend(arguments);
    let ended = repository.xtask(&all);
    assert_eq!(ended.code, Some(code), "{}\n{}", ended.stdout, ended.stderr);
    for word in words {
        assert!(
            ended.stderr.contains(word),
            "{word:?} is not in\n{}",
            ended.stderr
        );
    }
    assert!(before == tree(repository), "something was written");
}
